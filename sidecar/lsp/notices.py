"""What there is to say about the lines of a file, before it is put into the protocol's words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import starmap

from sidecar.lsp.scene import Sight, Snapshot
from sidecar.model.changes import Change
from sidecar.model.messages import counted, overlap_sentence, trunk_edit_sentence
from sidecar.model.overlaps import WHOLE_FILE, Region, Side, counterparts
from sidecar.model.picture import TRUNK_KEY

CONFLICT, OVERLAP, IDENTICAL, TRUNK_CONFLICT, TRUNK_EDIT = CODES = (
    "conflict",
    "overlap",
    "identical",
    "trunk-conflict",
    "trunk-edit",
)
"""The codes of our diagnostics."""

LINE_BY_LINE = ("content", "add/add")
"""The kinds of conflicts in which the lines of one side meet lines of the other."""

MOST = 200
"""How many places of one overlap are shown."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Lines of a file and what is said about them; `theirs` are the other side's, none where it has none to show.

    `paired` says that the two are versions of each other, and that one can take the place of the other.
    """

    code: str
    region: Region
    theirs: tuple[Region, ...]
    message: str
    paired: bool = False


def code_of(sight: Sight) -> str:
    """The code of an overlap's diagnostics."""
    if sight.overlap.verdict == "conflict":
        return TRUNK_CONFLICT if sight.other.key == TRUNK_KEY else CONFLICT
    return OVERLAP if sight.overlap.verdict == "clean" else IDENTICAL


def notices(sight: Sight) -> tuple[Notice, ...]:
    """One for each place where the two sides meet; where they do not meet in lines, one for each that mine has."""
    overlap, mine, other = sight.overlap, sight.mine, sight.other
    paired = overlap.paired and (overlap.kind in LINE_BY_LINE or overlap.verdict == "clean")
    places = [(here, other.regions) for here in mine.regions or (WHOLE_FILE,)]
    if paired and (met := counterparts(mine, other, overlap.verdict)):
        places = [(here, (there,)) for here, there in met]
    found = []
    for here, there in places[:MOST]:
        theirs = there if _means_lines(other, there) else ()
        message = overlap_sentence(overlap, mine, other, theirs)
        found.append(Notice(code_of(sight), here, theirs, message, paired and bool(theirs)))
    if len(places) > MOST:
        more = f"{found[-1].message} {counted(len(places) - MOST, 'more place is', 'more places are')} not shown."
        found[-1] = replace(found[-1], message=more)
    return tuple(found)


def _means_lines(side: Side, regions: tuple[Region, ...]) -> bool:
    """Whether regions mean lines that the side changed, and do not just stand for its file."""
    if side.after is None or not side.after.is_file or (side.before and side.before.oid == side.after.oid):
        return False
    return regions != (WHOLE_FILE,)


def trunk_edit(snapshot: Snapshot, change: Change) -> Notice:
    """The notice about a file that is edited directly on trunk, on its first changed line."""
    branch = snapshot.picture.trunk.branch if snapshot.picture.trunk else ""
    texts = (snapshot.text(change.before), snapshot.text(change.after))
    line = _first_difference(*texts) if change.before and change.after else 1
    return Notice(TRUNK_EDIT, Region(line, line), (), trunk_edit_sentence(branch, snapshot.others))


def _first_difference(before: str, after: str) -> int:
    """The number of the first line of `after` that differs from `before`; its last line, if it just ends earlier."""
    olds, news = before.split("\n"), after.split("\n")
    alike = next((at for at, same in enumerate(starmap(str.__eq__, zip(olds, news, strict=False))) if not same), None)
    at = min(len(olds), len(news)) if alike is None else alike
    return max(1, min(at + 1, len(news) - (news[-1] == "")))
