"""`sidecar status`: every worktree of the repository."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sidecar.cli.options import ask_picture, print_json, reading
from sidecar.model.picture import Picture, watch_sentence
from sidecar.model.schema import status_object
from sidecar.model.words import escape

if TYPE_CHECKING:
    from sidecar.cli.status_table import InUse

MEASURE = 1.0
"""Seconds that sizes may take; worktrees that are not measured by then are shown without one."""


MOST_WIPED = 3
"""How many wipes are told of: the newest ones."""


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
    from sidecar.session.live import watch_notes

    print_status(picture, users, [watch_sentence(note) for note in watch_notes(picture.repository)])
    tell_wiped(picture)
    tell_setups(picture)
    return 0


def tell_wiped(picture: Picture) -> None:
    """Say on standard error what was wiped and is not restored, until somebody has dismissed it or let go of it."""
    from sidecar.operations.guard.wiped import unanswered  # most repositories have nothing of it

    for one in unanswered(picture.repository)[:MOST_WIPED]:
        click.echo(f"sidecar: {escape(one.sentence)} Bring it back: sidecar restore {one.receipt}", err=True)


def tell_setups(picture: Picture) -> None:
    """Say on standard error which setups of worktrees are running, failed, or never ended."""
    noted = [state.worktree for state in picture.worktrees if os.path.exists(f"{state.worktree.git_dir}/sidecar/setup")]
    if noted:
        from sidecar.operations.setup import setup_sentence

        for said in filter(None, (setup_sentence(one.git_dir, one.name) for one in noted)):
            click.echo(f"sidecar: {said}", err=True)


def status_with(picture: Picture, users: InUse) -> dict[str, Any]:
    """Give the JSON object of a Picture and of who is in its worktrees."""
    from sidecar.operations.presence import Agent

    agents = {key: [one.as_object for one in inside if isinstance(one, Agent)] for key, inside in users.items()}
    processes = {key: [asdict(one) for one in inside if not isinstance(one, Agent)] for key, inside in users.items()}
    return status_object(picture, processes, agents)


def in_use(picture: Picture) -> InUse:
    """Give who is in each worktree, by its key: the agents, and the processes."""
    from sidecar.operations.who_is_there import other_agents, who_is_there, worktrees_of
    from sidecar.system.processes import processes_inside

    worktrees = worktrees_of(picture)
    inside = processes_inside(one.key for one in worktrees)
    agents = who_is_there(picture.repository, worktrees, other_agents(picture.repository), inside)
    return {key: (*agents.get(key, ()), *processes) for key, processes in inside.items()}
