"""Finding a repository and its worktrees, from any folder inside any of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.git.config import Config, read_config, silenced_programs
from sidecar.git.files import read_small
from sidecar.git.process import GitError, GitMissingError, Place, configured, run
from sidecar.git.version import git_version
from sidecar.model.findings import Failure
from sidecar.model.picture import Worktree

OPERATION_REASON = "worktree-sidecar operation"
"""How the lock reason of a worktree begins that one of our operations works in: nobody else's, and shown to nobody."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as found: its common directory, configuration, object format and the git that reads it.

    `main_folder` is where the main worktree's files are, when git's own list of worktrees can't tell.
    """

    common_dir: str
    config: Config
    object_format: str
    version: tuple[int, ...]
    trusted: bool = False
    main_folder: str | None = None

    @property
    def place(self) -> Place:
        """Where questions about refs and history are asked: no working tree."""
        return Place(self.common_dir, {"GIT_DIR": self.common_dir})

    @property
    def why_missing(self) -> str:
        """What to add where an object can't be read: in a partial clone it may never have been fetched."""
        names = {name for _, name, _ in self.config.pairs}
        partial = "extensions.partialclone" in names or any(
            name.startswith("remote.") and name.endswith(".promisor") for name in names
        )
        return " This is a partial clone, so it may not have been fetched." if partial else ""

    def inside(self, worktree: Worktree) -> Place:
        """Where questions about a worktree are asked that run no filter: everything named, nothing discovered."""
        names = {"GIT_DIR": worktree.git_dir, "GIT_COMMON_DIR": self.common_dir, "GIT_WORK_TREE": worktree.key}
        return Place(worktree.key, names)


def place_of_files(repository: Repository, worktree: Worktree) -> Place:
    """Where a worktree's files are read through filters: of an untrusted repository's own, none runs.

    The configuration is read in the worktree itself, since it can differ there (config.worktree, includeIf).
    """
    place = repository.inside(worktree)
    if repository.trusted:
        return place
    return place.plus(**configured(silenced_programs(read_config(place), trusted=False)))


def find_common_dir(folder: Path) -> str | Failure:
    """The common directory of the repository that a folder lies in, absolute; git's check of its owner applies."""
    start = _nearest_directory(folder)
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
    return os.path.realpath(os.fsdecode(said.removesuffix(b"\n")))


def open_repository(folder: Path, *, trust: bool = False) -> Repository | Failure:
    """The repository that a folder lies in, or why there is none to read.

    The repository is trusted where the caller says so, or where the global `sidecar.trusted` lists its path.
    """
    version = git_version()
    if isinstance(version, Failure):
        return version
    common_dir = find_common_dir(folder)
    if isinstance(common_dir, Failure):
        return common_dir
    try:
        config = read_config(Place(common_dir, {"GIT_DIR": common_dir}))
    except GitError as error:
        return Failure("unreadable-repository", f"The configuration of {common_dir} can't be read: {error.message}")
    listed = config.all("sidecar.trusted", frozenset({"system", "global"}))
    known = (common_dir, common_dir.removesuffix("/.git"))
    trusted = trust or any(os.path.realpath(Path(path).expanduser()) in known for path in listed)
    object_format = config.get("extensions.objectformat") or "sha1"
    main_folder = _main_folder(common_dir, config, folder)
    return Repository(common_dir, config, object_format, version, trusted, main_folder)


def unreadable(error: GitError) -> Failure:
    """What a person is told when git failed in the middle of a question."""
    return Failure("unreadable-repository", f"The repository can't be read: {error.message}")


def _nearest_directory(folder: Path) -> Path:
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder


def _main_folder(common_dir: str, config: Config, folder: Path) -> str | None:
    """The main worktree's files where the git directory lies elsewhere: a submodule, or `init --separate-git-dir`."""
    named = config.get("core.worktree")
    if named is not None:
        return os.path.realpath(os.path.join(common_dir, named))
    if common_dir.endswith("/.git"):
        return None
    try:
        said = run(
            Place(str(_nearest_directory(folder))),
            "rev-parse",
            "--path-format=absolute",
            "--git-dir",
            "--show-toplevel",
        )
    except GitError:
        return None
    git_dir, _, top = os.fsdecode(said.removesuffix(b"\n")).partition("\n")
    return os.path.realpath(top) if os.path.realpath(git_dir) == common_dir else None


