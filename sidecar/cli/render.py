"""Print findings, plans, overlaps and receipts on a terminal or into a pipe, by rich.

Import it only to print: rich takes longer than many an answer.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import click
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sidecar.cli.output import UNBOUNDED, Output
from sidecar.model.broken_uses import broken_use_sentence
from sidecar.model.findings import Finding
from sidecar.model.inventory_findings import size_text
from sidecar.model.merge_order import Order, Turn
from sidecar.model.messages import called, no_overlaps, overlap_notes, short, titled, where
from sidecar.model.overlaps import Overlap, Side
from sidecar.model.picture import TRUNK_KEY, BrokenUse
from sidecar.model.receipts import Receipt
from sidecar.model.schema import Json
from sidecar.model.words import counted, escape, named, shown
from sidecar.session.check import CheckedFile, Meeting

INDENT, GAP = 2, 3
VERDICT_STYLES = {"conflict": "bold red", "clean": "green", "identical": "cyan"}
HEADINGS = {"blocks": "In the way", "kept": "Kept, and restorable", "info": "Good to know"}
"""The severities, the gravest first, and what stands above their findings."""
MOST_PATHS = 6
"""How many paths of a finding are shown."""


def console(*, err: bool = False) -> Console:
    """Open standard output (or error), as wide as the terminal; into a pipe or file as wide as the text, uncoloured."""
    stream = sys.stderr if err else sys.stdout
    bounded = stream.isatty() or "COLUMNS" in os.environ
    return Console(file=stream, width=None if bounded else UNBOUNDED, highlight=False, markup=False, emoji=False)


class _Stream(io.StringIO):
    """What rich takes for the file that is printed on."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def isatty(self) -> bool:
        return self._output.terminal


def text_of(blocks: Sequence[RenderableType], output: Output) -> str:
    """Give the blocks as text, as `show` prints them there."""
    stream = _Stream(output)
    to = Console(
        file=stream, width=output.columns, highlight=False, markup=False, emoji=False, _environ=output.variables
    )
    with to.capture() as captured:
        _print(to, blocks)
    return _trimmed(captured.get())


def show(to: Console, blocks: Iterable[RenderableType]) -> None:
    """Print the blocks with an empty line between, without spaces at the ends of lines."""
    with to.capture() as captured:
        _print(to, blocks)
    to.file.write(_trimmed(captured.get()))


def _print(to: Console, blocks: Iterable[RenderableType]) -> None:
    for index, block in enumerate(blocks):
        if index:
            to.print()
        to.print(block)


def _trimmed(text: str) -> str:
    return "".join(line.rstrip(" ") + "\n" for line in text.splitlines())


def indented(*blocks: RenderableType) -> RenderableType:
    """Give the blocks as the content of a heading."""
    return Padding(Group(*blocks), (0, 0, 0, INDENT))


def listing(title: str, rows: Iterable[tuple[str, str]]) -> RenderableType:
    """Make a heading, and below it who and what in two columns."""
    return Group(Text(title, style="dim"), indented(_grid((Text(who, style="bold"), Text(what)) for who, what in rows)))


def _grid(rows: Iterable[Sequence[Text]]) -> Table:
    """Make columns without a heading."""
    table = Table.grid(padding=(0, GAP, 0, 0))
    for row in rows:
        table.add_row(*row)
    return table


def table(headings: Iterable[str], gap: int = GAP) -> Table:
    """Make columns with headings."""
    rows = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim")
    for heading in headings:
        rows.add_column(heading, overflow="fold")
    return rows


def print_plan(known: Mapping[str, str], findings: Sequence[Finding], *, err: bool) -> None:
    """Print what is known of a plan, a line each, and what was found."""
    show(console(err=err), [_grid((Text(what, style="dim"), Text(said)) for what, said in known.items())])
    click.echo(err=err)
    print_findings(findings, err=err)


def print_findings(findings: Sequence[Finding], *, err: bool) -> None:
    """Print the findings under their headings, each with its code and the first of its paths."""
    blocks: list[RenderableType] = []
    for severity, heading in HEADINGS.items():
        style = "red" if severity == "blocks" else "dim"
        rows = [(Text(one.code, style=style), _said(one)) for one in findings if one.severity == severity]
        if rows:
            blocks.append(Group(Text(heading, style="bold"), indented(_grid(rows))))
    if blocks:
        show(console(err=err), blocks)
        click.echo(err=err)


def _said(finding: Finding) -> Text:
    """Give what it says, and the first of its paths that it does not name itself."""
    said = [escape(line) for line in finding.message.split("\n")]
    paths = [path for path in map(escape, finding.paths) if not any(path in line for line in said)]
    more = [f"  and {len(paths) - MOST_PATHS} more"] if len(paths) > MOST_PATHS else []
    return Text("\n".join([*said, *(f"  {path}" for path in paths[:MOST_PATHS]), *more]))


