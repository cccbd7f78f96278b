"""Real repositories by real git, the same on every machine: ids, names and settings depend on nothing outside."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

RepositoryPath: TypeAlias = str | bytes

OF_THE_RUN = ("GIT_DEFAULT_REF_FORMAT", "GIT_DEFAULT_HASH")
_FIRST_COMMIT = 1_767_225_600  # 2026-01-01 00:00 UTC
_TICK = 60
_CONFIGURATION = {
    "safe.bareRepository": "all",  # git 3 enters no bare repository that it was not told of, unless a person says so
    "maintenance.auto": "false",  # starts two processes after each commit, which would find nothing to do
    "core.fsync": "none",
}
_CONFIGURED = {"GIT_CONFIG_COUNT": str(len(_CONFIGURATION))} | {
    f"GIT_CONFIG_{part}_{number}": text
    for number, pair in enumerate(_CONFIGURATION.items())
    for part, text in zip(("KEY", "VALUE"), pair, strict=True)
}
"""What the harness's own git is told, and no other."""
_COMMITTED = re.compile(rb"^\[.*? ([0-9a-f]{40,64})\] ", re.MULTILINE)
"""What `git commit` says that it made."""


class GitFailedError(Exception):
    """Git exited with a status that the test did not expect; says which command and what git printed."""


@dataclass(frozen=True)
class Executable:
    """A regular file with the executable bit."""

    content: str | bytes


@dataclass(frozen=True)
class Symlink:
    """A symbolic link; its target need not exist."""

    target: str | bytes


Content: TypeAlias = str | bytes | Executable | Symlink | None


def environment(home: Path | None = None) -> dict[str, str]:
    """The variables for a git of its own: nothing of the person's configuration, identity or `GIT_*` gets in.

    With `home`, its `.gitconfig` is the global configuration; without, there is none. `GIT_DEFAULT_REF_FORMAT` and
    `GIT_DEFAULT_HASH` stay: how new repositories are stored is a choice of the run.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in OF_THE_RUN}
    where = str(home) if home else os.devnull
    return kept | {
        "XDG_RUNTIME_DIR": "",
        "HOME": where,
        "USERPROFILE": where,
        "XDG_CONFIG_HOME": str(home / ".config") if home else os.devnull,
        "GIT_CONFIG_GLOBAL": f"{where}/.gitconfig",  # can't be written, where the null device itself could be replaced
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C.UTF-8",
        "SIDECAR_SESSION": os.environ.get("SIDECAR_SESSION", "1"),  # second for which a session waits for another door
    }


def identity(seconds: int = _FIRST_COMMIT) -> dict[str, str]:
    """The variables that fix author, committer and date (seconds since 1970, UTC) of a commit."""
    return {
        "GIT_AUTHOR_NAME": "Ada Harness",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada Harness",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
        "GIT_AUTHOR_DATE": f"{seconds} +0000",
        "GIT_COMMITTER_DATE": f"{seconds} +0000",
    }


def tick(worktree: Path) -> dict[str, str]:
    """`identity` one minute after the newest commit that any branch or this HEAD reaches: ids repeat, order shows."""
    newest = git_bytes(
        worktree, "log", "-1", "--format=%ct", "--exclude=refs/sidecar/*", "--all", "--date-order", check=False
    ).split()
    return identity(int(newest[0]) + _TICK if newest else _FIRST_COMMIT)


def run_git(
    cwd: Path,
    *arguments: str | bytes | Path,
    input: str | bytes | None = None,  # noqa: A002 (subprocess's own word)
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Git's exit status and output as they came; `env` adds variables."""
    return subprocess.run(
        [b"git", *(os.fsencode(argument) for argument in arguments)],
        cwd=cwd,
        input=input.encode() if isinstance(input, str) else input,
        stdin=subprocess.DEVNULL if input is None else None,
        capture_output=True,
        env=environment() | identity() | _CONFIGURED | dict(env or {}),
        check=False,
    )


