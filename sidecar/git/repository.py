"""Find a repository and its worktrees, from any folder inside any of them."""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.git.config import Config, read_config, silenced_hooks, silenced_programs, without_filters
from sidecar.git.process import CONFIGURED_HOOKS, GitError, GitMissingError, Place, git_version, run
from sidecar.git.unfinished import detached_by, merged_heads
from sidecar.model.findings import Failure
from sidecar.model.picture import Worktree
from sidecar.system.worktree_links import common_directory, git_directory, read_gitdir, worktree_of

INITIALIZING = "initializing"
"""What git locks a worktree with while it makes it (builtin/worktree.c), in the language of whoever makes it."""

STILL_AT_WORK = 3600.0
"""Seconds after which a git that holds a lock is not believed to be at work: it was killed."""

_GONE = " If it was moved, run git worktree repair there. If it was deleted, git worktree prune forgets it."

NOT_FETCHED = "This is a partial clone, so it may not have been fetched."


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
        """Give the place for questions about refs and history, without a working tree."""
        return Place(self.common_dir, {"GIT_DIR": self.common_dir}, self._silence)

    @property
    def _silence(self) -> tuple[tuple[str, str], ...]:
        return silenced_hooks(self.config) if self.version >= CONFIGURED_HOOKS else ()

    @property
    def is_shallow(self) -> bool:
        """Tell whether its history was cut off when it was cloned or fetched (git-clone(1), --depth)."""
        return os.path.exists(os.path.join(self.common_dir, "shallow"))

    @property
    def why_missing(self) -> str:
        """Give what to add to an error about a missing object: in a partial clone it may never have been fetched."""
        names = {name for _, name, _ in self.config.pairs}
        partial = "extensions.partialclone" in names or any(
            name.startswith("remote.") and name.endswith(".promisor") for name in names
        )
        return f" {NOT_FETCHED}" if partial else ""

    def inside(self, worktree: Worktree) -> Place:
        """Give the place for questions about a worktree that run no filter: everything is named, nothing discovered."""
        names = {"GIT_DIR": worktree.git_dir, "GIT_COMMON_DIR": self.common_dir, "GIT_WORK_TREE": worktree.key}
        return Place(worktree.key, names, self._silence)


def place_of_files(repository: Repository, worktree: Worktree) -> Place:
    """Give the place where a worktree's files are read through filters; of an untrusted repository's own, none runs.

    The configuration is read in the worktree itself, since it can differ there (config.worktree, includeIf).
    """
    place = repository.inside(worktree)
    if repository.trusted:
        return place
    return place.set(silenced_programs(read_config(place), trusted=False))


def place_without_filters(repository: Repository, worktree: Worktree) -> Place:
    """Give the place where a worktree's files are read as they stand on disk: no filter at all runs."""
    place = repository.inside(worktree)
    return place.set(without_filters(read_config(place)))


def find_common_dir(folder: Path) -> str | Failure:
    """Give the common directory of the repository that a folder lies in, absolute; git's check of its owner applies."""
    start = nearest_directory(folder)
    try:
        said = run(Place(str(start)), "rev-parse", "--path-format=absolute", "--git-common-dir")
    except GitMissingError as error:
        return Failure("git-missing", error.message)
    except GitError as error:
        if "dubious ownership" in error.message or "unsafe repository" in error.message:
            named = re.search(r"repository (?:at )?\(?'(.*?)'", error.message)
            top = named[1] if named is not None else str(folder)
            remedy = f"git config --global --add safe.directory {shlex.quote(top)}"
            return Failure("unsafe-repository", f"{top} belongs to another user. To use it, run: {remedy}")
        if "safe.barerepository" in error.message.lower():
            where = f"{folder} is in a bare repository, which git uses only where it is named (safe.bareRepository)."
            return Failure("unsafe-repository", f"{where} Run sidecar in a worktree of it.")
        if "not a git repository" in error.message:
            return Failure(
                "not-a-repository", f"{folder} is not in a git repository. Run sidecar in one, or use -C DIR."
            )
        return Failure("unreadable-repository", f"The repository of {folder} can't be read: {error.message}")
    return os.path.realpath(os.fsdecode(said.removesuffix(b"\n")))


