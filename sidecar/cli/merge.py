"""`sidecar merge`: bring worktrees into trunk, one at a time, each verified on the very tree that lands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidecar.cli.asking import answered, here, print_json, recover_first
from sidecar.cli.consent import DONE, REFUSED, agree, can_ask, show_findings, status_of, writing
from sidecar.cli.text import titled
from sidecar.cli.working import working
from sidecar.model.messages import counted, escape, short, shown
from sidecar.model.schema import merge_object

if TYPE_CHECKING:
    from sidecar.operations.merge.values import MergeChoices, MergePlan, MergeResult

STRATEGIES = ("merge", "squash", "rebase")


@click.command(short_help="Bring a worktree into trunk, verified.")
@click.argument("name", metavar="NAME", required=False)
@click.option("--all", "everything", is_flag=True, help="All that are ready, in the order of sidecar plan, one by one.")
@click.option("--verify", metavar="CMD", help="What must succeed on the merged files first; '' for nothing.")
@click.option("--strategy", type=click.Choice(STRATEGIES), default="merge", show_default=True, help="How to merge.")
@click.option("-m", "--message", metavar="M", help="The message of the merge; git's own unless given.")
@click.option("--commit", metavar="M", help="Commit what is not committed first, with this message.")
@writing
def merge(
    name: str | None,
    everything: bool,
    verify: str | None,
    strategy: Any,
    message: str | None,
    commit: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Bring the worktree NAME into trunk, or all that are ready.

    The merge is made and verified aside; trunk moves only then, wholly or not at all. Whoever types this trusts the
    repository as one who types git merge does: its hooks and drivers take part, but not in a --dry-run.
    """
    from sidecar.operations.merge.values import MergeChoices  # --help and serve do without

    if (name is None) != everything:
        raise click.UsageError("Give a NAME or --all." if name is None else "Give a NAME or --all, not both.")
    if everything and (message is not None or commit is not None):
        raise click.UsageError("--message and --commit are for one worktree.")
    recover_first()
    choices = MergeChoices(strategy, message, verify, commit)
    if name is None:
        from sidecar.cli.merge_all import merge_all

        return merge_all(choices, dry_run=dry_run, yes=yes, as_json=as_json)
    plan = ask_merge(name, choices, dry_run=dry_run)
    if not as_json or (can_ask() and not yes):
        show_plan(plan, err=as_json)
    if plan.blocked or dry_run or not agree(f"Merge into {shown(plan.trunk.branch)}?", yes=yes):
        if as_json:
            print_json(planned_object(plan))
        return REFUSED if plan.blocked or not dry_run else DONE
    result, interrupted = carry_out(plan)
    if as_json:
        print_json(result_object(result))
    else:
        show_result(plan, result)
    return status_of(result.outcome, interrupted=interrupted)


def ask_merge(name: str, choices: MergeChoices, *, dry_run: bool) -> MergePlan:
    """The plan for one worktree."""
    from sidecar.operations.merge.plan import plan_merge
    from sidecar.session.sources import Options

    return answered(plan_merge(here(), name, Options(trusted=not dry_run), choices))


def carry_out(plan: MergePlan) -> tuple[MergeResult, bool]:
    """(what became of it, whether somebody stopped it)."""
    from sidecar.operations.merge.apply import apply_merge

    with working() as work:
        result = apply_merge(plan, work.control)
    return result, work.interrupted


def planned_object(plan: MergePlan) -> dict[str, Any]:
    """The JSON object of a plan that was not carried out."""
    outcome = "refused" if plan.blocked else "planned"
    return merge_object(outcome, plan.trunk.branch, plan.trunk.commit, None, plan.findings)


def result_object(result: MergeResult) -> dict[str, Any]:
    """The JSON object of a merge that was tried."""
    return merge_object(result.outcome, result.branch, result.before, result.after, result.findings, result.receipt)


def show_plan(plan: MergePlan, *, err: bool = False) -> None:
    """What would be done, and what speaks against it."""
    from sidecar.cli.show import console, facts, show  # rich takes longer than many an answer

    commits = counted(plan.ahead, "commit", "commits")
    known = {
        "merge": f"{titled(plan.worktree.name, plan.worktree.ref)}, {commits}, into {shown(plan.trunk.branch)}",
        "strategy": plan.strategy,
        "message": plan.message.strip().partition("\n")[0],
        "commit first": plan.commit or "",
        "prepare": plan.prepare,
        "verify": plan.verify,
    }
    show(console(err=err), [facts({what: escape(said) for what, said in known.items() if said})])
    click.echo(err=err)
    show_findings(plan.findings, err=err)


def show_result(plan: MergePlan, result: MergeResult) -> None:
    """What became of it: one sentence, and what the plan did not say yet."""
    news = [finding for finding in result.findings if finding not in plan.findings]
    branch = shown(result.branch)
    show_findings(news, err=result.outcome != "merged")
    if result.outcome == "merged":
        undo = f" Take it back with: sidecar restore {result.receipt}" if result.receipt else ""
        click.echo(f"Merged {shown(plan.worktree.name)} into {branch} ({short(result.after or '')}).{undo}")
    else:
        click.echo(f"Not merged: {branch} is as it was.", err=True)
