"""`sidecar restore`: list what can be taken back, take it back, or let go of it for good."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sidecar.cli.asking import answered, here, print_json, recover_first
from sidecar.cli.consent import DONE, REFUSED, agree, can_ask, show_findings, status_of
from sidecar.cli.working import working
from sidecar.model.findings import is_blocked
from sidecar.model.messages import escape, shown
from sidecar.model.schema import receipts_object, restore_object

if TYPE_CHECKING:
    from sidecar.operations.receipts import Receipt

DEEDS = {"merge": "merged", "release": "released", "vanished": "vanished"}
"""What happened to a worktree, by the receipt's word."""


@click.command(short_help="What can be restored, or restore it.")
@click.argument("receipt", metavar="ID", required=False)
@click.option(
    "--into",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Where the worktree goes; its old place unless given.",
)
@click.option("--empty", is_flag=True, help="Let go of what ID keeps, or of everything that is kept, for good.")
@click.option("--yes", "-y", is_flag=True, help="With --empty: do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def restore(receipt: str | None, into: Path | None, empty: bool, yes: bool, as_json: bool) -> int:
    """List what can be restored, or restore ID: take a merge back, or bring a worktree back.

    A merge is taken back as long as trunk is still there and nothing was published.
    """
    if into is not None and (receipt is None or empty):
        raise click.UsageError("--into goes with the ID of a worktree that is brought back.")
    if yes and not empty:
        raise click.UsageError("--yes goes with --empty.")
    recover_first()
    if empty:
        return _empty(receipt, yes=yes, as_json=as_json)
    return _list(as_json) if receipt is None else _restore(receipt, into, as_json)


def _list(as_json: bool) -> int:
    from sidecar.operations.restore import list_restorable  # --help and serve do without
    from sidecar.session.sources import Options

    receipts = answered(list_restorable(here(), Options()))
    if as_json:
        print_json(receipts_object(receipts))
    elif not receipts:
        click.echo("There is nothing to restore.")
    else:
        _show(receipts, err=False)
    return DONE


def _restore(receipt: str, into: Path | None, as_json: bool) -> int:
    from sidecar.operations.restore import restore as apply_restore
    from sidecar.session.sources import Options

    with working() as work:
        result = answered(apply_restore(here(), receipt, Options(trusted=True), work.control, into))
    if as_json:
        print_json(restore_object(result.outcome, result.path, result.findings))
    else:
        show_findings(result.findings, err=result.outcome != "restored")
        if result.outcome == "restored":
            click.echo(f"Restored in {escape(result.path)}." if result.path is not None else "The merge is taken back.")
        else:
            click.echo("Not restored.", err=True)
    return status_of(result.outcome, interrupted=work.interrupted)


def _empty(receipt: str | None, *, yes: bool, as_json: bool) -> int:
    """Let go of what is kept; what would go is shown first."""
    from sidecar.model.inventory_findings import size_text
    from sidecar.operations.restore import apply_empty, plan_empty
    from sidecar.session.sources import Options

    plan = answered(plan_empty(here(), receipt, Options()))
    if not plan.receipts:
        if as_json:
            print_json(restore_object("emptied", None, ()))
        else:
            click.echo("Nothing is kept.")
        return DONE
    if not as_json or (can_ask() and not yes):
        _show(plan.receipts, err=as_json)
        click.echo(err=as_json)
    if not agree(f"Let go of this for good ({size_text(plan.bytes)})?", yes=yes):
        if as_json:
            print_json(restore_object("planned", None, ()))
        return REFUSED
    findings = answered(apply_empty(here(), plan, Options()))
    refused = is_blocked(findings)
    if as_json:
        print_json(restore_object("refused" if refused else "emptied", None, findings))
        return REFUSED if refused else DONE
    show_findings(findings, err=True)
    if not refused:
        click.echo("Nothing of this is kept any more.")
    return REFUSED if refused else DONE


def _show(receipts: tuple[Receipt, ...], *, err: bool) -> None:
    """The receipts, the newest first: id, what happened, when, and what it keeps on the disk."""
    from rich.table import Table  # takes longer than many an answer
    from rich.text import Text

    from sidecar.cli.show import GAP, console, show
    from sidecar.cli.text import titled
    from sidecar.model.inventory_findings import size_text

    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
    for heading in ("ID", "WORKTREE", "WHAT", "WHEN", "SIZE"):
        table.add_column(heading, overflow="fold")
    for one in receipts:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.time))
        name = titled(one.worktree, one.branch) if one.branch is not None else shown(one.worktree)
        size = size_text(one.bytes) if one.bytes else ""
        table.add_row(
            *(Text(cell) for cell in (escape(one.id), name, DEEDS.get(one.what, shown(one.what)), when, size))
        )
    show(console(err=err), [table])
