"""Run git for reading: hardened, with a clean environment, once or as a process that stays and is asked again.

Nothing of the repository runs in these calls, and nothing is fetched. Git as the person would run it, with hooks and
drivers, is `sidecar.git.user_git`. Which git this is, and whether it is new enough, is asked here too.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sidecar.model.findings import Failure
from sidecar.system.files import Signature, signature

EVENTS = ("reference-transaction", "post-index-change", "post-checkout", "pre-auto-gc")
"""The hooks (githooks(5)) that a reading call, or one that keeps something under a ref, could set off.

From git 2.54 on they can stand in the configuration too, where core.hooksPath does not reach them; from 2.55 on all of
one event can be switched off, in 2.54 only each by its name (`silenced_hooks`).
"""

HARDENED = (
    "--no-optional-locks",
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *(part for event in EVENTS for part in ("-c", f"hook.{event}.enabled=false")),
    *("-c", "core.sshCommand=/bin/false"),
    *("-c", "diff.external="),
    *("-c", "protocol.allow=never"),
    *("-c", "submodule.recurse=false"),
    *("-c", "core.quotePath=false"),
    *("-c", "advice.detachedHead=false"),
)
"""What every reading call carries, so that nothing of the repository runs and nothing is fetched."""

KEPT_GIT_VARIABLES = frozenset(
    {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES"}
)
"""What of the caller's GIT_* is the person's own set-up and not a pointer at some repository."""

SPENT = 500_000
"""Bytes of requests after which a process that stays has had enough: some 3,000 merges."""
FILTER_FAILED = re.compile(r"(clean|smudge) filter '.*' failed$")
ENDED_EARLY = "a filter ended early"
GIT_SAYS = ("fatal: ", "error: ", "warning: ", "hint: ")
MOST_WORDS = 3
"""How many lines of a failing filter are passed on."""
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
    """Where a git call stands: its working directory and the GIT_* variables that name the repository.

    `settings` are config pairs that hold for what only reads there; who acts as the person does goes without them.
    """

    cwd: str
    variables: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[tuple[str, str], ...] = ()

    def plus(self, **variables: str) -> Place:
        """Give the same place with more variables."""
        return replace(self, variables={**self.variables, **variables})

    def set(self, pairs: Iterable[tuple[str, str]]) -> Place:
        """Give the same place with more settings, which win over what is configured there."""
        return replace(self, settings=(*self.settings, *pairs))

    @property
    def environment(self) -> dict[str, str]:
        """Give the whole environment of a reading call."""
        return environment({**self.variables, **configured(self.settings)})


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Give the caller's environment without its GIT_*, in the C locale, with the given variables on top."""
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
    """Give variables that give git these config pairs; unlike `-c` they take any key. None for no pairs."""
    variables = {"GIT_CONFIG_COUNT": str(len(pairs))} if pairs else {}
    for index, (key, value) in enumerate(pairs):
        variables[f"GIT_CONFIG_KEY_{index}"] = key
        variables[f"GIT_CONFIG_VALUE_{index}"] = value
    return variables


def run(
    place: Place, *args: str, stdin: bytes | None = None, accept: Sequence[int] = (0,), timeout: float | None = None
) -> bytes:
    """Run `git ARGS` for its standard output; GitError for a status that is not accepted, or after so many seconds."""
    return run_for_status(place, *args, stdin=stdin, accept=accept, timeout=timeout)[1]


def run_for_status(
    place: Place, *args: str, stdin: bytes | None = None, accept: Sequence[int] = (0,), timeout: float | None = None
) -> tuple[int, bytes]:
    """Run `git ARGS` for (exit status, standard output), where the status is an answer."""
    done = _run(place, args, stdin, accept, timeout)
    return done.returncode, done.stdout


def run_with_warnings(place: Place, *args: str) -> tuple[bytes, list[str]]:
    """Run `git ARGS` for (standard output, lines of standard error), where git goes on although something is wrong."""
    done = _run(place, args, None, (0,), None)
    return done.stdout, os.fsdecode(done.stderr).splitlines()


def _run(
    place: Place, args: Sequence[str], stdin: bytes | None, accept: Sequence[int], timeout: float | None
) -> subprocess.CompletedProcess[bytes]:
    limit = TIMEOUT if timeout is None else timeout
    try:
        done = subprocess.run(
            ["git", *HARDENED, *args],
            cwd=place.cwd,
            env=place.environment,
            input=stdin if stdin is not None else b"",
            capture_output=True,
            timeout=limit,
            check=False,
        )
    except FileNotFoundError as error:
        if not Path(place.cwd).is_dir():
            raise GitError(f"{place.cwd} is not there.") from error
        raise GitMissingError("git was not found. Install git 2.38 or newer and put it on PATH.") from error
    except OSError as error:
        raise GitError(f"{place.cwd} can't be used: {error.strerror}.") from error
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {args[0]} gave no answer for {limit:.0f} seconds.") from error
    if done.returncode not in accept:
        raise GitError(_last_word(done.stderr, args), status=done.returncode)
    return done


