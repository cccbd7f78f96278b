"""What a measurement says at its end: a short table for people, or one object for a machine; and its arguments."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


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


def print_report(name: str, setting: dict[str, object], rows: Sequence[Row], *, as_json: bool) -> None:
    """Print it to standard output."""
    if as_json:
        machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
        print(json.dumps({"bench": name, **setting, **machine, "rows": [asdict(row) for row in rows]}, indent=2))
        return
    title = f"{name}: " + ", ".join(f"{value} {key}" for key, value in setting.items())
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in ("measured", "value", "", "plain way", ""):
        table.add_column(column, justify="right" if column in ("value", "plain way") else "left")
    for row in rows:
        ratio = f"{row.ratio:,.1f} times" if row.ratio is not None else ""
        table.add_row(row.what, f"{row.value:,.{_digits(row.value)}f}", row.unit, ratio, row.note)
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else 140, highlight=False).print(table)


def _digits(value: float) -> int:
    return 0 if value == int(value) or abs(value) >= 1000 else 1 if abs(value) >= 10 else 3
