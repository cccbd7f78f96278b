"""`sidecar status`: every worktree of the repository."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from sidecar.cli.asking import ask_picture, print_json, reading
from sidecar.model.picture import Picture
from sidecar.model.schema import status_object

if TYPE_CHECKING:
    from sidecar.system import Process


@click.command(short_help="Every worktree, its changes and its overlaps.")
@reading
def status(as_json: bool, trust: bool) -> int:
    """Show every worktree: what it changed, its overlaps, whether it is integrated, who is in it.

    TRUNK counts the commits that a worktree has and trunk lacks (+), and the other way round (-).
    """
    picture = ask_picture(trust)
    in_use = _in_use(picture)
    if as_json:
        by_key = {key: [asdict(process) for process in inside] for key, inside in in_use.items()}
        print_json(status_object(picture, by_key))
        return 0
    from sidecar.cli.status_table import print_status  # rich takes longer than the answer

    print_status(picture, in_use)
    return 0


def _in_use(picture: Picture) -> dict[str, tuple[Process, ...]]:
    from sidecar.system import processes_inside  # psutil is for this command only

    return processes_inside(state.worktree.key for state in picture.worktrees if not state.worktree.bare)
