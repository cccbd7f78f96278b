"""`sidecar overlaps`: where worktrees, trunk or commits meet.

`sidecar check`: who else has changed these files, and would it conflict.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import click

from sidecar.cli.options import (
    Refusal,
    absolute,
    answered,
    ask_comparison,
    ask_picture,
    ask_worktree,
    exit_status,
    nearest_folder,
    print_json,
    print_unknown,
    reading,
    warn,
    worktree_names,
)
from sidecar.model.findings import Failure
from sidecar.model.messages import no_overlaps, undone_clause
from sidecar.model.overlaps import Unknown
from sidecar.model.picture import TRUNK_KEY, Picture, Trunk, Undone
from sidecar.model.schema import Json, check_object, overlaps_object, unknown_object
from sidecar.model.words import escape, shown
from sidecar.session.check import CheckedFile, Meeting, check_path


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
        print_json(overlaps_object(listed, (unknown_object(one, found.key) for one in unknown)))
        return exit_status(listed, unknown)
    if not listed:
        click.echo(no_overlaps(is_all=not unknown))
    else:
        from sidecar.cli.render import print_overlaps

        print_overlaps(found.meetings)
    print_unknown(unknown)
    return exit_status(listed, unknown)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was asked for: the overlaps, where there may be more, the Picture and the worktree (its key) looked from."""

    meetings: list[Meeting]
    unknown: tuple[Unknown, ...]
    picture: Picture | None = None
    key: str | None = None


def _look(name: str | None, trust: bool) -> _Answer:
    """Give all overlaps of the repository, or those in which one takes part, with its side first."""
    picture = ask_picture(trust)
    if name is None:
        return _Answer([(overlap, *overlap.sides) for overlap in picture.overlaps], picture.unknown, picture)
    worktree = ask_worktree(picture, name)
    if worktree is None:
        return _with_trunk(name, picture.trunk, trust)
    key = worktree.key
    meetings = [(overlap, *sides) for overlap in picture.overlaps if (sides := overlap.seen_from(key))]
    return _Answer(meetings, tuple(one for one in picture.unknown if one.concerns(key)), picture, key)


def _compare(first: str, second: str, trust: bool) -> _Answer:
    found = ask_comparison(first, second, trust)
    return _Answer([(overlap, *overlap.sides) for overlap in found.overlaps], found.unknown)


def _with_trunk(commit: str, trunk: Trunk | None, trust: bool) -> _Answer:
    """Give what a commit has in common with trunk's, whatever lies uncommitted in trunk's checkout."""
    if trunk is None or trunk.commit is None:
        raise Refusal(f"{escape(commit)} is no worktree, and trunk has no commit to compare it with.")
    meetings = []
    found = ask_comparison(commit, trunk.commit, trust)
    for overlap in found.overlaps:
        one, other = overlap.sides
        named = replace(overlap, sides=(one, replace(other, key=TRUNK_KEY, ref=trunk.branch)))
        meetings.append((named, *named.sides))
    return _Answer(meetings, found.unknown)


@click.command(short_help="Who else has changed these files, and would it conflict.")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@reading
def check(paths: tuple[str, ...], as_json: bool, trust: bool) -> int:
    """Show who else has changed these files, and whether that conflicts.

    A PATH need not exist, but lies in a worktree. A directory stands for everything below it. Exit status: 2 where
    there is a conflict, 1 where something that may concern a PATH could not be read or merged.
    """
    if "" in paths:
        raise click.UsageError("A path is empty.")
    pictures: list[Picture] = []
    files = [file for path in paths for file in _check(path, pictures, trust)]
    seen = dict.fromkeys((unknown, file.worktree.key) for file in files for unknown in file.unknown)
    unknown = [one for one, _ in seen]
    for picture in pictures:
        warn(picture, () if as_json else unknown)
    meetings = [meeting for file in files for meeting in file.meetings]
    others = {key: name for file in files for key, name in file.others.items()}
    agents = _agents(pictures, others) if others else []
    undone = _taken_back(files)
    if as_json:
        listed = ((file.path, file.worktree.name, [overlap for overlap, _, _ in file.meetings]) for file in files)
        print_json(check_object(listed, (unknown_object(one, key) for one, key in seen), agents, undone))
        return exit_status((overlap for overlap, _, _ in meetings), unknown)
    if not undone and not any(file.meetings or file.elsewhere for file in files):
        nobody = "Nobody else is known to have changed" if unknown else "Nobody else has changed"
        click.echo(f"{nobody} {', '.join(map(escape, paths))}.")
    else:
        from sidecar.cli.render import print_checked

        taken = [(one.path, undone_clause(one, _branch(pictures))) for _, one in undone]
        print_checked(files, agents, taken, is_all=not unknown)
    print_unknown(unknown)
    return exit_status((overlap for overlap, _, _ in meetings), unknown)


def _agents(pictures: Sequence[Picture], others: Mapping[str, str]) -> list[Json]:
    from sidecar.operations.who_is_there import agents_in  # which takes longer than most answers

    return [agent for picture in pictures for agent in agents_in(picture, others)]


def _taken_back(files: Sequence[CheckedFile]) -> list[tuple[str, Undone]]:
    """Give (worktree's name, what it takes back of trunk) of those files that their worktrees have changed."""
    from sidecar.session.once import taken_back

    asked: dict[str, tuple[str, set[str]]] = {}
    for file in files:
        if file.is_changed:
            asked.setdefault(file.worktree.key, (file.worktree.name, set()))[1].add(file.path)
    return [
        (name, one)
        for key, (name, paths) in asked.items()
        for one in answered(taken_back(nearest_folder(key), key))
        if one.path in paths
    ]


def _branch(pictures: Sequence[Picture]) -> str:
    trunk = next((picture.trunk for picture in pictures if picture.trunk is not None), None)
    return shown(trunk.branch) if trunk is not None else "trunk"


def _check(path: str, pictures: list[Picture], trust: bool) -> Iterator[CheckedFile]:
    """Check one PATH; `pictures` has those that were asked for already, and gets a new one where needed."""
    place = absolute(path)
    found = check_path(_picture_around(place, pictures, trust), place)
    if isinstance(found, Failure):
        raise Refusal(f"{escape(path)} is in no worktree.")
    yield from found


def _picture_around(place: str, pictures: list[Picture], trust: bool) -> Picture:
    """Give the picture of the repository that a path belongs to: the innermost, where one lies in another."""
    folder = nearest_folder(place)
    root = next((str(above) for above in (folder, *folder.parents) if os.path.lexists(above / ".git")), None)
    for picture in pictures:
        if any(state.worktree.key == root for state in picture.worktrees):
            return picture
    pictures.append(ask_picture(trust, folder))
    return pictures[-1]
