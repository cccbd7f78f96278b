"""`sidecar status`: every worktree of the repository."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from sidecar.cli.options import ask_in_words, ask_picture, print_json, reading
from sidecar.model.words import escape

if TYPE_CHECKING:
    from sidecar.model.picture import Picture

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
    if as_json and (answer := ask_in_words("status", trust, prove=True)) is not None:
        print_json(answer["status"])
        return 0
    from sidecar.operations.who_is_there import objects_of, users_of

    picture = ask_picture(trust, prove=True, measure=MEASURE)
    users = users_of(picture)
    if as_json:
        from sidecar.model.schema import status_object

        print_json(status_object(picture, *objects_of(users)))
        return 0
    from sidecar.cli.status_table import print_status  # rich takes longer than the answer
    from sidecar.model.picture import watch_sentence
    from sidecar.session.watch_notes import watch_notes

    print_status(picture, users, [watch_sentence(note) for note in watch_notes(picture.repository)])
    tell_wiped(picture)
    tell_setups(picture)
    return 0


def tell_wiped(picture: Picture) -> None:
    """Say on standard error what was wiped and is not restored, until somebody has dismissed it or let go of it."""
    if not os.path.isdir(os.path.join(picture.repository, "sidecar", "receipts")):
        return
    from sidecar.operations.guard.wiped import unanswered

    for one in unanswered(picture.repository)[:MOST_WIPED]:
        click.echo(f"sidecar: {escape(one.sentence)} Bring it back: sidecar restore {one.receipt}", err=True)


def tell_setups(picture: Picture) -> None:
    """Say on standard error which setups of worktrees are running, failed, or never ended."""
    noted = [state.worktree for state in picture.worktrees if os.path.exists(f"{state.worktree.git_dir}/sidecar/setup")]
    if noted:
        from sidecar.operations.setup import setup_sentence

        for said in filter(None, (setup_sentence(one.git_dir, one.name) for one in noted)):
            click.echo(f"sidecar: {said}", err=True)
