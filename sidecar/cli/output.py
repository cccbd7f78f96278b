"""Say what a command prints on, and what it printed: with nothing to load, because a session may do the printing."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import NamedTuple

UNBOUNDED = 1000
"""Columns of a pipe or file: as wide as the text."""
DEFAULT = 80
"""Columns of a terminal that does not say."""
STYLING = ("TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
"""The variables by which rich decides on colours."""


class Output(NamedTuple):
    """Where a command prints: its columns, whether it is a terminal, and the variables that say how that is styled."""

    columns: int
    terminal: bool
    variables: Mapping[str, str]


class Printed(NamedTuple):
    """What a command says: the text on standard output, lines on standard error, and its exit status."""

    out: str
    err: tuple[str, ...] = ()
    status: int = 0


def standard_output() -> Output:
    """Describe standard output: as wide as its terminal or COLUMNS says, else as wide as the text."""
    terminal = sys.stdout.isatty()
    variables = {name: os.environ[name] for name in STYLING if name in os.environ}
    asked = os.environ.get("COLUMNS")
    if asked is not None and asked.isdigit() and int(asked):
        return Output(int(asked), terminal, variables)
    if not terminal:
        return Output(UNBOUNDED if asked is None else DEFAULT, terminal, variables)
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return Output(columns or DEFAULT, terminal, variables)
