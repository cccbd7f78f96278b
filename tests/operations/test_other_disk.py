"""A release between file systems, and on full ones: refused or finished, and never anything lost."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.recovery import recover_all
from sidecar.operations.release.apply import ReleaseResult, apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.restore import list_restorable, restore
from sidecar.operations.run import Control
from tests.harness import git, init, write
from tests.harness.ending import run_and_end
from tests.harness.repository import add_worktree, commit
from tests.harness.states import Standing, allows
from tests.harness.states.standing import IGNORE
from tests.harness.whole import Whole, whole
from tests.model.examples import THOROUGH

needs_mounts = pytest.mark.skipif(not allows("mount"), reason="this machine does not allow: mount")
OUTPUT = {"node_modules"}
MEBIBYTE = 1 << 20


@contextmanager
def disk(at: Path, size: str) -> Iterator[Path]:
    """A file system of its own, of so many bytes (tmpfs(5): `1M`)."""
    at.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)


def build(main: Path, worktree: Path) -> Standing:
    """A merged worktree with things that only the trash can hold."""
    init(main)
    commit(main, {".gitignore": IGNORE, "a.txt": "a\n"}, "Begin")
    add_worktree(main, worktree, branch="feat-1")
    (worktree / "data").mkdir()
    write(worktree, {".env": "SECRET=1\n", "data/own.db": "mine\n" * 1000, "node_modules/x.js": "x"})
    (worktree / "data/empty").mkdir()
    (worktree / "data/own.db").chmod(0o640)
    (worktree / "data/link").symlink_to("own.db")
    return Standing(main, worktree, main.parent)


def release(at: Standing) -> ReleaseResult:
    plan = plan_release(at.main, "feat-1", Options())
    assert not isinstance(plan, Failure)
    assert not plan.blocked, plan.findings
    return apply_release(plan)


def check_back(at: Standing, before: Whole) -> None:
    """Whatever it is now, there or restorable: it comes back as it was, and leaves nothing behind."""
    assert all(one.severity == "info" for one in recover_all(at.main))
    if not at.worktree.exists():
        listed = list_restorable(at.main, Options())
        assert not isinstance(listed, Failure)
        back = restore(at.main, listed[0].id, Options())
        assert not isinstance(back, Failure), back
        assert back.outcome == "restored", back.findings
    assert whole(at.worktree, OUTPUT) == before
    assert list(at.worktree.parent.glob(".sidecar-*")) == []
    assert not (at.main / ".git/sidecar/trash").exists()


@needs_mounts
def test_a_worktree_on_another_disk_comes_home_and_back(tmp_path: Path) -> None:
    with disk(tmp_path / "disk", "8M") as other:
        at = build(tmp_path / "main", other / "feat-1")
        before = whole(at.worktree, OUTPUT)
        released = release(at)
        assert released.outcome == "released", released.findings
        assert list(other.iterdir()) == []
        check_back(at, before)


@needs_mounts
@pytest.mark.timeout(3600 if THOROUGH else 900)
def test_killed_between_two_disks(tmp_path: Path) -> None:
    """From the first move on."""
    for point in range(14, 10_000, 1 if THOROUGH else 7):
        root = tmp_path / str(point)
        with disk(root / "disk", "8M") as other:
            at = build(root / "main", other / "feat-1")
            before = whole(at.worktree, OUTPUT)
            killed = run_and_end("release", at.main, "feat-1", point, every=True)
            run_and_end("recover", at.main, "", point % 5, every=True)
            check_back(at, before)
            if not killed:
                assert point > 20
                return


@needs_mounts
def test_what_the_repositorys_disk_has_no_room_for_stays_on_its_own(tmp_path: Path) -> None:
    with disk(tmp_path / "small", "3M") as small:
        at = build(small / "main", tmp_path / "feat-1")
        (at.worktree / "data/large.db").write_bytes(bytes(range(256)) * (4 * MEBIBYTE // 256))
        before = whole(at.worktree, OUTPUT)
        released = release(at)
        assert released.outcome == "released", released.findings
        assert "kept-beside" in {one.code for one in released.findings}
        assert released.kept > 4 * MEBIBYTE
        assert not (at.main / ".git/sidecar/journal").exists()
        check_back(at, before)


@needs_mounts
@pytest.mark.parametrize("left", [0, 1, 3, 6, 12])
def test_a_full_disk_refuses_or_finishes(left: int, tmp_path: Path) -> None:
    """With so many pages of the repository's disk left."""
    with disk(tmp_path / "small", "2M") as small:
        at = build(small / "main", tmp_path / "feat-1")
        before = whole(at.worktree, OUTPUT)
        plan = plan_release(at.main, "feat-1", Options())
        assert not isinstance(plan, Failure)
        filler = small / "filler"
        with filler.open("wb", buffering=0) as file:
            written = 0
            try:
                while True:
                    written += file.write(bytes(4096))
            except OSError:
                file.truncate(max(0, written - left * 4096))
        result = apply_release(plan)
        assert result.outcome in ("released", "refused", "failed")
        assert (result.outcome == "released") == (not at.worktree.exists())
        filler.unlink()
        check_back(at, before)


