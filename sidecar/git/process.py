"""Running git: hardened, with a clean environment, one shot or in a conversation."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HARDENED = (
    "--no-optional-locks",
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.sshCommand=/bin/false"),
    *("-c", "diff.external="),
    *("-c", "protocol.allow=never"),
    *("-c", "submodule.recurse=false"),
    *("-c", "core.quotePath=false"),
    *("-c", "advice.detachedHead=false"),
)
"""What every reading call carries, so that nothing of the repository runs and nothing is fetched (facts/loss.md)."""

KEPT_GIT_VARIABLES = frozenset(
    {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES"}
)
"""What of the caller's GIT_* is the person's own set-up and not a pointer at some repository."""

SPENT = 500_000
"""Bytes of requests after which a process that stays has had enough: some 3,000 merges."""
TIMEOUT = 60.0
"""Seconds after which a reading call is given up."""


class GitError(Exception):
    """Git refused or failed; `message` is its own last word, in one line."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class GitMissingError(GitError):
    """There is no git to run."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a git call stands: its working directory and the GIT_* variables that name the repository."""

    cwd: str
    variables: Mapping[str, str] = field(default_factory=dict)

    def plus(self, **variables: str) -> Place:
        """The same place with more variables."""
        return Place(self.cwd, {**self.variables, **variables})


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without its GIT_*, in the C locale, with the given variables on top."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in KEPT_GIT_VARIABLES
    }
    return kept | {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_PAGER": "cat",
        **variables,
    }


def configured(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Variables that give git these config pairs; unlike `-c` they take any key."""
    variables = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for index, (key, value) in enumerate(pairs):
        variables[f"GIT_CONFIG_KEY_{index}"] = key
        variables[f"GIT_CONFIG_VALUE_{index}"] = value
    return variables


def run(place: Place, *args: str, stdin: bytes | None = None, accept: Sequence[int] = (0,)) -> bytes:
    """Standard output of `git ARGS`; raises GitError for a status that is not accepted, or after TIMEOUT."""
    return run_for_status(place, *args, stdin=stdin, accept=accept)[1]


def run_for_status(
    place: Place, *args: str, stdin: bytes | None = None, accept: Sequence[int] = (0,)
) -> tuple[int, bytes]:
    """(exit status, standard output) of `git ARGS`, for the commands whose status is an answer."""
    try:
        done = subprocess.run(
            ["git", *HARDENED, *args],
            cwd=place.cwd,
            env=environment(place.variables),
            input=stdin if stdin is not None else b"",
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except FileNotFoundError as error:
        if not Path(place.cwd).is_dir():
            raise GitError(f"{place.cwd} is not there.") from error
        raise GitMissingError("git was not found. Install git 2.38 or newer and put it on PATH.") from error
    except OSError as error:
        raise GitError(f"{place.cwd} can't be used: {error.strerror}.") from error
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {args[0]} gave no answer for {TIMEOUT:.0f} seconds.") from error
    if done.returncode not in accept:
        raise GitError(_last_word(done.stderr, args), status=done.returncode)
    return done.returncode, done.stdout


def _last_word(stderr: bytes, args: Sequence[str]) -> str:
    """Git's first fatal line, with what it indents below it."""
    lines = [line.rstrip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    first = next((at for at, line in enumerate(lines) if line.startswith(("fatal:", "error:"))), 0)
    said = lines[first : first + 1] or [f"git {args[0]} failed"]
    for line in lines[first + 1 :]:
        if not line[0].isspace():
            break
        said.append(line.strip())
    return " ".join(said).removeprefix("fatal: ").removeprefix("error: ")


class Conversation:
    """One long-lived git process that answers one request at a time; not for use by two threads at once."""

    def __init__(self, place: Place, *args: str) -> None:
        try:
            self._process = subprocess.Popen(
                ["git", *HARDENED, *args],
                cwd=place.cwd,
                env=environment(place.variables),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            raise GitError(f"git can't be started in {place.cwd}: {error.strerror}.") from error
        self._said = 0
        self._selector = selectors.DefaultSelector()
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._selector.register(self._process.stdout, selectors.EVENT_READ)

    @property
    def is_spent(self) -> bool:
        """Whether a new process should take over: git never forgets what it has parsed, and grows."""
        return self._said > SPENT

    def ask(self, request: bytes, complete: Callable[[bytearray], bool]) -> bytes:
        """The answer to one request: everything until `complete` holds; GitError when git ends first."""
        self.say(request)
        answer = bytearray()
        while not complete(answer):
            answer += self.more()
        return bytes(answer)

    def say(self, request: bytes) -> None:
        """Send a request, small enough for a pipe; GitError when git has ended."""
        assert self._process.stdin is not None
        self._said += len(request)
        try:
            self._process.stdin.write(request)
        except OSError as error:
            raise GitError("git ended early.") from error

    def more(self) -> bytes:
        """What git says next; GitError when it ends instead, or says nothing for TIMEOUT."""
        assert self._process.stdout is not None
        if not self._selector.select(TIMEOUT):
            self.close()
            raise GitError(f"git gave no answer for {TIMEOUT:.0f} seconds.")
        chunk: bytes | None = self._process.stdout.read(1 << 20)
        if not chunk:
            raise GitError("git ended early.", status=self._process.wait())
        return chunk

    def close(self) -> None:
        """End the process and wait for it; closing twice is fine."""
        self._selector.close()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.kill()
        self._process.wait()
