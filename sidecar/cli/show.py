"""Blocks of text and tables on a terminal or into a pipe, by rich: import it only to print one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

INDENT, GAP = 2, 3
VERDICT_STYLES = {"conflict": "bold red", "clean": "green", "identical": "cyan"}
_UNBOUNDED = 1000


def console(*, err: bool = False) -> Console:
    """Standard output (or error): as wide as the terminal; a pipe or a file as wide as the text, without colour."""
    stream = sys.stderr if err else sys.stdout
    bounded = stream.isatty() or "COLUMNS" in os.environ
    return Console(file=stream, width=None if bounded else _UNBOUNDED, highlight=False, markup=False, emoji=False)


def show(to: Console, blocks: Iterable[RenderableType]) -> None:
    """Print the blocks with an empty line between, without spaces at the ends of lines."""
    with to.capture() as captured:
        for index, block in enumerate(blocks):
            if index:
                to.print()
            to.print(block)
    to.file.write("".join(line.rstrip(" ") + "\n" for line in captured.get().splitlines()))


def indented(*blocks: RenderableType) -> RenderableType:
    """The blocks as the content of a heading."""
    return Padding(Group(*blocks), (0, 0, 0, INDENT))


def listing(title: str, rows: Iterable[tuple[str, str]]) -> RenderableType:
    """A heading, and below it who and what in two columns."""
    table = Table.grid(padding=(0, GAP, 0, 0))
    for who, what in rows:
        table.add_row(Text(who, style="bold"), Text(what))
    return Group(Text(title, style="dim"), indented(table))


def facts(known: Mapping[str, str]) -> RenderableType:
    """What is known of a plan, a line each."""
    table = Table.grid(padding=(0, GAP, 0, 0))
    for what, said in known.items():
        table.add_row(Text(what, style="dim"), Text(said))
    return table


def joined(items: Sequence[str], width: int) -> str:
    """The items with commas, on lines of at most the width where that can be; an item is never broken."""
    lines: list[str] = []
    for item in items:
        if lines and len(lines[-1]) + len(item) + 3 <= width:
            lines[-1] += f", {item}"
        else:
            lines.append(item)
    return ",\n".join(lines)
