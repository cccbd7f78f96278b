"""Run `sidecar.setup` in a new worktree, give it ports of its own, and keep how it ended.

Both are kept in the worktree's administrative directory, which nobody commits and a release takes away: `sidecar/env`
has the ports and a name for Docker Compose, `sidecar/setup` the command and its exit status. The ports are given under
the repository's lock; the command, which may take minutes, runs without it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import socket
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from sidecar.git.process import GitError
from sidecar.git.user_git import UserGit, run_shell
from sidecar.model.decode import AbsolutePath, Size, Text
from sidecar.model.findings import Finding, finding
from sidecar.model.words import escape, shown
from sidecar.operations.records import read_as, write_new, write_record
from sidecar.operations.run import Control
from sidecar.system.files import read_small
from sidecar.system.processes import is_running
from sidecar.system.worktree_links import git_directory

FIRST_PORT, LAST_PORT, PORTS = 20_000, 29_999, 10
"""Where ports are taken from (below those that systems give out by themselves), and how many a worktree gets."""

LAST_LINES = 10

_NOT_RUN = 127
"""The exit status of a shell for what it can't run."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The setup of a worktree: its command, the seconds that it may take (0: any), and its exit status.

    The status is None until it has ended; `pid` is the process that runs it.
    """

    command: Text
    branch: Text
    checkout: AbsolutePath | None
    limit: Size
    pid: Size
    status: int | None = None


def plan_setup(common_dir: str, path: str, setup: Setup) -> tuple[Finding, ...]:
    """Give the worktree at a path its ports, and note that its setup has not run; the caller holds the lock."""
    git_dir = git_directory(Path(path))
    if git_dir is None:
        return ()
    try:
        if not _environment(git_dir):
            first = _free_ports(common_dir, path)
            name = _compose_name(setup.checkout or common_dir, path, first)
            lines = (f"COMPOSE_PROJECT_NAME={name}", f"SIDECAR_PORT={first}", f"SIDECAR_LAST_PORT={first + PORTS - 1}")
            write_new(_folder(git_dir) / "env", "".join(f"{line}\n" for line in lines).encode())
        write_record(_folder(git_dir) / "setup", {"schema": 1, **asdict(setup)})
    except OSError as error:
        return (finding("setup-failed", f"Setup did not run, since its ports can't be kept: {error.strerror}."),)
    return ()


def run_setup(common_dir: str, path: str, control: Control) -> tuple[Finding, ...]:
    """Run what is noted for the worktree at a path; nothing where nothing is."""
    git_dir = git_directory(Path(path))
    setup = read_setup(str(git_dir)) if git_dir is not None else None
    if git_dir is None or setup is None:
        return ()
    control.stage(f"Running setup: {shown(setup.command)}")
    name, env = os.path.basename(path), _folder(git_dir) / "env"
    variables = {
        **_environment(git_dir),
        "SIDECAR_ENV": str(env),
        "SIDECAR_WORKTREE": path,
        "SIDECAR_CHECKOUT": setup.checkout or "",
        "SIDECAR_BRANCH": setup.branch,
    }
    user = UserGit(f"setup-{name}", control.output, control.cancelled, common_dir)
    try:
        said = run_shell(user, setup.command, path, setup.limit or None, variables)
    except GitError as error:
        _note_end(git_dir, setup, _NOT_RUN)
        return (finding("setup-failed", f"Setup did not run: {error.message}"),)
    _note_end(git_dir, setup, said.status)
    if said.ok:
        ports = f"ports {variables.get('SIDECAR_PORT')} to {variables.get('SIDECAR_LAST_PORT')}"
        return (finding("set-up", f"Setup succeeded: {escape(setup.command)}. Its {ports} are in {escape(str(env))}."),)
    how = {"timeout": f"took longer than {setup.limit} seconds", "cancelled": "was stopped"}
    ended = how.get(said.stopped or "", f"failed (status {said.status})")
    words = "\n".join(escape(line) for line in said.last_words.splitlines()[-LAST_LINES:] if line.strip())
    told = f"Setup {ended}: {escape(setup.command)}. {again(name)}"
    return (finding("setup-failed", f"{told} Its last lines:\n{words}" if words else told),)


def _note_end(git_dir: Path, setup: Setup, status: int) -> None:
    with suppress(OSError):
        write_record(_folder(git_dir) / "setup", {"schema": 1, **asdict(setup), "status": status})


def running_setup(path: str) -> Finding | None:
    """Say that the setup of the worktree at a path is running; None where it is not."""
    git_dir = git_directory(Path(path))
    setup = read_setup(str(git_dir)) if git_dir is not None else None
    if setup is None or setup.status is not None or not is_running(setup.pid):
        return None
    said = f"The setup of {shown(os.path.basename(path))} is running already: {escape(setup.command)}."
    return finding("setup-running", f"{said} Wait until it has ended.", (path,))


def again(name: str) -> str:
    """Say how the setup of the worktree of that name is run again."""
    return f"To run it again: sidecar open {escape(shlex.quote(name))} --setup"


def setup_sentence(git_dir: str, name: str) -> str | None:
    """Say of the worktree of that name that its setup is not done, or failed; None where there is nothing to say."""
    setup = read_setup(git_dir)
    if setup is None or setup.status == 0:
        return None
    command = escape(setup.command)
    if setup.status is not None:
        return f"The setup of {shown(name)} failed (status {setup.status}): {command}. {again(name)}"
    if is_running(setup.pid):
        return f"The setup of {shown(name)} is running: {command}."
    return f"The setup of {shown(name)} was ended half-way, or never began: {command}. {again(name)}"


def read_setup(git_dir: str) -> Setup | None:
    """Read what is noted of a worktree's setup; None where nothing is, or it is not as we wrote it."""
    return read_as(Setup, _folder(git_dir) / "setup")


def _folder(git_dir: str | Path) -> Path:
    return Path(git_dir) / "sidecar"


def _environment(git_dir: str | Path) -> dict[str, str]:
    """Read the variables that a worktree was given; none where it was given none."""
    try:
        text = read_small(str(_folder(git_dir) / "env")).decode("ascii")
    except (OSError, ValueError):
        return {}
    return dict(re.findall(r"^([A-Z_]+)=([a-z0-9_-]+)$", text, re.MULTILINE))


def _free_ports(common_dir: str, path: str) -> int:
    """Find the first of so many ports that no worktree of the repository has and nobody uses; OSError without any.

    Where the search begins follows from the path, so that other repositories' worktrees get others.
    """
    folder = os.path.join(common_dir, "worktrees")
    taken = {_environment(entry.path).get("SIDECAR_PORT") for entry in os.scandir(folder)}
    blocks = (LAST_PORT + 1 - FIRST_PORT) // PORTS
    begin = int.from_bytes(hashlib.sha256(os.fsencode(path)).digest()[:8], "big") % blocks
    for number in range(blocks):
        first = FIRST_PORT + (begin + number) % blocks * PORTS
        if str(first) not in taken and all(_is_free(port) for port in range(first, first + PORTS)):
            return first
    raise OSError(0, "no ten ports in a row are free")


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def _compose_name(main: str, path: str, port: int) -> str:
    """Give a name that Compose takes, and that no other worktree has: with the first port, which is its alone."""
    name = f"{os.path.basename(main)}-{os.path.basename(path)}".lower()
    return f"{re.sub('[^a-z0-9]+', '-', name).strip('-')}-{port}".strip("-")