def open_repository(folder: Path, *, trust: bool = False) -> Repository | Failure:
    """Give the repository that a folder lies in, or why there is none to read.

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
    """Make the Failure that a person is told when git failed in the middle of a question."""
    return Failure("unreadable-repository", f"The repository can't be read: {error.message}")


def nearest_directory(folder: Path) -> Path:
    """Give a folder, or the nearest above it that is there."""
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder


def _main_folder(common_dir: str, config: Config, folder: Path) -> str | None:
    """Find the main worktree's files where the git directory is elsewhere: of a submodule, or `--separate-git-dir`."""
    named = config.get("core.worktree")
    if named is not None:
        return os.path.realpath(os.path.join(common_dir, named))
    if common_dir.endswith("/.git"):
        return None
    beside = os.path.dirname(common_dir)  # where `.git` is a link, or names `.git.nosync` and the like
    if config.flag("core.bare", default=False) is not True and _leads_to(beside, common_dir):
        return beside
    start = nearest_directory(folder)
    try:
        said = run(Place(str(start)), "rev-parse", "--path-format=absolute", "--git-dir", "--show-toplevel")
    except GitError:  # core.bare may be wrong
        return next((str(above) for above in (start, *start.parents) if _leads_to(str(above), common_dir)), None)
    git_dir, _, top = os.fsdecode(said.removesuffix(b"\n")).partition("\n")
    return os.path.realpath(top) if os.path.realpath(git_dir) == common_dir else None


def _leads_to(folder: str, common_dir: str) -> bool:
    return git_directory(Path(folder)) == Path(common_dir)


def list_worktrees(repository: Repository) -> tuple[Worktree, ...]:
    """List every worktree in git's order, the main one first; what is wrong with one is its `problem`.

    One that git is still making is not there yet.
    """
    listing = run(repository.place, "worktree", "list", "--porcelain", "-z")
    directories = _administrative_directories(repository.common_dir)
    worktrees = []
    for index, block in enumerate(listing.decode("utf-8", "surrogateescape").split("\0\0")):
        facts = dict(line.partition(" ")[::2] for line in block.strip("\0").split("\0") if line)
        if "worktree" not in facts:
            continue
        found = _main(repository, facts) if index == 0 else _linked(repository, facts, directories)
        if not _is_being_made(found):
            worktrees.append(found)
    return tuple(worktrees)


def unlisted_directories(repository: Repository, worktrees: Iterable[Worktree]) -> tuple[str, ...]:
    """Give the administrative directories that none of the worktrees has: of what is not there yet, or half gone."""
    listed = {worktree.git_dir for worktree in worktrees}
    return tuple(path for path in _entries(repository.common_dir) if path not in listed)


def is_at_work(lock: str) -> bool:
    """Tell whether a git that holds this lock may still be at work: there is a lock, and it is not old."""
    try:
        return time.time() - os.stat(lock).st_mtime < STILL_AT_WORK
    except OSError:
        return False


def _is_being_made(worktree: Worktree) -> bool:
    """Tell whether `git worktree add` has not come to its end yet: it has a lock until then, and no index for long."""
    if worktree.locked is None or not worktree.git_dir or not is_at_work(os.path.join(worktree.git_dir, "locked")):
        return False
    if worktree.locked == INITIALIZING:
        return True
    begun = worktree.head is None and worktree.branch is None
    begun = begun or os.path.lexists(os.path.join(worktree.git_dir, "index.lock"))
    return begun and not has_index(worktree)


def has_index(worktree: Worktree) -> bool:
    """Tell whether git has ever checked something out in a worktree."""
    return os.path.lexists(os.path.join(worktree.git_dir, "index"))


def _main(repository: Repository, facts: dict[str, str]) -> Worktree:
    listed, bare = os.path.realpath(facts["worktree"]), "bare" in facts
    path = listed if bare else repository.main_folder or listed
    found = _worktree(facts, path, repository.common_dir, main=True)
    if bare:
        said = run(repository.place, "symbolic-ref", "-q", "HEAD", accept=(0, 1, 128)).removesuffix(b"\n")
        found = replace(found, branch=os.fsdecode(said).removeprefix("refs/heads/") or None)
        return _checkout_called_bare(repository, found) or found
    if path == repository.common_dir:
        return replace(found, problem="The main worktree's folder is not known. Run sidecar inside it.")
    return found


