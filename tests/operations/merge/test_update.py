"""Merging trunk into a worktree, where conflicts are resolved."""

from pathlib import Path

import pytest

from sidecar.model.findings import Failure, Finding
from sidecar.operations.merge.continue_merge import ContinuePlan, apply_continue, plan_continue
from sidecar.operations.merge.update import UpdatePlan, UpdateResult, apply_update, plan_update
from sidecar.operations.recovery import recover_all
from tests.harness import add_worktree, commit, git, write
from tests.harness.killing import run_and_kill
from tests.operations.merge.deeds import TRUSTED, assert_nothing_left, hook, merged, only, planned, seen, tip


def plan(main: Path) -> UpdatePlan:
    found = plan_update(main, "feat", TRUSTED)
    assert not isinstance(found, Failure), found
    return found


def updated(main: Path) -> UpdateResult:
    return apply_update(plan(main))


@pytest.fixture
def ahead(main: Path, feat: Path) -> str:
    """Trunk has gone on: one file that both changed, one of its own."""
    git(main, "restore", "b.txt")
    return commit(main, {"a.txt": "one\ntrunk\nthree\n", "t.txt": "t\n"}, "Trunk")


def test_a_clean_update(main: Path, feat: Path) -> None:
    git(main, "restore", "b.txt")
    commit(main, {"b.txt": "of trunk\n"}, "Trunk")
    write(feat, {"mine.md": "mine\n"})
    assert plan(main).behind == 1
    assert updated(main) == UpdateResult("updated", str(feat), (), ())
    assert git(feat, "log", "-1", "--format=%s") == "Merge branch 'main' into feat"
    assert (feat / "b.txt").read_text() == "of trunk\n"
    assert git(feat, "status", "--porcelain") == "?? mine.md"
    assert_nothing_left(main)
    assert merged(main, "feat").outcome == "refused"
    (feat / "mine.md").unlink()
    assert merged(main, "feat").outcome == "merged"


def test_conflicts_stay_there_and_the_merge_goes_through_once_they_are_resolved(
    main: Path, feat: Path, ahead: str
) -> None:
    result = updated(main)
    assert (result.outcome, result.conflicts, result.path) == ("conflicts", ("a.txt",), str(feat))
    assert "<<<<<<< HEAD" in (feat / "a.txt").read_text()
    assert ">>>>>>> main\n" in (feat / "a.txt").read_text()
    assert git(feat, "rev-parse", "MERGE_HEAD") == ahead
    assert {one.code for one in planned(main).findings} == {"operation-in-progress"}
    write(feat, {"a.txt": "one\nboth\nthree\n"})
    git(feat, "commit", "-qam", "Resolved")
    assert merged(main).outcome == "merged"
    assert (main / "a.txt").read_text() == "one\nboth\nthree\n"


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("edited", "would-overwrite"),
        ("staged elsewhere", "uncommitted"),
        ("untracked", "would-overwrite"),
        ("ignored", "would-overwrite"),
        ("in progress", "operation-in-progress"),
        ("locked", "operation-in-progress"),
        ("nothing new", "nothing-to-merge"),
    ],
)
def test_what_stands_in_the_way(main: Path, feat: Path, ahead: str, what: str, code: str) -> None:
    if what == "edited":
        write(feat, {"a.txt": "edited\n"})
    elif what == "staged elsewhere":
        write(feat, {"b.txt": "staged\n"})
        git(feat, "add", "b.txt")
    elif what in ("untracked", "ignored"):
        write(feat, {"t.txt": "mine\n"})
        (main / ".git/info/exclude").write_text("t.txt\n" if what == "ignored" else "")
    elif what == "in progress":
        git(feat, "merge", "main", check=False)
    elif what == "locked":  # git would leave a merge under way that has nothing of trunk in its index
        (main / ".git/worktrees/feat/index.lock").touch()
    else:
        git(feat, "merge", "-q", "-s", "ours", "-m", "Have it", "main")
    before = seen(main, feat)
    found = only(plan(main).findings)
    assert found.code == code
    result = updated(main)
    assert (result.outcome, only(result.findings).code) == ("refused", code)
    assert seen(main, feat) == before


def test_the_message_is_gits_own_wherever_it_takes_it_from(main: Path, feat: Path) -> None:
    git(main, "restore", "b.txt")
    commit(main, {"t.txt": "t\n"}, "Trunk")
    git(main, "config", "merge.log", "true")
    git(main, "switch", "-q", "-c", "elsewhere", "HEAD~")
    git(feat, "merge", "-q", "--no-edit", "main")
    message = git(feat, "log", "-1", "--format=%B")
    assert "  Trunk" in message
    git(feat, "reset", "-q", "--hard", "HEAD~")
    assert updated(main).outcome == "updated"
    assert git(feat, "log", "-1", "--format=%B") == message


