"""What a release frees and keeps: the plan, the result, the receipt and the list say the same, and it is so."""

import os
import stat
from pathlib import Path

import pytest

from sidecar.model.findings import Failure, allowable
from sidecar.model.settings import Options
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.restore import apply_empty, list_restorable, plan_empty
from tests.harness import write
from tests.harness.ending import run_and_end
from tests.harness.repository import Content, commit, git
from tests.harness.states import Standing, build_standing


def files_below(root: Path) -> int:
    """Bytes on the disk of everything below that is no directory, an inode once."""
    seen: dict[int, int] = {}
    for folder, _, names in os.walk(root):
        for name in names:
            status = (Path(folder) / name).lstat()
            seen[status.st_ino] = status.st_blocks * 512
    return sum(seen.values())


def released(at: Standing) -> tuple[int, int]:
    """(freed, kept), which all four say."""
    plan = plan_release(at.main, "feat-1", Options(), allowable())
    assert not isinstance(plan, Failure)
    result = apply_release(plan)
    assert result.outcome == "released", result.findings
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    empty = plan_empty(at.main, result.receipt, Options())
    assert not isinstance(empty, Failure)
    assert plan.bytes.kept == result.kept == listed[0].bytes == empty.bytes
    assert plan.bytes.reclaimable == result.reclaimed
    return result.reclaimed, result.kept


def size(path: Path) -> int:
    return path.lstat().st_blocks * 512


def test_a_tiny_worktree_keeps_nothing_and_frees_what_it_took(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    total = sum(size(path) for path in (at.worktree, *at.worktree.rglob("*")))
    assert released(at) == (total, 0)


INSIDE: dict[str, dict[str, Content]] = {
    "ignored": {".env": "SECRET=1\n", "data/own.db": "x" * 50_000},
    "untracked": {"new.txt": "x" * 9000},
    "edited": {"src/a.txt": "x" * 20_000},
    "all at once": {".env": "S=1\n", "new/deep/new.txt": "x" * 5000, "src/b.txt": "edited\n"},
}


@pytest.mark.parametrize("files", INSIDE.values(), ids=INSIDE)
def test_what_is_kept_counts_by_its_files(files: dict[str, Content], tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    write(at.worktree, files)
    write(at.worktree, {"node_modules/x/i.js": "x" * 70_000})
    kept = sum(size(at.worktree / path) for path in files)
    total = sum(size(path) for path in (at.worktree, *at.worktree.rglob("*")))
    assert released(at) == (total - kept, kept)


def test_a_staged_and_a_hidden_change_count_and_a_file_that_only_left_the_index_counts_once(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    write(at.worktree, {"src/a.txt": "x" * 9000, "src/b.txt": "x" * 5000})
    at.git("add", "src/a.txt")
    at.git("update-index", "--assume-unchanged", "src/b.txt")
    at.git("rm", "--quiet", "--cached", "src/feature.txt")
    kept = sum(size(at.worktree / path) for path in ("src/a.txt", "src/b.txt", "src/feature.txt"))
    assert released(at)[1] == kept


def test_hard_links_count_once_and_those_to_outside_not_at_all(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    write(at.worktree, {"data/one": "x" * 9000, "data/shared": "x" * 80_000})
    (at.worktree / "data/two").hardlink_to(at.worktree / "data/one")
    (at.worktree / "data/three").hardlink_to(at.worktree / "src/a.txt")
    (at.outside / "shared").hardlink_to(at.worktree / "data/shared")
    total = sum(
        size(path) for path in (at.worktree, *at.worktree.rglob("*")) if path.name not in ("two", "three", "shared")
    )
    kept = size(at.worktree / "data/one") + size(at.worktree / "src/a.txt")
    assert released(at) == (total - kept, kept)


def test_what_the_trash_holds_is_what_is_said_to_be_kept(tmp_path: Path) -> None:
    """A repository of its own, a pipe, what the main worktree has too: all of it in the trash, and nothing else."""
    at = build_standing(tmp_path)
    write(at.main, {"data/model.bin": "m" * 3_000_000})
    write(at.worktree, {"data/model.bin": "m" * 3_000_000, "data/own/file.txt": "x" * 30_000, ".env": "S=1\n"})
    git(at.worktree / "data/own", "init", "-q")
    commit(at.worktree / "data/own", {"more.txt": "more\n"})
    os.mkfifo(at.worktree / "data/pipe")
    _, kept = released(at)
    (trash,) = (at.main / ".git/sidecar/trash").iterdir()
    dot_git = trash / "files/.git"
    assert stat.S_ISREG(dot_git.lstat().st_mode)
    assert files_below(trash / "files") - size(dot_git) == kept > 3_000_000


def test_a_release_that_recovery_finishes_says_the_same(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    write(at.worktree, {".env": "SECRET=1\n", "node_modules/x.js": "x" * 50_000})
    plan = plan_release(at.main, "feat-1", Options())
    assert not isinstance(plan, Failure)
    for point in range(10, 16):
        assert run_and_end("release", at.main, "feat-1", point)
        listed = list_restorable(at.main, Options())
        assert not isinstance(listed, Failure)
        if not at.worktree.exists():
            break
    run_and_end("recover", at.main, "", 1000)
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    assert [one.bytes for one in listed] == [plan.bytes.kept]
    assert apply_empty(at.main, plan_empty(at.main, None, Options()), Options()) == ()  # type: ignore[arg-type]