def git_bytes(
    cwd: Path,
    *arguments: str | bytes | Path,
    input: str | bytes | None = None,  # noqa: A002 (subprocess's own word)
    check: bool = True,
    env: Mapping[str, str] | None = None,
) -> bytes:
    """Git's standard output as it came; `env` adds variables. Raises `GitFailedError` unless `check` is off."""
    done = run_git(cwd, *arguments, input=input, env=env)
    if check and done.returncode:
        shown = os.fsdecode(b" ".join(done.args))
        raise GitFailedError(
            f"{shown} (in {cwd}) exited with {done.returncode}:\n{os.fsdecode(done.stdout + done.stderr)}"
        )
    return done.stdout


def git(
    cwd: Path,
    *arguments: str | bytes | Path,
    input: str | bytes | None = None,  # noqa: A002 (subprocess's own word)
    check: bool = True,
    env: Mapping[str, str] | None = None,
) -> str:
    """Git's standard output as `$(git ...)` gives it in a shell: text without the line ends at its end."""
    return os.fsdecode(git_bytes(cwd, *arguments, input=input, check=check, env=env)).rstrip("\n")


def init(path: Path, *options: str) -> Path:
    """An empty repository with the unborn branch `main`; `options` (`--bare`, ...) go to `git init`."""
    path.mkdir(parents=True, exist_ok=True)
    git(path, "init", "--quiet", "--initial-branch=main", *options)
    return path


def locate(worktree: Path, path: RepositoryPath) -> Path:
    """Where a path of the repository, which may be odd bytes, lies on disk."""
    return worktree / os.fsdecode(path)


def write(worktree: Path, files: Mapping[RepositoryPath, Content] | Mapping[str, Content]) -> None:
    """Put each file there as given, with its directories; None deletes it. Git is not asked or told."""
    for path, content in files.items():
        place = locate(worktree, path)
        if content is None:
            place.unlink()
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Symlink):
            place.unlink(missing_ok=True)
            place.symlink_to(os.fsdecode(content.target))
            continue
        plain = content.content if isinstance(content, Executable) else content
        if place.is_symlink():
            place.unlink()
        place.write_bytes(plain.encode() if isinstance(plain, str) else plain)
        if isinstance(content, Executable):
            place.chmod(0o755)


def commit(
    worktree: Path,
    files: Mapping[RepositoryPath, Content] | Mapping[str, Content] | None = None,
    message: str = "Change",
) -> str:
    """Write `files`, commit everything that is in the worktree, and give the commit's id. An empty commit is fine."""
    write(worktree, files or {})
    git(worktree, "add", "--all")
    return commit_index(worktree, message)


def commit_index(worktree: Path, message: str = "Change") -> str:
    """Commit what is staged, and give the commit's id. An empty commit is fine."""
    made = ("-c", "core.abbrev=no", "commit", "--allow-empty", f"--message={message}")
    said = _COMMITTED.search(git_bytes(worktree, *made, env=tick(worktree)))
    return said[1].decode() if said else git(worktree, "rev-parse", "HEAD")


def add_worktree(
    repository: Path,
    name: str | Path,
    *,
    branch: str | None = None,
    start: str = "HEAD",
    detach: bool = False,
) -> Path:
    """A linked worktree: a plain name lies next to the main one, several parts inside it, an absolute path anywhere.

    It gets a new branch called like its last part, or `branch`; `detach` leaves it without one.
    """
    is_main = (repository / ".git").is_dir()
    listed = "" if is_main else git(repository, "worktree", "list", "--porcelain").splitlines()[0]
    main = repository.resolve() if is_main else Path(listed.removeprefix("worktree "))
    relative = Path(name)
    path = main / relative if len(relative.parts) > 1 else main.parent / relative
    head = ["--detach"] if detach else ["-b", branch or relative.name]
    git(repository, "worktree", "add", "--quiet", *head, path, start)
    return path


def begin_shop(place: Path, files: Mapping[str, str]) -> Path:
    """A repository `shop` in which Ada commits, with these files in its first commit."""
    main = init(place / "shop")
    git(main, "config", "user.name", "Ada Harness")
    git(main, "config", "user.email", "ada@example.com")
    commit(main, files, "Begin the shop")
    return main
