"""A release or a restoration killed at every step, and its recovery too: wholly there, or wholly released."""

import os
import shutil
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.recovery import recover_all
from sidecar.operations.restore import list_restorable, restore
from tests.harness import git, write
from tests.harness.ending import run_and_end
from tests.harness.repository import Content, commit
from tests.harness.states import Standing, build_standing
from tests.harness.whole import Whole, whole
from tests.model.examples import THOROUGH

OUTPUT = {"node_modules", "src/__pycache__"}
STRIDE = 9 if THOROUGH else 17
"""How many of its steps a recovery takes between two kills."""


def build(root: Path) -> Standing:
    """A worktree with something of every kind in it."""
    at = build_standing(root)
    commit(at.worktree, {"more.txt": "more\n"}, "Not merged")
    files: dict[str, Content] = {
        "src/a.txt": "edited\n",
        "untracked.txt": "untracked\n",
        ".env": "SECRET=1\n",
        "data/own.db": "mine\n",
        "node_modules/x/index.js": "x\n",
        "src/__pycache__/a.pyc": "x",
    }
    write(at.worktree, files)
    at.git("add", "src/a.txt")
    (at.worktree / "empty").mkdir()
    os.mkfifo(at.worktree / "data/pipe")
    return at


def seen(at: Standing) -> Whole:
    return whole(at.worktree, OUTPUT)


def check(at: Standing, before: Whole, *, restored: bool = False) -> None:
    """Wholly there with nothing left of the attempt, or wholly gone and restorable."""
    sidecar_dir = at.main / ".git/sidecar"
    assert not (sidecar_dir / "journal").exists()
    assert not (sidecar_dir / "doomed").exists()
    assert list(at.main.parent.glob(".sidecar-*")) == []
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    if at.worktree.exists():
        assert seen(at) == before
        assert listed == ()
        assert git(at.main, "for-each-ref", "refs/sidecar") == ""
        assert not (sidecar_dir / "trash").exists()
        return
    assert not restored
    assert str(at.worktree) not in git(at.main, "worktree", "list", "--porcelain")
    assert len(listed) == 1
    back = restore(at.main, listed[0].id, Options())
    assert not isinstance(back, Failure)
    assert back.outcome == "restored", back.findings
    assert seen(at) == before


@pytest.mark.timeout(600)
def test_a_killed_release_is_undone_or_finished(tmp_path: Path) -> None:
    point, recovery = 0, 0
    while True:
        root = tmp_path / str(point)
        at = build(root)
        before = seen(at)
        if not run_and_end("release", at.main, "feat-1", point, every=THOROUGH):
            assert point > 12
            break
        while run_and_end("recover", at.main, "", recovery, every=True):
            recovery += STRIDE
        assert all(one.severity == "info" for one in recover_all(at.main))
        check(at, before)
        shutil.rmtree(root)
        point, recovery = point + 1, point % 7


@pytest.mark.timeout(600)
def test_a_killed_restoration_is_finished_or_can_be_started_again(tmp_path: Path) -> None:
    point, recovery = 0, 0
    while True:
        root = tmp_path / str(point)
        at = build(root)
        before = seen(at)
        assert not run_and_end("release", at.main, "feat-1", 10_000)
        listed = list_restorable(at.main, Options())
        assert not isinstance(listed, Failure)
        if not run_and_end("restore", at.main, listed[0].id, point, every=THOROUGH):
            assert point > 5
            break
        while run_and_end("recover", at.main, "", recovery, every=True):
            recovery += STRIDE
        recover_all(at.main)
        check(at, before)
        shutil.rmtree(root)
        point, recovery = point + 1, point % 7
