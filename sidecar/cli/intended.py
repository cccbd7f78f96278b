"""`sidecar intended`: say that what files take back of trunk is intended, so that it is no longer told."""

from __future__ import annotations

import click

from sidecar.cli.options import (
    Refusal,
    absolute,
    answered,
    ask_picture,
    nearest_folder,
    print_json,
    show_findings,
    status_of,
)
from sidecar.model.messages import intended_sentence
from sidecar.model.picture import Worktree, locate
from sidecar.model.schema import intended_object
from sidecar.model.words import escape


@click.command("intended", short_help="Say that what files take back of trunk is intended.")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--undo", is_flag=True, help="It is not intended any more.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def intended(paths: tuple[str, ...], undo: bool, as_json: bool) -> int:
    """Remember for their worktree that these files take back commits of trunk on purpose.

    Only these commits, in these files, are no longer told; what else is taken back there is. See sidecar check.
    """
    from sidecar.model.settings import Options
    from sidecar.operations.intended import apply_intended, plan_intended  # --help does without

    worktree, inside = _locate(paths)
    wanted: dict[str, frozenset[str] | None] = dict.fromkeys(inside)
    plan = answered(plan_intended(nearest_folder(worktree.key), worktree.key, wanted, Options(), undo=undo))
    result = apply_intended(plan)
    if as_json:
        print_json(intended_object(result.outcome, worktree.name, plan.commits, result.findings))
        return status_of(result.outcome)
    show_findings(result.findings, err=True)
    if result.outcome in ("intended", "not-intended"):
        click.echo(intended_sentence(worktree.name, inside, undo=undo))
    return status_of(result.outcome)


def _locate(paths: tuple[str, ...]) -> tuple[Worktree, list[str]]:
    """Give the one worktree that all of these lie in, and their paths inside."""
    places = [absolute(path) for path in paths]
    picture = ask_picture(trust=False, folder=nearest_folder(places[0]))
    found = [locate(picture, place) for place in places]
    located = [one for one in found if one is not None]
    if len(located) < len(found) or len({worktree.key for worktree, _ in located}) != 1:
        raise Refusal(f"{', '.join(map(escape, paths))}: these are not in one worktree.")
    return located[0][0], [inside for _, inside in located]
