"""The landing repository: what hooks do there goes over when the merge lands, whole, and otherwise leaves no trace."""

import subprocess
from pathlib import Path

import pytest

from sidecar.operations.merge.land import clear_locks
from sidecar.operations.merge.run import MergeChoices
from sidecar.operations.merge.update import apply_update, plan_update
from tests.harness import add_worktree, commit, git, init
from tests.operations.merge.deeds import TRUSTED, assert_nothing_left, hook, merged, only, seen, tip

SQUASH = MergeChoices("squash")


def test_what_was_made_outlives_a_clean_up_until_it_lands(main: Path, feat: Path) -> None:
    """Somebody runs `git gc --prune=now` in the repository while verify runs."""
    hook(main, "commit-msg", "git tag -a -m checked checked MERGE_HEAD")
    verify = f"cd {main} && git gc -q --prune=now && git for-each-ref refs/sidecar > {main}/debug.log"
    choices = MergeChoices(verify=verify)
    assert merged(main, choices=choices).outcome == "merged"
    assert len((main / "debug.log").read_text().splitlines()) == 2, "the commit and the tag"
    git(main, "fsck", "--strict")
    assert git(main, "cat-file", "-t", "checked") == "tag"
    assert_nothing_left(main)


def test_refs_that_hooks_make_do_not_come_about_when_verify_fails(main: Path, feat: Path) -> None:
    hook(main, "commit-msg", "git tag checked && git update-ref refs/notes/commits HEAD && echo x > .git/mark")
    before = seen(main, feat)
    assert only(merged(main, choices=MergeChoices(verify="git tag tried; false")).findings).code == "verify-failed"
    assert seen(main, feat) == before
    assert not (main / ".git/mark").exists()
    assert_nothing_left(main)


def test_refs_that_verify_makes_stay_behind(main: Path, feat: Path) -> None:
    assert merged(main, choices=MergeChoices(verify="git tag tried; git stash -q || true")).outcome == "merged"
    assert git(main, "tag") == ""


def test_a_ref_that_somebody_else_moved_meanwhile_is_left_and_told(main: Path, feat: Path) -> None:
    hook(main, "commit-msg", "git tag checked MERGE_HEAD")
    result = merged(main, choices=MergeChoices(verify=f"cd {main} && git tag checked HEAD"))
    assert result.outcome == "merged"
    assert "refs/tags/checked" in next(one.message for one in result.findings if one.code == "ref-left")
    assert tip(main, "checked") == result.before
    assert_nothing_left(main)


def test_notes_follow_a_rebase_only_when_it_lands(main: Path, feat: Path) -> None:
    git(main, "restore", "b.txt")
    commit(main, {"t.txt": "t\n"}, "Trunk")
    git(main, "config", "notes.rewriteRef", "refs/notes/*")
    git(main, "notes", "add", "-m", "a note", "feat")
    notes = tip(main, "refs/notes/commits")
    assert merged(main, choices=MergeChoices("rebase", verify="false")).outcome == "failed"
    assert tip(main, "refs/notes/commits") == notes
    assert merged(main, choices=MergeChoices("rebase")).outcome == "merged"
    assert git(main, "notes", "show", "main") == "a note"
    assert (git(main, "notes", "show", "feat"), tip(main, "feat") != tip(main)) == ("a note", True)
    assert_nothing_left(main)


def test_a_stash_that_a_hook_leaves_is_in_the_list(main: Path, feat: Path) -> None:
    git(main, "stash", "push", "-q", "b.txt")
    hook(main, "commit-msg", 'git stash store -m hook "$(git commit-tree -p HEAD -p MERGE_HEAD -m hook HEAD^{tree})"')
    assert merged(main).outcome == "merged"
    assert len(git(main, "stash", "list").splitlines()) == 2


