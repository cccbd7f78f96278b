"""A keeping, a restoration or a going back that is killed before any of its changes: nothing is lost or left."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.guard.states import State
from sidecar.operations.recovery import recover_all
from sidecar.operations.restore import list_restorable, restore
from tests.git.leaving import DEADLINE
from tests.harness import git, write
from tests.harness.ending import keep_present, run_and_end
from tests.harness.repository import Content, Executable, Symlink
from tests.harness.saved import Saved, save
from tests.harness.states import Standing, build_at_work
from tests.harness.whole import Whole, as_kept, whole
from tests.model.examples import THOROUGH
from tests.operations.guarding import guarding, states, wait_until_kept
from tests.operations.test_wiped import NUMBERED, WORK, present_tree

STRIDE = 1 if THOROUGH else 9
"""How many points lie between two at which it is killed."""
MINE = "my own notes\n"
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture
def at(tmp_path: Path) -> Standing:
    (tmp_path / "place").mkdir()
    standing = build_at_work(tmp_path / "place")
    files: dict[str, Content] = {".env": "SECRET=1\n", "exe": Executable("#!/bin/sh\n"), "a link": Symlink("exe")}
    write(standing.worktree, files)
    return standing


def saved(at: Standing) -> Saved:
    return save(at.main.parent, at.main.parent.parent / "saved")


def killed(what: str, at: Standing, argument: str) -> Iterator[int]:
    """Kill an operation before its next change, and recover, killed once too; then put all back: until it ended."""
    before, point = saved(at), 0
    while run_and_end(what, at.main, argument, point, changes=True):
        run_and_end("recover", at.main, "", point % 23, changes=True)
        found = recover_all(at.main)
        assert all(one.severity == "info" for one in found), (point, found)
        check_nothing_is_left(at, point)
        yield point
        before.put_back()
        point += STRIDE
    assert point > 20


def check_nothing_is_left(at: Standing, point: int) -> None:
    assert not (at.main / ".git/sidecar/journal").exists(), point
    assert list(at.main.parent.glob(".sidecar-*")) == [], point
    locks = [one for one in (at.main / ".git").rglob("*.lock") if one.parent.name != "sidecar"]
    assert locks == [], point
    said = subprocess.run(["git", "fsck", "--strict"], cwd=at.main, capture_output=True, text=True, check=False)
    assert said.returncode == 0, (point, said.stderr)


def files(at: Standing) -> Whole:
    return {key: one for key, one in as_kept(whole(at.worktree)).items() if key.startswith("file ")}


def keep(at: Standing) -> State:
    kept = keep_present(at.main, "feat-1")
    assert not isinstance(kept, Failure), kept
    return kept


def bring_back(at: Standing, receipt: str) -> list[str]:
    """Restore, and give the codes of what is said of it."""
    back = restore(at.main, receipt, Options())
    assert not isinstance(back, Failure), back
    assert back.outcome == "restored", back.findings
    return [one.code for one in back.findings]


def listed(at: Standing) -> list[str]:
    found = list_restorable(at.main, Options())
    assert not isinstance(found, Failure), found
    return [one.id for one in found]


def test_a_killed_keeping_has_kept_the_state_or_not(at: Standing) -> None:
    first = keep(at)
    write(at.worktree, {"src/new.txt": "new\n", "src/a.txt": "other\n"})
    wanted = present_tree(at)
    for point in killed("keep", at, "feat-1"):
        kept = states(at)
        assert kept[-1].commit == first.commit, point
        assert [one.tree for one in kept] in ([first.tree], [wanted, first.tree]), point
        assert keep(at).tree == states(at)[0].tree == wanted, point


def test_a_killed_restoration_of_one_that_vanished_is_finished_or_can_be_started_again(at: Standing) -> None:
    with guarding(at) as told:
        wait_until_kept(at, "a link")
        before = as_kept(whole(at.worktree))
        shutil.rmtree(at.worktree)
        git(at.main, "worktree", "prune")
        git(at.main, "branch", "-D", "feat-1")
        receipt = told.vanished.get(timeout=DEADLINE).receipt
    for point in killed("restore", at, receipt):
        if listed(at):
            assert not at.worktree.exists(), point
            bring_back(at, receipt)
        assert as_kept(whole(at.worktree)) == before, point
        assert listed(at) == [], point


def test_a_killed_restoration_of_what_was_wiped_can_be_started_again(at: Standing) -> None:
    write(at.worktree, {"src/a.txt": WORK, "notes.md": "one note\nanother note\n"})
    at.git("reset", "--quiet")
    with guarding(at) as told:
        wait_until_kept(at, "notes.md")
        at.git("reset", "--quiet", "--hard")
        at.git("clean", "-fd", "--quiet")
        receipt = told.wiped.get(timeout=DEADLINE).receipt
    write(at.worktree, {"src/a.txt": NUMBERED.replace("line 18\n", "mine 18\n"), "notes.md": MINE})
    for point in killed("restore", at, receipt):
        if receipt in listed(at):
            bring_back(at, receipt)
        assert (at.worktree / "src/a.txt").read_text() == WORK.replace("line 18\n", "mine 18\n"), point
        assert (at.worktree / "notes.md").read_text() == MINE, point
        assert (at.worktree / "notes.md.restored").read_text() == "one note\nanother note\n", point
        assert (at.worktree / "src/b.txt").read_text() == "unstaged\n", point
        assert (at.worktree / "exe").stat().st_mode & 0o100, point
        assert [one.name for one in at.worktree.rglob("*.restored*")] == ["notes.md.restored"], point
        assert listed(at) == [], point


def test_a_killed_going_back_can_be_started_again_or_taken_back(at: Standing) -> None:
    first, before = keep(at), files(at)
    shutil.rmtree(at.worktree / "new")
    (at.worktree / "exe").unlink()
    (at.worktree / "a link").unlink()
    write(at.worktree, {"new": "a file now\n", "a link/is": "a directory\n", "src/b.txt": "later\n", "late": "late\n"})
    after = files(at)
    for point in killed("go-back", at, first.commit):
        later = states(at)[0]
        for state, wanted in ((first, before), (later, after)) if later.commit != first.commit else ((first, before),):
            assert not run_and_end("go-back", at.main, state.commit, 100_000), point
            assert files(at) == wanted, point
