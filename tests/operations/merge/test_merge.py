"""A merge that goes through: what trunk has then, and what is left behind."""

from pathlib import Path

import pytest

from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.run import MergeChoices
from sidecar.operations.records import read_receipt, sidecar_path
from tests.harness import add_worktree, commit, git, init, write
from tests.harness.repository import Content, RepositoryPath, locate
from tests.operations.merge.deeds import assert_nothing_left, merged, planned, tip


def test_a_merge_lands_as_git_would_have_made_it(main: Path, feat: Path) -> None:
    before = tip(main)
    result = merged(main)
    assert (result.outcome, result.branch, result.before, result.after) == ("merged", "main", before, tip(main))
    assert git(main, "log", "-1", "--format=%s%n%P%n%an") == f"Merge branch 'feat'\n{before} {tip(main, 'feat')}\nAda"
    assert git(main, "reflog", "-1", "--format=%gs", "main") == "merge feat: Fast-forward"
    assert (main / "a.txt").read_text() == "one\n2\nthree\n"
    assert (main / "new/d.txt").read_text() == "d\n"
    assert not (main / "dir").exists()
    assert git(main, "status", "--porcelain").splitlines() == [" M b.txt", "?? notes.md"]
    assert (main / "b.txt").read_text() == "b, and being edited\n"
    assert (main / "debug.log").read_text() == "ignored\n"
    assert_nothing_left(main)


def test_the_receipt_says_what_was_merged(main: Path, feat: Path) -> None:
    before = tip(main)
    result = merged(main)
    assert result.receipt is not None
    receipt = read_receipt(sidecar_path(str(main / ".git")), result.receipt)
    assert receipt is not None
    assert (receipt.what, receipt.worktree, receipt.branch) == ("merge", "feat", "feat")
    known = {name: receipt.facts[name] for name in ("trunk", "before", "after", "head", "strategy")}
    assert known == {
        "trunk": "refs/heads/main",
        "before": before,
        "after": tip(main),
        "head": tip(main, "feat"),
        "strategy": "merge",
    }


def test_a_message_of_ones_own(main: Path, feat: Path) -> None:
    merged(main, choices=MergeChoices(message="Bring the feature\n\n$(id) `x` -m"))
    assert git(main, "log", "-1", "--format=%B") == "Bring the feature\n\n$(id) `x` -m"


def test_a_squash_is_one_commit_with_gits_own_message(main: Path, feat: Path) -> None:
    before = tip(main)
    commit(feat, {"e.txt": "e\n"}, "More of it")
    assert merged(main, choices=MergeChoices("squash")).outcome == "merged"
    assert git(main, "log", "-1", "--format=%P") == before
    body = git(main, "log", "-1", "--format=%B")
    assert body.startswith("Squashed commit of the following:\n\ncommit ")
    assert "    More of it" in body and "    Work on it" in body
    assert git(main, "rev-parse", "main^{tree}") == git(main, "rev-parse", "feat^{tree}")
    assert_nothing_left(main)


def test_a_rebase_moves_trunk_and_leaves_the_branch(main: Path, feat: Path) -> None:
    git(main, "restore", "b.txt")
    commit(main, {"f.txt": "f\n"}, "Meanwhile")
    before, branch = tip(main), tip(main, "feat")
    assert merged(main, choices=MergeChoices("rebase")).outcome == "merged"
    assert git(main, "log", "-1", "--format=%P %s") == f"{before} Work on it"
    assert tip(main, "feat") == branch
    assert_nothing_left(main)


def test_what_is_not_committed_is_committed_first_when_agreed(main: Path, feat: Path) -> None:
    write(feat, {"a.txt": "one\n2\n3\n", "late.txt": "late\n", "x.log": "ignored\n"})
    git(feat, "rm", "-q", "--cached", "b.txt")
    git(feat, "rm", "-q", "--cached", "new/d.txt")
    (feat / "new/d.txt").unlink()
    result = merged(main, choices=MergeChoices(commit="The rest"))
    assert result.outcome == "merged", result
    assert git(feat, "log", "-1", "--format=%s") == "The rest"
    assert git(feat, "status", "--porcelain") == ""
    assert git(main, "show", "--name-only", "--format=", "feat").splitlines() == ["a.txt", "late.txt", "new/d.txt"]
    assert (main / "late.txt").read_text() == "late\n"
    assert_nothing_left(main)