def list_worktrees(repository: Repository) -> tuple[Worktree, ...]:
    """Every worktree, the main one first, in git's order; what is wrong with one is its `problem`."""
    listing = run(repository.place, "worktree", "list", "--porcelain", "-z")
    directories = _administrative_directories(repository.common_dir)
    worktrees = []
    for index, block in enumerate(listing.decode("utf-8", "surrogateescape").split("\0\0")):
        facts = dict(line.partition(" ")[::2] for line in block.strip("\0").split("\0") if line)
        if "worktree" in facts and not facts.get("locked", "").startswith(OPERATION_REASON):
            worktrees.append(_main(repository, facts) if index == 0 else _linked(repository, facts, directories))
    return tuple(worktrees)


def _main(repository: Repository, facts: dict[str, str]) -> Worktree:
    path = repository.main_folder or os.path.realpath(facts["worktree"])
    bare = "bare" in facts
    found = _worktree(facts, path, repository.common_dir, main=True)
    if bare:
        return replace(found, branch=_branch_of_bare(repository))
    if path == repository.common_dir:
        return replace(found, problem="The main worktree's folder is not known. Run sidecar inside it.")
    return found


def _linked(repository: Repository, facts: dict[str, str], directories: dict[str, tuple[str, str]]) -> Worktree:
    listed = facts["worktree"]
    path, git_dir = directories.get(listed, (os.path.realpath(listed), ""))
    found = _worktree(facts, path, git_dir, main=False)
    return replace(found, problem=_problem(repository, found))


def _worktree(facts: dict[str, str], path: str, git_dir: str, *, main: bool) -> Worktree:
    head = facts.get("HEAD")
    return Worktree(
        key=path,
        name=os.path.basename(path),
        git_dir=git_dir,
        main=main,
        branch=facts["branch"].removeprefix("refs/heads/") if "branch" in facts else None,
        head=None if head is None or not head.strip("0") else head,
        locked=facts.get("locked"),
        missing="bare" not in facts and not os.path.isdir(path),
        bare="bare" in facts,
    )


def _branch_of_bare(repository: Repository) -> str | None:
    try:
        said = run(repository.place, "symbolic-ref", "-q", "HEAD")
    except GitError:
        return None
    return os.fsdecode(said.removesuffix(b"\n")).removeprefix("refs/heads/")


def _administrative_directories(common_dir: str) -> dict[str, tuple[str, str]]:
    """The path that git lists -> (real path, directory under `worktrees/`) (gitrepository-layout(5)).

    A relative `gitdir` (git 2.48 on) is relative to its own directory; an older git lists it as it stands.
    """
    found = {}
    try:
        entries = sorted(os.scandir(os.path.join(common_dir, "worktrees")), key=lambda entry: entry.name)
    except OSError:
        return {}
    for entry in entries:
        try:
            said = os.fsdecode(read_small(os.path.join(entry.path, "gitdir")).rstrip(b"\n"))
        except OSError:
            continue
        path = os.path.realpath(os.path.dirname(os.path.join(entry.path, said)))
        for listed in (said.removesuffix("/.git"), path):
            found[listed] = (path, os.path.realpath(entry.path))
    return found


def _problem(repository: Repository, worktree: Worktree) -> str | None:
    """Why a worktree can't be read, if it can't: a broken link between it and the repository is never followed."""
    if worktree.missing:
        return f"The folder of {worktree.name} is not there."
    if not worktree.git_dir:
        return f"{worktree.name} has no administrative directory. Run: git worktree repair"
    try:
        said = read_small(os.path.join(worktree.key, ".git"))
        common = read_small(os.path.join(worktree.git_dir, "commondir"))
    except OSError as error:
        return f"{worktree.name} can't be read ({error.strerror}: {error.filename}). Run: git worktree repair"
    pointed = os.path.join(worktree.key, os.fsdecode(said.removeprefix(b"gitdir:").strip()))
    shared = os.path.join(worktree.git_dir, os.fsdecode(common.rstrip(b"\n")))
    if not said.startswith(b"gitdir:") or os.path.realpath(pointed) != worktree.git_dir:
        return f"The .git file of {worktree.name} points somewhere else. Run: git worktree repair"
    if os.path.realpath(shared) != repository.common_dir:
        return f"The administrative directory of {worktree.name} belongs to another repository."
    return None
