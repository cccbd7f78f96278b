"""How overlaps look to people: by path, those with a conflict first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sidecar.cli.show import GAP, INDENT, VERDICT_STYLES, console, indented, listing, show
from sidecar.cli.text import Meeting, counted, party, where
from sidecar.model.messages import escape
from sidecar.model.overlaps import Overlap


def print_overlaps(meetings: Sequence[Meeting]) -> None:
    """Print the overlaps to standard output."""
    to = console()
    show(to, overlap_blocks(meetings, to.width))


def print_checked(meetings: Sequence[Meeting], elsewhere: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Print the overlaps of the files that were asked for, and (path, worktrees) where only others changed one."""
    to = console()
    none = [Text("No overlaps.", style="dim")]
    blocks: list[RenderableType] = [*(overlap_blocks(meetings, to.width) if meetings else none)]
    if elsewhere:
        blocks.append(listing("Changed elsewhere", [(escape(path), ", ".join(who)) for path, who in elsewhere]))
    show(to, blocks)


def overlap_blocks(meetings: Sequence[Meeting], width: int) -> list[RenderableType]:
    """A block per path: the path, then each two that meet there; at last the sum.

    Each two take one line if all of them fit into the width, else two.
    """
    ranked = sorted(meetings, key=lambda meeting: list(VERDICT_STYLES).index(meeting[0].verdict))
    cells = [_cells(meeting, narrow=False) for meeting in ranked]
    if INDENT + sum(_widths(cells)) + GAP * 3 > width:
        cells = [_cells(meeting, narrow=True) for meeting in ranked]
    widths = _fitted(_widths(cells), width - INDENT - GAP * 3)
    by_path: dict[str, list[tuple[Meeting, tuple[Text, ...]]]] = {}
    for meeting, cell in zip(ranked, cells, strict=True):
        by_path.setdefault(meeting[0].path, []).append((meeting, cell))
    blocks: list[RenderableType] = []
    for path, group in by_path.items():
        table = Table.grid(padding=(0, GAP, 0, 0))
        for wide in widths:
            table.add_column(width=wide, overflow="fold")
        for _, cell in group:
            table.add_row(*cell)
        notes = dict.fromkeys(overlap.note for (overlap, _, _), _ in group if overlap.note)
        remarks = [Text(escape(note), style="dim") for note in notes]
        blocks.append(Group(Text(escape(path), style="bold"), indented(table, *remarks)))
    return [*blocks, Text(total(overlap for overlap, _, _ in meetings), style="dim")]


def total(overlaps: Iterable[Overlap]) -> str:
    """How many overlaps there are, in a sentence."""
    words = counted(overlap.verdict for overlap in overlaps)
    return f"{', '.join(words)}." if words else "No overlaps."


def _cells(meeting: Meeting, *, narrow: bool) -> tuple[Text, ...]:
    """Verdict, the two sides, kind; narrow: each on two lines, and the kind below the verdict."""
    overlap, *sides = meeting
    verdict = Text(overlap.verdict, style=VERDICT_STYLES[overlap.verdict])
    kind = Text("" if overlap.kind == "content" else overlap.kind, style="dim")
    between = "\n" if narrow else "  "
    left, right = (Text.assemble(party(side), (between + where(side, overlap), "dim")) for side in sides)
    if narrow:
        return Text.assemble(verdict, "\n", kind), left, right, Text()
    return verdict, left, right, kind


def _fitted(widths: Sequence[int], room: int) -> tuple[int, ...]:
    """The widths of the columns; where the room is not enough the sides share it, a small one giving to the other."""
    verdict, left, right, kind = widths
    room = max(room - verdict - kind, 16)
    fitted = min(left, max(room // 2, room - right))
    return verdict, fitted, min(right, room - fitted), kind


def _widths(cells: Sequence[Sequence[Text]]) -> list[int]:
    return [
        max(cell_len(line) for text in column for line in text.plain.split("\n")) for column in zip(*cells, strict=True)
    ]
