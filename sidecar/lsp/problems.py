"""Find what there is to say about the lines of a file: one Problem for each range, however many others meet there.

It is the same in diagnostics, hover and quick fixes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lsprotocol.types import Range

from sidecar.git.surroundings import is_undecided
from sidecar.lsp.editor_view import EditorView, FileOverlap
from sidecar.lsp.positions import region_range, text_lines
from sidecar.model import numbered
from sidecar.model.broken_uses import broken_use_sentence
from sidecar.model.changes import Change
from sidecar.model.messages import (
    broken_sentence,
    gathered_sentence,
    overlap_notes,
    overlap_sentence,
    trunk_edit_sentence,
    undone_clause,
)
from sidecar.model.overlaps import WHOLE_FILE, Region, Side, Unknown, counterparts
from sidecar.model.picture import TRUNK_KEY, Broken, BrokenUse, End, Undone
from sidecar.model.words import counted, shown

(
    CONFLICT,
    OVERLAP,
    IDENTICAL,
    TRUNK_CONFLICT,
    TRUNK_EDIT,
    UNDOES_TRUNK,
    UNKNOWN,
    SAME_NUMBER,
    BOTH_APPEND,
    FAILS_TOGETHER,
    BROKEN_USE,
) = CODES = (
    "conflict",
    "overlap",
    "identical",
    "trunk-conflict",
    "trunk-edit",
    "undoes-trunk",
    "unknown",
    "same-number",
    "both-append",
    "fails-together",
    "broken-use",
)
"""The codes of our diagnostics."""

HIDDEN = {"conflicts": (OVERLAP, IDENTICAL), "overlaps": (IDENTICAL,), "everything": ()}
"""The codes that are not told as diagnostics, by the setting `show`."""

LINE_BY_LINE = ("content", "add/add")
"""The kinds of conflicts in which the lines of one side meet lines of the other."""

MOST = 200
"""How many places of one overlap are shown."""


@dataclass(frozen=True, slots=True)
class Place:
    """Lines where the two sides of an overlap meet: my `region`, and `theirs`, none where there are none to show.

    `index` is its number among those of the overlap; `paired` says that the two are versions of each other, and that
    one can take the place of the other; `more` is how many places after it are not shown.
    """

    seen: FileOverlap
    index: int
    region: Region
    theirs: tuple[Region, ...]
    paired: bool
    more: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """What is said about a range of a file, and the `places` that it is about, those with trunk first."""

    code: str
    range: Range
    message: str
    places: tuple[Place, ...] = ()

    def is_told(self, show: str) -> bool:
        """Tell whether it is a diagnostic, by the setting `show`."""
        return _is_told(self.code, self.places, show)

    def is_at(self, place: Range) -> bool:
        """Tell whether it has a line in common with a range: a caret in the indentation counts."""
        return self.range.start.line <= place.end.line and place.start.line <= self.range.end.line


def places_of(seen: FileOverlap) -> tuple[Place, ...]:
    """Find each place where the two sides meet; where that is not in lines, one for each that mine has."""
    overlap, mine, other = seen.overlap, seen.mine, seen.other
    paired = overlap.paired and (overlap.kind in LINE_BY_LINE or overlap.verdict == "clean")
    found = [(here, other.regions) for here in mine.regions or (WHOLE_FILE,)]
    if paired and (met := counterparts(mine, other, overlap.verdict)):
        found = [(here, (there,)) for here, there in met]
    places = []
    for index, (here, there) in enumerate(found[:MOST]):
        theirs = there if _means_lines(other, there) else ()
        more = len(found) - MOST if index == MOST - 1 else 0
        places.append(Place(seen, index, here, theirs, paired and bool(theirs), more))
    return tuple(places)


def _means_lines(side: Side, regions: tuple[Region, ...]) -> bool:
    """Tell whether regions mean lines that the side changed, and do not just stand for its file."""
    if side.after is None or not side.after.is_file or (side.before and side.before.oid == side.after.oid):
        return False
    return regions != (WHOLE_FILE,)


def _is_told(code: str, places: Sequence[Place], show: str) -> bool:
    """Tell whether there is a diagnostic: also of what merges, where git in trunk's checkout may find otherwise."""
    if code == BOTH_APPEND and show == "conflicts":
        return any(place.index == 0 for place in places)  # once a file
    return code not in HIDDEN[show] or any(is_undecided(place.seen.overlap.note) for place in places)