def _checkout_called_bare(repository: Repository, bare: Worktree) -> Worktree | None:
    """Find the main worktree that core.bare denies, by its index and files (a stray `git init` leaves it like this).

    Git would move the branch of such a worktree without a word.
    """
    folder = repository.main_folder or os.path.dirname(repository.common_dir)
    if not has_index(bare) or not _leads_to(folder, repository.common_dir):
        return None
    tracked = run(repository.place, "ls-files", "-z").split(b"\0")
    if not any(os.path.isfile(os.path.join(os.fsencode(folder), path)) for path in tracked if path):
        return None
    name, index = os.path.basename(folder), os.path.join(repository.common_dir, "index")
    scope = next((scope for scope, key, _ in reversed(repository.config.pairs) if key == "core.bare"), "")
    mend = f"git -C {shlex.quote(folder)} config {'--worktree ' if scope == 'worktree' else ''}core.bare false"
    said = f"{name} is called bare (core.bare), but has an index and files. If it is a checkout, run: {mend}"
    head = run(repository.place, "rev-parse", "-q", "--verify", "HEAD", accept=(0, 1)).decode("ascii").strip()
    problem = f"{said}. If it is not, delete {index}."
    return replace(bare, key=folder, name=name, bare=False, head=head or None, problem=problem)


def _linked(repository: Repository, facts: dict[str, str], directories: dict[str, tuple[str, str]]) -> Worktree:
    listed = facts["worktree"]
    path, git_dir = directories.get(listed, (os.path.realpath(listed), ""))
    found = _worktree(facts, path, git_dir, main=False)
    return replace(found, problem=_problem(repository, found))


def _worktree(facts: dict[str, str], path: str, git_dir: str, *, main: bool) -> Worktree:
    head = facts.get("HEAD")
    is_detached = git_dir != "" and "branch" not in facts and "bare" not in facts
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
        unfinished=detached_by(git_dir) if is_detached else None,
        merging=merged_heads(git_dir) if head else (),
    )


def _administrative_directories(common_dir: str) -> dict[str, tuple[str, str]]:
    """Give the path that git lists -> (real path, directory under `worktrees/`) (gitrepository-layout(5)).

    A relative `gitdir` (git 2.48 on) is relative to its own directory; an older git lists it as it stands.
    """
    found = {}
    for entry in _entries(common_dir):
        try:
            said, path = read_gitdir(entry), worktree_of(entry)
        except OSError:
            continue
        for listed in (said.removesuffix("/.git"), path):
            found[listed] = (path, os.path.realpath(entry))
    return found


def _entries(common_dir: str) -> tuple[str, ...]:
    """Give the paths below `worktrees/`, sorted."""
    home = os.path.join(common_dir, "worktrees")
    try:
        return tuple(os.path.join(home, name) for name in sorted(os.listdir(home)))
    except OSError:
        return ()


def _problem(repository: Repository, worktree: Worktree) -> str | None:
    """Tell why a worktree can't be read, if it can't: a broken link between it and the repository is never followed."""
    if worktree.missing:
        return f"The folder of {worktree.name} is not there.{'' if worktree.main else _GONE}"
    if not worktree.git_dir:
        return f"{worktree.name} has no administrative directory. Run: git worktree repair"
    if worktree.locked == INITIALIZING:
        remedy = f"git worktree remove --force --force {shlex.quote(worktree.key)}"
        return f"Git began to make {worktree.name} and did not finish. Remove it: {remedy}"
    if not os.path.lexists(os.path.join(worktree.key, ".git")):
        return f"{worktree.name} has no .git file. Run: git worktree repair"
    if git_directory(Path(worktree.key)) != Path(worktree.git_dir):
        return f"The .git file of {worktree.name} points somewhere else. Run: git worktree repair"
    try:
        common = common_directory(worktree.git_dir)
    except OSError as error:
        return f"{worktree.name} can't be read ({error.strerror}: {error.filename}). Run: git worktree repair"
    if common != repository.common_dir:
        return f"The administrative directory of {worktree.name} belongs to another repository."
    return None
