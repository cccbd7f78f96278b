"""Every finding of a plan, before anything is written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.plan import plan_merge
from sidecar.operations.merge.run import MergeChoices
from sidecar.operations.run import hold
from tests.harness import Symlink, add_worktree, commit, git, init, write
from tests.operations.merge.deeds import TRUSTED, assert_nothing_left, merged, only, planned, seen


def refused(main: Path, code: str, name: str = "feat", choices: MergeChoices | None = None) -> tuple[str, ...]:
    """Plan; the one finding that blocks has this code, applying refuses with it, and nothing is touched."""
    folders = [path for path in (main, main.parent / "feat") if path.exists()]
    before = seen(*folders)
    plan = planned(main, name, choices)
    found = only(plan.findings)
    assert found.code == code, found
    assert found.message.endswith((".", "ADDRESS", "index.lock", "origin/dev"))
    result = apply_merge(plan)
    assert (result.outcome, only(result.findings).code, result.after, result.receipt) == ("refused", code, None, None)
    assert seen(*folders) == before
    assert_nothing_left(main)
    return found.paths


def test_nothing_in_the_way(main: Path, feat: Path) -> None:
    plan = planned(main)
    assert plan.findings == ()
    assert (plan.worktree.name, plan.trunk.branch, plan.ahead, plan.message) == (
        "feat",
        "main",
        1,
        "Merge branch 'feat'",
    )
    assert plan.checkout is not None
    assert plan.checkout.key == str(main)


@pytest.mark.parametrize(
    ("names", "blocked", "agreed"),
    [
        (
            ("x",),
            "feat has 1 file that is not committed. Commit it first.",
            "In feat, 1 file that is not committed will be committed first.",
        ),
        (
            ("x", "y"),
            "feat has 2 files that are not committed. Commit them first.",
            "In feat, 2 files that are not committed will be committed first.",
        ),
    ],
)
def test_a_sentence_agrees_in_number(main: Path, feat: Path, names: tuple[str, ...], blocked: str, agreed: str) -> None:
    write(feat, dict.fromkeys(names, "late\n"))
    assert only(planned(main).findings).message == blocked
    assert only(planned(main, choices=MergeChoices(commit="Late")).findings, "info").message == agreed


def test_an_unknown_name(main: Path) -> None:
    found = plan_merge(main, "nobody", TRUSTED)
    assert isinstance(found, Failure)
    assert found.code == "unknown-name"


@pytest.mark.parametrize("how", ["edited", "staged", "untracked", "deleted", "conflict-free rename"])
def test_uncommitted_work(main: Path, feat: Path, how: str) -> None:
    if how == "deleted":
        (feat / "b.txt").unlink()
    elif how == "conflict-free rename":
        git(feat, "mv", "b.txt", "bb.txt")
    else:
        write(feat, {"late.txt" if how == "untracked" else "b.txt": "more\n"})
    if how == "staged":
        git(feat, "add", "b.txt")
    assert refused(main, "uncommitted")


def test_an_operation_in_progress(main: Path, feat: Path) -> None:
    git(main, "branch", "other", "main")
    git(feat, "merge", "--no-commit", "--no-ff", commit_on(main, "other"))
    git(feat, "restore", "--staged", "--worktree", ".")
    assert refused(main, "operation-in-progress") == ()


def test_in_the_middle_of_a_merge_nothing_is_told_that_follows_from_it(main: Path, feat: Path) -> None:
    commit(main, {"b.txt": "trunk\n"})
    commit(feat, {"b.txt": "mine\n"})
    git(feat, "merge", "main", check=False)
    assert [one.code for one in planned(main).findings] == ["operation-in-progress"]


def commit_on(main: Path, branch: str) -> str:
    """A commit on a branch that is checked out nowhere."""
    tree = git(main, "rev-parse", f"{branch}^{{tree}}")
    made = git(main, "commit-tree", tree, "-p", branch, "-m", "Empty")
    git(main, "update-ref", f"refs/heads/{branch}", made)
    return made


def test_a_conflict_is_told_with_paths_and_lines(main: Path, feat: Path) -> None:
    git(main, "restore", "b.txt")
    commit(main, {"a.txt": "one\ntwo of trunk\nthree\n"}, "Other")
    assert refused(main, "conflict") == ("a.txt",)
    assert "a.txt (line 2)" in only(planned(main).findings).message


def test_a_conflict_at_one_commit_of_a_rebase(main: Path) -> None:
    git(main, "restore", "b.txt")
    feat = add_worktree(main, "feat")
    commit(feat, {"a.txt": "one\n2\nthree\n"}, "There")
    commit(feat, {"a.txt": "one\ntwo\nthree\n"}, "And back")
    commit(feat, {"z.txt": "z\n"}, "Other")
    commit(main, {"a.txt": "one\ntrunk\nthree\n"}, "Trunk")
    assert planned(main).findings == ()
    assert refused(main, "conflict", choices=MergeChoices("rebase")) == ("a.txt",)


@pytest.mark.parametrize(
    ("way", "path"),
    [
        ("edited", "a.txt"),
        ("staged", "a.txt"),
        ("staged and taken back on disk", "a.txt"),
        ("deleted", "a.txt"),
        ("assume-unchanged", "a.txt"),
        ("skip-worktree", "a.txt"),
        ("untracked", "new/d.txt"),
        ("ignored", "new/d.txt"),
        ("ignored directory at the file", "new/d.txt/x.log"),
        ("ignored file at the directory", "new"),
        ("a link at the directory", "new"),
        ("edited and gone in the merge", "dir/c.txt"),
    ],
)
def test_what_the_merge_would_write_over(main: Path, feat: Path, way: str, path: str) -> None:
    with (main / ".git/info/exclude").open("a") as ignored:
        ignored.write("/new\n")
    if "staged" in way or way == "edited":
        write(main, {"a.txt": "being edited\n"})
    if "staged" in way:
        git(main, "add", "a.txt")
    if way.endswith("on disk"):
        write(main, {"a.txt": "one\ntwo\nthree\n"})
    if way == "deleted":
        (main / "a.txt").unlink()
    if way in ("assume-unchanged", "skip-worktree"):
        git(main, "update-index", f"--{way}", "a.txt")
        write(main, {"a.txt": "hidden\n"})
    if way in ("untracked", "ignored", "ignored directory at the file"):
        write(main, {path: "mine\n"})
    if way == "untracked":
        (main / ".git/info/exclude").write_text("")
    if way == "ignored file at the directory":
        write(main, {"new": "mine\n"})
    if way == "a link at the directory":
        write(main, {"new": Symlink("..")})
    if way == "edited and gone in the merge":
        write(main, {path: "mine\n"})
    assert refused(main, "would-overwrite") == (path,)


def test_a_file_where_the_merge_has_a_directory_of_the_same_name(main: Path) -> None:
    feat = add_worktree(main, "feat")
    (feat / "dir/c.txt").unlink()
    (feat / "dir").rmdir()
    commit(feat, {"dir": "a file\n"}, "A file")
    write(main, {"dir/mine.log": "ignored\n"})
    assert refused(main, "would-overwrite") == ("dir/mine.log",)
    (main / "dir/mine.log").unlink()
    assert planned(main).findings == ()


def test_other_dirty_files_are_no_obstacle(main: Path, feat: Path) -> None:
    write(main, {"b.txt": "staged\n", "new/mine.log": "ignored beside\n"})
    git(main, "add", "b.txt")
    assert planned(main).findings == ()


def test_trunks_checkout_in_the_middle_of_something(main: Path, feat: Path) -> None:
    git(main, "restore", "b.txt")
    git(main, "branch", "other", "main")
    git(main, "merge", "-q", "--no-commit", "--no-ff", commit_on(main, "other"))
    assert refused(main, "trunk-in-operation") == ()


def test_trunk_that_is_being_rebased(main: Path, feat: Path) -> None:
    git(main, "restore", "b.txt")
    commit(main, {"a.txt": "one\ntrunk\nthree\n"}, "Trunk")
    git(main, "rebase", "feat", check=False)
    assert git(main, "status").splitlines()[0].startswith("interactive rebase in progress")
    plan = planned(main)
    assert "trunk-in-operation" in {one.code for one in plan.findings if one.severity == "blocks"}
    assert apply_merge(plan).outcome == "refused"


def test_a_lock_of_another_git_in_trunks_checkout(main: Path, feat: Path) -> None:
    (main / ".git/index.lock").touch()
    plan = planned(main)
    assert only(plan.findings).code == "trunk-in-operation"
    assert apply_merge(plan).outcome == "refused"
    assert (main / ".git/index.lock").exists()


def test_trunk_behind_its_upstream_is_told(main: Path, feat: Path, tmp_path: Path) -> None:
    git(main, "restore", "b.txt")
    init(tmp_path / "hub.git", "--bare")
    git(main, "remote", "add", "origin", str(tmp_path / "hub.git"))
    git(main, "push", "-q", "-u", "origin", "main")
    git(main, "update-ref", "refs/remotes/origin/main", commit_on_top(main))
    assert only(planned(main).findings, "info").message == (
        "origin/main has 1 commit that main lacks. Pull before you push."
    )


def commit_on_top(main: Path) -> str:
    return git(main, "commit-tree", git(main, "rev-parse", "main^{tree}"), "-p", "main", "-m", "Theirs")


def test_a_branch_without_commits_of_its_own(main: Path) -> None:
    add_worktree(main, "feat")
    assert refused(main, "nothing-to-merge") == ()


def test_a_squash_of_what_trunk_has_already(main: Path, feat: Path) -> None:
    git(main, "restore", "b.txt")
    git(main, "cherry-pick", "feat")
    assert only(planned(main).findings, "info").code == "no-change"
    assert refused(main, "nothing-to-merge", choices=MergeChoices("squash")) == ()


def test_no_identity(main: Path, feat: Path, home: Path) -> None:
    (home / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    assert refused(main, "no-identity") == ()


def test_an_identity_of_the_environment(main: Path, feat: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Eve")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "eve@example.com")
    assert apply_merge(planned(main)).outcome == "merged"
    assert git(main, "log", "-1", "--format=%an %cn") == "Eve Eve"


def test_another_operation_holds_the_lock(main: Path, feat: Path) -> None:
    with hold(str(main / ".git"), "merging other into main"):
        found = only(planned(main).findings)
    assert found.code == "busy"
    assert f"Process {os.getpid()} is merging other into main since " in found.message
    assert planned(main).findings == ()


def test_two_merges_at_once(main: Path, feat: Path) -> None:
    """One of the two lands, and the other is told who is at work, or that the world has changed."""
    other = add_worktree(main, "other")
    commit(other, {"other.txt": "o\n"}, "Other")
    code = (
        "import sys; from pathlib import Path; from sidecar.operations.merge.apply import apply_merge\n"
        "from sidecar.operations.merge.plan import plan_merge\n"
        "from sidecar.session.reader import Options\n"
        "plan = plan_merge(Path(sys.argv[1]), sys.argv[2], Options(trusted=True))\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "result = apply_merge(plan); print(result.outcome, *(one.code for one in result.findings))"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, main, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in ("feat", "other")
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    said = [process.stdin.write("go\n") and process.stdin.flush() for process in both if process.stdin]
    assert said
    ends = sorted(process.communicate()[0].strip() for process in both)
    assert ends[0] == "merged"
    assert ends[1] in ("refused busy", "refused changed-since", "refused trunk-moved")
    assert_nothing_left(main)


def test_trunk_itself(main: Path) -> None:
    assert refused(main, "is-trunk", "shop") == ()


def test_a_worktree_that_is_gone(main: Path, feat: Path) -> None:
    feat.rename(feat.with_name("moved"))
    assert only(planned(main).findings).code == "problem"


def test_histories_that_have_nothing_in_common(main: Path) -> None:
    feat = add_worktree(main, "feat")
    git(feat, "checkout", "-q", "--orphan", "alone")
    commit(feat, {"z.txt": "z\n"}, "Alone")
    assert refused(main, "unrelated") == ()


def test_a_submodule_commit_that_nobody_else_has(main: Path, tmp_path: Path) -> None:
    library = init(tmp_path / "library")
    commit(library, {"lib.txt": "1\n"}, "Library")
    git(main, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")
    git(main, "commit", "-qm", "Use it")
    feat = add_worktree(main, "feat")
    git(feat, "-c", "protocol.file.allow=always", "submodule", "update", "-q", "--init")
    inner = commit(feat / "lib", {"lib.txt": "2\n"}, "Only here")
    git(feat, "commit", "-qam", "Point there")
    assert only(planned(main).findings).code == "submodule-commit"
    assert apply_merge(planned(main)).outcome == "refused"
    git(feat / "lib", "push", "-q", "origin", f"{inner}:refs/heads/pushed")
    assert planned(main).findings == ()
    assert apply_merge(planned(main)).outcome == "merged"
    assert git(main, "rev-parse", "main:lib") == inner


def test_a_trunk_that_is_at_origin_only(main: Path, feat: Path) -> None:
    git(main, "update-ref", "refs/remotes/origin/dev", "main")
    git(main, "config", "sidecar.trunk", "dev")
    assert refused(main, "no-local-trunk") == ()


def test_trunk_checked_out_twice(main: Path, feat: Path) -> None:
    git(main, "worktree", "add", "-q", "--force", str(main.parent / "again"), "main")
    assert refused(main, "trunk-checkout") == ()


def test_a_checkout_of_trunk_that_is_gone(main: Path, feat: Path) -> None:
    git(main, "switch", "-q", "-c", "elsewhere")
    gone = main.parent / "trunk"
    git(main, "worktree", "add", "-q", str(gone), "main")
    shutil.rmtree(gone)
    found = only(planned(main).findings)
    assert (found.code, "git worktree prune forgets it" in found.message) == ("trunk-checkout", True)
    git(main, "worktree", "prune")
    assert merged(main).outcome == "merged"


def test_the_plan_names_what_will_run(main: Path, feat: Path) -> None:
    git(main, "config", "sidecar.verify", "make test")
    git(main, "config", "sidecar.prepare", "make deps")
    plan = planned(main)
    assert (plan.verify, plan.prepare, plan.limit) == ("make test", "make deps", 1800)
    assert planned(main, choices=MergeChoices(verify="")).verify == ""
    assert planned(main, choices=MergeChoices(verify="true")).verify == "true"


def test_what_changed_since_the_plan(main: Path, feat: Path) -> None:
    plan = planned(main)
    commit(feat, {"z.txt": "z\n"}, "Later")
    assert only(apply_merge(plan).findings).code == "changed-since"
    plan = planned(main, choices=MergeChoices(commit="All"))
    write(feat, {"late.txt": "not agreed to\n"})
    assert only(apply_merge(plan).findings).code == "changed-since"
    assert_nothing_left(main)


def test_an_untrusted_plan_runs_nothing(main: Path, feat: Path, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    for name in ("filter.x.clean", "filter.x.smudge", "merge.x.driver", "core.fsmonitor", "diff.x.textconv"):
        git(main, "config", name, f"touch {proof}")
    write(feat, {".gitattributes": "* filter=x merge=x diff=x\n", "b.txt": "edited\n"})
    plan = plan_merge(main, "feat", Options())
    assert not isinstance(plan, Failure)
    assert not proof.exists()


def test_a_plan_says_how_many_files_change_and_how_many_go(main: Path, feat: Path) -> None:
    extent = planned(main).extent
    assert extent is not None
    assert extent.said == "Changes 1 file, adds 1 file, deletes 1 of 4 files."


@pytest.mark.parametrize("how", ["committed", "staged", "gone from the disk", "out of the index"])
def test_a_plan_that_deletes_everything_says_so(main: Path, how: str) -> None:
    feat = add_worktree(main, "feat")
    git(feat, "rm", "-rq", *(["--cached"] if how == "out of the index" else []), ".")
    if how == "committed":
        git(feat, "commit", "-q", "-m", "Small fix")
    if how == "gone from the disk":
        git(feat, "reset", "-q")
    if how == "out of the index":
        git(feat, "clean", "-fdq")
    extent = planned(main, choices=MergeChoices(commit="Work")).extent
    assert extent is not None
    assert extent.said == "Deletes 4 of 4 files."


def test_a_plan_that_stops_says_nothing_of_files(main: Path, feat: Path) -> None:
    commit(main, {"a.txt": "one\nzwei\nthree\n"}, "Otherwise")
    assert planned(main).extent is None