def joined(items: Sequence[str], width: int) -> str:
    """Give the items with commas, on lines of at most the width where that can be; an item is never broken."""
    lines: list[str] = []
    for item in items:
        if lines and len(lines[-1]) + len(item) + 3 <= width:
            lines[-1] += f", {item}"
        else:
            lines.append(item)
    return ",\n".join(lines)


def broken_use_block(found: Sequence[BrokenUse], key: str | None = None) -> RenderableType:
    """List which uses break once both are merged, as they are seen from the worktree of that key, or the user's."""
    rows = []
    for one in found:
        mine, _ = (one.ends(key) if key is not None else None) or (one.used, one.removed)
        where = f"{shown(mine.name) if mine.name is not None else 'trunk'}: {escape(mine.path)}"
        rows.append((where, broken_use_sentence(one, mine.key)))
    return listing("Merges clean, and breaks", rows)


def agent_text(client: str, edited: float | None, pid: int | None) -> str:
    """Give an agent with the time of its last edit, or with its process where none is known."""
    last = f"last edit {time.strftime('%H:%M', time.localtime(edited))}" if edited else f"process {pid}"
    return f"{shown(client)} ({last})"


def checked_blocks(
    files: Sequence[CheckedFile], agents: Sequence[Json], undone: Sequence[tuple[str, str]], width: int, *, is_all: bool
) -> list[RenderableType]:
    """Give the overlaps of the files that were asked for, who else has changed one without an overlap, and agents.

    `undone` are (path, what it takes back of trunk). `is_all` says that there are no more of which is not known.
    """
    meetings = list(dict.fromkeys(meeting for file in files for meeting in file.meetings))
    elsewhere = {
        escape(file.path): ", ".join(titled(one.name, one.ref) for one in file.elsewhere)
        for file in files
        if file.elsewhere
    }
    blocks = overlap_blocks(meetings, width) if meetings else []
    blocks = blocks or [Text(no_overlaps(is_all=is_all), style="dim")]
    if undone:
        rows = ((escape(path), f"{clause}. Where that is intended: sidecar intended PATH") for path, clause in undone)
        blocks.append(listing("Takes trunk back", rows))
    if elsewhere:
        blocks.append(listing("Changed elsewhere", elsewhere.items()))
    if agents:
        rows = ((shown(one["worktree"]), agent_text(one["client"], one["edited"], one["pid"])) for one in agents)
        blocks.append(listing("Who is there", rows))
    return blocks


def overlap_blocks(meetings: Sequence[Meeting], width: int) -> list[RenderableType]:
    """Give a block per path: the path, then each two that meet there; at last the sum.

    Each two take one line if all of them fit into the width, else two.
    """
    ranked = sorted(meetings, key=lambda meeting: list(VERDICT_STYLES).index(meeting[0].verdict))
    cells = [_overlap_cells(meeting, narrow=False) for meeting in ranked]
    if INDENT + sum(_widths(cells)) + GAP * 3 > width:
        cells = [_overlap_cells(meeting, narrow=True) for meeting in ranked]
    widths = _fitted(_widths(cells), width - INDENT - GAP * 3)
    by_path: dict[str, list[tuple[Meeting, tuple[Text, ...]]]] = {}
    for meeting, cell in zip(ranked, cells, strict=True):
        by_path.setdefault(meeting[0].path, []).append((meeting, cell))
    blocks: list[RenderableType] = []
    for path, group in by_path.items():
        table = _grid(())
        for wide in widths:
            table.add_column(width=wide, overflow="fold")
        for _, cell in group:
            table.add_row(*cell)
        notes = dict.fromkeys(note for (overlap, _, _), _ in group for note in overlap_notes(overlap))
        remarks = [Text(escape(note), style="dim") for note in notes]
        blocks.append(Group(Text(escape(path), style="bold"), indented(table, *remarks)))
    return [*blocks, Text(total(overlap for overlap, _, _ in meetings), style="dim")]


def total(overlaps: Iterable[Overlap], *, is_all: bool = True) -> str:
    """Count how many overlaps there are, in a sentence; `is_all` as in `no_overlaps`."""
    words = verdict_counts(overlap.verdict for overlap in overlaps)
    return f"{', '.join(words)}." if words else no_overlaps(is_all=is_all)


def _overlap_cells(meeting: Meeting, *, narrow: bool) -> tuple[Text, ...]:
    """Give verdict, the two sides, kind; narrow: each on two lines, and the kind below the verdict."""
    overlap, *sides = meeting
    verdict = Text(overlap.verdict, style=VERDICT_STYLES[overlap.verdict])
    kind = Text("" if overlap.kind == "content" else overlap.kind, style="dim")
    between = "\n" if narrow else "  "
    left, right = (Text.assemble(party(side), (between + where(side, overlap), "dim")) for side in sides)
    if narrow:
        return Text.assemble(verdict, "\n", kind), left, right, Text()
    return verdict, left, right, kind


