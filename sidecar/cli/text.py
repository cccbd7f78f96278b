"""Words and lines for people: counted things, parties of an overlap, and what each of them has there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sidecar.model.changes import COMMITTED, SUBMODULE, SYMLINK
from sidecar.model.messages import called, lines, short, shown
from sidecar.model.overlaps import Overlap, Region, Side
from sidecar.model.picture import TRUNK_KEY

Meeting = tuple[Overlap, Side, Side]
"""An overlap with its sides in the order in which they are shown."""


def titled(name: str, ref: str) -> str:
    """A worktree's name, with its branch where that says more."""
    return shown(name) if ref == name else f"{shown(name)} ({shown(short(ref))})"


def party(side: Side) -> str:
    """What a side is called in a table: its worktree, trunk, or the commit as it was asked for."""
    if side.name is not None:
        return titled(side.name, side.ref)
    return f"trunk ({shown(short(side.ref))})" if side.key == TRUNK_KEY else called(side)


def where(side: Side, overlap: Overlap) -> str:
    """What the side has there: its lines, or what it did where there are no lines to point at."""
    words = [_content(side, overlap)]
    if side.path != overlap.path:
        words.append(f"in {shown(side.path)}")
    if side.sources and side.sources != (COMMITTED,):
        words.append(f"({', '.join(side.sources)})")
    return " ".join(words)


def _content(side: Side, overlap: Overlap) -> str:
    if side.after is None:
        return "deleted"
    if side.after.mode in (SYMLINK, SUBMODULE):
        return "symbolic link" if side.after.mode == SYMLINK else "submodule"
    regions = side.changed if overlap.verdict == "clean" else side.regions
    if not regions or overlap.kind == "binary":
        return "added" if side.before is None else "changed"
    return ranges(regions)


def ranges(regions: Sequence[Region]) -> str:
    """`line 12`, `lines 3-5, 12`, `after line 7` (where lines were deleted)."""
    there = [region for region in regions if region.gap is None]
    gaps = [
        f"after line {region.gap}" if region.gap else "before line 1" for region in regions if region.gap is not None
    ]
    return ", ".join(([lines(there)] if there else []) + gaps[:3] + (["and more"] if len(gaps) > 3 else []))


def counted(verdicts: Iterable[str]) -> list[str]:
    """`2 conflicts`, `1 clean`, `3 identical`, the worst first; what there is none of is left out."""
    listed = list(verdicts)
    conflicts, clean, identical = (listed.count(verdict) for verdict in ("conflict", "clean", "identical"))
    words = [
        (conflicts, "1 conflict" if conflicts == 1 else f"{conflicts} conflicts"),
        (clean, f"{clean} clean"),
        (identical, f"{identical} identical"),
    ]
    return [said for number, said in words if number]