def met_at(
    view: EditorView, file_overlaps: Iterable[FileOverlap], text: str, show: str = "everything"
) -> list[Problem]:
    """Gather overlaps of the file whose text this is: of the same lines and the same verdict there is one Problem.

    Those alone are given that are diagnostics by the setting `show`.
    """
    gathered: dict[tuple[object, ...], tuple[Range, list[Place]]] = {}
    for seen in file_overlaps:
        for place in places_of(seen):
            if seen.overlap.verdict == "clean" and _is_alike(view, place, text):
                place = replace(place, seen=replace(seen, overlap=replace(seen.overlap, verdict="identical")))
            lines = region_range(text, place.region, view.client.encoding)
            key = (
                place.seen.overlap.verdict,
                is_numbered(place.seen),
                lines.start.line,
                lines.start.character,
                lines.end.line,
            )
            gathered.setdefault(key, (lines, []))[1].append(place)
    problems: list[Problem] = []
    for lines, places in gathered.values():
        ranked = tuple(sorted(places, key=lambda place: place.seen.other.key != TRUNK_KEY))
        code = code_of(ranked[0].seen)
        if _is_told(code, ranked, show):
            problems.append(Problem(code, lines, _message(ranked), ranked))
    return problems


def _is_alike(view: EditorView, place: Place, text: str) -> bool:
    """Tell whether the lines where the other side's land are a change that I have made alike: taken over, say."""
    mine, other = place.seen.mine, place.seen.other
    if not place.paired or place.region not in mine.changed or mine.after == other.after:
        return False
    here, there = (
        [line.rstrip("\r\n") for line in text_lines(whole, region)]
        for whole, region in ((text, place.region), (view.indexed.text(other.after), place.theirs[0]))
    )
    return here == there


def _message(places: Sequence[Place]) -> str:
    """Say in a sentence or two what is met at these places."""
    overlaps = list({id(place.seen): place.seen for place in places}.values())
    others = {seen.other.key: seen.other for seen in overlaps}
    if len(others) == 1:
        said = [_sentence(seen, [place for place in places if place.seen is seen]) for seen in overlaps]
    else:
        notes = [note for seen in overlaps for note in overlap_notes(seen.overlap)]
        first = overlaps[0].overlap
        said = [gathered_sentence(first.verdict, list(others.values()), first.kind), *notes]
    if more := sum(place.more for place in places):
        said.append(f"{counted(more, 'more place is', 'more places are')} not shown.")
    return " ".join(dict.fromkeys(said))


def _sentence(seen: FileOverlap, places: list[Place]) -> str:
    theirs = list(dict.fromkeys(there for place in places for there in place.theirs))
    return overlap_sentence(seen.overlap, seen.mine, seen.other, theirs)


def code_of(seen: FileOverlap) -> str:
    """Give the code of a problem with one other alone."""
    if seen.overlap.verdict == "conflict":
        return TRUNK_CONFLICT if seen.other.key == TRUNK_KEY else CONFLICT
    if is_numbered(seen):
        return SAME_NUMBER
    if seen.overlap.verdict == "clean" and seen.overlap.appended:
        return BOTH_APPEND
    return OVERLAP if seen.overlap.verdict == "clean" else IDENTICAL


def is_numbered(seen: FileOverlap) -> bool:
    """Tell whether two files of one number meet, which are no versions of each other."""
    return seen.overlap.kind == numbered.SAME_NUMBER


def trunk_edit(view: EditorView, change: Change, text: str) -> Problem:
    """Give the problem of a file that is edited directly on trunk, on its first changed line."""
    indexed = view.indexed
    branch = indexed.picture.trunk.branch if indexed.picture.trunk else ""
    hunks = indexed.hunks(change.before, change.after) if change.before and change.after else ()
    line = hunks[0].changed.start if hunks else 1
    lines = region_range(text, Region(line, line), view.client.encoding)
    return Problem(TRUNK_EDIT, lines, trunk_edit_sentence(branch, indexed.others))


def undoing(view: EditorView, undone: Undone, text: str) -> list[Problem]:
    """Give the problems of a file that takes back what trunk did: one for each place, as far as they are shown."""
    trunk = view.indexed.picture.trunk
    clause = undone_clause(undone, shown(trunk.branch) if trunk else "trunk")
    message = f"This {clause}. No commit here says so, and git would merge it."
    encoding = view.client.encoding
    return [Problem(UNDOES_TRUNK, region_range(text, hunk.changed, encoding), message) for hunk in undone.hunks[:MOST]]


def failing(view: EditorView, broken: Sequence[Broken], text: str) -> list[Problem]:
    """Give the problems of a file whose merge with another's `sidecar.check` finds wrong, and neither alone."""
    encoding = view.client.encoding
    return [
        Problem(FAILS_TOGETHER, region_range(text, Region(one.line, one.line), encoding), broken_sentence(one))
        for one in broken[:MOST]
    ]


def breaking(view: EditorView, one: BrokenUse, end: End, text: str) -> list[Problem]:
    """Give the problems at one end of a broken use: a line of what takes away, or each that uses."""
    lines = one.lines if end is one.used else (end.line,)
    message, encoding = broken_use_sentence(one, end.key), view.client.encoding
    ranges = (region_range(text, Region(line, line), encoding) for line in lines[:MOST])
    return [Problem(BROKEN_USE, place, message) for place in ranges]


def not_known(view: EditorView, unknown: Unknown, text: str) -> Problem:
    """Give the problem of what may meet a file and is not known, on its first line."""
    return Problem(UNKNOWN, region_range(text, WHOLE_FILE, view.client.encoding), unknown.reason)