def _fitted(widths: Sequence[int], room: int) -> tuple[int, ...]:
    """Fit the widths of the columns; where there is too little room the sides share it, a small one giving way."""
    verdict, left, right, kind = widths
    room = max(room - verdict - kind, 16)
    fitted = min(left, max(room // 2, room - right))
    return verdict, fitted, min(right, room - fitted), kind


def _widths(cells: Sequence[Sequence[Text]]) -> list[int]:
    return [
        max(cell_len(line) for text in column for line in text.plain.split("\n")) for column in zip(*cells, strict=True)
    ]


def party(side: Side) -> str:
    """Give what a side is called in a table: its worktree, trunk, or the commit as it was asked for."""
    if side.name is not None:
        return titled(side.name, side.ref)
    return f"trunk ({shown(short(side.ref))})" if side.key == TRUNK_KEY else called(side)


def verdict_counts(verdicts: Iterable[str]) -> list[str]:
    """Say `2 conflicts`, `1 clean`, `3 identical`, the worst first; what there is none of is left out."""
    listed = list(verdicts)
    counts = {verdict: listed.count(verdict) for verdict in VERDICT_STYLES}
    return [
        f"{count} {'conflicts' if word == 'conflict' and count > 1 else word}"
        for word, count in counts.items()
        if count
    ]


def print_order(order: Order, *, err: bool = False) -> None:
    """Print the ready ones in order, the others, the pairs that conflict, and what it comes to."""
    installs = {turn.installs for turn in order.turns if turn.installs}
    alike = next(iter(installs)) if len(installs) == 1 and all(turn.installs for turn in order.ready) else ()
    if alike:
        order = replace(order, turns=tuple(replace(turn, installs=()) for turn in order.turns))
    blocks: list[RenderableType] = []
    if order.ready:
        blocks.append(Group(Text("Ready, in this order", style="dim"), indented(_turns(order.ready, numbered=True))))
    others = [turn for turn in order.turns if not turn.ready]
    if others:
        blocks.append(Group(Text("Not ready", style="dim"), indented(_turns(others, numbered=False))))
    if order.pairs:
        rows = (
            (" and ".join(shown(worktree.name) for worktree in pair.worktrees), named(pair.paths))
            for pair in order.pairs
        )
        blocks.append(listing("Conflict with each other: merge one into the other by hand first", rows))
    if alike:
        said = [Text(escape(install.said)) for install in alike]
        blocks.append(Group(Text("Before verify, in each", style="dim"), indented(*said)))
    show(console(err=err), [*blocks, Text(_sum(order), style="dim")])


def _turns(turns: Iterable[Turn], *, numbered: bool) -> Table:
    rows = []
    for number, turn in enumerate(turns, 1):
        name = Text(titled(turn.worktree.name, turn.worktree.ref), style="bold")
        needs = [f"Needs: {one.message}" for one in turn.needs if one.message != turn.why]
        said = Text(escape(_prospect(turn)), style=VERDICT_STYLES["conflict"] if turn.paths else "")
        needs += [f"Before verify: {install.said}" for install in turn.installs]
        said.append("".join(f"\n{escape(need)}" for need in needs), style="dim")
        rows.append((*((Text(f"{number}.", style="dim"),) if numbered else ()), name, said))
    return _grid(rows)


def _prospect(turn: Turn) -> str:
    """Say what comes of it, and how much it changes; of one that stops, how much it would delete."""
    extent = turn.extent
    if turn.why is not None:
        return f"{turn.why} {extent.said}" if extent is not None and extent.deleted else turn.why
    return f"merges, {extent.phrase}" if extent is not None else ""


def _sum(order: Order) -> str:
    branch = shown(order.trunk.branch)
    if not order.turns:
        return f"There are no worktrees to merge into {branch}."
    if not order.ready:
        return f"Nothing is ready to be merged into {branch}."
    if not order.conflicts:
        return f"Merges into {branch} without a conflict. See sidecar merge --all."
    count = counted(order.conflicts, "file conflicts", "files conflict")
    best = "no other order has fewer" if order.exact else "found step by step; another order may have fewer"
    return f"In this order {count} on the way into {branch}; {best}."


def print_receipts(receipts: Iterable[Receipt], *, err: bool) -> None:
    """Print the receipts, the newest first: id, what happened, when, and what it keeps on the disk."""
    rows = table(("ID", "WORKTREE", "WHAT", "WHEN", "SIZE"))
    for one in receipts:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.time))
        name = titled(one.worktree, one.branch) if one.branch is not None else shown(one.worktree)
        size = size_text(one.bytes) if one.bytes else ""
        rows.add_row(*map(Text, (escape(one.id), name, shown(one.deed), when, size)))
    show(console(err=err), [rows])


def print_states(states: Iterable[tuple[str, float, Sequence[str]]]) -> None:
    """Print (id, time, changed paths) of the states of one worktree, the newest first."""
    rows = table(("ID", "WHEN", "CHANGED"))
    for name, moment, changed in states:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
        rows.add_row(Text(name), Text(when), Text(named(changed)))
    show(console(), [rows])