def test_a_branch_that_is_another_name_of_one_stays(tmp_path: Path) -> None:
    at = build(tmp_path / "main", tmp_path / "feat-1")
    git(at.main, "branch", "real")
    git(at.main, "symbolic-ref", "refs/heads/other-name", "refs/heads/real")
    git(at.worktree, "switch", "--quiet", "other-name", check=False)
    git(at.worktree, "symbolic-ref", "HEAD", "refs/heads/other-name")
    before = whole(at.worktree, OUTPUT)
    released = release(at)
    assert released.outcome == "released", released.findings
    assert git(at.main, "symbolic-ref", "refs/heads/other-name") == "refs/heads/real"
    assert git(at.main, "rev-parse", "real") == git(at.main, "rev-parse", "main")
    check_back(at, before)


def test_a_branch_that_can_not_be_deleted_stays(tmp_path: Path) -> None:
    at = build(tmp_path / "main", tmp_path / "feat-1")
    before = whole(at.worktree, OUTPUT)
    plan = plan_release(at.main, "feat-1", Options())
    assert not isinstance(plan, Failure)
    lock = at.main / ".git/refs/heads/feat-1.lock"
    lock.touch()
    released = apply_release(plan)
    assert released.outcome == "released", released.findings
    assert git(at.main, "rev-parse", "feat-1") == git(at.main, "rev-parse", "main")
    lock.unlink()
    check_back(at, before)


def test_a_snapshot_that_no_ref_can_hold_leaves_all_as_it_was(tmp_path: Path) -> None:
    at = build(tmp_path / "main", tmp_path / "feat-1")
    before = whole(at.worktree, OUTPUT)
    plan = plan_release(at.main, "feat-1", Options())
    assert not isinstance(plan, Failure)
    (at.main / ".git/refs/sidecar").write_text("in the way\n")
    refused = apply_release(plan)
    assert refused.outcome == "failed"
    assert at.worktree.exists()
    check_back(at, before)


def test_what_was_written_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """A restoration is killed before the worktree is back, and somebody writes at its place: both are kept."""
    at = build(tmp_path / "main", tmp_path / "feat-1")
    before = whole(at.worktree, OUTPUT)
    released = release(at)
    assert released.receipt is not None
    point = 0
    while run_and_end("restore", at.main, released.receipt, point) and not at.worktree.exists():
        at.worktree.mkdir()
        write(at.worktree, {".env": "SECRET=2\n"})
        recover_all(at.main)
        assert (at.worktree / ".env").read_text() == "SECRET=2\n"
        refused = restore(at.main, released.receipt, Options())
        assert not isinstance(refused, Failure)
        assert [one.code for one in refused.findings] == ["path-taken"]
        (at.worktree / ".env").unlink()
        at.worktree.rmdir()
        point += 1
    assert point > 2
    recover_all(at.main)
    assert whole(at.worktree, OUTPUT) == before


@needs_mounts
def test_a_worktree_comes_back_to_another_disk_with_its_hard_links(tmp_path: Path) -> None:
    at = build(tmp_path / "main", tmp_path / "feat-1")
    (at.worktree / "data/twin").hardlink_to(at.worktree / "data/own.db")
    before = whole(at.worktree, OUTPUT)
    released = release(at)
    assert released.receipt is not None
    with disk(tmp_path / "disk", "8M") as other:
        back = restore(at.main, released.receipt, Options(), into=other / "deep/feat-1")
        assert not isinstance(back, Failure)
        assert back.outcome == "restored", back.findings
        assert whole(other / "deep/feat-1", OUTPUT) == before
        assert (other / "deep/feat-1/data/twin").samefile(other / "deep/feat-1/data/own.db")
        assert [path.name for path in (other / "deep").iterdir()] == ["feat-1"]
    assert not (at.main / ".git/sidecar/trash").exists()


@needs_mounts
def test_bringing_it_home_can_be_stopped_and_nothing_is_lost(tmp_path: Path) -> None:
    with disk(tmp_path / "disk", "8M") as other:
        at = build(tmp_path / "main", other / "feat-1")
        before = whole(at.worktree, OUTPUT)
        plan = plan_release(at.main, "feat-1", Options())
        assert not isinstance(plan, Failure)
        said: list[str] = []
        control = Control(said.append, cancelled=lambda: said[-1:] != [] and said[-1].startswith("Bringing"))
        released = apply_release(plan, control)
        assert released.outcome == "released", released.findings
        assert "kept-beside" in {one.code for one in released.findings}
        check_back(at, before)
