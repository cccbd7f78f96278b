"""`sidecar release`: let go of a finished worktree, after proving what it holds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from sidecar.cli.options import (
    INTERRUPTED,
    answered,
    ask_picture,
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
from sidecar.model.messages import titled
from sidecar.model.schema import release_all_object
from sidecar.model.words import counted, shown

if TYPE_CHECKING:
    from sidecar.operations.release.apply import ReleaseResult
    from sidecar.operations.release.plan import ReleasePlan


@click.command(short_help="Let go of a finished worktree; nothing is lost.")
@click.argument("name", metavar="[NAME]", required=False, shell_complete=worktree_names)
@click.option("--all", "everything", is_flag=True, help="All whose work is in trunk, one by one.")
@click.option("--allow", metavar="CODE", multiple=True, help="Accept what a finding says; it is kept all the same.")
@writing
def release(name: str | None, everything: bool, allow: tuple[str, ...], dry_run: bool, yes: bool, as_json: bool) -> int:
    """Remove the worktree NAME and its branch, after proving that its work is in trunk; or all that are.

    What is only in the worktree is kept and can be restored; only build output is deleted at once.
    """
    from sidecar.model.settings import Options
    from sidecar.operations.release.apply import apply_release  # --help and serve do without
    from sidecar.operations.release.plan import plan_release

    if (name is None) != everything:
        raise click.UsageError("Give a NAME or --all." if name is None else "Give a NAME or --all, not both.")
    if everything and allow:
        raise click.UsageError("--allow is for one worktree: with --all only what nothing stands in the way of goes.")
    recover_first()
    if name is None:
        return _release_all(dry_run=dry_run, yes=yes, as_json=as_json)
    with working(quiet=True) as work:
        plan = answered(plan_release(here(), name, Options(), frozenset(allow), work.control))
    if work.interrupted:
        return INTERRUPTED
    question, show = f"Release {shown(plan.worktree.name)}?", partial(_show_plan, plan)
    ended = not_agreed(question, show, plan.as_object, blocked=plan.blocked, dry_run=dry_run, yes=yes, as_json=as_json)
    if ended is not None:
        return ended
    with working() as work:
        result = apply_release(plan, work.control)
    if as_json:
        print_json(result.as_object())
    else:
        _show_result(plan, result)
    return status_of(result.outcome, interrupted=work.interrupted)


def _release_all(*, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Release all whose work is in trunk; one that does not go through does not keep the others."""
    from sidecar.model.settings import Options
    from sidecar.operations.release.apply import release_each
    from sidecar.operations.release.plan import plan_integrated

    picture = ask_picture(trust=False, prove=True)
    with working(quiet=True) as work:
        found = answered(plan_integrated(here(), picture.worktrees, Options(), work.control))
    if work.interrupted:
        return INTERRUPTED
    ready = found.ready

    def show(*, err: bool) -> None:
        for plan in ready:
            _show_plan(plan, err=err)
        for one in found.others:
            click.echo(one.said, err=err)
        if not ready:
            click.echo("No worktree is ready to be released.", err=err)

    question = f"Release {counted(len(ready), 'worktree', 'worktrees')}?"
    staying = [(one.worktree.name, one.answer) for one in found.others]
    planned = [(plan.worktree.name, plan.as_object()) for plan in ready] + staying
    as_planned = partial(release_all_object, "planned", planned)
    ended = not_agreed(question, show, as_planned, dry_run=dry_run or not ready, yes=yes, as_json=as_json)
    if ended is not None:
        return ended
    results = []
    with working() as work:
        for plan, result in release_each(ready, work.control):
            results.append((plan, result))
            if not as_json:
                _show_result(plan, result)
    outcomes = [result.outcome for _, result in results]
    outcome = next((one for one in outcomes if one != "released"), "released" if outcomes else "planned")
    if as_json:
        released = [(plan.worktree.name, one.as_object()) for plan, one in results]
        print_json(release_all_object(outcome, released + staying))
    return INTERRUPTED if work.interrupted else status_of(outcome)


def _show_plan(plan: ReleasePlan, *, err: bool) -> None:
    """Show what would be removed, what it frees, and everything that was found."""
    from sidecar.cli.render import print_plan
    from sidecar.model.inventory_findings import sizes_text

    sizes = plan.bytes
    known = {"release": titled(plan.worktree.name, plan.worktree.ref), "in": shown(plan.worktree.key)}
    if plan.proof is not None:
        known["its work"] = plan.proven or f"not proven to be in {shown(plan.trunk.branch)}"
    if plan.inventory is not None:
        known["disk"] = f"{sizes_text(sizes.reclaimable, sizes.kept)}; all but build output can be restored"
    print_plan(known, plan.findings, err=err)
    if plan.allowable:
        flags = " ".join(f"--allow {code}" for code in plan.allowable)
        click.echo(f"To release it all the same, with everything kept: {flags}", err=err)


def _show_result(plan: ReleasePlan, result: ReleaseResult) -> None:
    """Say what became of it, and what the plan did not say yet."""
    from sidecar.model.inventory_findings import sizes_text

    name = shown(plan.worktree.name)
    show_findings([one for one in result.findings if one not in plan.findings], err=result.outcome != "released")
    if result.outcome == "released":
        sizes = sizes_text(result.reclaimed, result.kept)
        said = " ".join(filter(None, (f"Released {name}: {sizes}.", plan.proven)))
        click.echo(f"{said} Take it back with: sidecar restore {result.receipt}")
    else:
        click.echo(f"Not released: {name} is as it was.", err=True)
