"""What the reading commands share: their options, the questions to the session, and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any, TypeVar

import click

from sidecar.model.findings import Failure
from sidecar.model.messages import escape
from sidecar.model.overlaps import Overlap
from sidecar.model.picture import Picture, Worktree

T = TypeVar("T")
Command = TypeVar("Command", bound=Callable[..., Any])

CONFLICT = 2
"""The exit status that says: a conflict was found."""


class Refusal(click.ClickException):
    """Why the command can't answer, in one sentence; exit status 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it on standard error."""
        click.echo(f"sidecar: {self.message}", file=file, err=file is None)


def reading(command: Command) -> Command:
    """The options of every command that reads: `--json` and `--trust`."""
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")(command)
    return click.option(
        "--trust", is_flag=True, help="Let the repository's own filters and merge drivers run, for exact verdicts."
    )(command)


def here() -> Path:
    """The current directory."""
    try:
        return Path.cwd()
    except OSError as error:
        raise Refusal("The current directory is not there any more.") from error


def recover_first(folder: Path | None = None) -> None:
    """Finish or undo what a killed operation left in the repository around a folder, and say so on standard error."""
    from sidecar.operations.recovery import recover_all  # --help and serve do without

    for finding in recover_all(folder or here()):
        click.echo(f"sidecar: {escape(finding.message)}", err=True)


def ask_picture(trust: bool, folder: Path | None = None, *, prove: bool = False, measure: float = 0.0) -> Picture:
    """The Picture of the repository around a folder, the current directory unless given; see `look` for the rest."""
    from sidecar.session.look import look  # --help and serve do without
    from sidecar.session.sources import Options

    recover_first(folder)
    return answered(look(folder or here(), Options(trusted=trust), prove=prove, measure=measure))


def ask_comparison(first: str, second: str, trust: bool) -> tuple[Overlap, ...]:
    """The overlaps of two worktrees or commits."""
    from sidecar.session.look import compare  # --help and serve do without
    from sidecar.session.sources import Options

    recover_first()
    return answered(compare(here(), first, second, Options(trusted=trust)))


def ask_worktree(picture: Picture, name: str) -> Worktree | None:
    """The worktree of that name, branch or path; None when there is none."""
    from sidecar.session.look import find_worktree  # --help and serve do without

    found = answered(find_worktree(picture.worktrees, name, here()))
    return None if found is None else found.worktree


def answered(answer: T | Failure) -> T:
    """The answer, unless it is a failure: that ends the command."""
    if isinstance(answer, Failure):
        raise Refusal(escape(answer.message))
    return answer


def problems(picture: Picture) -> list[tuple[str | None, str]]:
    """(worktree's name or None for the whole repository, sentence) of everything that could not be read."""
    whole: list[tuple[str | None, str]] = [(None, picture.problem)] if picture.problem else []
    return whole + [
        (state.worktree.name, problem)
        for state in picture.worktrees
        if (problem := state.worktree.problem or state.problem) is not None
    ]


def warn(picture: Picture) -> None:
    """Say on standard error what the answer leaves out; a worktree whose folder is gone has nothing to leave out."""
    gone = {state.worktree.name for state in picture.worktrees if state.worktree.missing}
    for name, problem in problems(picture):
        if name not in gone:
            click.echo(f"sidecar: {f'{escape(name)}: ' if name else ''}{escape(problem)}", err=True)


def print_json(value: dict[str, Any]) -> None:
    """Print the one object of `--json`; what is not ASCII, surrogates too, goes out as JSON escapes."""
    click.echo(json.dumps(value, ensure_ascii=True, separators=(",", ":")))


def exit_status(overlaps: Iterable[Overlap]) -> int:
    """0, or 2 when one of them is a conflict."""
    return CONFLICT if any(overlap.verdict == "conflict" for overlap in overlaps) else 0