def test_a_bare_repository_whose_head_names_no_branch(main: Path, feat: Path, tmp_path: Path) -> None:
    """As `git init --bare` leaves it, where trunk was pushed under another name."""
    git(main, "restore", "b.txt")
    commit(main, {"t.txt": "t\n"}, "Trunk")
    bare = tmp_path / "shop.git"
    git(tmp_path, "clone", "-q", "--bare", main, bare)
    git(bare, "remote", "remove", "origin")
    git(bare, "symbolic-ref", "HEAD", "refs/heads/nowhere")
    git(bare, "worktree", "add", "-q", tmp_path / "work", "feat")
    found = plan_update(bare, "work", TRUSTED)
    assert isinstance(found, UpdatePlan), found
    assert apply_update(found).outcome == "updated"
    assert git(bare, "log", "-1", "--format=%s", "feat") == "Merge branch 'main' into feat"
    assert merged(bare, "work").outcome == "merged"
    assert git(bare, "log", "-1", "--format=%s", "main") == "Merge branch 'feat'"
    assert_nothing_left(bare)


def test_an_edit_that_trunk_does_not_touch_stays(main: Path, feat: Path) -> None:
    git(main, "restore", "b.txt")
    commit(main, {"t.txt": "t\n"}, "Trunk")
    write(feat, {"b.txt": "being edited\n"})
    assert updated(main).outcome == "updated"
    assert (feat / "b.txt").read_text() == "being edited\n"


def test_an_ignored_file_where_a_renamed_directory_takes_a_new_file(main: Path, feat: Path) -> None:
    """Git merges trunk's `old/local.env` into `new`, and would write over what it ignores there."""
    git(main, "restore", "b.txt")
    commit(main, {f"old/{name}": f"{name}\n" * 20 for name in "abc"}, "Three files")
    git(feat, "merge", "-q", "--no-edit", "main")
    git(feat, "mv", "old", "there")
    git(feat, "commit", "-qm", "Rename the directory")
    (main / ".git/info/exclude").write_text("*.env\n")
    write(feat, {"there/local.env": "secret\n"})
    write(main, {"old/local.env": "of trunk\n"})
    git(main, "add", "-f", "old/local.env")
    git(main, "commit", "-qm", "Trunk")
    found = only(plan(main).findings)
    assert (found.code, found.paths) == ("would-overwrite", ("there/local.env",))
    assert updated(main).outcome == "refused"
    assert (feat / "there/local.env").read_text() == "secret\n"
    (feat / "there/local.env").unlink()
    assert updated(main).conflicts == ("there/local.env",)


def test_an_ignored_file_that_only_one_of_two_merge_bases_has(main: Path, feat: Path) -> None:
    git(main, "restore", "b.txt")
    commit(main, {"p.env": "p\n"}, "A file")
    git(main, "switch", "-q", "-c", "without")
    without = commit(main, {"p.env": None}, "Delete it")
    git(main, "switch", "-q", "main")
    kept = commit(main, {"q.txt": "q\n"}, "Keep it")
    git(main, "merge", "-q", "-s", "ours", "-m", "Keep it", without)
    git(feat, "reset", "-q", "--hard", without)
    git(feat, "merge", "-q", "--no-edit", kept)
    assert len(git(main, "merge-base", "--all", "main", "feat").split()) == 2
    (main / ".git/info/exclude").write_text("*.env\n")
    write(feat, {"p.env": "secret\n"})
    result = updated(main)
    assert (result.outcome, only(result.findings).code) == ("refused", "would-overwrite")
    assert (feat / "p.env").read_text() == "secret\n"


def test_a_hook_that_refuses(main: Path, feat: Path) -> None:
    git(main, "restore", "b.txt")
    commit(main, {"t.txt": "t\n"}, "Trunk")
    head = tip(feat, "HEAD")
    hook(main, "pre-merge-commit", "echo 'No.' >&2; exit 1")
    result = updated(main)
    assert result.outcome == "failed"
    assert "No." in only(result.findings).message
    assert "git merge --abort" in only(result.findings).message
    assert result.waits
    assert tip(feat, "HEAD") == head


def test_what_git_resolves_as_before_waits_for_a_look(main: Path, feat: Path, ahead: str) -> None:
    for key in ("rerere.enabled", "rerere.autoUpdate"):
        git(main, "config", key, "true")
    git(feat, "merge", "main", check=False)
    commit(feat, {"a.txt": "one\nboth\nthree\n"}, "Resolve it once")
    git(feat, "reset", "-q", "--hard", "HEAD~")
    result = updated(main)
    assert (result.outcome, result.conflicts) == ("conflicts", ())
    assert (only(result.findings, "info").code, only(result.findings, "info").paths) == ("resolved-before", ("a.txt",))
    assert (feat / "a.txt").read_text() == "one\nboth\nthree\n"
    going = plan_continue(main, "feat", TRUSTED)
    assert isinstance(going, ContinuePlan)
    assert apply_continue(going).outcome == "continued"
    assert merged(main).outcome == "merged"


def test_trunk_itself(main: Path) -> None:
    found = plan_update(main, "shop", TRUSTED)
    assert isinstance(found, UpdatePlan)
    assert only(found.findings).code == "is-trunk"


KILL = 'kill -9 "$(ps -o ppid= $PPID | tr -d " ")"; kill -9 $PPID; exit 1'
"""In a filter or hook: ends git, and who started it."""


