"""What the writing commands share: findings shown, consent asked for, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from sidecar.model.findings import Finding
from sidecar.model.messages import escape

Command = TypeVar("Command", bound=Callable[..., Any])

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses: done; begun and not done; refused, or nobody consented; ended by Ctrl-C (as in a shell)."""

HEADINGS = {"blocks": "In the way", "kept": "Kept, and restorable", "info": "Good to know"}
"""The severities, the gravest first, and what stands above their findings."""

MOST_PATHS = 6
"""How many paths of a finding are shown."""


def writing(command: Command) -> Command:
    """The options of every command that applies a plan: `--dry-run`, `--yes` and `--json`."""
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")(command)
    command = click.option("--yes", "-y", is_flag=True, help="Consent to the plan as shown; not to more.")(command)
    return click.option("--dry-run", "-n", is_flag=True, help="Only show the plan.")(command)


def can_ask() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agree(question: str, *, yes: bool) -> bool:
    """Whether the person consents; who can't be asked does not, and is told how to."""
    if yes:
        return True
    if can_ask():
        return click.confirm(question, err=True)
    click.echo("sidecar: Nothing was done. Add --yes to agree to this plan, or --dry-run to only look.", err=True)
    return False


def status_of(outcome: str, *, interrupted: bool = False) -> int:
    """The exit status for an operation's outcome."""
    if outcome == "refused":
        return REFUSED
    if outcome == "failed":
        return INTERRUPTED if interrupted else FAILED
    return DONE


def show_findings(findings: Sequence[Finding], *, err: bool) -> None:
    """Show the findings under their headings, each with its code and the first of its paths."""
    if not findings:
        return
    from rich.console import Group, RenderableType  # rich takes longer than many an answer
    from rich.table import Table
    from rich.text import Text

    from sidecar.cli.show import GAP, console, indented, show

    blocks: list[RenderableType] = []
    for severity, heading in HEADINGS.items():
        table = Table.grid(padding=(0, GAP, 0, 0))
        for finding in findings:
            if finding.severity == severity:
                style = "red" if severity == "blocks" else "dim"
                table.add_row(Text(finding.code, style=style), Text("\n".join(_lines(finding))))
        if table.row_count:
            blocks.append(Group(Text(heading, style="bold"), indented(table)))
    show(console(err=err), blocks)
    click.echo(err=err)


def _lines(finding: Finding) -> Iterable[str]:
    """What it says, and the first of its paths that it does not name itself."""
    said = [escape(line) for line in finding.message.split("\n")]
    yield from said
    paths = [path for path in map(escape, finding.paths) if not any(path in line for line in said)]
    yield from (f"  {path}" for path in paths[:MOST_PATHS])
    if len(paths) > MOST_PATHS:
        yield f"  and {len(paths) - MOST_PATHS} more"
