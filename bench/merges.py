"""The real merges of a repository, over which the lists of what would be told go."""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.by_git import borrow, git
from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.session.reader import Sources, open_sources


def real_merges(repository: str, most: int, seed: int) -> list[tuple[str, str, str]]:
    """Give (merge, first parent, second parent) of merges with two parents, in a random order that the seed decides."""
    rows = map(str.split, git(repository, "rev-list", "--all", "--merges", "--parents").decode().splitlines())
    merges = [(row[0], row[1], row[2]) for row in rows if len(row) == 3]
    random.Random(seed).shuffle(merges)
    return merges[:most]


@contextmanager
def borrowed(repository: Path) -> Iterator[tuple[str, Sources]]:
    """Give (git directory, sources) of a repository of its own that has the other's objects."""
    with tempfile.TemporaryDirectory(prefix="merges-") as folder:
        place = borrow(repository, Path(folder) / "repository")
        sources = open_sources(place, Options())
        if isinstance(sources, Failure):
            raise SystemExit(sources.message)
        try:
            yield str(place), sources
        finally:
            sources.close()


def run_over_merges(name: str, doc: str | None, replay: Callable[[Path, int, int], None]) -> None:
    """Run a list from a command line: REPOSITORY [--most N] [--seed N]."""
    parser = argparse.ArgumentParser(prog=f"bench.{name}", description=(doc or "").partition("\n")[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--most", type=int, default=1000, help="merges to look at, at the most")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    replay(given.repository, given.most, given.seed)
