"""`sidecar merge`: bring worktrees into trunk, one at a time, each verified on the very tree that lands.

`sidecar plan`: which worktrees are ready for that, and in which order.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from sidecar.cli.options import (
    DONE,
    INTERRUPTED,
    REFUSED,
    answered,
    here,
    not_agreed,
    print_json,
    reading,
    recover_first,
    show_findings,
    status_of,
    worktree_names,
    writing,
)
from sidecar.cli.progress import working
from sidecar.model.findings import Failure
from sidecar.model.merge_order import Order
from sidecar.model.messages import short, titled
from sidecar.model.schema import merge_all_object, plan_object
from sidecar.model.words import counted, escape, shown

if TYPE_CHECKING:
    from sidecar.operations.merge.run import MergeChoices, MergePlan, MergeResult


STRATEGIES = ("merge", "squash", "rebase")


@click.command(short_help="Bring a worktree into trunk, verified.")
@click.argument("name", metavar="[NAME]", required=False, shell_complete=worktree_names)
@click.option("--all", "everything", is_flag=True, help="All that are ready, in the order of sidecar plan, one by one.")
@click.option("--verify", metavar="CMD", help="What must succeed on the merged files first; '' for nothing.")
@click.option("--strategy", type=click.Choice(STRATEGIES), default="merge", show_default=True, help="How to merge.")
@click.option("-m", "--message", metavar="M", help="The message of the merge; git's own unless given.")
@click.option("--commit", metavar="M", help="Commit what is not committed first, with this message.")
@click.option(
    "--regenerate",
    is_flag=True,
    help="Where only files that tools make conflict, run the commands that make them anew.",
)
@click.option(
    "--allow", type=click.Choice(["undoes-trunk"]), multiple=True, help="Accept what would block, by its code."
)
@writing
def merge(
    name: str | None,
    everything: bool,
    verify: str | None,
    strategy: Any,
    message: str | None,
    commit: str | None,
    regenerate: bool,
    allow: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Bring the worktree NAME into trunk, or all that are ready.

    The merge is made in a landing repository and verified beside it; trunk moves only then, wholly or not at all.
    Whoever types this trusts the repository as one who types git merge does: its hooks and drivers take part, but not
    in a --dry-run.
    """
    from sidecar.operations.merge.apply import apply_merge
    from sidecar.operations.merge.run import MergeChoices

    if (name is None) != everything:
        raise click.UsageError("Give a NAME or --all." if name is None else "Give a NAME or --all, not both.")
    if everything and (message is not None or commit is not None):
        raise click.UsageError("--message and --commit are for one worktree.")
    recover_first()
    choices = MergeChoices(strategy, message, verify, commit, frozenset(allow), regenerate)
    if name is None:
        return _merge_all(choices, dry_run=dry_run, yes=yes, as_json=as_json)
    plan = _ask_plan(name, choices, dry_run=dry_run)
    question = f"Merge into {shown(plan.trunk.branch)}?"
    show = partial(_show_plan, plan)
    ended = not_agreed(question, show, plan.as_object, blocked=plan.blocked, dry_run=dry_run, yes=yes, as_json=as_json)
    if ended is not None:
        return ended
    with working() as work:
        result = apply_merge(plan, work.control)
    said = _told(plan, result, as_json=as_json)
    if as_json:
        print_json(said)
    return status_of(result.outcome, interrupted=work.interrupted)


def _ask_plan(name: str, choices: MergeChoices, *, dry_run: bool) -> MergePlan:
    """Plan for one worktree; unless it is a dry run, git fetches first what a partial clone lacks for it."""
    from sidecar.model.settings import Options
    from sidecar.operations.merge.plan import fetch_for, plan_merge

    plan = answered(plan_merge(here(), name, Options(trusted=not dry_run), choices))
    if dry_run:
        return plan
    with working(quiet=True) as work:
        return answered(fetch_for(plan, work.control))


def _told(plan: MergePlan, result: MergeResult, *, as_json: bool) -> dict[str, Any]:
    """Show what became of a merge, unless an object is asked for; give the MERGE object."""
    if not as_json:
        _show_result(plan, result)
    return result.as_object(plan.extent)


