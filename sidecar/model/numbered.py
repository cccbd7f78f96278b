"""Know files that are numbered in their directory (migrations, decisions), which two sides may add with one number.

Git merges the two without a word, since their names differ. What is no sequence says nothing: dates, fragments named
by an issue, pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

SAME_NUMBER = "same number"
"""The kind of an overlap of two files that differ in name and have one number."""

_NAME = re.compile(
    r"(?P<prefix>V?)(?P<number>[0-9]{4}([-_])[0-9]{2}\3[0-9]{2}(?:\3[0-9]{4,6})?|[0-9]{1,20}(?:[._][0-9]+)*(?=__)|[0-9]{1,20})"
    r"(?P<after>__?|-)(?P<stem>\w[^.]*)"
)
_FOLDERS = re.compile(r"(?:^|/)(?:[^/]*migrat[^/]*|versions|changesets?|patches|updates)(?:/|$)", re.IGNORECASE)
"""Directories of which the name says that their files are run in the order of their numbers."""

_YEARS = re.compile(r"(?:^|/)(?:19|20)[0-9]{2}(?:[-_][0-9]{1,2}){0,2}(?:/|$)")
"""Directories that are named by a year or a date: numbers below them are months and days, however they follow."""

MOST_AHEAD = 10
"""How far after the last number of a directory its next one may be."""

LEAST = 3
"""How many numbers a directory has where only they say that it is numbered."""

DATE, MOMENT = 8, 12
"""How many digits a date has, and from how many on a number is a moment."""

Number: TypeAlias = tuple[str, str, str, str]
"""(directory, what stands before and after the number, the number without zeros before it): what has to be unique."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name with a number: the number, and what the file is called besides, without its endings."""

    number: Number
    stem: str


def read_name(path: str) -> Name | None:
    """Read a path as a numbered one; None for any other."""
    directory, _, name = path.rpartition("/")
    if not name or not (name[0].isdigit() or name[0] == "V"):
        return None
    found = _NAME.match(name)
    if found is None or (found["prefix"] and found["after"] != "__"):
        return None
    number = found["number"].lstrip("0") or "0"
    return Name((directory, found["prefix"], found["after"], number), found["stem"].lower())


def numbers_added(paths: Iterable[str]) -> frozenset[Number]:
    """Give the numbers that these new files have."""
    return frozenset(name.number for path in paths if (name := read_name(path)) is not None)


def is_taken_twice(number: Number, ours: Sequence[str], theirs: Sequence[str], before: Iterable[str]) -> bool:
    """Tell whether new files of two sides have a number twice that is to be there once.

    `before` are the names of the files that the directory had. Those that are called alike are one file, or its parts.
    """
    mine, other = ({name.stem for path in paths if (name := read_name(path))} for paths in (ours, theirs))
    if not mine or not other or mine & other:
        return False
    directory = number[0]
    there: dict[str, set[str]] = {}
    for path in before:
        name = read_name(f"{directory}/{path}" if directory else path)
        if name is not None and name.number[:3] == number[:3]:
            there.setdefault(name.number[3], set()).add(name.stem)
    twice = sum(len(stems) > 1 for stems in there.values())
    told = _FOLDERS.search(directory) is not None
    if twice * 10 > len(there) or (not told and (len(there) < LEAST or _YEARS.search(directory))):
        return False
    digits = re.sub(r"\D", "", number[3])
    if len(digits) >= MOMENT:
        return True
    if "-" in number[3] or "_" in number[3].strip("_") or (len(digits) == DATE and _is_date(digits)):
        return told and number[2] != "__" and len(there) >= LEAST
    return "." in number[3] or _is_next(number[3], there)


def _is_next(number: str, there: Mapping[str, object]) -> bool:
    """Tell whether a number comes next after those of a directory, in steps as they had."""
    known = sorted(int(one) for one in there if one.isdigit())
    if not known:
        return int(number) <= MOST_AHEAD
    step = known[-1] - known[-2] if len(known) > 1 else 1
    return known[-1] < int(number) <= known[-1] + max(MOST_AHEAD, step)


def _is_date(digits: str) -> bool:
    return "1990" <= digits[:4] <= "2099" and "01" <= digits[4:6] <= "12" and "01" <= digits[6:] <= "31"
