"""`sidecar overlaps`: where worktrees, trunk or commits meet."""

from __future__ import annotations

from dataclasses import replace

import click

from sidecar.cli.asking import (
    Refusal,
    ask_comparison,
    ask_picture,
    ask_worktree,
    exit_status,
    print_json,
    reading,
    warn,
)
from sidecar.cli.text import Meeting
from sidecar.model.messages import escape
from sidecar.model.picture import TRUNK_KEY, Trunk
from sidecar.model.schema import overlaps_object


@click.command(short_help="Where worktrees change the same files.")
@click.argument("first", metavar="[A]", required=False)
@click.argument("second", metavar="[B]", required=False)
@reading
def overlaps(first: str | None, second: str | None, as_json: bool, trust: bool) -> int:
    """Show where worktrees change the same files: all overlaps, those of A, or those of A and B.

    A and B are worktrees, or any commits. A commit alone is compared with trunk.
    """
    if "" in (first, second):
        raise click.UsageError("A name is empty.")
    meetings = _compare(first, second, trust) if first and second else _look(first, trust)
    found = [overlap for overlap, _, _ in meetings]
    if as_json:
        print_json(overlaps_object(found))
    elif not found:
        click.echo("No overlaps.")
    else:
        from sidecar.cli.overlap_table import print_overlaps  # rich takes longer than the answer

        print_overlaps(meetings)
    return exit_status(found)


def _look(name: str | None, trust: bool) -> list[Meeting]:
    """All overlaps of the repository, or those in which one takes part, with its side first."""
    picture = ask_picture(trust)
    warn(picture)
    if name is None:
        return [(overlap, *overlap.sides) for overlap in picture.overlaps]
    worktree = ask_worktree(picture, name)
    if worktree is None:
        return _with_trunk(name, picture.trunk, trust)
    return [(overlap, *sides) for overlap in picture.overlaps if (sides := overlap.seen_from(worktree.key))]


def _compare(first: str, second: str, trust: bool) -> list[Meeting]:
    return [(overlap, *overlap.sides) for overlap in ask_comparison(first, second, trust)]


def _with_trunk(commit: str, trunk: Trunk | None, trust: bool) -> list[Meeting]:
    """What a commit has in common with trunk's, whatever lies uncommitted in trunk's checkout."""
    if trunk is None or trunk.commit is None:
        raise Refusal(f"{escape(commit)} is no worktree, and trunk has no commit to compare it with.")
    meetings = []
    for overlap in ask_comparison(commit, trunk.commit, trust):
        one, other = overlap.sides
        named = replace(overlap, sides=(one, replace(other, key=TRUNK_KEY, ref=trunk.branch)))
        meetings.append((named, *named.sides))
    return meetings
