"""Find files that two participants both add with one number: an overlap that git's merge says nothing of."""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.git.objects import TREE_MODE
from sidecar.model.changes import Change
from sidecar.model.numbered import SAME_NUMBER, Number, is_taken_twice, read_name
from sidecar.model.overlaps import WHOLE_FILE, Overlap, Side
from sidecar.model.picture import TRUNK_KEY
from sidecar.model.words import counted
from sidecar.session.participants import Participant
from sidecar.session.reader import Sources


def same_numbers(sources: Sources, one: Participant, two: Participant) -> tuple[Overlap, ...]:
    """Give an overlap for each directory in which both add a number, the lowest one that is taken twice. GitError."""
    common = one.footprint.numbers & two.footprint.numbers
    found: dict[str, list[tuple[Number, Change, Change]]] = {}
    for number in sorted(common, key=lambda number: (number[:3], len(number[3]), number[3])):
        mine, other = (_added(participant, number) for participant in (one, two))
        before = {name for participant in (one, two) for name in _names(sources, participant.own.base, number[0])}
        paths = [change.path for change in mine], [change.path for change in other]
        alike = {change.after for change in mine} & {change.after for change in other}
        if not alike and is_taken_twice(number, *paths, before):
            found.setdefault(number[0], []).append((number, mine[0], other[0]))
    return tuple(_overlap(one, two, rows) for rows in found.values())


def _added(participant: Participant, number: Number) -> list[Change]:
    """List the new files of a participant that have a number."""
    prefix = f"{number[0]}/" if number[0] else ""
    touched = (change for path, change in participant.own.touched.items() if path.startswith(prefix))
    new = (change for change in touched if change.before is None and change.after is not None)
    return [change for change in new if (name := read_name(change.path)) is not None and name.number == number]


def _names(sources: Sources, tree: str, directory: str) -> Iterator[str]:
    """List the names that a directory of a tree has; none where there is no such directory."""
    oid: str | None = tree
    for part in directory.split("/") if directory else ():
        entry = sources.quarantine.objects.tree(oid).get(part) if oid is not None else None
        oid = entry.oid if entry is not None and entry.mode == TREE_MODE else None
    yield from sources.quarantine.objects.tree(oid) if oid is not None else ()


def _overlap(one: Participant, two: Participant, rows: list[tuple[Number, Change, Change]]) -> Overlap:
    number, mine, other = rows[0]
    sides = _side(one, mine), _side(two, other)
    sides = sides[::-1] if one.key == TRUNK_KEY else sides
    more = f" So have {counted(len(rows) - 1, 'more file', 'more files')} here." if len(rows) > 1 else ""
    note = f"Both are number {number[3]} of their directory.{more}"
    return Overlap(sides[0].path, "clean", SAME_NUMBER, sides, note, paired=False)


def _side(participant: Participant, change: Change) -> Side:
    own = participant.own.named(change.path) or change
    who = participant.key, participant.name, participant.ref
    return Side(*who, change.path, (WHOLE_FILE,), (WHOLE_FILE,), own.sources, None, change.after)