def test_trunk_that_is_checked_out_nowhere_moves_by_its_ref(main: Path, feat: Path) -> None:
    git(main, "switch", "-q", "-c", "elsewhere")
    files = sorted(path.name for path in main.iterdir())
    result = merged(feat)
    assert (result.outcome, result.after) == ("merged", tip(main))
    assert git(main, "reflog", "-1", "--format=%gs", "main") == "merge feat: Sidecar"
    assert sorted(path.name for path in main.iterdir()) == files
    assert_nothing_left(main)


def test_trunk_in_a_linked_worktree(main: Path, feat: Path) -> None:
    git(main, "switch", "-q", "-c", "elsewhere")
    linked = main.parent / "trunk"
    git(main, "worktree", "add", "-q", str(linked), "main")
    assert merged(feat).outcome == "merged"
    assert git(linked, "status", "--porcelain") == ""
    assert (linked / "new/d.txt").exists()
    assert_nothing_left(main)


@pytest.mark.parametrize("linked_trunk", [False, True])
def test_a_bare_main_repository(tmp_path: Path, linked_trunk: bool) -> None:
    seed = init(tmp_path / "seed")
    commit(seed, {"a.txt": "a\n"}, "Begin")
    bare = tmp_path / "shop.git"
    git(seed, "clone", "-q", "--bare", str(seed), str(bare))
    if linked_trunk:
        git(bare, "worktree", "add", "-q", str(tmp_path / "trunk"), "main")
    work = tmp_path / "feat"
    git(bare, "worktree", "add", "-q", "-b", "feat", str(work), "main")
    commit(work, {"a.txt": "b\n"}, "Work")
    assert merged(work).outcome == "merged"
    assert git(bare, "show", "main:a.txt") == "b"
    if linked_trunk:
        assert (tmp_path / "trunk/a.txt").read_text() == "b\n"
        assert git(tmp_path / "trunk", "status", "--porcelain") == ""
    assert_nothing_left(bare)


