"""`sidecar release`: let go of a finished worktree, after proving what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sidecar.cli.asking import answered, here, print_json, recover_first
from sidecar.cli.consent import DONE, INTERRUPTED, REFUSED, agree, can_ask, show_findings, status_of, writing
from sidecar.cli.text import titled
from sidecar.cli.working import working
from sidecar.model.messages import shown
from sidecar.model.schema import release_object

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
    from sidecar.session.sources import Options

    recover_first()
    with working(quiet=True) as work:
        plan = answered(plan_release(here(), name, Options(), frozenset(allow), work.control))
    if work.interrupted:
        return INTERRUPTED
    if not as_json or (can_ask() and not yes):
        show_plan(plan, err=as_json)
    if plan.blocked or dry_run or not agree(f"Release {shown(plan.worktree.name)}?", yes=yes):
        if as_json:
            sizes = plan.bytes
            outcome = "refused" if plan.blocked else "planned"
            print_json(release_object(outcome, plan.findings, None, sizes.reclaimable, sizes.kept))
        return REFUSED if plan.blocked or not dry_run else DONE
    with working() as work:
        result = apply_release(plan, work.control)
    if as_json:
        print_json(release_object(result.outcome, result.findings, result.receipt, result.reclaimed, result.kept))
    else:
        show_result(plan, result)
    return status_of(result.outcome, interrupted=work.interrupted)


def show_plan(plan: ReleasePlan, *, err: bool) -> None:
    """What would be removed, what it frees, and everything that was found."""
    from sidecar.cli.show import console, facts, show  # rich takes longer than many an answer
    from sidecar.model.inventory_findings import size_text

    sizes = plan.bytes
    known = {"release": titled(plan.worktree.name, plan.worktree.ref), "in": shown(plan.worktree.key)}
    if plan.proof is not None:
        how = f", {plan.proof.integration.how}" if plan.proof.integration.how else ""
        words = {"integrated": f"integrated in {shown(plan.trunk.branch)}{how}", "no-work": "no work of its own"}
        known["its work"] = words.get(plan.proof.integration.state, f"not proven to be in {shown(plan.trunk.branch)}")
    if plan.inventory is not None:
        known["disk"] = f"{size_text(sizes.reclaimable)} freed, {size_text(sizes.kept)} kept"
    show(console(err=err), [facts(known)])
    click.echo(err=err)
    show_findings(plan.findings, err=err)
    allowable = allowable_codes(plan)
    if allowable:
        flags = " ".join(f"--allow {code}" for code in allowable)
        click.echo(f"To release it all the same, with everything kept: {flags}", err=err)


def allowable_codes(plan: ReleasePlan) -> list[str]:
    """What has to be allowed for the release to go through; nothing where that is not enough."""
    from sidecar.model.finding_codes import FINDING_CODES, NOT_AT_STAKE

    codes = dict.fromkeys(finding.code for finding in plan.findings if finding.severity == "blocks")
    safe = all(code in FINDING_CODES and FINDING_CODES[code].kept != NOT_AT_STAKE for code in codes)
    return list(codes) if safe else []


def show_result(plan: ReleasePlan, result: ReleaseResult) -> None:
    """What became of it: one sentence, and what the plan did not say yet."""
    from sidecar.model.inventory_findings import size_text

    news = [finding for finding in result.findings if finding not in plan.findings]
    name = shown(plan.worktree.name)
    show_findings(news, err=result.outcome != "released")
    if result.outcome == "released":
        sizes = f"{size_text(result.reclaimed)} freed, {size_text(result.kept)} kept"
        click.echo(f"Released {name}: {sizes}. Take it back with: sidecar restore {result.receipt}")
    else:
        click.echo(f"Not released: {name} is as it was.", err=True)
