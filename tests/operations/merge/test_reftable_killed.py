"""A merge that is killed while trunk's ref moves, where refs are reftables: afterwards anybody can move refs again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sidecar.operations.recovery import recover_all
from tests.harness import add_worktree, commit, git, init
from tests.harness.killing import HOUSE
from tests.operations.merge.deeds import assert_nothing_left, hook, merged, tip

SECONDS = 60


@pytest.mark.needs_git(2, 45)
@pytest.mark.parametrize("linked", [False, True])
def test_no_lock_is_left(tmp_path: Path, linked: bool) -> None:
    main = init(tmp_path / "shop", "--ref-format=reftable")
    git(main, "config", "user.name", "Ada")
    git(main, "config", "user.email", "ada@example.com")
    commit(main, {"a.txt": "a\n"}, "Begin")
    commit(add_worktree(main, "feat"), {"b.txt": "b\n"}, "Work")
    trunk = main
    if linked:
        git(main, "switch", "-q", "-c", "other")
        trunk = tmp_path / "trunk"
        git(main, "worktree", "add", "-q", str(trunk), "main")
    now = tmp_path / "now"
    waits = f'[ "$1" = prepared ] && grep -q heads/main && touch {now} && sleep 600; exit 0'
    script = hook(main, "reference-transaction", waits)
    before = tip(main)
    command = [sys.executable, "-m", "tests.harness.killing", "merge", str(trunk), "feat"]
    process = subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + SECONDS
    while not now.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list((main / ".git").rglob("tables.list.lock")) != []
    script.unlink()
    assert [one.code for one in recover_all(trunk)] == ["recovered"]
    assert list((main / ".git").rglob("*.lock")) == []
    assert (tip(main), git(trunk, "status", "--porcelain")) == (before, "")
    git(main, "branch", "anybody")
    assert merged(trunk).outcome == "merged"
    assert_nothing_left(main)
