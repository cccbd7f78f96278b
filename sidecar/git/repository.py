"""Finding a repository and its worktrees, from any folder inside any of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.git.config import Config, read_config, silenced_programs
from sidecar.git.process import GitError, GitMissingError, Place, configured, run
from sidecar.git.version import git_version
from sidecar.model.findings import Failure
from sidecar.model.picture import Worktree


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as found: its common directory, configuration, object format and the git that reads it."""

    common_dir: str
    config: Config
    object_format: str
    version: tuple[int, ...]
    trusted: bool = False

    @property
    def place(self) -> Place:
        """Where questions about refs and history are asked: no working tree."""
        return Place(self.common_dir, {"GIT_DIR": self.common_dir})

    def inside(self, worktree: Worktree) -> Place:
        """Where questions about a worktree's files are asked: everything named, nothing discovered."""
        names = {"GIT_DIR": worktree.git_dir, "GIT_COMMON_DIR": self.common_dir, "GIT_WORK_TREE": worktree.key}
        return Place(worktree.key, names | configured(silenced_programs(self.config, self.trusted)))


def find_common_dir(folder: Path) -> str | Failure:
    """The common directory of the repository that a folder lies in, absolute; git's check of its owner applies."""
    start = folder
    while not start.is_dir() and start != start.parent:
        start = start.parent
    try:
        said = run(Place(str(start)), "rev-parse", "--path-format=absolute", "--git-common-dir")
    except GitMissingError as error:
        return Failure("git-missing", error.message)
    except GitError as error:
        if "dubious ownership" in error.message or "unsafe repository" in error.message:
            return Failure(
                "unsafe-repository",
                f"{folder} belongs to another user. To use it, run: git config --global --add safe.directory {folder}",
            )
        if "not a git repository" in error.message:
            return Failure(
                "not-a-repository", f"{folder} is not in a git repository. Run sidecar in one, or use -C DIR."
            )
        return Failure("unreadable-repository", f"The repository of {folder} can't be read: {error.message}")
    return os.path.realpath(os.fsdecode(said.rstrip(b"\n")))


def open_repository(folder: Path, *, trust: bool = False) -> Repository | Failure:
    """The repository that a folder lies in, or why there is none to read."""
    version = git_version()
    if isinstance(version, Failure):
        return version
    common_dir = find_common_dir(folder)
    if isinstance(common_dir, Failure):
        return common_dir
    return read_repository(common_dir, version, trust=trust)


def read_repository(common_dir: str, version: tuple[int, ...], *, trust: bool) -> Repository | Failure:
    """The repository with this common directory; its path in the global `sidecar.trusted` trusts it too."""
    place = Place(common_dir, {"GIT_DIR": common_dir})
    try:
        config = read_config(place)
    except GitError as error:
        return Failure("unreadable-repository", f"The configuration of {common_dir} can't be read: {error.message}")
    listed = config.all("sidecar.trusted", frozenset({"system", "global"}))
    folder = common_dir.removesuffix("/.git")
    trusted = trust or any(os.path.realpath(Path(path).expanduser()) in (folder, common_dir) for path in listed)
    return Repository(common_dir, config, config.get("extensions.objectformat") or "sha1", version, trusted)


def list_worktrees(repository: Repository) -> tuple[Worktree, ...]:
    """Every worktree, the main one first, in git's order; what is wrong with one is its `problem`."""
    listing = run(repository.place, "worktree", "list", "--porcelain", "-z")
    directories = _administrative_directories(repository.common_dir)
    worktrees = []
    for index, block in enumerate(listing.decode("utf-8", "surrogateescape").split("\0\0")):
        facts = dict(line.partition(" ")[::2] for line in block.strip("\0").split("\0") if line)
        if "worktree" in facts:
            worktrees.append(_worktree(repository, facts, main=index == 0, directories=directories))
    return tuple(worktrees)


def _worktree(repository: Repository, facts: dict[str, str], *, main: bool, directories: dict[str, str]) -> Worktree:
    listed = _main_path(repository, facts["worktree"]) if main else facts["worktree"]
    path = os.path.realpath(listed)
    head = facts.get("HEAD")
    found = Worktree(
        key=path,
        name=os.path.basename(path),
        git_dir=repository.common_dir if main else directories.get(path, ""),
        main=main,
        branch=facts["branch"].removeprefix("refs/heads/") if "branch" in facts else None,
        head=None if head is None or not head.strip("0") else head,
        locked=facts.get("locked"),
        missing="bare" not in facts and not os.path.isdir(path),
        bare="bare" in facts,
    )
    return replace(found, problem=_problem(repository, found))


def _main_path(repository: Repository, listed: str) -> str:
    """A submodule's main worktree is where core.worktree says; git lists its git directory instead."""
    named = repository.config.get("core.worktree")
    return os.path.join(repository.common_dir, named) if named else listed


def _administrative_directories(common_dir: str) -> dict[str, str]:
    """Linked worktree's real path -> its directory under `worktrees/` (gitrepository-layout(5))."""
    found = {}
    try:
        entries = sorted(os.scandir(os.path.join(common_dir, "worktrees")), key=lambda entry: entry.name)
    except OSError:
        return {}
    for entry in entries:
        try:
            said = (Path(entry.path) / "gitdir").read_bytes()
        except OSError:
            continue
        dot_git = os.path.join(entry.path, os.fsdecode(said.rstrip(b"\n")))
        found[os.path.realpath(os.path.dirname(dot_git))] = os.path.realpath(entry.path)
    return found


def _problem(repository: Repository, worktree: Worktree) -> str | None:
    """Why a worktree can't be read, if it can't: a broken link between it and the repository is never followed."""
    if worktree.bare:
        return None
    if worktree.missing:
        return f"The folder of {worktree.name} is not there."
    if worktree.main:
        return None
    if not worktree.git_dir:
        return f"{worktree.name} has no administrative directory. Run: git worktree repair"
    dot_git = Path(worktree.key) / ".git"
    try:
        said = dot_git.read_bytes()
        common = (Path(worktree.git_dir) / "commondir").read_bytes()
    except OSError as error:
        return f"{worktree.name} can't be read ({error.strerror}: {error.filename}). Run: git worktree repair"
    pointed = os.path.join(worktree.key, os.fsdecode(said.removeprefix(b"gitdir:").strip()))
    shared = os.path.join(worktree.git_dir, os.fsdecode(common.rstrip(b"\n")))
    if not said.startswith(b"gitdir:") or os.path.realpath(pointed) != worktree.git_dir:
        return f"The .git file of {worktree.name} points somewhere else. Run: git worktree repair"
    if os.path.realpath(shared) != repository.common_dir:
        return f"The administrative directory of {worktree.name} belongs to another repository."
    return None
