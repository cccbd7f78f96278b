"""`sidecar restore`: list what can be taken back, take it back, or let go of it for good."""

from __future__ import annotations

import os
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sidecar.cli.options import (
    DONE,
    REFUSED,
    answered,
    here,
    not_agreed,
    print_json,
    recover_first,
    show_findings,
    status_of,
    worktree_names,
)
from sidecar.cli.progress import working
from sidecar.model.findings import is_blocked
from sidecar.model.messages import parse_moment
from sidecar.model.schema import receipts_object, restore_object
from sidecar.model.words import escape, shown

if TYPE_CHECKING:
    from sidecar.model.receipts import Receipt
    from sidecar.operations.guard.rewind import RewindPlan
    from sidecar.operations.records import RestoreResult

MOST_PATHS = 20
"""How many paths are shown that would be others."""

PLANNED = partial(restore_object, "planned", None, ())
"""Makes the object of what was not agreed to."""


@click.command(short_help="What can be restored, or restore it.")
@click.argument("receipt", metavar="[ID|NAME]", required=False, shell_complete=worktree_names)
@click.option(
    "--into",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Where the worktree goes; its old place unless given.",
)
@click.option("--list", "listing", is_flag=True, help="List the states that are kept of the worktree NAME.")
@click.option(
    "--at", metavar="TIME", help="Go back to the last state of NAME until then: 14:05, '10 minutes ago', ISO."
)
@click.option("--empty", is_flag=True, help="Let go of what ID keeps, or of everything that is kept, for good.")
@click.option("--dry-run", "-n", is_flag=True, help="With --at, or the ID of a state: only show the plan.")
@click.option("--yes", "-y", is_flag=True, help="Consent to the plan as shown; with --empty: do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def restore(
    receipt: str | None,
    into: Path | None,
    listing: bool,
    at: str | None,
    empty: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """List what can be restored, or restore ID: take back a merge, bring back a worktree, or work that was wiped.

    A merge is taken back as long as trunk is still there and nothing was published. A worktree goes back to an earlier
    state with --at TIME NAME, also one that is gone; what is there now is kept first.
    """
    if into is not None and (receipt is None or empty or listing):
        raise click.UsageError("--into goes with the ID of a worktree that is brought back.")
    if (listing or at is not None) and (receipt is None or empty or (listing and at is not None)):
        raise click.UsageError("--list, or --at TIME, goes with the NAME of a worktree.")
    back = at is not None or (receipt is not None and receipt.startswith("state-"))
    if (yes and not empty and not back) or (dry_run and (empty or not back)):
        raise click.UsageError("--yes and --dry-run go with --empty, with --at, or with the ID of a state.")
    recover_first()
    if empty:
        return _empty(receipt, yes=yes, as_json=as_json)
    if receipt is None:
        return _list(as_json)
    if listing:
        return _list_states(receipt, as_json)
    if back:
        return _go_back(receipt, at, into, dry_run=dry_run, yes=yes, as_json=as_json)
    return _restore(receipt, into, as_json)


def _list_states(name: str, as_json: bool) -> int:
    from sidecar.model.settings import Options
    from sidecar.operations.guard.browse import as_receipts, find_kept  # --help and serve do without

    kept = answered(find_kept(here(), name, Options()))
    receipts = as_receipts(kept)
    if as_json:
        print_json(receipts_object(receipts))
    elif not receipts:
        click.echo(f"No state of {shown(kept.name)} is kept.")
    else:
        from sidecar.cli.render import print_states

        print_states((one.id, one.time, one.facts["changed"]) for one in receipts)
    return DONE


def _go_back(receipt: str, at: str | None, into: Path | None, *, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Go back to an earlier state: the plan is shown, then asked about."""
    from sidecar.model.settings import Options
    from sidecar.operations.guard.browse import find_kept, find_state, state_at  # --help and serve do without
    from sidecar.operations.guard.rewind import apply_rewind, plan_rewind

    options = Options(trusted=True)
    if at is None:
        kept = answered(find_state(here(), receipt, options))
        state = kept.states[0]
    else:
        moment = parse_moment(at, datetime.now().astimezone())
        if moment is None:
            raise click.UsageError(f"{escape(at)} is no time. Say 14:05, '10 minutes ago' or 2026-11-29T14:05.")
        kept = answered(find_kept(here(), receipt, options))
        state = answered(state_at(kept, moment.timestamp()))
    if into is not None and kept.worktree is not None:
        raise click.UsageError(f"{shown(kept.name)} is there, so it goes back where it is. Leave out --into.")
    plan = answered(plan_rewind(kept, state, options))
    nothing = plan.worktree is not None and not plan.changes
    show = partial(_show_rewind, plan)
    ended = not_agreed("Go back?", show, PLANNED, dry_run=dry_run or nothing, yes=yes, as_json=as_json)
    if ended is not None:
        return ended
    where = None if into is None else os.path.realpath(into)
    with working() as work:
        result = apply_rewind(plan, work.control, where)
    return _tell(result, work.interrupted, as_json)


def _show_rewind(plan: RewindPlan, *, err: bool) -> None:
    click.echo(plan.sentence, err=err)
    for path, one in list(plan.changes.items())[:MOST_PATHS]:
        sign = "+" if one.before is None else "-" if one.after is None else "~"
        click.echo(f"  {sign} {escape(path)}", err=err)
    if len(plan.changes) > MOST_PATHS:
        click.echo(f"  and {len(plan.changes) - MOST_PATHS} more", err=err)


def _list(as_json: bool) -> int:
    from sidecar.model.settings import Options
    from sidecar.operations.restore import list_restorable

    receipts = answered(list_restorable(here(), Options()))
    if as_json:
        print_json(receipts_object(receipts))
    elif not receipts:
        click.echo("There is nothing to restore.")
    else:
        from sidecar.cli.render import print_receipts

        print_receipts(receipts, err=False)
    if not as_json:
        click.echo("Earlier states of a worktree: sidecar restore NAME --list", err=True)
    return DONE


def _restore(receipt: str, into: Path | None, as_json: bool) -> int:
    from sidecar.model.settings import Options
    from sidecar.operations.restore import restore as apply_restore

    with working() as work:
        result = answered(apply_restore(here(), receipt, Options(trusted=True), work.control, into))
    return _tell(result, work.interrupted, as_json)


def _tell(result: RestoreResult, interrupted: bool, as_json: bool) -> int:
    if as_json:
        print_json(restore_object(result.outcome, result.path, result.findings))
    else:
        show_findings(result.findings, err=result.outcome != "restored")
        if result.outcome == "restored":
            click.echo(f"Restored in {escape(result.path)}." if result.path is not None else "The merge is taken back.")
        else:
            click.echo("Not restored.", err=True)
    return status_of(result.outcome, interrupted=interrupted)


def _empty(receipt: str | None, *, yes: bool, as_json: bool) -> int:
    """Let go of what is kept; what would go is shown first."""
    from sidecar.model.inventory_findings import size_text
    from sidecar.model.settings import Options
    from sidecar.operations.restore import apply_empty, plan_empty

    plan = answered(plan_empty(here(), receipt, Options()))
    if not plan.receipts:
        if as_json:
            print_json(restore_object("emptied", None, ()))
        else:
            click.echo("Nothing is kept.")
        return DONE
    question = f"Let go of this for good ({size_text(plan.bytes)})?"
    ended = not_agreed(question, partial(_show_receipts, plan.receipts), PLANNED, yes=yes, as_json=as_json)
    if ended is not None:
        return ended
    findings = answered(apply_empty(here(), plan, Options()))
    refused = is_blocked(findings)
    if as_json:
        print_json(restore_object("refused" if refused else "emptied", None, findings))
        return REFUSED if refused else DONE
    show_findings(findings, err=True)
    if not refused:
        click.echo("Nothing of this is kept any more.")
    return REFUSED if refused else DONE


def _show_receipts(receipts: tuple[Receipt, ...], *, err: bool) -> None:
    from sidecar.cli.render import print_receipts

    print_receipts(receipts, err=err)
    click.echo(err=err)
