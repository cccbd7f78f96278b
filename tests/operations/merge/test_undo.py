"""Taking a merge back: only while nobody builds on it, and with the same care for trunk's checkout."""

from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.operations.merge.run import MergeChoices
from sidecar.operations.merge.undo import UndoResult, undo_merge
from sidecar.operations.records import read_receipt, sidecar_path
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import plan_release
from tests.harness import commit, git, init, write
from tests.harness.killing import build, run_and_kill, violations
from tests.operations.merge.deeds import TRUSTED, assert_nothing_left, hook, merged, only, seen, tip


def undone(main: Path, receipt: str | None) -> UndoResult:
    assert receipt is not None
    result = undo_merge(main, receipt, TRUSTED)
    assert not isinstance(result, Failure), result
    return result


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_everything_is_as_before_the_merge(main: Path, feat: Path, strategy: str) -> None:
    before, content = tip(main), seen(main)[2:]
    receipt = merged(main, choices=MergeChoices(strategy)).receipt  # type: ignore[arg-type]
    after = tip(main)
    result = undone(main, receipt)
    assert (result.outcome, result.before, result.after, result.findings) == ("undone", after, before, ())
    assert tip(main) == before
    assert seen(main)[2:] == content
    assert_nothing_left(main)
    assert receipt is not None
    kept = read_receipt(sidecar_path(str(main / ".git")), receipt)
    assert kept is not None
    assert "restored" in kept.facts
    assert only(undone(main, receipt).findings).code == "not-in-trunk"


@pytest.mark.parametrize("flag", ["skip-worktree", "assume-unchanged"])
def test_a_file_that_a_flag_hides_and_that_is_as_in_trunk(main: Path, feat: Path, flag: str) -> None:
    git(main, "update-index", f"--{flag}", "a.txt")
    before = tip(main)
    receipt = merged(main).receipt
    assert (main / "a.txt").read_text() == "one\n2\nthree\n"
    assert undone(main, receipt).outcome == "undone"
    assert (tip(main), (main / "a.txt").read_text()) == (before, "one\ntwo\nthree\n")
    assert_nothing_left(main)


@pytest.mark.parametrize("how", ["released", "deleted"])
def test_what_no_branch_has_any_more_is_named(main: Path, feat: Path, how: str) -> None:
    """What is kept of a release goes by itself with `sidecar.retention`: nobody would know what was in it."""
    receipt, head = merged(main).receipt, tip(feat, "feat")
    if how == "released":
        plan = plan_release(main, "feat", TRUSTED, frozenset())
        assert not isinstance(plan, Failure), plan
        released = apply_release(plan)
        assert released.outcome == "released", released.findings
        way = f"sidecar restore {released.receipt}"
    else:
        git(main, "worktree", "remove", feat)
        git(main, "branch", "-d", "feat")
        way = f"git branch feat {head}"
    (found,) = undone(main, receipt).findings
    assert (found.code, found.severity) == ("no-branch-left", "info")
    assert found.message == f"No branch has what was merged of feat any more. Get it back: {way}"


def test_trunk_checked_out_nowhere(main: Path, feat: Path) -> None:
    git(main, "switch", "-q", "-c", "elsewhere")
    before = tip(main)
    receipt = merged(main).receipt
    assert undone(main, receipt).outcome == "undone"
    assert tip(main) == before
    assert_nothing_left(main)


@pytest.mark.parametrize(
    ("strategy", "command"), [("merge", "git revert -m 1 "), ("squash", "git revert "), ("rebase", "git revert ")]
)
def test_trunk_that_went_on(main: Path, feat: Path, strategy: str, command: str) -> None:
    result = merged(main, choices=MergeChoices(strategy))  # type: ignore[arg-type]
    commit(main, {"b.txt": "more\n"}, "More")
    before = seen(main)
    refused = undone(main, result.receipt)
    assert (refused.outcome, only(refused.findings).code) == ("refused", "trunk-moved")
    assert command in only(refused.findings).message
    assert seen(main) == before
    revert = only(refused.findings).message.partition("run: git ")[2].split(" ")
    git(main, *revert[:1], "--no-edit", *revert[1:])
    assert (main / "a.txt").read_text() == "one\ntwo\nthree\n"


def test_a_merge_that_was_published(main: Path, feat: Path, tmp_path: Path) -> None:
    init(tmp_path / "hub.git", "--bare")
    git(main, "remote", "add", "origin", str(tmp_path / "hub.git"))
    receipt = merged(main).receipt
    git(main, "push", "-q", "origin", "main")
    found = only(undone(main, receipt).findings)
    assert found.code == "published"
    assert "origin/main has it" in found.message


def test_files_that_would_be_written_over(main: Path, feat: Path) -> None:
    receipt = merged(main).receipt
    write(main, {"a.txt": "edited since\n"})
    before = seen(main)
    assert only(undone(main, receipt).findings).code == "would-overwrite"
    assert seen(main) == before
    assert_nothing_left(main)


def test_a_hook_that_refuses(main: Path, feat: Path) -> None:
    receipt = merged(main).receipt
    before = seen(main)
    hook(main, "reference-transaction", '[ "$1" = prepared ] && grep -q refs/heads/main && exit 1\nexit 0')
    result = undone(main, receipt)
    assert (result.outcome, only(result.findings).code) == ("failed", "landing-failed")
    assert seen(main) == before
    assert_nothing_left(main)


@pytest.mark.parametrize("receipt", ["merge-20260101-000000", "../x", "release-20260101-000000"])
def test_an_id_that_is_none(main: Path, receipt: str) -> None:
    found = undo_merge(main, receipt, TRUSTED)
    assert isinstance(found, Failure)
    assert found.code == "unknown-id"


def test_killed_at_every_step(tmp_path: Path) -> None:
    from sidecar.operations.recovery import recover_all

    site = build(tmp_path, 40)
    receipt = merged(site.main).receipt
    assert receipt is not None
    after = tip(site.main)
    for point in range(5):
        assert run_and_kill("undo", site.main, receipt, point=point).died
        assert [one.message for one in recover_all(site.main) if one.severity == "blocks"] == []
        if point < 4:
            assert tip(site.main) == after
        assert [one for one in violations(site) if "receipt" not in one] == []
    assert tip(site.main) == site.before
