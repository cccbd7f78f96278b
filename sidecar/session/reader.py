"""Hold everything that a reading of one repository asks, opened once and closed once; list what git lists now."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from sidecar.git.config import sidecar_keys
from sidecar.git.history import Ancestry, History, find_trunk
from sidecar.git.judge import Judge, plain_judge
from sidecar.git.process import GitError
from sidecar.git.quarantine import Quarantine, open_quarantine
from sidecar.git.repository import Repository, list_worktrees, open_repository, unlisted_directories, unreadable
from sidecar.git.surroundings import Surroundings, read_surroundings
from sidecar.git.trees import TreeReader
from sidecar.model.findings import Failure
from sidecar.model.picture import Trunk, Worktree
from sidecar.model.settings import Options, Value, settle


@dataclass(frozen=True, slots=True)
class Listing:
    """The worktrees, trunk, and the administrative directories of what is no worktree yet."""

    worktrees: tuple[Worktree, ...]
    trunk: Trunk | Failure
    unlisted: tuple[str, ...]

    @property
    def checkout(self) -> Worktree | None:
        """Give the worktree that has trunk checked out, and in which a merge into it would be made."""
        if isinstance(self.trunk, Failure):
            return None
        branch = self.trunk.branch
        return next((one for one in self.worktrees if one.branch == branch and one.readable), None)


def list_all(repository: Repository, settings: Mapping[str, Value]) -> Listing:
    """List worktrees, trunk and administrative directories as git has them; GitError when it can't."""
    worktrees = list_worktrees(repository)
    trunk = find_trunk(repository, worktrees, str(settings["trunk"]))
    return Listing(worktrees, trunk, unlisted_directories(repository, worktrees))


def when_used(worktree: Worktree) -> float:
    """Tell when a worktree's index was last written."""
    try:
        return os.stat(os.path.join(worktree.git_dir, "index")).st_mtime
    except OSError:
        return 0.0


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sources:
    """A repository with the processes and memories that answer questions about it.

    `judge` merges as the person's git would; `plain` by git's built-in merge, and `ancestry` reads history as it was
    made: on these two a proof rests.
    """

    repository: Repository
    quarantine: Quarantine
    trees: TreeReader
    judge: Judge
    history: History
    settings: Mapping[str, Value]
    surroundings: Surroundings
    plain: Judge
    ancestry: Ancestry
    unreplaced: tuple[Quarantine, TreeReader] | None = None

    @property
    def as_made(self) -> Sources:
        """Give the same sources, with objects as they were made, whatever `git replace` says: what a proof reads."""
        if self.unreplaced is None:
            return self
        return replace(self, quarantine=self.unreplaced[0], trees=self.unreplaced[1], unreplaced=None)

    @property
    def size_limit(self) -> int:
        """Give the bytes above which a changed file is not compared."""
        return int(self.settings["maxFileSize"]) * 1024 * 1024  # type: ignore[arg-type]

    def close(self) -> None:
        """End every process and remove the quarantine."""
        self.judge.close()
        self.plain.close()
        self.trees.close()
        if self.unreplaced is not None:
            self.unreplaced[1].close()
        self.quarantine.close()


def settings_of(repository: Repository, options: Options) -> dict[str, Value]:
    """Give the settings as they are for one repository: git's configuration, under what the editor says."""
    return settle(sidecar_keys(repository.config, trusted=repository.trusted), options.editor)


def ask(where: Path | Repository, options: Options, question: Callable[[Sources], T | Failure]) -> T | Failure:
    """Answer one question from sources that are opened for it alone; a Failure when git fails on the way.

    `where` is a folder of the repository, or the repository itself for who has just opened it.
    """
    sources = open_sources(where, options) if isinstance(where, Path) else _sources_of(where, options)
    if isinstance(sources, Failure):
        return sources
    try:
        return question(sources)
    except GitError as error:
        return unreadable(error)
    finally:
        sources.close()


def ask_repository(folder: Path, options: Options, question: Callable[[Repository], T | Failure]) -> T | Failure:
    """Give the answer to one question that needs no sources; a Failure when git fails on the way."""
    repository = open_repository(folder, trust=options.trusted)
    if isinstance(repository, Failure):
        return repository
    try:
        return question(repository)
    except GitError as error:
        return unreadable(error)


def open_sources(folder: Path, options: Options) -> Sources | Failure:
    """Open the sources for the repository that a folder lies in."""
    repository = open_repository(folder, trust=options.trusted)
    if isinstance(repository, Failure):
        return repository
    return _sources_of(repository, options)


def _sources_of(repository: Repository, options: Options) -> Sources | Failure:
    settings = settings_of(repository, options)
    try:
        surroundings = read_surroundings(repository, list_all(repository, settings).checkout)
    except GitError as error:
        return unreadable(error)
    try:
        made = open_quarantine(repository)
    except GitError as error:
        return Failure("no-quarantine", error.message)
    quarantine = made.replacing(surroundings.replaced)
    return Sources(
        repository,
        quarantine,
        TreeReader(quarantine, surroundings.algorithm),
        Judge(repository, quarantine, surroundings),
        History(quarantine.beside(repository.place)),
        settings,
        surroundings,
        plain_judge(repository, made),
        Ancestry(repository),
        (made, TreeReader(made)) if made is not quarantine else None,
    )


def is_current(sources: Sources, folder: Path, options: Options, checkout: Worktree | None) -> bool:
    """Tell whether the repository's configuration, and what stands around merges, are as when the sources were opened.

    `checkout` is where trunk is checked out now. Raises GitError when git can't read them.
    """
    repository = open_repository(folder, trust=options.trusted)
    if isinstance(repository, Failure) or repository != sources.repository:
        return False
    return read_surroundings(repository, checkout) == sources.surroundings
