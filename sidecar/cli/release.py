"""`sidecar release`: let go of a finished worktree, after proving what it holds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from sidecar.cli.options import (
    INTERRUPTED,
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
from sidecar.model.messages import shown, titled

if TYPE_CHECKING:
    from sidecar.operations.release.apply import ReleaseResult
    from sidecar.operations.release.plan import ReleasePlan


@click.command(short_help="Let go of a finished worktree; nothing is lost.")
@click.argument("name", metavar="NAME")
@click.option("--allow", metavar="CODE", multiple=True, help="Accept what a finding says; it is kept all the same.")
@writing
def release(name: str, allow: tuple[str, ...], dry_run: bool, yes: bool, as_json: bool) -> int:
    """Remove the worktree NAME and its branch, after proving that its work is in trunk.

    What is only in the worktree is kept and can be restored; only build output is deleted at once.
    """
    from sidecar.operations.release.apply import apply_release  # --help and serve do without
    from sidecar.operations.release.plan import plan_release
    from sidecar.session.reader import Options

    recover_first()
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


def _show_plan(plan: ReleasePlan, *, err: bool) -> None:
    """Show what would be removed, what it frees, and everything that was found."""
    from sidecar.cli.render import print_plan
    from sidecar.model.inventory_findings import size_text

    sizes = plan.bytes
    known = {"release": titled(plan.worktree.name, plan.worktree.ref), "in": shown(plan.worktree.key)}
    if plan.proof is not None:
        how = f", {plan.proof.integration.how}" if plan.proof.integration.how else ""
        words = {"integrated": f"integrated in {shown(plan.trunk.branch)}{how}", "no-work": "no work of its own"}
        known["its work"] = words.get(plan.proof.integration.state, f"not proven to be in {shown(plan.trunk.branch)}")
    if plan.inventory is not None:
        known["disk"] = f"{size_text(sizes.reclaimable)} freed, {size_text(sizes.kept)} kept"
    print_plan(known, plan.findings, err=err)
    if plan.allowable:
        flags = " ".join(f"--allow {code}" for code in plan.allowable)
        click.echo(f"To release it all the same, with everything kept: {flags}", err=err)


def _show_result(plan: ReleasePlan, result: ReleaseResult) -> None:
    """Say what became of it, and what the plan did not say yet."""
    from sidecar.model.inventory_findings import size_text

    name = shown(plan.worktree.name)
    show_findings([one for one in result.findings if one not in plan.findings], err=result.outcome != "released")
    if result.outcome == "released":
        sizes = f"{size_text(result.reclaimed)} freed, {size_text(result.kept)} kept"
        click.echo(f"Released {name}: {sizes}. Take it back with: sidecar restore {result.receipt}")
    else:
        click.echo(f"Not released: {name} is as it was.", err=True)
