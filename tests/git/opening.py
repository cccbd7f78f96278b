"""Opens what the tests of sidecar.git work on, and closes it again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sidecar.git.judge import Judge
from sidecar.git.quarantine import Quarantine, open_quarantine
from sidecar.git.repository import Repository, list_worktrees, open_repository
from sidecar.git.surroundings import read_surroundings
from sidecar.git.trees import TreeReader
from sidecar.model.findings import Failure
from sidecar.model.picture import Worktree


def opened(folder: Path, *, trust: bool = False) -> Repository:
    """The repository of a folder, which must be there."""
    repository = open_repository(folder, trust=trust)
    assert not isinstance(repository, Failure), repository
    return repository


def refused(folder: Path) -> Failure:
    """Why there is no repository."""
    failure = open_repository(folder)
    assert isinstance(failure, Failure)
    assert failure.message.count("\n") == 0
    return failure


def worktree_at(repository: Repository, path: Path) -> Worktree:
    """The worktree there, as listed."""
    (found,) = [worktree for worktree in list_worktrees(repository) if worktree.key == str(path.resolve())]
    return found


@contextmanager
def quarantined(repository: Repository) -> Iterator[Quarantine]:
    """An open quarantine."""
    quarantine = open_quarantine(repository)
    try:
        yield quarantine
    finally:
        quarantine.close()


@contextmanager
def comparing(folder: Path) -> Iterator[tuple[Quarantine, TreeReader]]:
    """A quarantine, and what compares trees in it."""
    with quarantined(opened(folder)) as quarantine:
        trees = TreeReader(quarantine)
        try:
            yield quarantine, trees
        finally:
            trees.close()


@contextmanager
def judging(folder: Path, *, trust: bool = False) -> Iterator[tuple[Quarantine, Judge]]:
    """A quarantine, and the judge who works in it."""
    repository = opened(folder, trust=trust)
    with quarantined(repository) as quarantine:
        judge = Judge(repository, quarantine, read_surroundings(repository, None))
        try:
            yield quarantine, judge
        finally:
            judge.close()
