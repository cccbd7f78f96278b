"""Everything that a reading of one repository asks, held together: opened once, closed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sidecar.git.attributes import Surroundings, read_surroundings
from sidecar.git.config import sidecar_keys
from sidecar.git.history import History
from sidecar.git.judge import Judge, plain_judge
from sidecar.git.process import GitError
from sidecar.git.quarantine import Quarantine, open_quarantine
from sidecar.git.repository import Repository, open_repository, unreadable
from sidecar.git.trees import TreeReader
from sidecar.git.witnesses import Ancestry
from sidecar.model.findings import Failure
from sidecar.model.settings import Value, settle

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """What a door knows: whether the repository is trusted, and the editor's settings."""

    trusted: bool = False
    editor: Mapping[str, object] = field(default_factory=dict)


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

    @property
    def size_limit(self) -> int:
        """Bytes above which a changed file is not compared."""
        return int(self.settings["maxFileSize"]) * 1024 * 1024  # type: ignore[arg-type]

    def close(self) -> None:
        """End every process and remove the quarantine."""
        self.judge.close()
        self.plain.close()
        self.trees.close()
        self.quarantine.close()


def settings_of(repository: Repository, options: Options) -> dict[str, Value]:
    """The settings as they are for one repository: git's configuration, under what the editor says."""
    return settle(sidecar_keys(repository.config), options.editor)


def ask(where: Path | Repository, options: Options, question: Callable[[Sources], T | Failure]) -> T | Failure:
    """The answer to one question, from sources that are opened for it alone; a Failure when git fails on the way.

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


def open_sources(folder: Path, options: Options) -> Sources | Failure:
    """The sources for the repository that a folder lies in."""
    repository = open_repository(folder, trust=options.trusted)
    if isinstance(repository, Failure):
        return repository
    return _sources_of(repository, options)


def _sources_of(repository: Repository, options: Options) -> Sources | Failure:
    try:
        quarantine = open_quarantine(repository)
    except GitError as error:
        return Failure("no-quarantine", error.message)
    surroundings = read_surroundings(repository)
    judge = Judge(repository, quarantine, surroundings)
    return Sources(
        repository,
        quarantine,
        TreeReader(quarantine),
        judge,
        History(repository),
        settings_of(repository, options),
        surroundings,
        plain_judge(repository, quarantine),
        Ancestry(repository),
    )


def is_current(sources: Sources, folder: Path, options: Options) -> bool:
    """Whether the repository's configuration and attributes are still those that the sources were opened with."""
    repository = open_repository(folder, trust=options.trusted)
    return repository == sources.repository and read_surroundings(sources.repository) == sources.surroundings
