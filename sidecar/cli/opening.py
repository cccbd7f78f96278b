"""`sidecar open`: a worktree and a branch for a new task."""

from __future__ import annotations

import click

from sidecar.cli.asking import answered, here, print_json, recover_first
from sidecar.cli.consent import REFUSED, show_findings, status_of
from sidecar.cli.working import working
from sidecar.model.messages import escape, short, shown
from sidecar.model.schema import restore_object


@click.command("open", short_help="A worktree and branch for a new task.")
@click.argument("name", metavar="NAME")
@click.option(
    "--from", "start", metavar="REF", help="Where it begins: a commit, branch or worktree; trunk unless given."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def open_worktree(name: str, start: str | None, as_json: bool) -> int:
    """Make a branch NAME and a worktree for it, and print its path.

    The worktree lies beside the main worktree, in REPOSITORY.worktrees/NAME, unless the setting worktreeFolder names
    another folder. To go there: cd "$(sidecar open NAME)"
    """
    from sidecar.operations.opening import apply_open, plan_open  # --help and serve do without
    from sidecar.session.sources import Options

    recover_first()
    plan = answered(plan_open(here(), name, start, Options(trusted=True)))
    if plan.blocked:
        outcome, path, findings = "refused", None, plan.findings
    else:
        with working() as work:
            result = apply_open(plan, work.control)
        outcome, path, findings = result.outcome, result.path, result.findings
    if as_json:
        print_json(restore_object(outcome, path, findings))
        return status_of(outcome)
    show_findings(findings, err=True)
    if outcome == "refused" or path is None:
        click.echo("Nothing was made.", err=True)
        return REFUSED if outcome == "refused" else status_of(outcome)
    start_shown = shown(short(plan.start))
    click.echo(f"Opened {shown(plan.branch)} at {start_shown} ({short(plan.commit)}).", err=True)
    click.echo(escape(path))
    return status_of(outcome)
