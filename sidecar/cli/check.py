"""`sidecar check`: who else has changed these files, and would it conflict."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from sidecar.cli.asking import Refusal, ask_picture, exit_status, print_json, reading, warn
from sidecar.cli.paths import absolute, nearest_folder
from sidecar.cli.text import Meeting, titled
from sidecar.model.messages import escape
from sidecar.model.picture import Picture, Worktree, WorktreeState, locate
from sidecar.model.schema import check_object


@dataclass(frozen=True, slots=True)
class Checked:
    """A path in its worktree, where it meets others' changes, and what else has it changed (titles)."""

    path: str
    worktree: Worktree
    meetings: tuple[Meeting, ...]
    elsewhere: tuple[str, ...]


@click.command(short_help="Who else has changed these files, and would it conflict.")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@reading
def check(paths: tuple[str, ...], as_json: bool, trust: bool) -> int:
    """Show who else has changed these files, and whether that conflicts.

    A PATH need not exist, but lies in a worktree. A directory stands for everything below it.
    """
    if "" in paths:
        raise click.UsageError("A path is empty.")
    pictures: list[Picture] = []
    files = [file for path in paths for file in _check(path, pictures, trust)]
    for picture in pictures:
        warn(picture)
    meetings = [meeting for file in files for meeting in file.meetings]
    if as_json:
        listed = ((file.path, file.worktree.name, [overlap for overlap, _, _ in file.meetings]) for file in files)
        print_json(check_object(listed))
    elif not any(file.meetings or file.elsewhere for file in files):
        click.echo(f"Nobody else has changed {', '.join(map(escape, paths))}.")
    else:
        from sidecar.cli.overlap_table import print_checked  # rich takes longer than the answer

        elsewhere = [(file.path, file.elsewhere) for file in files if file.elsewhere]
        print_checked(list(dict.fromkeys(meetings)), list(dict.fromkeys(elsewhere)))
    return exit_status(overlap for overlap, _, _ in meetings)


def _check(path: str, pictures: list[Picture], trust: bool) -> Iterator[Checked]:
    """What is known of one PATH; `pictures` has those that were asked for already, and gets a new one where needed."""
    place = absolute(path)
    picture = _picture_around(place, pictures, trust)
    located = locate(picture, place)
    if located is None or located[0].bare:
        raise Refusal(f"{escape(path)} is in no worktree.")
    worktree, inside = located
    mine = next(state for state in picture.worktrees if state.worktree is worktree)
    if (problem := worktree.problem or mine.problem) is not None:
        raise Refusal(escape(problem))
    meetings = [(overlap, *sides) for overlap in picture.overlaps if (sides := overlap.seen_from(worktree.key))]
    others = [state for state in picture.worktrees if state is not mine and state.changes is not None]
    for asked in _expand(inside, place, meetings, others):
        here = tuple(meeting for meeting in meetings if asked in _names(meeting, mine))
        met = {other.key for _, _, other in here}
        elsewhere = tuple(
            titled(state.worktree.name, state.worktree.ref)
            for state in others
            if state.worktree.key not in met and state.changes is not None and state.changes.named(asked)
        )
        yield Checked(asked, worktree, here, elsewhere)


def _names(meeting: Meeting, mine: WorktreeState) -> set[str]:
    """Every path by which a person in this worktree may ask for the meeting, one from before a rename too."""
    overlap, side, _ = meeting
    change = mine.changes.named(side.path) if mine.changes else None
    return {overlap.path, side.path, *(change.names if change else ())}


def _expand(inside: str, place: str, meetings: Sequence[Meeting], others: Sequence[WorktreeState]) -> Sequence[str]:
    """A file as it is; for a directory, also one that is gone, the paths below it that somebody else has changed."""
    met = {side.path for _, side, _ in meetings}
    changed = {name for state in others for change in state.changes or () for name in change.names}
    below = sorted(path for path in met | changed if not inside or path.startswith(f"{inside}/"))
    is_folder = os.path.isdir(place) and not os.path.islink(place)
    return below if is_folder or (below and not os.path.lexists(place)) else [inside]


def _picture_around(place: str, pictures: list[Picture], trust: bool) -> Picture:
    """The picture of the repository that a path belongs to: the innermost, where one lies in another."""
    folder = nearest_folder(place)
    root = next((str(above) for above in (folder, *folder.parents) if os.path.lexists(above / ".git")), None)
    for picture in pictures:
        if any(state.worktree.key == root for state in picture.worktrees):
            return picture
    pictures.append(ask_picture(trust, folder))
    return pictures[-1]
