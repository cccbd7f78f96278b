"""What a measurement says at its end: a short table for people, or one object for a machine; and its arguments."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.plain import Plain


@dataclass(frozen=True)
class Row:
    """One number: what was measured, on what, and how many times better than the plain way (if there is one)."""

    what: str
    value: float
    unit: str
    ratio: float | None = None
    note: str = ""


def arguments(about: str | None, *, files: int = 5000, worktrees: int = 50) -> argparse.ArgumentParser:
    """The arguments that all measurements have."""
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=files, help=f"files in the repository ({files})")
    parser.add_argument("--worktrees", type=int, default=worktrees, help=f"linked worktrees ({worktrees})")
    parser.add_argument("--seed", type=int, default=1, help="another number, another repository of the same kind")
    parser.add_argument("--keep", type=Path, help="keep repositories in this directory, so that the next run is quick")
    parser.add_argument("--settle", type=float, default=180, help="wait at most so long until the server rests (180)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def share(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of the values do not exceed; nearest rank."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * percent // 100).__trunc__() - 1)]


def spread(what: str, seconds: Sequence[float], plain: float) -> list[Row]:
    """Median, 95 % and the worst of some times, as milliseconds and against the plain way's seconds."""
    named = {"p50": share(seconds, 50), "p95": share(seconds, 95), "most": max(seconds)}
    return [Row(f"{what}, {name}", value * 1000, "ms", plain / value) for name, value in named.items()]


def print_report(
    name: str, setting: Mapping[str, float], rows: Sequence[Row], plain: Plain | None, *, as_json: bool
) -> None:
    """Print it to standard output; `setting` has numbers by what they count."""
    if as_json:
        machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
        measured = [asdict(row) for row in rows]
        said = {"bench": name, "setting": setting, "plain": plain and asdict(plain), "rows": measured, **machine}
        print(json.dumps(said, indent=2))
        return
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 140, highlight=False, soft_wrap=True)
    console.print(f"[bold]{name}[/bold]: " + ", ".join(f"{value:,g} {what}" for what, value in setting.items()))
    if plain is not None:
        merges = f"{plain.pairs:,} merges {plain.merges:.2f} s"
        console.print(f"plain way: {plain.total:.2f} s (status {plain.status:.2f} s, {merges})")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("", "value", "", "than the plain way", ""):
        table.add_column(column, justify="right" if column in ("value", "than the plain way") else "left")
    for row in rows:
        ratio = f"{row.ratio:,.{1 if row.ratio < 100 else 0}f} times better" if row.ratio is not None else ""
        table.add_row(row.what, f"{row.value:,.{_digits(row.value)}f}", row.unit, ratio, row.note)
    console.print(table)


def _digits(value: float) -> int:
    return 0 if value == int(value) or abs(value) >= 1000 else 1 if abs(value) >= 10 else 3