@pytest.mark.parametrize("branch", ["-d", "$(id)", "größe/ü", "a=b", "x'y", "`id`", "--squash", "a](b)"])
def test_odd_branch_names(main: Path, branch: str) -> None:
    path = main.parent / "odd"
    git(main, "update-ref", f"refs/heads/{branch}", "main")
    git(main, "worktree", "add", "-q", "--detach", str(path), "main")
    git(path, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    commit(path, {"odd.txt": "odd\n"}, "Odd")
    assert merged(main, "odd").outcome == "merged"
    assert git(main, "log", "-1", "--format=%s") == f"Merge branch '{branch}'"
    assert_nothing_left(main)


def test_a_trunk_with_an_odd_name_and_merge_options(main: Path, feat: Path) -> None:
    git(main, "branch", "-m", "main", "trunk=a.b")
    git(main, "config", "sidecar.trunk", "trunk=a.b")
    git(main, "config", "branch.trunk=a.b.mergeOptions", "--squash --no-commit --signoff")
    git(main, "config", "merge.ff", "only")
    assert merged(main).outcome == "merged"
    assert git(main, "log", "-1", "--format=%B").startswith("Merge branch 'feat' into trunk=a.b\n\nSigned-off-by: Ada")
    assert_nothing_left(main)


def test_a_sha256_repository(tmp_path: Path) -> None:
    path = init(tmp_path / "shop", "--object-format=sha256")
    commit(path, {"a.txt": "a\n"}, "Begin")
    work = add_worktree(path, "feat")
    commit(work, {"a.txt": "b\n"}, "Work")
    result = merged(path)
    assert result.outcome == "merged"
    assert len(result.after or "") == 64
    assert_nothing_left(path)


def test_a_detached_worktree_is_merged_by_its_commit(main: Path) -> None:
    path = add_worktree(main, "loose", detach=True)
    head = commit(path, {"loose.txt": "loose\n"}, "Loose")
    assert merged(main, "loose").outcome == "merged"
    assert git(main, "log", "-1", "--format=%s") == f"Merge commit '{head}'"


def test_the_same_plan_twice_merges_once(main: Path, feat: Path) -> None:
    plan = planned(main)
    assert apply_merge(plan).outcome == "merged"
    again = apply_merge(plan)
    assert again.outcome == "refused"
    assert [finding.code for finding in again.findings] == ["nothing-to-merge"]


def test_planning_writes_nothing(main: Path, feat: Path) -> None:
    from tests.harness.state import state_of

    before = state_of(main)
    assert not planned(main).blocked
    assert state_of(main) == before


@pytest.mark.parametrize("with_files", [False, True])
def test_submodules_that_follow_every_checkout(main: Path, tmp_path: Path, with_files: bool) -> None:
    library = init(tmp_path / "library")
    first = commit(library, {"lib.txt": "1\n"}, "Library")
    second = commit(library, {"lib.txt": "2\n"}, "More")
    git(main, "config", "protocol.file.allow", "always")
    git(main, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")
    git(main / "lib", "checkout", "-q", first)
    git(main, "add", "lib")
    git(main, "commit", "-qm", "Use it")
    git(main, "config", "submodule.recurse", "true")
    feat = add_worktree(main, "feat")
    git(feat, "-c", "protocol.file.allow=always", "submodule", "update", "-q", "--init")
    git(feat / "lib", "checkout", "-q", second)
    commit(feat, {"lib2.txt": "x\n"}, "Point to more")
    assert merged(main, choices=MergeChoices(verify="test -e a.txt" if with_files else "")).outcome == "merged"
    assert git(main, "rev-parse", "main:lib") == second
    assert_nothing_left(main)


def test_a_sparse_trunk(main: Path, feat: Path) -> None:
    commit(feat, {"far/away.txt": "far\n"}, "Far away")
    git(main, "stash", "-q", "--include-untracked")
    git(main, "sparse-checkout", "set", "--no-cone", "/a.txt", "/new")
    assert merged(main).outcome == "merged"
    assert (main / "new/d.txt").exists()
    assert not (main / "far").exists()
    assert git(main, "status", "--porcelain") == ""
    assert git(main, "config", "core.sparseCheckout") == "true"
    assert_nothing_left(main)


def test_line_ends_and_filters_of_the_repository(main: Path, feat: Path) -> None:
    git(main, "config", "filter.rot.clean", "tr a-z b-za")
    git(main, "config", "filter.rot.smudge", "tr b-za a-z")
    commit(feat, {".gitattributes": "*.rot filter=rot\n*.crlf text eol=crlf\n", "x.rot": "abc\n", "y.crlf": "1\n"}, "F")
    assert merged(main).outcome == "merged"
    assert (main / "x.rot").read_bytes() == b"abc\n"
    assert (main / "y.crlf").read_bytes() == b"1\r\n"
    assert git(main, "show", "main:x.rot") == "bcd"
    assert git(main, "status", "--porcelain").splitlines() == [" M b.txt", "?? notes.md"]
    assert_nothing_left(main)


def test_a_split_index_and_an_index_of_version_4(main: Path, feat: Path) -> None:
    git(main, "update-index", "--index-version", "4")
    git(main, "update-index", "--split-index")
    assert merged(main).outcome == "merged"
    assert git(main, "status", "--porcelain").splitlines() == [" M b.txt", "?? notes.md"]
    assert_nothing_left(main)


def test_names_of_all_kinds(main: Path) -> None:
    feat = add_worktree(main, "feat")
    names: list[RepositoryPath] = [
        b"a\nb.txt",
        b"\xff.txt",
        "ü/ö.txt".encode(),
        b"-rf",
        b'"quoted"',
        b" space ",
        b"[x]*?.txt",
        b":(top)x",
    ]
    first: dict[RepositoryPath, Content] = dict.fromkeys(names, b"new\n")
    then: dict[RepositoryPath, Content] = dict.fromkeys(names, b"newer\n")
    commit(feat, first, "Names")
    assert merged(main).outcome == "merged"
    for name in names:
        assert locate(main, name).read_bytes() == b"new\n"
    commit(feat, then, "Names again")
    locate(main, b"\xff.txt").write_bytes(b"mine\n")
    refused = merged(main)
    assert [(one.code, one.paths) for one in refused.findings] == [("would-overwrite", ("\udcff.txt",))]
    assert_nothing_left(main)
