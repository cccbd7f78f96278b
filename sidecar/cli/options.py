"""Share between commands: options, questions to the session, consent, refusals, and how they end."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from sidecar.cli.output import Printed, standard_output
from sidecar.model.words import escape

if TYPE_CHECKING:
    from sidecar.model.findings import Failure, Finding
    from sidecar.model.overlaps import Overlap, Unknown
    from sidecar.model.picture import Picture
    from sidecar.model.settings import Options
    from sidecar.session.check import CheckedFile


T = TypeVar("T")
Command = TypeVar("Command", bound=Callable[..., Any])

CONFLICT, UNKNOWN = 2, 1
"""The exit statuses that say: a conflict was found; something that was asked about is not known."""


class Refusal(click.ClickException):
    """Why the command can't answer, in one sentence; exit status 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it on standard error."""
        click.echo(f"sidecar: {self.message}", file=file, err=file is None)


def reading(command: Command) -> Command:
    """Give the options of every command that reads: `--json` and `--trust`."""
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")(command)
    return click.option(
        "--trust", is_flag=True, help="Let the repository's own filters and merge drivers run, for exact verdicts."
    )(command)


def worktree_names(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a worktree, or its branch; nothing where there is no repository."""
    from sidecar.git.process import GitError
    from sidecar.git.repository import list_worktrees, open_repository
    from sidecar.model.findings import Failure

    try:
        repository = open_repository(Path.cwd())
        worktrees = [] if isinstance(repository, Failure) else list_worktrees(repository)
    except (GitError, OSError):
        return []
    names = dict.fromkeys(name for one in worktrees for name in (one.name, one.branch) if name is not None)
    return [name for name in names if name.startswith(incomplete) and escape(name) == name]


def here() -> Path:
    """Give the current directory."""
    try:
        return Path.cwd()
    except OSError as error:
        raise Refusal("The current directory is not there any more.") from error


def recover_first(folder: Path | None = None, *, acting: bool = True) -> None:
    """Finish or undo what a killed operation left in the repository around a folder, and say so on standard error.

    Commands that only look are not `acting`, unless the person said `--trust`.
    """
    from sidecar.operations.recovery import recover_all  # --help and serve do without

    for finding in recover_all(folder or here(), acting=acting):
        click.echo(f"sidecar: {escape(finding.message)}", err=True)


def ask_in_words(asked: str, trust: bool, folder: Path | None = None, **about: object) -> Mapping[str, Any] | None:
    """Give the answer of a session in the words that a command prints; None where none tells.

    `asked` and what it is `about` are as in `sidecar/operations/answers.py` and `sidecar/cli/answers.py`.
    """
    from sidecar.operations.presence import CLIENTS
    from sidecar.session.asking import ask_session
    from sidecar.system.place import find_place

    place = find_place(os.path.realpath(folder or here()))
    if place is None:
        return None
    asker = {"pid": os.getpid(), "clients": os.environ.get(CLIENTS)}
    answer = ask_session(place, {"ask": asked, **asker, **about}, trusted=trust)
    return answer if asked in answer else None


def ask_printed(asked: str, trust: bool, folder: Path | None = None, **about: object) -> Printed | None:
    """Give the answer of a session as a command prints it here; `asked` as in `sidecar/cli/answers.py`."""
    answer = ask_in_words(asked, trust, folder, output=standard_output(), **about)
    if answer is None:
        return None
    out, err, status = answer[asked]
    return Printed(out, tuple(err), status)


def ask_picture(trust: bool, folder: Path | None = None, *, prove: bool = False, measure: float = 0.0) -> Picture:
    """Read the Picture of the repository around a folder, the current directory unless given, as `look` does."""
    from sidecar.model.settings import Options

    where, options = folder or here(), Options(trusted=trust)
    if (found := _ask_session(where, options, prove=prove)) is not None:
        return found
    from sidecar.session.once import look  # loads libgit2

    recover_first(where, acting=trust)
    return answered(look(where, options, prove=prove, measure=measure))


def _ask_session(folder: Path, options: Options, *, prove: bool) -> Picture | None:
    """Ask a session that is there already; not where something is left to recover from first."""
    from sidecar.operations.records import has_nothing_left
    from sidecar.session.asking import ask_picture as ask_session
    from sidecar.system.place import find_place

    place = find_place(os.path.realpath(folder))
    if place is None or not has_nothing_left(place.common_dir):
        return None
    return ask_session(folder, options, prove=prove)


def answered(answer: T | Failure) -> T:
    """Give the answer, unless it is a failure: that ends the command."""
    from sidecar.model.findings import Failure

    if isinstance(answer, Failure):
        raise Refusal(escape(answer.message))
    return answer


def warn(picture: Picture, told: Sequence[Unknown] = ()) -> None:
    """Say on standard error what is unusual, unless the answer itself tells of it."""
    for line in problem_lines(picture, told):
        click.echo(f"sidecar: {line}", err=True)


def problem_lines(picture: Picture, told: Sequence[Unknown] = ()) -> list[str]:
    """List what is unusual, but for what the answer itself tells of."""
    from sidecar.model.picture import problems

    names = {one.name() for one in told if len(one.parties) == 1}
    reasons = {one.reason for one in told}
    return [
        problem_line(name, problem)
        for name, problem in problems(picture)
        if (name is None or name not in names) and problem not in reasons
    ]


def problem_line(name: str | None, problem: str) -> str:
    """Say what is unusual about a worktree of that name, or about the repository."""
    return f"{f'{escape(name)}: ' if name else ''}{escape(problem)}"


def unknown_lines(unknown: Iterable[Unknown]) -> list[str]:
    """Give the lines of what is not known, each reason once, to stand below an answer."""
    reasons = list(dict.fromkeys(one.reason for one in unknown))
    return ["", "Not known", *(f"  {escape(reason)}" for reason in reasons)] if reasons else []


def say(printed: Printed) -> int:
    """Print what a command says; gives its exit status."""
    click.echo(printed.out, nl=False, color=True)  # it is styled for where it goes already
    for line in printed.err:
        click.echo(f"sidecar: {line}", err=True)
    return printed.status


def print_json(value: dict[str, Any]) -> None:
    """Print the one object of `--json`; what is not ASCII, surrogates too, goes out as JSON escapes."""
    click.echo(json.dumps(value, ensure_ascii=True, separators=(",", ":")))


def exit_status(overlaps: Iterable[Overlap], unknown: Sequence[Unknown]) -> int:
    """Give 2 when one of them is a conflict; else 1 when something is not known, and 0 when all is."""
    if any(overlap.verdict == "conflict" for overlap in overlaps):
        return CONFLICT
    return UNKNOWN if unknown else 0


def status_of_check(files: Sequence[CheckedFile]) -> int:
    """Give the exit status of what was found of the files that were asked for."""
    overlaps = (overlap for file in files for overlap, _, _ in file.meetings)
    return exit_status(overlaps, [unknown for file in files for unknown in file.unknown])


DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses: done; begun and not done; refused, or nobody consented; ended by Ctrl-C (as in a shell)."""


def writing(command: Command) -> Command:
    """Give the options of every command that applies a plan: `--dry-run`, `--yes` and `--json`."""
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")(command)
    command = click.option("--yes", "-y", is_flag=True, help="Consent to the plan as shown; not to more.")(command)
    return click.option("--dry-run", "-n", is_flag=True, help="Only show the plan.")(command)


def can_ask() -> bool:
    """Tell whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agree(question: str, *, yes: bool) -> bool:
    """Tell whether the person consents; who can't be asked does not, and is told how to."""
    if yes:
        return True
    if can_ask():
        return click.confirm(question, err=True)
    click.echo("sidecar: Nothing was done. Add --yes to agree to this plan, or --dry-run to only look.", err=True)
    return False


def not_agreed(
    question: str,
    show: Callable[..., None],
    planned: Callable[[], dict[str, Any]],
    *,
    blocked: bool = False,
    dry_run: bool = False,
    yes: bool,
    as_json: bool,
) -> int | None:
    """Show a plan and ask for consent: None where there is consent, else the exit status.

    With `--json` the plan is shown, on standard error, only to a person who is asked; without consent the object that
    is `planned` is printed.
    """
    if not as_json or (can_ask() and not yes):
        show(err=as_json)
    if not (blocked or dry_run) and agree(question, yes=yes):
        return None
    if as_json:
        print_json(planned())
    return REFUSED if blocked or not dry_run else DONE


def status_of(outcome: str, *, interrupted: bool = False) -> int:
    """Give the exit status for an operation's outcome."""
    if outcome == "refused":
        return REFUSED
    if outcome == "failed":
        return INTERRUPTED if interrupted else FAILED
    return DONE


def show_findings(findings: Sequence[Finding], *, err: bool) -> None:
    """Show the findings under their headings, each with its code and the first of its paths."""
    if findings:
        from sidecar.cli.render import print_findings  # rich takes longer than many an answer

        print_findings(findings, err=err)


def absolute(path: str) -> str:
    """Give a path as git spells it: absolute, links above its last part followed, the last part as it is."""
    above, name = os.path.split(here() / path)
    if name in ("", ".."):
        return os.path.realpath(here() / path)
    return os.path.join(os.path.realpath(above), name)  # Path.resolve would follow the last part


def nearest_folder(path: str) -> Path:
    """Give the directory that the path is or lies in, or the nearest above that is there."""
    place = Path(path)
    if place.is_dir() and not place.is_symlink():
        return place
    return next(folder for folder in place.parents if folder.is_dir())
