"""`sidecar uninstall`: list all that the sidecar has put into this repository, and take it out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from sidecar.cli.options import (
    DONE,
    answered,
    here,
    not_agreed,
    print_json,
    recover_first,
    show_findings,
    status_of,
    writing,
)
from sidecar.cli.progress import working
from sidecar.model.words import counted, escape, shown

if TYPE_CHECKING:
    from sidecar.operations.uninstall import UninstallPlan

MOST_SHOWN = 20


@click.command(short_help="Take the sidecar out of this repository.")
@click.option("--keep-hooks", is_flag=True, help="Leave agents' hooks, which serve other repositories too.")
@writing
def uninstall(keep_hooks: bool, dry_run: bool, yes: bool, as_json: bool) -> int:
    """List and remove what the sidecar keeps in this repository, and the hooks that have agents call it.

    Nothing that it keeps can be restored after that. Worktrees, branches and commits stay as they are.
    """
    from sidecar.model.settings import Options
    from sidecar.operations.uninstall import apply_uninstall, plan_uninstall  # --help and serve do without

    recover_first()
    plan = answered(plan_uninstall(here(), Options(), hooks=not keep_hooks))
    if plan.is_empty:
        if as_json:
            print_json(plan.as_object())
        else:
            click.echo("There is nothing of the sidecar here.")
        return DONE
    question = "Remove all of this for good?" if plan.receipts or plan.states else "Remove all of this?"
    show = partial(_show_plan, plan)
    ended = not_agreed(question, show, plan.as_object, blocked=plan.blocked, dry_run=dry_run, yes=yes, as_json=as_json)
    if ended is not None:
        return ended
    with working() as work:
        result = apply_uninstall(plan, work.control)
    if as_json:
        print_json(plan.as_object(result))
    else:
        show_findings([one for one in result.findings if one not in plan.findings], err=True)
        if result.outcome == "uninstalled":
            click.echo("Nothing of the sidecar is left in this repository. The program itself goes as it came.")
        else:
            click.echo("Not everything is removed." if result.outcome == "failed" else "Nothing was removed.", err=True)
    return status_of(result.outcome, interrupted=work.interrupted)


def _show_plan(plan: UninstallPlan, *, err: bool) -> None:
    """Show what goes, and before that what can't be restored then."""
    from sidecar.cli.render import console, listing, print_receipts, show

    if plan.receipts:
        click.echo("This can't be restored any more:\n", err=err)
        print_receipts(plan.receipts, err=err)
        click.echo(err=err)
    if plan.states:
        names = ", ".join(map(shown, plan.states))
        click.echo(f"No earlier state can be gone back to, of: {names}.\n", err=err)
    rows = [
        ("refs", f"{counted(len(plan.refs), 'ref', 'refs')} below refs/sidecar" if plan.refs else ""),
        ("directories", _lines(plan.folders)),
        ("locks", f"of {', '.join(shown(one.name) for one in plan.protected)}" if plan.protected else ""),
        ("settings", _lines([f"{key} = {value}" for key, value in plan.settings])),
        ("agents' hooks", _lines([str(one.path) for one in plan.hooks])),
    ]
    show(console(err=err), [listing("Removed", [row for row in rows if row[1]])])
    show_findings(plan.findings, err=err)


def _lines(texts: tuple[str, ...] | list[str]) -> str:
    more = [f"and {len(texts) - MOST_SHOWN} more"] if len(texts) > MOST_SHOWN else []
    return "\n".join([*map(escape, texts[:MOST_SHOWN]), *more])
