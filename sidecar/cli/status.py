"""`sidecar status`: every worktree of the repository."""

from __future__ import annotations

import click

from sidecar.cli.options import ask_in_words, ask_picture, ask_printed, print_json, reading, say
from sidecar.cli.output import standard_output

MEASURE = 1.0
"""Seconds that sizes may take; worktrees that are not measured by then are shown without one."""


@click.command(short_help="Every worktree, its changes and its overlaps.")
@reading
def status(as_json: bool, trust: bool) -> int:
    """Show every worktree: what it changed, its overlaps, whether it is integrated, who is in it.

    TRUNK counts the commits that a worktree has and trunk lacks (+), and the other way round (-).
    """
    if as_json and (answer := ask_in_words("status", trust, prove=True)) is not None:
        print_json(answer["status"])
        return 0
    if not as_json and (printed := ask_printed("printed-status", trust, prove=True)) is not None:
        return say(printed)
    from sidecar.operations.who_is_there import objects_of, users_of

    picture = ask_picture(trust, prove=True, measure=MEASURE)
    users = users_of(picture)
    if as_json:
        from sidecar.model.schema import status_object

        print_json(status_object(picture, *objects_of(users)))
        return 0
    from sidecar.cli.answers import print_status  # loads rich, which takes longer than most answers

    return say(print_status(picture, users, standard_output()))
