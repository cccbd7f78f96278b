"""`sidecar keep`: protect a worktree from being removed, and from other tools' clean-ups."""

from __future__ import annotations

import click

from sidecar.cli.options import answered, here, print_json, recover_first, show_findings, status_of, worktree_names
from sidecar.model.schema import restore_object
from sidecar.model.words import shown


@click.command("keep", short_help="Protect a worktree from other tools' clean-ups.")
@click.argument("name", metavar="NAME", shell_complete=worktree_names)
@click.option("--undo", is_flag=True, help="Protect it no longer.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def keep(name: str, undo: bool, as_json: bool) -> int:
    """Lock the worktree NAME (git worktree lock), so that it is not removed until --undo.

    Git refuses to remove a locked worktree, and so do tools that ask git. A lock of somebody else stays as it is.
    """
    from sidecar.model.settings import Options
    from sidecar.operations.keep import apply_keep, plan_keep  # --help and serve do without

    recover_first()
    plan = answered(plan_keep(here(), name, Options(), undo=undo))
    result = apply_keep(plan)
    if as_json:
        print_json(restore_object(result.outcome, plan.worktree.key, result.findings))
        return status_of(result.outcome)
    show_findings(result.findings, err=True)
    if result.outcome in ("protected", "unprotected"):
        click.echo(f"{shown(plan.worktree.name)} is {'not protected' if undo else 'protected'}.")
    return status_of(result.outcome)
