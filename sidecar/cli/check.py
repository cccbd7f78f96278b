"""`sidecar check`: who else has changed these files, and would it conflict."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from sidecar.cli.options import (
    CONFLICT,
    UNKNOWN,
    Refusal,
    absolute,
    answered,
    ask_in_words,
    ask_picture,
    ask_printed,
    nearest_folder,
    print_json,
    problem_line,
    reading,
    say,
    status_of_check,
    warn,
)
from sidecar.cli.output import standard_output
from sidecar.model.words import escape

if TYPE_CHECKING:
    from sidecar.model.picture import Picture, Undone
    from sidecar.session.check import CheckedFile


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
    if (status := _from_session(paths, trust, as_json=as_json)) is not None:
        return status
    from sidecar.operations.answers import Checked
    from sidecar.session.check import object_of, others_in, undone_in

    pictures: list[Picture] = []
    files = [file for path in paths for file in _check(path, pictures, trust)]
    undone = undone_in(files, lambda key: _taken_back(key, trust))
    found = Checked(files, _agents(pictures, others_in(files)), undone)
    if not as_json:
        from sidecar.cli.answers import print_check  # loads rich, which takes longer than most answers

        return say(print_check(found, pictures, paths, standard_output()))
    for picture in pictures:
        warn(picture)
    print_json(object_of(found.files, found.agents, found.undone))
    return status_of_check(files)


def _from_session(paths: Sequence[str], trust: bool, *, as_json: bool) -> int | None:
    """Print what a session answers, and give the exit status; None where none does, as for several repositories."""
    from sidecar.system.place import find_place

    places = [absolute(path) for path in paths]
    found = [find_place(os.path.realpath(nearest_folder(place))) for place in places]
    if len({place.common_dir if place is not None else None for place in found}) > 1:
        return None
    if not as_json:
        printed = ask_printed("printed-check", trust, nearest_folder(places[0]), places=places, names=paths)
        return None if printed is None else say(printed)
    answer = ask_in_words("check", trust, nearest_folder(places[0]), places=places)
    if answer is None:
        return None
    for name, problem in answer["problems"]:
        click.echo(f"sidecar: {problem_line(name, problem)}", err=True)
    said = answer["check"]
    print_json(said)
    verdicts = {overlap["verdict"] for file in said["files"] for overlap in file["overlaps"]}
    return CONFLICT if "conflict" in verdicts else UNKNOWN if said["unknown"] else 0


def _agents(pictures: Sequence[Picture], others: Mapping[str, str]) -> list[dict[str, Any]]:
    if not others:
        return []
    from sidecar.operations.who_is_there import agents_in  # which takes longer than most answers

    return [agent for picture in pictures for agent in agents_in(picture, others)]


def _taken_back(key: str, trust: bool) -> Sequence[Undone]:
    """Give what a worktree takes back of trunk now."""
    answer = ask_in_words("undone", trust, nearest_folder(key), key=key)
    if answer is not None:
        from sidecar.model.decode import decode
        from sidecar.model.picture import Undone

        return [answered(decode(Undone, one)) for one in answer["undone"]]
    from sidecar.session.once import taken_back

    return answered(taken_back(nearest_folder(key), key))


def _check(path: str, pictures: list[Picture], trust: bool) -> Iterator[CheckedFile]:
    """Check one PATH; `pictures` has those that were asked for already, and gets a new one where needed."""
    from sidecar.model.findings import Failure
    from sidecar.session.check import check_path

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
