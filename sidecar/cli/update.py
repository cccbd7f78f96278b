"""`sidecar update`: merge trunk, or another worktree, into a worktree, and commit what was resolved there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from sidecar.cli.options import (
    CONFLICT,
    Refusal,
    answered,
    here,
    not_agreed,
    print_json,
    recover_first,
    show_findings,
    status_of,
    worktree_names,
    writing,
)
from sidecar.cli.progress import working
from sidecar.model.messages import short, titled
from sidecar.model.schema import update_object
from sidecar.model.words import counted, escape, shown

if TYPE_CHECKING:
    from sidecar.operations.merge.continue_merge import ContinuePlan
    from sidecar.operations.merge.update import UpdatePlan, UpdateResult


@click.command(short_help="Merge trunk, or another worktree, into a worktree; conflicts stay there.")
@click.argument("name", metavar="[NAME]", required=False, shell_complete=worktree_names)
@click.option("--from", "source", metavar="OTHER", shell_complete=worktree_names, help="Merge this worktree's commits.")
@click.option("--continue", "continues", is_flag=True, help="Commit the merge whose conflicts are resolved.")
@writing
def update(name: str | None, source: str | None, continues: bool, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Merge trunk, or the worktree OTHER, into the worktree NAME, or into the one that you are in, by your own git.

    Conflicts are left there as git leaves them: resolve them, and run sidecar update --continue, which adds the files
    whose conflict markers are gone and commits with the message that git prepared; or take all back with git merge
    --abort.
    """
    if continues and source is not None:
        raise click.UsageError("--continue goes on with the merge that is there: leave out --from.")
    recover_first()
    one = name if name is not None else _worktree_here()
    return _continue(one, dry_run, yes, as_json) if continues else _update(one, source, dry_run, yes, as_json)


def _update(name: str, source: str | None, dry_run: bool, yes: bool, as_json: bool) -> int:
    from sidecar.model.settings import Options
    from sidecar.operations.merge.update import apply_update, plan_update  # --help and serve do without

    plan = answered(plan_update(here(), name, Options(trusted=not dry_run), source))
    question = f"Merge {shown(plan.incoming.name)} into {shown(plan.worktree.name)}?"
    planned = partial(_object, plan, "refused" if plan.blocked else "planned")
    show = partial(_show_plan, plan)
    ended = not_agreed(question, show, planned, blocked=plan.blocked, dry_run=dry_run, yes=yes, as_json=as_json)
    if ended is not None:
        return ended
    with working() as work:
        result = apply_update(plan, work.control)
    if as_json:
        said = update_object(result.outcome, plan.worktree.name, result.path, result.conflicts, result.findings)
        print_json(said)
    else:
        _show_result(plan, result)
    return CONFLICT if result.outcome == "conflicts" else status_of(result.outcome, interrupted=work.interrupted)


def _continue(name: str, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Commit the merge that waits in a worktree."""
    from sidecar.model.settings import Options
    from sidecar.operations.merge.continue_merge import ContinueResult, apply_continue, plan_continue

    plan = answered(plan_continue(here(), name, Options(trusted=not dry_run)))

    def answer(result: ContinueResult | None = None) -> dict[str, Any]:
        outcome = result.outcome if result is not None else "refused" if plan.blocked else "planned"
        findings = result.findings if result is not None else plan.findings
        waiting = dict.fromkeys(path for one in findings if one.code == "unresolved" for path in one.paths)
        return update_object(outcome, plan.worktree.name, plan.worktree.key, waiting, findings)

    called = shown(plan.worktree.name)
    show = partial(_show_continue, plan)
    question = f"Commit the merge in {called}?"
    ended = not_agreed(question, show, answer, blocked=plan.blocked, dry_run=dry_run, yes=yes, as_json=as_json)
    if ended is not None:
        return ended
    with working() as work:
        result = apply_continue(plan, work.control)
    if as_json:
        print_json(answer(result))
    else:
        done = result.outcome == "continued"
        show_findings(result.findings, err=not done)
        said = f"The merge in {called} is committed." if done else f"The merge still waits in {called}."
        click.echo(said, err=not done)
    return status_of(result.outcome, interrupted=work.interrupted)


def _worktree_here() -> str:
    from sidecar.system.worktree_links import git_directory

    folder = here()
    top = next((above for above in (folder, *folder.parents) if git_directory(above) is not None), None)
    if top is None:
        raise Refusal("This is in no worktree. Give the NAME of one.")
    return str(top)


def _object(plan: UpdatePlan, outcome: str) -> dict[str, Any]:
    return update_object(outcome, plan.worktree.name, plan.worktree.key, (), plan.findings)


def _show_plan(plan: UpdatePlan, *, err: bool) -> None:
    from sidecar.cli.render import print_plan

    at = f" ({short(plan.incoming.commit)})" if plan.incoming.commit else ""
    new = f", {counted(plan.behind, 'commit', 'commits')} not there yet" if plan.behind else ""
    known = {
        "merge": f"{escape(plan.incoming.name)}{at}{new}",
        "into": titled(plan.worktree.name, plan.worktree.ref),
        "in": shown(plan.worktree.key),
    }
    print_plan(known, plan.findings, err=err)


def _show_continue(plan: ContinuePlan, *, err: bool) -> None:
    from sidecar.cli.render import print_plan

    known = {"commit": f"the merge in {titled(plan.worktree.name, plan.worktree.ref)}", "in": shown(plan.worktree.key)}
    added = {"add first": ", ".join(map(escape, plan.settled))} if plan.settled else {}
    print_plan({**known, **added}, plan.findings, err=err)


def _show_result(plan: UpdatePlan, result: UpdateResult) -> None:
    name, branch = shown(plan.worktree.name), shown(plan.incoming.name)
    show_findings([one for one in result.findings if one not in plan.findings], err=result.outcome != "updated")
    if result.outcome == "updated":
        click.echo(f"Merged {branch} into {name}.")
    elif result.outcome == "conflicts":
        if result.conflicts:
            click.echo(f"{branch} and {name} conflict. Resolve these in {escape(result.path)}:", err=True)
        for path in result.conflicts:
            click.echo(f"  {escape(path)}", err=True)
        click.echo(f"Then commit {'them' if result.conflicts else 'it'}: sidecar update {name} --continue", err=True)
        click.echo("To take it all back: git merge --abort", err=True)
    else:
        click.echo(f"Not merged: {f'the merge waits in {name}' if result.waits else f'{name} is as it was'}.", err=True)