def test_a_store_that_a_tool_begins_is_the_repositorys(main: Path, feat: Path) -> None:
    """As the first file of `git lfs`: its content must be there when the merge has landed."""
    hook(main, "commit-msg", "mkdir -p .git/lfs/objects/ab && echo large > .git/lfs/objects/ab/c")
    assert merged(main).outcome == "merged"
    assert (main / ".git/lfs/objects/ab/c").read_text() == "large\n"
    (main / ".git/hooks/commit-msg").unlink()
    commit(feat, {"more": "more\n"}, "More")
    hook(main, "commit-msg", "echo more > .git/lfs/objects/ab/d")
    assert merged(main).outcome == "merged"
    assert sorted(path.name for path in (main / ".git/lfs/objects/ab").iterdir()) == ["c", "d"]
    assert_nothing_left(main)


@pytest.mark.parametrize(("strategy", "expected"), [("merge", []), ("squash", ["land"]), ("rebase", [])])
def test_what_acts_on_a_commit_runs_once_when_it_has_landed(
    main: Path, feat: Path, tmp_path: Path, strategy: str, expected: list[str]
) -> None:
    git(main, "restore", "b.txt")
    commit(main, {"t.txt": "t\n"}, "Trunk")
    hook(main, "post-commit", f'echo "$SIDECAR_STAGE" >> {tmp_path}/log; pwd >> {tmp_path}/where')
    for name in ("post-checkout", "post-rewrite"):
        hook(main, name, f"echo {name} >> {tmp_path}/log; exit 1")
    assert merged(main, choices=MergeChoices(strategy)).outcome == "merged"  # type: ignore[arg-type]
    assert ((tmp_path / "log").read_text().splitlines() if expected else []) == expected
    assert (tmp_path / "log").exists() == bool(expected)
    assert not expected or (tmp_path / "where").read_text() == f"{main}\n"


def test_what_acts_on_a_commit_does_not_run_when_verify_fails(main: Path, feat: Path, tmp_path: Path) -> None:
    for name in ("post-commit", "post-merge"):
        hook(main, name, f"echo {name} >> {tmp_path}/log")
    assert merged(main, choices=MergeChoices("squash", verify="false")).outcome == "failed"
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize("fast_forward", ["false", "only"])
@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_a_strategy_that_was_chosen_overrules_merge_ff(
    main: Path, feat: Path, home: Path, strategy: str, fast_forward: str
) -> None:
    git(main, "restore", "b.txt")
    commit(main, {"t.txt": "t\n"}, "Trunk")
    with open(home / ".gitconfig", "a", encoding="utf-8") as config:
        config.write(f"[merge]\n\tff = {fast_forward}\n[pull]\n\tff = {fast_forward}\n")
    git(main, "config", "branch.main.mergeOptions", "--ff-only" if fast_forward == "only" else "--no-ff")
    assert merged(main, choices=MergeChoices(strategy)).outcome == "merged"  # type: ignore[arg-type]
    assert_nothing_left(main)


@pytest.mark.parametrize("diverged", [True, False])
@pytest.mark.parametrize("value", ["false", "only", "true"])
def test_an_update_is_made_whatever_merge_ff_says(
    main: Path, feat: Path, home: Path, value: str, diverged: bool
) -> None:
    commit(main, {"t.txt": "t\n"}, "Trunk")
    if not diverged:
        git(feat, "reset", "-q", "--hard", "main~1")
    with open(home / ".gitconfig", "a", encoding="utf-8") as config:
        config.write(f"[merge]\n\tff = {value}\n")
    plan = plan_update(main, "feat", TRUSTED)
    result = apply_update(plan)  # type: ignore[arg-type]
    assert result.outcome == "updated", result
    parents = git(feat, "log", "-1", "--format=%P", "feat").split()
    assert len(parents) == (2 if diverged or value == "false" else 1), "a merge commit where that was asked for"


def test_a_squash_tells_hooks_that_it_is_one(main: Path, feat: Path, tmp_path: Path) -> None:
    hook(main, "prepare-commit-msg", f'echo "$2" > {tmp_path}/log')
    assert merged(main, choices=SQUASH).outcome == "merged"
    assert (tmp_path / "log").read_text() == "squash\n"


