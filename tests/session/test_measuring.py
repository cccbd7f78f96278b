"""Sizes of worktrees: as du says, build output freed, what only they have kept; and in the live Picture by and by."""

import random
import subprocess
import threading
from pathlib import Path

import pytest

from sidecar.git.inventory.ignored import measure_worktree
from sidecar.git.inventory.walk import Item, Tally
from sidecar.git.repository import list_worktrees, open_repository
from sidecar.model.findings import Failure
from sidecar.model.inventory import Bytes
from sidecar.model.picture import Picture
from sidecar.model.settings import Options
from sidecar.session import sizes as measuring
from sidecar.session.live import open_session
from sidecar.session.once import look
from tests.harness import write
from tests.harness.states import Standing, build_standing


def measured(at: Standing) -> Bytes:
    repository = open_repository(at.main)
    assert not isinstance(repository, Failure)
    worktree = next(found for found in list_worktrees(repository) if found.key == str(at.worktree))
    size = measure_worktree(repository, worktree, ("__pycache__",))
    assert size is not None
    return size


def used(path: Path) -> int:
    return int(subprocess.run(["du", "-s", "-B1", path], check=True, capture_output=True, text=True).stdout.split()[0])


def test_the_total_is_what_du_says(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    write(at.worktree, {"node_modules/x/i.js": "x" * 10_000, ".env": "S=1\n", "src/__pycache__/a.pyc": "x" * 9000})
    (at.worktree / "twin").hardlink_to(at.worktree / "src/a.txt")
    assert measured(at).total == used(at.worktree)


def test_what_only_the_worktree_has_is_kept_and_the_rest_is_freed(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    write(at.worktree, {"src/__pycache__/a.pyc": "x" * 90_000, "data/own.db": "y" * 50_000, "new.txt": "z" * 5000})
    size = measured(at)
    kept = used(at.worktree / "data/own.db") + used(at.worktree / "new.txt")
    assert (size.kept, size.reclaimable) == (kept, size.total - kept)


def test_a_hard_link_to_outside_frees_nothing(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    before = measured(at)
    write(at.outside, {"large": "x" * 500_000})
    (at.worktree / "large").hardlink_to(at.outside / "large")
    after = measured(at)
    assert after.total > before.total + 400_000
    assert after.reclaimable <= before.reclaimable


@pytest.mark.parametrize("seed", range(20))
def test_a_file_counts_once_however_many_names_it_has(tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)
    total = outside = kept = 0
    tally = Tally()
    for number in range(12):
        file = tmp_path / f"file-{number}"
        file.write_bytes(b"x" * chosen.randrange(20_000))
        links = [file, *(tmp_path / f"link-{number}-{link}" for link in range(chosen.randrange(4)))]
        for link in links[1:]:
            link.hardlink_to(file)
        met = [link for link in links if chosen.random() < 0.8]  # the others are names outside
        are_kept = [chosen.random() < 0.3 for _ in met]
        for link, is_kept in zip(met, are_kept, strict=True):
            tally.add(Item(link.name, link.lstat()), kept=is_kept)
        size = file.lstat().st_blocks * 512 if met else 0
        total += size
        outside += size if len(met) < len(links) else 0
        kept += size if len(met) == len(links) and any(are_kept) else 0
    assert tally.bytes() == Bytes(total, total - outside - kept, kept)


def test_a_look_measures_what_it_has_time_for(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    with_time = look(at.main, Options(), measure=20.0)
    without = look(at.main, Options())
    assert isinstance(with_time, Picture)
    assert isinstance(without, Picture)
    assert all(state.bytes is not None for state in with_time.worktrees)
    assert all(state.bytes is None for state in without.worktrees)


def test_the_live_picture_gets_sizes_in_time(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    done = threading.Event()

    def on_picture(picture: Picture) -> None:
        if picture.worktrees and all(state.bytes is not None for state in picture.worktrees):
            done.set()

    session = open_session(at.main, Options(), on_picture)
    assert not isinstance(session, Failure)
    try:
        assert done.wait(30 + measuring.QUIET)
    finally:
        session.close()
