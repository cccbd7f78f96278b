"""What there is to say about the lines of a file, before it is put into the protocol's words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import starmap

from sidecar.lsp.scene import Sight, Snapshot
from sidecar.model.changes import Change
from sidecar.model.messages import overlap_sentence, trunk_edit_sentence
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

MOST = 200
"""How many places of one overlap are shown."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Lines of a file and what is said about them; `theirs` are the other side's, None where it has none to show."""

    code: str
    region: Region
    theirs: Region | None
    message: str


def code_of(sight: Sight) -> str:
    """The code of an overlap's diagnostics."""
    if sight.overlap.verdict == "conflict":
        return TRUNK_CONFLICT if sight.other.key == TRUNK_KEY else CONFLICT
    return OVERLAP if sight.overlap.verdict == "clean" else IDENTICAL


def notices(sight: Sight) -> tuple[Notice, ...]:
    """One for each place where the two sides meet; where they have no lines in common, one for the file."""
    met = counterparts(sight.mine, sight.other, sight.overlap.verdict)
    pairs = met or [(_first_changed(sight.mine), WHOLE_FILE)]
    code = code_of(sight)
    found = [Notice(code, *_said(sight, mine, theirs)) for mine, theirs in pairs[:MOST]]
    if len(pairs) > MOST:
        more = f"{found[-1].message} {len(pairs) - MOST} more places are not shown."
        found[-1] = replace(found[-1], message=more)
    return tuple(found)


def _said(sight: Sight, region: Region, theirs: Region) -> tuple[Region, Region | None, str]:
    named = theirs if _has_lines(sight.other, theirs) else None
    return region, named, overlap_sentence(sight.overlap, sight.mine, sight.other, named)


def _first_changed(side: Side) -> Region:
    return side.changed[0] if side.changed and side.after is not None else WHOLE_FILE


def _has_lines(side: Side, region: Region) -> bool:
    """Whether a region means lines of a text, and does not just stand for a file without any."""
    return side.after is not None and side.after.is_file and (region != WHOLE_FILE or bool(side.changed))


def trunk_edit(snapshot: Snapshot, change: Change) -> Notice:
    """The notice about a file that is edited directly on trunk, on its first changed line."""
    branch = snapshot.picture.trunk.branch if snapshot.picture.trunk else ""
    texts = (snapshot.text(change.before), snapshot.text(change.after))
    line = _first_difference(*texts) if change.before and change.after else 1
    return Notice(TRUNK_EDIT, Region(line, line), None, trunk_edit_sentence(branch, snapshot.others))


def _first_difference(before: str, after: str) -> int:
    """The number of the first line of `after` that differs from `before`; its last line, if it just ends earlier."""
    olds, news = before.split("\n"), after.split("\n")
    alike = next((at for at, same in enumerate(starmap(str.__eq__, zip(olds, news, strict=False))) if not same), None)
    at = min(len(olds), len(news)) if alike is None else alike
    return max(1, min(at + 1, len(news) - (news[-1] == "")))
