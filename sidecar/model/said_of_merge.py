"""Read what a checking command says of files, and tell what of it is said of a merge and of neither side."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

MOST_COMPLAINTS = 100
"""How many complaints of one run are read."""

FAR = 8
"""How many lines after a place its message may stand, or after a message its place."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a command says of a line of a file: `path` relative to the top, `line` from 1 on."""

    path: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said of one tree: it was `fine`, it `fails`, or that is `unknown`, for a reason in a sentence.

    One that fails may name no line; then `why` has its last words.
    """

    state: Literal["fine", "fails", "unknown"]
    complaints: tuple[Complaint, ...] = ()
    why: str = ""


FINE = Said("fine")

_PLACE = r"(?P<path>(?:[A-Za-z]:)?[^\s:(][^:(]*?)"
_SEVERITY = r"(?P<severity>fatal error|error|warning|note|info|information|hint|help)"
_ALONE = (
    re.compile(rf"{_PLACE}\((?P<line>\d+)(?:,\d+(?:,\d+,\d+)?)?\)\s*:\s*{_SEVERITY}\b:?\s*(?P<message>.+)", re.I),
    re.compile(rf"{_PLACE}:(?P<line>\d+)(?::\d+)?(?:-\d+)?\s+-\s+{_SEVERITY}\b:?\s*(?P<message>.+)", re.I),
    re.compile(
        rf"(?:vet: )?{_PLACE}:(?P<line>\d+)(?::\d+)?:\s+(?:{_SEVERITY}\b(?:\[[^\]]*\])?:?\s*)?(?P<message>.+)", re.I
    ),
)
"""A complaint on a line of its own: as tsc and msbuild, as tsc --pretty and pyright, as gcc, mypy, go, eslint -f unix
and ruff have it. VS Code knows the same as $tsc, $msCompile, $gcc, $go and $eslint-compact."""

_BEFORE = (
    (re.compile(rf"{_SEVERITY}(?:\[[^\]]*\])?: (?P<message>.+)"), re.compile(rf"\s*--> {_PLACE}:(?P<line>\d+):\d+")),
)
"""(the message, a place below it): as rustc has it."""

_AFTER = (
    (
        re.compile(r'\s*(?:\*+\s*)?File "(?P<path>[^"]+)", line (?P<line>\d+)'),
        re.compile(r"(?P<message>\w+(?:Error|Warning)\b.*)"),
    ),
)
"""(the place, a message below it): as Python has it; of several places the last one counts."""

_UNDER = (
    re.compile(r"(?P<path>/?[^\s:][^:]*\.\w+)"),
    re.compile(rf"\s+(?P<line>\d+):\d+\s+{_SEVERITY}\s+(?P<message>.+)"),
)
"""(the file, complaints below it, each with a line): as eslint has it by default."""

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")


def read_complaints(text: str, files: Collection[str], top: str) -> tuple[Complaint, ...]:
    """Read the errors that an output names in these files, in its order; of one place and message, one.

    Paths may be absolute below `top`, or relative to it, or to a directory below it where that leaves one file.
    """
    lines = [_ESCAPES.sub("", line).rstrip() for line in text.splitlines()]
    known: dict[str, str | None] = {}
    by_name: dict[str, list[str]] = {}
    for file in files:
        by_name.setdefault(file.rpartition("/")[2], []).append(file)
    found: dict[Complaint, None] = {}
    for path, line, severity, message in _read(lines):
        if severity not in ("", "error", "fatal error"):
            continue
        if path not in known:
            known[path] = _inside(path, files, by_name, top)
        if (inside := known[path]) is not None and len(found) < MOST_COMPLAINTS:
            found[Complaint(inside, line, message.strip().replace(f"{top}/", ""))] = None
    return tuple(found)


def _read(lines: Sequence[str]) -> Iterator[tuple[str, int, str, str]]:
    """Give (path as it is said, line, severity or '', message) of each complaint."""
    message: tuple[int, str, str] | None = None
    place: tuple[int, str, int] | None = None
    under = ""
    for at, line in enumerate(lines):
        if not line.strip():
            under = ""
            continue
        for before, where in _BEFORE:
            if (said := before.fullmatch(line)) is not None:
                message = at, said["severity"].lower(), said["message"]
            elif message is not None and at - message[0] <= FAR and (said := where.fullmatch(line)) is not None:
                yield said["path"], int(said["line"]), message[1], message[2]
                message = None
        for where, after in _AFTER:
            if (said := where.match(line)) is not None:
                place = at, said["path"], int(said["line"])
            elif place is not None and at - place[0] <= FAR and (said := after.fullmatch(line)) is not None:
                yield place[1], place[2], "", said["message"]
                place = None
        if under and (said := _UNDER[1].fullmatch(line)) is not None:
            yield under, int(said["line"]), said["severity"].lower(), said["message"]
        elif (said := next((said for form in _ALONE if (said := form.fullmatch(line.strip()))), None)) is not None:
            yield said["path"], int(said["line"]), (said["severity"] or "").lower(), said["message"]
        elif (said := _UNDER[0].fullmatch(line)) is not None:
            under = said["path"]


def _inside(path: str, files: Collection[str], by_name: Mapping[str, Sequence[str]], top: str) -> str | None:
    """Find the file that a path means; None for none of these, and where it may be several."""
    path = path.replace("\\", "/").removeprefix(f"{top}/")
    while path.startswith("./"):
        path = path[2:]
    if path in files:
        return path
    if path.startswith("/"):
        return None
    below = [file for file in by_name.get(path.rpartition("/")[2], ()) if file.endswith(f"/{path.lstrip('./')}")]
    return below[0] if len(below) == 1 else None


PlaceIn = Callable[[str, int], tuple[str, int | None]]
"""Gives (path, line) that a side has of a (path, line) of the merge; for the line None where it has not that one."""


@dataclass(frozen=True, slots=True)
class OfSide:
    """What was said of one side alone, and which of its lines a line of the merge is."""

    said: Said
    place_in: PlaceIn


def only_of_merge(merged: Said, sides: Sequence[OfSide]) -> tuple[Complaint, ...]:
    """Give what is said of a merge and of neither side.

    What a side says at the same line with the same words is its own. So is what it says with the same words elsewhere,
    as often as it does: lines are not always where one looks for them, and a notice that is wrong is worse than none.
    """
    left = list(merged.complaints)
    for side in sides:
        own = Counter((one.path, one.line, _words(one.message)) for one in side.said.complaints)
        rest = []
        for one in left:
            path, line = side.place_in(one.path, one.line)
            key = (path, line or 0, _words(one.message))
            if own[key]:
                own[key] -= 1
            else:
                rest.append(one)
        spare = Counter[tuple[str, str]]()
        for (path, _, words), count in own.items():
            spare[path, words] += count
        left = []
        for one in rest:
            means = side.place_in(one.path, one.line)[0], _words(one.message)
            if spare[means]:
                spare[means] -= 1
            else:
                left.append(one)
    return tuple(left)


def _words(message: str) -> str:
    """Give a message without numbers, which may be those of lines."""
    return re.sub(r"\d+", "#", message)
