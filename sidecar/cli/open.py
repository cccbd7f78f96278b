"""`sidecar open`: a worktree and a branch for a new task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sidecar.cli.options import FAILED, answered, here, print_json, recover_first, show_findings, status_of
from sidecar.cli.progress import working
from sidecar.model.messages import short
from sidecar.model.schema import restore_object
from sidecar.model.words import counted, escape, shown

if TYPE_CHECKING:
    from sidecar.operations.open import OpenResult


@click.command("open", short_help="A worktree and branch for a new task.")
@click.argument("name", metavar="NAME")
@click.option(
    "--from", "start", metavar="REF", help="Where it begins: a commit, branch or worktree; trunk unless given."
)
@click.option("--move", is_flag=True, help="Move what is not committed in trunk's checkout there.")
@click.option("--setup", "again", is_flag=True, help="Run sidecar.setup again in the worktree NAME, which is open.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def open_worktree(name: str, start: str | None, move: bool, again: bool, as_json: bool) -> int:
    """Make a branch NAME and a worktree for it, and print its path.

    The worktree lies beside the main worktree, in REPOSITORY.worktrees/NAME, unless the setting worktreeFolder names
    another folder. To go there: cd "$(sidecar open NAME)"

    With --move it begins at the commit of trunk's checkout and takes over all that is not committed there: staged,
    unstaged and untracked, but not what git ignores. Trunk's checkout is as committed then.

    Exit status 1 also where the worktree is open, but its setup failed.
    """
    if move and start is not None:
        raise click.UsageError("--move begins where trunk's checkout is; leave --from out")
    if again and (move or start is not None):
        raise click.UsageError("--setup is for a worktree that is open; leave --from and --move out")
    recover_first()
    said, result = _set_up(name) if again else _move(name) if move else _open(name, start)
    outcome, path, findings = result.outcome, result.path, result.findings
    status = FAILED if any(one.code == "setup-failed" for one in findings) else status_of(outcome)
    if as_json:
        print_json(restore_object(outcome, path, findings))
        return status
    show_findings(findings, err=True)
    if path is None:
        if not any(one.code == "half-written" for one in findings):
            click.echo("Nothing was made.", err=True)
    elif outcome == "opened":
        click.echo(said, err=True)
        click.echo(escape(path))
    return status


def _open(name: str, start: str | None) -> tuple[str, OpenResult]:
    """Give (what is said when it is done, what became of it)."""
    from sidecar.model.settings import Options
    from sidecar.operations.open import apply_open, plan_open

    plan = answered(plan_open(here(), name, start, Options(trusted=True)))
    said = f"Opened {shown(plan.branch)} at {shown(short(plan.start))} ({short(plan.commit)})."
    with working() as work:
        return said, apply_open(plan, work.control)


def _move(name: str) -> tuple[str, OpenResult]:
    from sidecar.model.settings import Options
    from sidecar.operations.move import apply_move, plan_move

    plan = answered(plan_move(here(), name, Options(trusted=True)))
    files, into = counted(len(plan.paths), "file", "files"), plan.opening
    said = f"Moved {files} of {shown(plan.source.name)} into {shown(into.branch)} ({short(into.commit)})."
    with working() as work:
        return said, apply_move(plan, work.control)


def _set_up(name: str) -> tuple[str, OpenResult]:
    from sidecar.model.settings import Options
    from sidecar.operations.open import set_up_again

    with working() as work:
        done = set_up_again(here(), name, Options(trusted=True), work.control)
    return f"Ran the setup of {shown(name)}.", answered(done)
