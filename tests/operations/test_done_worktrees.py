"""No false keeps: a worktree whose work is in trunk, however it came there, just goes, and can come back."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.plan import plan_merge
from sidecar.operations.merge.run import MergeChoices
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.restore import restore
from tests.harness import git, init, write
from tests.harness.repository import add_worktree, commit
from tests.harness.states import Standing
from tests.harness.states.standing import IGNORE
from tests.harness.whole import whole

LINES = "".join(f"line {number}\n" for number in range(20))
EDITED = LINES.replace("line 3\n", "line 3, edited\n")


@pytest.fixture
def at(tmp_path: Path) -> Standing:
    """A worktree with two commits, and trunk with one that came meanwhile; both have a secret and build output."""
    main = init(tmp_path / "main")
    git(main, "config", "user.name", "A Person")
    git(main, "config", "user.email", "person@example.com")
    commit(main, {".gitignore": IGNORE.replace("node_modules/", "node_modules"), "a.txt": LINES, "b.txt": LINES}, "1")
    worktree = add_worktree(main, tmp_path / "feat-1", branch="feat-1")
    commit(worktree, {"a.txt": EDITED}, "Edit a")
    commit(worktree, {"new.txt": "new\n"}, "Add new")
    write(main, {".env": "SECRET=1\n", "node_modules/x/index.js": "x\n"})
    write(worktree, {".env": "SECRET=1\n", "build/CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n"})
    write(worktree, {"build/out.o": "out\n", "src/__pycache__/a.pyc": "x"})
    (worktree / "node_modules").symlink_to(main / "node_modules")
    return Standing(main, worktree, tmp_path)


def _forward(at: Standing) -> None:
    git(at.main, "merge", "--quiet", "--ff-only", "feat-1")


def _merged(at: Standing) -> None:
    commit(at.main, {"b.txt": "trunk\n"}, "Trunk")
    git(at.main, "merge", "--quiet", "--no-edit", "feat-1")


def _squashed(at: Standing) -> None:
    commit(at.main, {"b.txt": "trunk\n"}, "Trunk")
    git(at.main, "merge", "--quiet", "--squash", "feat-1")
    git(at.main, "commit", "--quiet", "-m", "Squash")


def _squashed_and_edited(at: Standing) -> None:
    _squashed(at)
    commit(at.main, {"a.txt": EDITED.replace("edited", "edited again")}, "Edit the same line")


def _squashed_and_deleted(at: Standing) -> None:
    _squashed(at)
    git(at.main, "rm", "--quiet", "new.txt")
    git(at.main, "commit", "--quiet", "-m", "Delete it")


def _rebased(at: Standing) -> None:
    commit(at.main, {"b.txt": "trunk\n"}, "Trunk")
    git(at.main, "branch", "copy", "feat-1")
    copy = add_worktree(at.main, at.outside / "copying", branch=None, start="copy", detach=True)
    git(copy, "rebase", "--quiet", "main")
    git(at.main, "merge", "--quiet", "--ff-only", git(copy, "rev-parse", "HEAD"))
    git(at.main, "worktree", "remove", str(copy))
    git(at.main, "branch", "--quiet", "-D", "copy")


def _picked(at: Standing) -> None:
    commit(at.main, {"b.txt": "trunk\n"}, "Trunk")
    for which in ("feat-1~1", "feat-1"):
        git(at.main, "cherry-pick", which)


WAYS: Mapping[str, Callable[[Standing], None]] = {
    "fast-forward": _forward,
    "merge commit": _merged,
    "squash": _squashed,
    "squash, the same line edited later": _squashed_and_edited,
    "squash, a file deleted later": _squashed_and_deleted,
    "rebase": _rebased,
    "cherry-picks": _picked,
}


def check_goes_and_comes_back(at: Standing) -> None:
    plan = plan_release(at.main, "feat-1", Options())
    assert not isinstance(plan, Failure)
    assert not plan.blocked, plan.findings
    assert plan.inventory is not None
    without = {one.path for one in plan.inventory.files.output} | {"node_modules"}
    before = whole(at.worktree, without)
    released = apply_release(plan)
    assert released.outcome == "released", released.findings
    assert not at.worktree.exists()
    assert git(at.main, "branch", "--list", "feat-1") == ""
    git(at.main, "gc", "--quiet", "--prune=now")
    assert released.receipt is not None
    back = restore(at.main, released.receipt, Options())
    assert not isinstance(back, Failure)
    assert back.outcome == "restored", back.findings
    assert whole(at.worktree, without) == before
    assert (at.main / "node_modules/x/index.js").read_text() == "x\n"


@pytest.mark.parametrize("way", WAYS)
def test_work_that_is_in_trunk_lets_the_worktree_go(way: str, at: Standing) -> None:
    WAYS[way](at)
    check_goes_and_comes_back(at)


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_what_we_merged_ourselves_can_go(strategy: str, at: Standing) -> None:
    """Even when trunk has rewritten the same lines since, so that nothing but our receipt proves it."""
    commit(at.main, {"b.txt": "trunk\n"}, "Trunk")
    plan = plan_merge(at.main, "feat-1", Options(trusted=True), MergeChoices(strategy=strategy))  # type: ignore[arg-type]
    assert not isinstance(plan, Failure)
    merged = apply_merge(plan)
    assert merged.outcome == "merged", merged.findings
    commit(at.main, {"a.txt": "other\n", "new.txt": "other\n"}, "Rewrite it")
    check_goes_and_comes_back(at)


def test_a_merge_that_was_taken_back_proves_nothing(at: Standing) -> None:
    commit(at.main, {"b.txt": "trunk\n"}, "Trunk")
    plan = plan_merge(at.main, "feat-1", Options(trusted=True), MergeChoices(strategy="squash"))
    assert not isinstance(plan, Failure)
    merged = apply_merge(plan)
    assert merged.receipt is not None
    back = restore(at.main, merged.receipt, Options(trusted=True))
    assert not isinstance(back, Failure)
    assert back.outcome == "restored", back.findings
    release = plan_release(at.main, "feat-1", Options())
    assert not isinstance(release, Failure)
    assert "not-integrated" in {one.code for one in release.findings if one.severity == "blocks"}