def said(found: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(one.code, one.message.partition(") ")[2] or one.message) for one in found]


def test_killed_while_git_writes_files_it_is_taken_back(main: Path, feat: Path) -> None:
    git(main, "restore", "b.txt")
    commit(main, {"b.txt": "of trunk\n", "c.txt": "new\n", "z.end": "z\n"}, "Trunk")
    write(feat, {"mine.md": "mine\n"})
    (main / ".git/info/attributes").write_text("*.end filter=end\n")
    git(main, "config", "filter.end.smudge", KILL)
    before = seen(feat)
    assert run_and_kill("update", main, "feat").died
    assert (feat / "b.txt").read_text() == "of trunk\n" and (feat / "c.txt").exists()
    assert said(recover_all(main)) == [("recovered", "was taken back.")]
    assert seen(feat) == before
    assert_nothing_left(main)


def test_what_a_person_wrote_since_the_kill_is_left_to_them(main: Path, feat: Path) -> None:
    git(main, "restore", "b.txt")
    commit(main, {"b.txt": "of trunk\n", "z.end": "z\n"}, "Trunk")
    (main / ".git/info/attributes").write_text("*.end filter=end\n")
    git(main, "config", "filter.end.smudge", KILL)
    assert run_and_kill("update", main, "feat").died
    write(feat, {"b.txt": "of a person\n"})
    found = recover_all(main)
    assert [one.code for one in found] == ["recovered", "half-written"] and found[1].paths == ("b.txt",)
    assert (feat / "b.txt").read_text() == "of a person\n"
    assert_nothing_left(main)


def test_killed_when_it_was_made_it_is_done(main: Path, feat: Path) -> None:
    git(main, "restore", "b.txt")
    commit(main, {"b.txt": "of trunk\n"}, "Trunk")
    hook(main, "post-merge", KILL)
    assert run_and_kill("update", main, "feat").died
    (main / ".git/hooks/post-merge").unlink()
    assert said(recover_all(main)) == [("recovered", "is done.")]
    assert git(feat, "log", "-1", "--format=%s") == "Merge branch 'main' into feat"
    assert git(feat, "status", "--porcelain") == ""
    assert_nothing_left(main)


def test_killed_while_it_waits_for_a_person_it_goes_on_waiting(main: Path, feat: Path, ahead: str) -> None:
    assert run_and_kill("update", main, "feat", point=2).died
    assert git(feat, "rev-parse", "MERGE_HEAD") == ahead
    (found,) = recover_all(main)
    assert found.code == "recovered" and "waits there" in found.message
    assert "<<<<<<< HEAD" in (feat / "a.txt").read_text()
    assert_nothing_left(main)


@pytest.fixture
def other(main: Path, feat: Path) -> Path:
    """Another worktree, which has changed what `feat` has, and has something that is not committed."""
    git(main, "restore", "b.txt")
    path = add_worktree(main, "other", branch="topic")
    commit(path, {"a.txt": "one\ntopic\nthree\n", "o.txt": "o\n"}, "Topic")
    write(path, {"later.md": "later\n"})
    return path


def from_other(main: Path, name: str = "feat", source: str = "other") -> UpdatePlan:
    found = plan_update(main, name, TRUSTED, source)
    assert isinstance(found, UpdatePlan), found
    return found


def test_another_worktrees_commits_are_merged_and_what_is_not_committed_there_is_named(
    main: Path, feat: Path, other: Path
) -> None:
    before = seen(other)
    found = from_other(main)
    assert (found.behind, found.incoming.name) == (1, "topic")
    assert only(found.findings, "info").message == "1 file in other is not committed, and not merged: later.md."
    result = apply_update(found)
    assert (result.outcome, result.conflicts) == ("conflicts", ("a.txt",))
    assert ">>>>>>> topic\n" in (feat / "a.txt").read_text()
    assert git(feat, "rev-parse", "MERGE_HEAD") == tip(other, "topic")
    assert seen(other) == before
    write(feat, {"a.txt": "one\nboth\nthree\n"})
    git(feat, "commit", "-qam", "Resolved")
    assert only(from_other(main).findings).code == "nothing-to-merge"


def test_a_detached_worktree_is_merged_by_its_commit(main: Path, feat: Path, other: Path) -> None:
    git(other, "checkout", "-q", "--detach")
    commit(other, {"a.txt": None}, "Begin anew")
    commit(other, {"a.txt": "one\ntwo\nthree\n"}, "As it was")
    head = tip(other, "HEAD")
    assert apply_update(from_other(main)).outcome == "updated"
    assert git(feat, "log", "-1", "--format=%s") == f"Merge commit '{head}' into feat"


def test_nothing_is_merged_into_trunk_so_nor_into_itself(main: Path, feat: Path, other: Path) -> None:
    found = only(from_other(main, "shop").findings)
    assert found.code == "is-trunk" and "Merge topic into trunk instead." in found.message
    assert isinstance(plan_update(main, "feat", TRUSTED, "feat"), Failure)
    assert isinstance(plan_update(main, "feat", TRUSTED, "nobody"), Failure)
