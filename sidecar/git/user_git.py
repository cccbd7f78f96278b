"""Run git, and the shell of `prepare` and `verify`, as the person would: with hooks, signing, drivers and identity."""

from __future__ import annotations

import contextlib
import hashlib
import os
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from sidecar.git.process import GitError, GitMissingError, Place

REPOSITORY_VARIABLES = frozenset({
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_DIR", "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_REFLOG_ACTION", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
})  # fmt: skip
"""What of the caller's GIT_* points at some repository (`git rev-parse --local-env-vars`): never ours."""

OPERATION_VARIABLE = "SIDECAR_OPERATION"
"""Carried by every process that an operation starts, and by all that those start: how recovery finds the survivors."""

DURABLE = ("-c", "core.fsync=all", "-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "advice.detachedHead=false")
"""What every acting call carries: what git says it wrote is on the disk, and nothing goes on in the background."""

HUNG_UP = "fatal: the remote end hung up unexpectedly"
"""What git says when a filter process ends early, after the filter's own words."""

MOST_KEPT = 64 * 1024
"""Bytes of each stream that are remembered: its end."""

LOOK_AROUND = 0.1
"""Seconds between two looks at whether the person has cancelled."""


@dataclass(frozen=True, slots=True)
class UserGit:
    """Who acts: the operation's id, where its output goes line by line, and whether it was cancelled meanwhile.

    `repository` is the common directory: operations of two repositories may have one id. What is `idle` has the lowest
    priority, since nobody waits for it.
    """

    operation: str
    said: Callable[[str], None] = field(default=lambda _line: None)
    cancelled: Callable[[], bool] = field(default=lambda: False)
    repository: str = ""
    idle: bool = False

    @property
    def tag(self) -> str:
        """Give the value of `OPERATION_VARIABLE` for everything that it starts."""
        return operation_tag(self.operation, self.repository)


def operation_tag(operation: str, repository: str) -> str:
    """Give the value of `OPERATION_VARIABLE` for an operation in the repository of this common directory."""
    return f"{operation}@{hashlib.sha256(os.fsencode(repository)).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a process ended: `status` as in a shell (negative: by that signal), and the end of what it said.

    `stopped` is why we ended it ourselves: it was cancelled, or its time was up.
    """

    status: int
    output: str
    errors: str
    stopped: str | None = None

    @property
    def ok(self) -> bool:
        """Tell whether it ended by itself and well."""
        return self.status == 0 and self.stopped is None

    @property
    def last_words(self) -> str:
        """Give what it said last on either stream, for a person, without git's own line about a filter that ended."""
        said = "\n".join(text for text in (self.output.strip("\n"), self.errors.strip("\n")) if text)
        own = [line for line in said.split("\n") if line != HUNG_UP]
        return "\n".join(own) if any(line.strip() for line in own) else said


def run_user_git(
    user: UserGit, place: Place, *args: str, stdin: bytes = b"", limit: float | None = None, **variables: str
) -> CommandResult:
    """Run `git ARGS` with everything that the person has configured; never raises for git's own refusal."""
    command = ["git", *DURABLE, *args]
    names = {"GIT_EDITOR": "true", "GIT_MERGE_AUTOEDIT": "no", "GIT_TERMINAL_PROMPT": "0", **variables}
    return _run(user, command, place.cwd, {**place.variables, **names}, stdin, limit)


def run_shell(
    user: UserGit, line: str, folder: str, limit: float | None, variables: Mapping[str, str]
) -> CommandResult:
    """Run the person's own command line in a folder, by the shell, as `git rebase --exec` does (git-rebase(1))."""
    command = [os.environ.get("COMSPEC", "cmd.exe"), "/c", line] if os.name == "nt" else ["/bin/sh", "-c", line]
    return _run(user, [*_lowest_priority(), *command] if user.idle else command, folder, variables, b"", limit)


def _lowest_priority() -> list[str]:
    """Give what runs a command when nobody else wants the processor or the disk, as far as that is here."""
    ways = (["nice", "-n", "19"], ["ionice", "-c", "3"])
    return [word for way in ways if shutil.which(way[0]) is not None for word in way]


def own_environment(variables: Mapping[str, str], tag: str) -> dict[str, str]:
    """Give the person's environment without what points at another repository, and with git's messages in English."""
    kept = {name: value for name, value in os.environ.items() if name not in REPOSITORY_VARIABLES}
    if (everything := kept.pop("LC_ALL", None)) is not None:
        kept["LC_CTYPE"] = everything
    kept.pop("LANGUAGE", None)
    return kept | {"LC_MESSAGES": "C", OPERATION_VARIABLE: tag, **variables}


def _run(
    user: UserGit, command: Sequence[str], folder: str, variables: Mapping[str, str], stdin: bytes, limit: float | None
) -> CommandResult:
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=own_environment(variables, user.tag),
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        if not os.path.isdir(folder):
            raise GitError(f"{folder} is not there.") from error
        raise GitMissingError(f"{command[0]} was not found on PATH.") from error
    except OSError as error:
        raise GitError(f"{command[0]} can't be started in {folder}: {error.strerror}.") from error
    if process.stdin is not None:
        threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True).start()
    return _listen(user, process, limit)


def _feed(pipe: IO[bytes], content: bytes) -> None:
    """Hand over what it reads while we listen: one that says much first would wait for us, and we for it."""
    with contextlib.suppress(OSError), pipe:
        pipe.write(content)


def _listen(user: UserGit, process: subprocess.Popen[bytes], limit: float | None) -> CommandResult:
    """Gather what it says until it ends; a grandchild that keeps the pipes open is not waited for."""
    kept = {"out": bytearray(), "err": bytearray()}
    rest = {"out": b"", "err": b""}
    deadline = None if limit is None else time.monotonic() + limit
    stopped: str | None = None
    with selectors.DefaultSelector() as selector:
        for name, pipe in (("out", process.stdout), ("err", process.stderr)):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_READ, name)
        while True:
            ended = process.poll() is not None
            for key, _ in _events(selector, process, 0 if ended else LOOK_AROUND):
                chunk = os.read(key.fd, 1 << 16)
                if not chunk:
                    selector.unregister(key.fileobj)
                    continue
                kept[key.data] += chunk
                del kept[key.data][:-MOST_KEPT]
                *lines, rest[key.data] = (rest[key.data] + chunk)[-MOST_KEPT:].split(b"\n")
                for line in lines:
                    user.said(line.decode("utf-8", "replace").rstrip("\r"))
                ended = False
            if ended:
                break
            if stopped is None and user.cancelled():
                stopped = "cancelled"
            elif stopped is None and deadline is not None and time.monotonic() > deadline:
                stopped = "timeout"
            if stopped is not None:
                end_group(process.pid)
    for remaining in rest.values():
        if remaining:
            user.said(remaining.decode("utf-8", "replace"))
    status = process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    return CommandResult(
        status, kept["out"].decode("utf-8", "replace"), kept["err"].decode("utf-8", "replace"), stopped
    )


def _events(
    selector: selectors.BaseSelector, process: subprocess.Popen[bytes], seconds: float
) -> list[tuple[selectors.SelectorKey, int]]:
    """Give what can be read within this time; nothing of a process that has closed its pipes and goes on."""
    if selector.get_map():
        return selector.select(seconds)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return []


def end_group(group: int) -> None:
    """End a process, and all that it started and that is still in its group."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(group, signal.SIGKILL)
        else:
            os.kill(group, signal.SIGTERM)
