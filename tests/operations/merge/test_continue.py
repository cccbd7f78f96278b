"""Ending a merge into a worktree once its conflicts are resolved."""

from pathlib import Path

import pytest

from sidecar.model.findings import Failure, Finding
from sidecar.operations.merge.continue_merge import ContinuePlan, apply_continue, plan_continue
from sidecar.operations.recovery import recover_all
from tests.harness import commit, git, write
from tests.harness.killing import run_and_kill
from tests.operations.merge.deeds import TRUSTED, assert_nothing_left, hook, only, seen, tip


def plan(main: Path) -> ContinuePlan:
    found = plan_continue(main, "feat", TRUSTED)
    assert not isinstance(found, Failure), found
    return found


@pytest.fixture
def merging(main: Path, feat: Path) -> Path:
    """A worktree in the middle of a merge: one file conflicts, one comes along."""
    git(main, "restore", "b.txt")
    commit(main, {"a.txt": "one\ntrunk\nthree\n", "t.txt": "t\n"}, "Trunk")
    git(feat, "merge", "main", check=False)
    return feat


def test_a_file_without_markers_is_added_and_the_merge_committed_with_gits_message(main: Path, merging: Path) -> None:
    write(merging, {"a.txt": "one\nboth\nthree\n", "new/d.txt": "edited beside\n"})
    assert plan(main).settled == ("a.txt",)
    assert apply_continue(plan(main)).outcome == "continued"
    assert git(merging, "log", "-1", "--format=%B").strip() == "Merge branch 'main' into feat"
    assert git(merging, "show", "HEAD:a.txt") == "one\nboth\nthree"
    assert git(merging, "status", "--porcelain").strip() == "M new/d.txt", "what is edited beside stays as it is"
    assert_nothing_left(main)


def test_what_was_added_is_committed_whatever_it_reads_like(main: Path, merging: Path) -> None:
    git(merging, "checkout", "--theirs", "a.txt")
    assert [one.code for one in plan(main).findings] == ["unresolved"], "it may be as a merge driver left it"
    git(merging, "add", "a.txt")
    assert apply_continue(plan(main)).outcome == "continued"
    assert git(merging, "show", "HEAD:a.txt") == "one\ntrunk\nthree"


@pytest.mark.parametrize(
    "what", ["markers", "short markers", "binary", "deleted there", "driver", "driver by default", "link"]
)
def test_what_a_person_has_not_resolved_stands_in_the_way(main: Path, feat: Path, what: str) -> None:
    git(main, "restore", "b.txt")
    ours, theirs = ("one\nours\n", "one\ntheirs\n") if what != "binary" else ("\0ours", "\0theirs")
    if what == "short markers":
        (main / ".git/info/attributes").write_text("e.txt conflict-marker-size=3\n")
    if what.startswith("driver"):
        if what == "driver":
            (main / ".git/info/attributes").write_text("e.txt merge=ours\n")
        else:
            git(main, "config", "merge.default", "ours")
        git(main, "config", "merge.ours.driver", "echo kept > %A; exit 1")
    commit(main, {"e.txt": "one\n"}, "Begin e")
    git(feat, "merge", "-q", "-X", "ours", "main")
    commit(main, {"e.txt": None if what == "deleted there" else theirs}, "Trunk")
    commit(feat, {"e.txt": ours}, "Ours")
    git(feat, "merge", "main", check=False)
    if what == "link":
        (feat / "e.txt").unlink()
        (feat / "e.txt").symlink_to("a.txt")
    before = seen(main, feat)
    assert only(plan(main).findings).paths == ("e.txt",)
    result = apply_continue(plan(main))
    assert (result.outcome, only(result.findings).code) == ("refused", "unresolved")
    assert seen(main, feat) == before


def test_without_a_merge_there_is_nothing_to_continue(main: Path, feat: Path) -> None:
    assert only(plan(main).findings).code == "nothing-to-continue"
    git(feat, "bisect", "start")
    assert only(plan(main).findings).code == "operation-in-progress"


def test_a_hook_that_refuses_leaves_the_merge_waiting(main: Path, merging: Path) -> None:
    write(merging, {"a.txt": "one\nboth\nthree\n"})
    hook(main, "pre-commit", "echo 'No.' >&2; exit 1")
    head = tip(merging, "HEAD")
    result = apply_continue(plan(main))
    assert result.outcome == "failed" and "No." in only(result.findings).message
    assert tip(merging, "HEAD") == head and git(merging, "rev-parse", "MERGE_HEAD") == tip(main)
    (main / ".git/hooks/pre-commit").unlink()
    assert apply_continue(plan(main)).outcome == "continued"


KILL = 'kill -9 "$(ps -o ppid= $PPID | tr -d " ")"; kill -9 $PPID; exit 1'


def said(found: tuple[Finding, ...]) -> list[str]:
    return [one.message.partition(") ")[2] for one in found]


@pytest.mark.parametrize(
    ("at", "what"),
    [
        ("pre-commit", "still waits there. Continue it, or run: git merge --abort."),
        ("post-commit", "is done."),
    ],
)
def test_killed_it_is_committed_or_still_waits(main: Path, merging: Path, at: str, what: str) -> None:
    write(merging, {"a.txt": "one\nboth\nthree\n"})
    hook(main, at, KILL)
    assert run_and_kill("continue", main, "feat").died
    (main / ".git/hooks" / at).unlink()
    assert said(recover_all(main)) == [what]
    if at == "pre-commit":
        assert apply_continue(plan(main)).outcome == "continued"
    assert git(merging, "log", "-1", "--format=%s") == "Merge branch 'main' into feat"
    assert git(merging, "status", "--porcelain") == ""
    assert_nothing_left(main)
