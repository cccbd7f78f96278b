"""`sidecar status`: every worktree of the repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sidecar.cli.asking import ask_picture, print_json, reading
from sidecar.model.picture import Picture
from sidecar.model.schema import status_object

if TYPE_CHECKING:
    from sidecar.system.processes import Process

MEASURE = 1.0
"""Seconds that sizes may take; worktrees that are not measured by then are shown without one."""


@click.command(short_help="Every worktree, its changes and its overlaps.")
@reading
def status(as_json: bool, trust: bool) -> int:
    """Show every worktree: what it changed, its overlaps, whether it is integrated, who is in it.

    TRUNK counts the commits that a worktree has and trunk lacks (+), and the other way round (-).
    """
    picture = ask_picture(trust, prove=True, measure=MEASURE)
    users = in_use(picture)
    if as_json:
        print_json(status_with(picture, users))
        return 0
    from sidecar.cli.status_table import print_status  # rich takes longer than the answer
    from sidecar.session.watch_notes import watch_notes  # `serve` comes by here too, and answers first

    print_status(picture, users, watch_notes(picture.repository))
    return 0


def status_with(picture: Picture, users: Mapping[str, Sequence[Process]]) -> dict[str, Any]:
    """The JSON object of a Picture and of who is in its worktrees."""
    return status_object(picture, {key: [asdict(process) for process in inside] for key, inside in users.items()})


def in_use(picture: Picture) -> dict[str, tuple[Process, ...]]:
    """The processes in each worktree, by its key."""
    from sidecar.system.processes import processes_inside  # psutil is for this command only

    return processes_inside(state.worktree.key for state in picture.worktrees if not state.worktree.bare)
