"""How an order looks to people: those that are ready by number, then the others with why, then who conflicts."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sidecar.cli.show import GAP, VERDICT_STYLES, console, indented, listing, show
from sidecar.cli.text import titled
from sidecar.model.messages import escape, named, shown
from sidecar.model.order import Order, Turn


def print_plan(order: Order, *, err: bool = False) -> None:
    """Print the order to standard output, or error."""
    show(console(err=err), plan_blocks(order))


def plan_blocks(order: Order) -> list[RenderableType]:
    """The ready ones in order, the others, the pairs, and what it comes to."""
    blocks: list[RenderableType] = []
    if order.ready:
        blocks.append(Group(Text("Ready, in this order", style="dim"), indented(_table(order.ready, numbered=True))))
    others = [turn for turn in order.turns if not turn.ready]
    if others:
        blocks.append(Group(Text("Not ready", style="dim"), indented(_table(others, numbered=False))))
    if order.pairs:
        rows = (
            (" and ".join(shown(worktree.name) for worktree in pair.worktrees), named(pair.paths))
            for pair in order.pairs
        )
        blocks.append(listing("Conflict with each other: merge one into the other by hand first", rows))
    return [*blocks, Text(_sum(order), style="dim")]


def _table(turns: Iterable[Turn], *, numbered: bool) -> Table:
    table = Table.grid(padding=(0, GAP, 0, 0))
    for number, turn in enumerate(turns, 1):
        name = Text(titled(turn.worktree.name, turn.worktree.ref), style="bold")
        style = VERDICT_STYLES["conflict"] if turn.paths else ""
        said = Text(escape(turn.why or ("merges" if turn.ready else "")), style=style)
        table.add_row(*((Text(f"{number}.", style="dim"),) if numbered else ()), name, said)
    return table


def _sum(order: Order) -> str:
    branch = shown(order.trunk.branch)
    if not order.turns:
        return f"There are no worktrees to merge into {branch}."
    if not order.ready:
        return f"Nothing is ready to be merged into {branch}."
    if not order.conflicts:
        return f"Merges into {branch} without a conflict. See sidecar merge --all."
    count = "1 file conflicts" if order.conflicts == 1 else f"{order.conflicts} files conflict"
    best = "no other order has fewer" if order.exact else "found step by step; another order may have fewer"
    return f"In this order {count} on the way into {branch}; {best}."