def _last_word(stderr: bytes, args: Sequence[str]) -> str:
    """Find git's first fatal line, with what it indents below it; where a filter failed, also the filter's words."""
    lines = [line.rstrip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    if (filtered := _of_filter(lines)) is not None:
        return filtered
    first = next((at for at, line in enumerate(lines) if line.startswith(("fatal:", "error:"))), 0)
    said = lines[first : first + 1] or [f"git {args[0]} failed"]
    for line in lines[first + 1 :]:
        if not line[0].isspace():
            break
        said.append(line.strip())
    return " ".join(said).removeprefix("fatal: ").removeprefix("error: ")


def _of_filter(lines: Sequence[str]) -> str | None:
    """Give what a filter (gitattributes(5)) said when git stopped because of it: its last words."""
    fatal = next((line for line in lines if line.startswith("fatal: ")), "")
    if FILTER_FAILED.search(fatal):
        what = fatal.removeprefix("fatal: ")
    elif fatal.endswith("the remote end hung up unexpectedly"):
        what = ENDED_EARLY  # nothing else that a reading starts talks with git in packets
    else:
        return None
    own = [line.strip() for line in lines if not line.startswith(GIT_SAYS)]
    cause = own[-MOST_WORDS:] or [line.removeprefix("error: ") for line in lines if line.startswith("error: ")][:1]
    return f"{what}: {' '.join(cause)}" if cause else what


class Conversation:
    """One long-lived git process that answers one request at a time; not for use by two threads at once."""

    def __init__(self, place: Place, *args: str) -> None:
        try:
            self._process = subprocess.Popen(
                ["git", *HARDENED, *args],
                cwd=place.cwd,
                env=place.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            raise GitError(f"git can't be started in {place.cwd}: {error.strerror}.") from error
        self._sent = 0
        self._buffer = bytearray()
        self._selector = selectors.DefaultSelector()
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._selector.register(self._process.stdout, selectors.EVENT_READ)

    @property
    def is_spent(self) -> bool:
        """Tell whether a new process should take over, because git never forgets what it has parsed, and grows."""
        return self._sent > SPENT

    def ask(self, request: bytes, end: bytes) -> bytes:
        """Send a request, and give the answer up to `end`; GitError when git ends first."""
        self.send(request)
        return self.read_until(end)

    def send(self, request: bytes) -> None:
        """Send a request, small enough for a pipe; GitError when git has ended."""
        assert self._process.stdin is not None
        self._sent += len(request)
        try:
            self._process.stdin.write(request)
        except OSError as error:
            raise GitError("git ended early.") from error

    def read_until(self, end: bytes) -> bytes:
        """Give what git says up to `end`, which is taken too; GitError when git ends first."""
        start = 0
        while (at := self._buffer.find(end, start)) < 0:
            start = max(0, len(self._buffer) - len(end))
            self._buffer += self._more()
        said = bytes(self._buffer[:at])
        del self._buffer[: at + len(end)]
        return said

    def line(self) -> bytes:
        """Read the next line, without its end; GitError when git ends first."""
        return self.read_until(b"\n")

    def pieces(self, size: int) -> Iterator[bytes]:
        """Read so many bytes in pieces; GitError when git ends first."""
        while size:
            if not self._buffer:
                self._buffer += self._more()
            piece = bytes(self._buffer[:size])
            del self._buffer[: len(piece)]
            size -= len(piece)
            yield piece

    def read(self, size: int) -> bytes:
        """Read so many bytes; GitError when git ends first."""
        return b"".join(self.pieces(size))

    def _more(self) -> bytes:
        """Read what git says next; GitError when it ends instead, or says nothing for TIMEOUT."""
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


def read_object(git: Conversation, name: bytes) -> tuple[str, bytes] | None:
    """Give (type, content) of an object by a `git cat-file --batch` that stays; None for one that is not there."""
    words = git.ask(name + b"\n", b"\n").split(b" ")
    if len(words) != 3:
        return None
    content = git.read(int(words[2]))
    git.line()
    return words[1].decode("ascii"), content


OLDEST = (2, 38)
"""The first git with `merge-tree --write-tree`."""

BATCHED_MERGES = (2, 39)
"""The first git with `merge-tree --stdin`."""

DIFF_ALGORITHM_MERGES = (2, 50)
"""The first git whose `git merge` obeys `diff.algorithm`; its `merge-tree` takes it as an option only."""

CONFIGURED_HOOKS = (2, 54)
"""The first git that runs hooks of the configuration (`hook.NAME.event`, `hook.NAME.command`)."""


_known: dict[tuple[object, ...], tuple[int, ...]] = {}
"""The version of the git that was asked last, by what tells its file from every other."""


def git_version() -> tuple[int, ...] | Failure:
    """Give the version of the git on PATH, or why it can't be used; one that can is asked once."""
    file = file_on_path()
    if file is not None and (known := _known.get(file)) is not None:
        return known
    version = _ask()
    if file is not None and not isinstance(version, Failure):
        _known.clear()
        _known[file] = version
    return version


def file_on_path() -> tuple[str, Signature] | None:
    """Give the path of the git on PATH with its signature; None where there is none."""
    found = shutil.which("git")
    if found is None:
        return None
    try:
        status = os.stat(found)
    except OSError:
        return None
    return found, signature(status)


def _ask() -> tuple[int, ...] | Failure:
    try:
        said = run(Place("/"), "version").decode("ascii", "replace")
    except GitError as error:
        return Failure("git-missing", error.message)
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", said)
    if found is None:
        return Failure("git-missing", f"git does not say its version, but: {said.strip()}")
    version = tuple(int(part) for part in found.groups() if part is not None)
    if version < OLDEST:
        shown = ".".join(map(str, version))
        return Failure("git-too-old", f"git {shown} is too old. Install git 2.38 or newer.")
    return version