def test_a_message_is_written_in_the_encoding_of_commits(main: Path, feat: Path) -> None:
    git(main, "config", "i18n.commitEncoding", "ISO-8859-1")
    assert merged(main, choices=MergeChoices("squash", message="Für Ada")).outcome == "merged"
    assert git(main, "log", "-1", "--format=%s", "--encoding=UTF-8") == "Für Ada"
    assert b"F\xfcr" in subprocess.check_output(["git", "cat-file", "commit", "main"], cwd=main)


def test_a_read_only_directory_of_verify_goes_too(main: Path, feat: Path) -> None:
    """As the module cache of Go."""
    verify = "mkdir -p cache/x && touch cache/x/y && chmod -R a-w cache"
    assert merged(main, choices=MergeChoices(verify=verify)).outcome == "merged"
    assert_nothing_left(main)


@pytest.mark.parametrize("name", ["HEAD", "index", "refs/heads/main"])
def test_who_has_a_lock_is_said_beside_it_and_goes_with_it(tmp_path: Path, name: str) -> None:
    """Git does so from 2.54 on, with core.lockfilePid."""
    lock, beside = tmp_path / f"{name}.lock", tmp_path / f"{name}~pid.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    beside.write_text("pid 1\n")
    assert clear_locks([lock], [tmp_path], 0, "merge-1") == []
    assert not lock.exists()
    assert not beside.exists()


def test_where_refs_are_reftables_no_branch_has_a_lock_file(tmp_path: Path) -> None:
    """`refs/heads` is a file there."""
    (tmp_path / "refs").mkdir()
    (tmp_path / "refs/heads").touch()
    assert clear_locks([tmp_path / "refs/heads/main.lock"], [tmp_path], 0, "merge-1") == []


def test_a_key_that_nobody_can_unlock_here_says_how(main: Path, feat: Path, tmp_path: Path) -> None:
    making = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(tmp_path / "key")]
    subprocess.run(making, check=True)
    for key, value in {"gpg.format": "ssh", "user.signingKey": f"{tmp_path}/key", "commit.gpgSign": "true"}.items():
        git(main, "config", key, value)
    found = only(merged(main).findings)
    assert found.code == "merge-failed"
    assert "ssh-add" in found.message
    assert_nothing_left(main)


@pytest.mark.parametrize("ref", ["refs/tags/feat", "refs/feat", "refs/remotes/feat", "refs/remotes/feat/HEAD"])
@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_the_branch_is_merged_whatever_else_has_its_name(main: Path, feat: Path, ref: str, strategy: str) -> None:
    git(main, "update-ref", ref, tip(main))
    git(main, "update-ref", ref.replace("feat", "main"), tip(main, "refs/heads/feat"))
    assert merged(main, choices=MergeChoices(strategy)).outcome == "merged"  # type: ignore[arg-type]
    assert (main / "new/d.txt").exists()
    assert tip(main, ref.replace("feat", "main")) == tip(main, "refs/heads/feat")


@pytest.mark.needs_git(2, 45)
def test_where_refs_are_reftables_a_configuration_by_the_folder_counts_too(tmp_path: Path, home: Path) -> None:
    """It is written out then, without how refs are stored: those of a landing repository are files."""
    main = init(tmp_path / "shop", "--ref-format=reftable")
    (home / "work").write_text("[user]\n\tname = At Work\n")
    with (home / ".gitconfig").open("a") as file:
        file.write(f'[includeIf "gitdir:{main}/.git"]\n\tpath = work\n')
    commit(main, {"a.txt": "a\n"})
    commit(add_worktree(main, "feat"), {"b.txt": "b\n"})
    assert merged(main).outcome == "merged"
    assert git(main, "show", "-s", "--format=%an", "main") == "At Work"