def _show_plan(plan: MergePlan, *, err: bool) -> None:
    """Show what would be done, and what speaks against it."""
    from sidecar.cli.render import print_plan

    commits = counted(plan.ahead, "commit", "commits")
    known = {
        "merge": f"{titled(plan.worktree.name, plan.worktree.ref)}, {commits}, into {shown(plan.trunk.branch)}",
        "files": plan.extent.said if plan.extent is not None else "",
        "strategy": plan.strategy,
        "message": plan.message.strip().partition("\n")[0],
        "commit first": plan.commit or "",
        "prepare": plan.prepare,
        "verify": plan.verify,
    }
    print_plan({what: escape(said) for what, said in known.items() if said}, plan.findings, err=err)


def _show_result(plan: MergePlan, result: MergeResult) -> None:
    """Say what became of it, and what the plan did not say yet."""
    branch = shown(result.branch)
    show_findings([one for one in result.findings if one not in plan.findings], err=result.outcome != "merged")
    if result.outcome == "merged":
        undo = f" Take it back with: sidecar restore {result.receipt}" if result.receipt else ""
        click.echo(f"Merged {shown(plan.worktree.name)} into {branch} ({short(result.after or '')}).{undo}")
    else:
        click.echo(f"Not merged: {branch} is as it was.", err=True)


def _merge_all(choices: MergeChoices, *, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Merge what is ready in the order of the plan; what came before a failure stays merged."""
    from sidecar.model.settings import Options
    from sidecar.operations.merge.apply import merge_ready

    order = _ask_order(not dry_run, choices)
    ready, branch = order.ready, shown(order.trunk.branch)
    count = f"the {len(ready)} ready worktrees" if len(ready) > 1 else "the ready worktree"
    question = f"Merge {count} into {branch}, one by one?"
    planned = partial(merge_all_object, "planned", [(turn.worktree.name, None) for turn in ready])
    show = partial(_show_order, order)
    ended = not_agreed(question, show, planned, dry_run=dry_run or not ready, yes=yes, as_json=as_json)
    if ended is not None:
        return ended
    merges: list[dict[str, Any]] = []
    status = DONE
    with working() as work:
        for _, plan, result in merge_ready(here(), order, Options(trusted=True), choices, work.control):
            if isinstance(plan, Failure) and work.interrupted:
                status = INTERRUPTED
                break
            tried = answered(plan)
            if result is not None:
                merges.append(_told(tried, result, as_json=as_json))
                status = status_of(result.outcome, interrupted=work.interrupted)
                continue
            if not as_json:
                _show_plan(tried, err=True)
            merges.append(tried.as_object())
            status = REFUSED
    if as_json:
        answers = [*merges, *([None] * (len(ready) - len(merges)))]
        named = zip((turn.worktree.name for turn in ready), answers, strict=True)
        print_json(merge_all_object(str(merges[-1]["outcome"]) if merges else "planned", named))
    elif status != DONE:
        landed = sum(said["outcome"] == "merged" for said in merges)
        click.echo(
            f"Stopped there: {landed} of {len(ready)} {'is' if landed == 1 else 'are'} merged into {branch}.", err=True
        )
    return status


@click.command("plan", short_help="Which worktrees are ready, and the order in which to merge them.")
@reading
def plan_merges(as_json: bool, trust: bool) -> int:
    """Show which worktrees are ready to be merged into trunk, in the order that conflicts least.

    Every order is tried by merging in the quarantine; nothing in the repository is written. Only commits count: that is
    what a merge brings.
    """
    recover_first(acting=trust)
    order = _ask_order(trust)
    if as_json:
        print_json(plan_object(order))
    else:
        _show_order(order, err=False)
    return DONE


def _ask_order(trust: bool, choices: MergeChoices | None = None) -> Order:
    from sidecar.model.settings import Options
    from sidecar.operations.merge_order import plan_order

    with working(quiet=True) as work:
        return answered(plan_order(here(), Options(trusted=trust), work.control, choices))


def _show_order(order: Order, *, err: bool) -> None:
    from sidecar.cli.render import print_order

    print_order(order, err=err)
