"""`sidecar overlaps`: where worktrees, trunk or commits meet."""

from __future__ import annotations

from dataclasses import dataclass, replace

import click

from sidecar.cli.options import (
    Refusal,
    answered,
    ask_picture,
    exit_status,
    here,
    print_json,
    reading,
    recover_first,
    unknown_lines,
    warn,
    worktree_names,
)
from sidecar.model.messages import no_overlaps
from sidecar.model.overlaps import Unknown
from sidecar.model.picture import TRUNK_KEY, BrokenUse, Picture, Trunk
from sidecar.model.schema import overlaps_object, unknown_object
from sidecar.model.words import escape
from sidecar.session.check import Meeting


@click.command(short_help="Where worktrees change the same files.")
@click.argument("first", metavar="[A]", required=False, shell_complete=worktree_names)
@click.argument("second", metavar="[B]", required=False, shell_complete=worktree_names)
@reading
def overlaps(first: str | None, second: str | None, as_json: bool, trust: bool) -> int:
    """Show where worktrees change the same files: all overlaps, those of A, or those of A and B.

    A and B are worktrees, or any commits. A commit alone is compared with trunk. Exit status: 2 where there is a
    conflict, 1 where something that was asked about could not be read or merged.
    """
    if "" in (first, second):
        raise click.UsageError("A name is empty.")
    found = _compare(first, second, trust) if first and second else _look(first, trust)
    listed, unknown = [overlap for overlap, _, _ in found.meetings], found.unknown
    if found.picture is not None:
        warn(found.picture, () if as_json else unknown)
    if as_json:
        print_json(overlaps_object(listed, (unknown_object(one, found.key) for one in unknown), found.broken))
        return exit_status(listed, unknown)
    if not listed:
        click.echo(no_overlaps(is_all=not unknown))
    if listed or found.broken:
        from sidecar.cli.render import broken_use_block, console, overlap_blocks, show

        to = console()
        show(to, overlap_blocks(found.meetings, to.width) if listed else [])
        if found.broken:
            click.echo()
            show(to, [broken_use_block(found.broken, found.key)])
    for line in unknown_lines(unknown):
        click.echo(line)
    return exit_status(listed, unknown)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was asked for: the overlaps, where there may be more, the Picture and the worktree (its key) looked from."""

    meetings: list[Meeting]
    unknown: tuple[Unknown, ...]
    picture: Picture | None = None
    key: str | None = None

    @property
    def broken(self) -> tuple[BrokenUse, ...]:
        """Give the broken uses of the Picture, those of the worktree alone where one was asked for."""
        found = self.picture.broken_uses if self.picture is not None else ()
        return tuple(one for one in found if self.key is None or one.ends(self.key) is not None)


def _look(name: str | None, trust: bool) -> _Answer:
    """Give all overlaps of the repository, or those in which one takes part, with its side first."""
    picture = ask_picture(trust)
    if name is None:
        return _Answer([(overlap, *overlap.sides) for overlap in picture.overlaps], picture.unknown, picture)
    from sidecar.session.once import find_worktree  # loads libgit2

    found = answered(find_worktree(picture.worktrees, name, here()))
    if found is None:
        return _with_trunk(name, picture.trunk, trust)
    key = found.worktree.key
    meetings = [(overlap, *sides) for overlap in picture.overlaps if (sides := overlap.seen_from(key))]
    return _Answer(meetings, tuple(one for one in picture.unknown if one.concerns(key)), picture, key)


def _compare(first: str, second: str, trust: bool) -> _Answer:
    from sidecar.model.settings import Options
    from sidecar.session.once import compare

    recover_first(acting=trust)
    found = answered(compare(here(), first, second, Options(trusted=trust)))
    return _Answer([(overlap, *overlap.sides) for overlap in found.overlaps], found.unknown)


def _with_trunk(commit: str, trunk: Trunk | None, trust: bool) -> _Answer:
    """Give what a commit has in common with trunk's, whatever lies uncommitted in trunk's checkout."""
    if trunk is None or trunk.commit is None:
        raise Refusal(f"{escape(commit)} is no worktree, and trunk has no commit to compare it with.")
    found = _compare(commit, trunk.commit, trust)
    meetings = []
    for overlap, one, other in found.meetings:
        named = replace(overlap, sides=(one, replace(other, key=TRUNK_KEY, ref=trunk.branch)))
        meetings.append((named, *named.sides))
    return replace(found, meetings=meetings)
