"""What a release deletes: set aside at once, deleted behind, taken up again after a kill, and never anything else."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sidecar.git.inventory.walk import changed_between, fingerprint
from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.records import is_swept
from sidecar.operations.recovery import recover_all
from sidecar.operations.release.apply import ReleaseResult, apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.release.trash import AT_ONCE, set_aside, sweep
from sidecar.operations.restore import list_restorable, restore
from tests.cli.conftest import spawn
from tests.harness import commit, init, write
from tests.harness.ending import run_and_end
from tests.harness.states import Standing, build_standing
from tests.harness.whole import whole

DEADLINE = 30.0


def wait_until(is_so: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(int(DEADLINE * 50)):
        if is_so():
            return
        waiting.wait(0.02)
    raise AssertionError("It never came to be.")


def build(root: Path, output: int) -> Standing:
    """A finished worktree with so many files of build output."""
    at = build_standing(root)
    write(at.worktree, {f"node_modules/p{number % 9}/{number}.js": "x\n" for number in range(output)})
    write(at.worktree, {".env": "SECRET=1\n"})
    return at


def release(at: Standing) -> ReleaseResult:
    plan = plan_release(at.main, "feat-1", Options())
    assert not isinstance(plan, Failure)
    released = apply_release(plan)
    assert released.outcome == "released", released.findings
    return released


def test_a_little_is_deleted_before_the_release_returns(tmp_path: Path) -> None:
    at = build(tmp_path, 50)
    release(at)
    assert is_swept(at.main / ".git/sidecar")


def test_much_is_deleted_behind_and_the_release_can_be_taken_back_meanwhile(tmp_path: Path) -> None:
    at = build(tmp_path, AT_ONCE * 4)
    before = whole(at.worktree, {"node_modules"})
    released = release(at)
    assert not (at.main / ".git/sidecar/journal").exists()
    assert list((at.main / ".git/sidecar/trash").rglob("*.js")) == []
    assert released.receipt is not None
    back = restore(at.main, released.receipt, Options())
    assert not isinstance(back, Failure)
    assert back.outcome == "restored", back.findings
    assert whole(at.worktree, {"node_modules"}) == before
    wait_until(lambda: is_swept(at.main / ".git/sidecar"))


def test_a_deletion_that_was_killed_is_taken_up_by_the_next_command(tmp_path: Path) -> None:
    for point in range(34, 200):
        at = build(tmp_path / str(point), 50)
        sidecar_dir = at.main / ".git/sidecar"
        assert run_and_end("release", at.main, "feat-1", point, every=True), "It was never killed while it deleted."
        if not (sidecar_dir / "journal").exists():
            break
    assert not is_swept(sidecar_dir)
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    assert len(listed) == 1
    assert spawn(at.main, "status").status == 0
    assert is_swept(sidecar_dir)


def test_two_that_delete_do_not_disturb_each_other(tmp_path: Path) -> None:
    sidecar_dir = tmp_path / "sidecar"
    write(sidecar_dir / "doomed/release-1", {f"{number}/a/{number}": "x" for number in range(AT_ONCE * 2)})
    at_once = [threading.Thread(target=sweep, args=(sidecar_dir,)) for _ in range(4)]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    wait_until(lambda: not (sidecar_dir / "doomed/release-1").exists())
    sweep(sidecar_dir)
    assert is_swept(sidecar_dir)


@pytest.mark.parametrize("place", ["doomed", "doomed/release-1", "doomed/release-1/x", "doomed/x"])
def test_a_planted_link_is_not_followed(place: str, tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    write(at.outside, {"precious/file": "precious\n"})
    link = at.main / ".git/sidecar" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(at.outside / "precious")
    recover_all(at.main)
    assert (at.outside / "precious/file").read_text() == "precious\n"
    write(at.worktree, {"node_modules/x.js": "x\n"})
    release(at)
    assert (at.outside / "precious/file").read_text() == "precious\n"
    assert [path.name for path in at.outside.glob("precious/*")] == ["file"]


def test_what_somebody_writes_into_meanwhile_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has a directory open writes into it right after it was looked at."""
    root, sidecar_dir = tmp_path / "root", tmp_path / "sidecar"
    write(root, {"src/deep/a.txt": "a\n", "lib/b.txt": "b\n"})
    sidecar_dir.mkdir()
    deep = os.open(root / "src/deep", os.O_RDONLY)
    rename = os.rename

    def rename_and_write(source: str, target: str, **where: Any) -> None:
        rename(source, target, **where)
        if source == "src":
            os.close(os.open("late.txt", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=deep))

    monkeypatch.setattr(os, "rename", rename_and_write)
    before = {path: fingerprint(str(root / path)) for path in ("lib", "src")}

    def is_same(moved: Path, path: str) -> bool:
        return not changed_between(before[path], fingerprint(str(moved)))

    assert set_aside(root, before, sidecar_dir, "release-1", is_same) == ["src"]
    assert sorted(path.name for path in root.rglob("*.txt")) == ["a.txt", "late.txt"]


def test_a_read_only_directory_goes_too(tmp_path: Path) -> None:
    sidecar_dir = tmp_path / "sidecar"
    write(sidecar_dir / "doomed/release-1", {"closed/deep/file": "x"})
    for path in ("closed/deep", "closed"):
        (sidecar_dir / "doomed/release-1" / path).chmod(0o500)
    sweep(sidecar_dir)
    wait_until(lambda: is_swept(sidecar_dir))


def test_what_is_being_looked_at_is_not_swept_by_another_command(tmp_path: Path) -> None:
    main = init(tmp_path / "main")
    commit(main, {"a.txt": "a\n"}, "Begin")
    sidecar_dir, root = main / ".git/sidecar", tmp_path / "root"
    sidecar_dir.mkdir(mode=0o700)
    write(root, {"lib/b.txt": "b\n"})

    def is_same(_moved: Path, _path: str) -> bool:
        recover_all(main)
        return False

    assert set_aside(root, ["lib"], sidecar_dir, "release-1", is_same) == ["lib"]
    assert (root / "lib/b.txt").read_text() == "b\n"
