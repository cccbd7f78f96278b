"""Commits that only the worktree names, operations under way, and what git keeps for the worktree alone."""

from collections.abc import Callable
from pathlib import Path

from tests.harness.repository import add_worktree, commit, git, tick, write
from tests.harness.states.standing import Standing, State, state


def _commit(at: Standing, files: dict[str, str] | None = None) -> str:
    return commit(at.worktree, files or {"more.txt": "more\n"}, "More")


def _unmerged(at: Standing) -> None:
    _commit(at)


def _detached(at: Standing) -> None:
    at.git("checkout", "--quiet", "--detach")
    _commit(at)


def _amended(at: Standing) -> None:
    """The replaced commit was never merged; its successor is."""
    _commit(at)
    at.git("commit", "--quiet", "--amend", "--message=Better", env=tick(at.worktree))
    git(at.main, "merge", "--quiet", "--ff-only", "feat-1")


def _reset_away(at: Standing) -> None:
    _commit(at)
    at.git("reset", "--quiet", "--hard", "HEAD^")


def _orig_head_only(at: Standing) -> None:
    lost = _commit(at)
    at.git("reset", "--quiet", "--hard", "HEAD^")
    for log in (at.administrative / "logs/HEAD", at.main / ".git/logs/refs/heads/feat-1"):
        log.unlink()
    assert (at.administrative / "ORIG_HEAD").read_text().strip() == lost


def _own_pseudo_ref(at: Standing) -> None:
    _orig_head_only(at)
    (at.administrative / "ORIG_HEAD").rename(at.administrative / "SAVED_HEAD")


def _own_ref(at: Standing) -> None:
    lost = at.git("commit-tree", "-m", "Lost", "HEAD^{tree}", "-p", "HEAD")
    at.git("update-ref", "refs/worktree/mine", lost)


def _conflicting(at: Standing) -> None:
    """Trunk and the branch change the same line; the branch was pushed, so its commits are safe."""
    commit(at.main, {"src/b.txt": "trunk\n"}, "Trunk's")
    commit(at.worktree, {"src/b.txt": "mine\n"}, "Mine")
    at.git("branch", "backup")


def _stopped(*command: str) -> Callable[[Standing], None]:
    def put(at: Standing) -> None:
        _conflicting(at)
        at.git(*command, check=False)

    return put


def _merge_not_committed(at: Standing) -> None:
    commit(at.main, {"trunk.txt": "trunk\n"}, "Trunk's")
    at.git("merge", "--quiet", "--no-ff", "--no-commit", "main")


def _empty_pick(at: Standing) -> None:
    at.git("branch", "same", "HEAD")
    at.git("reset", "--quiet", "--hard", "HEAD")
    at.git("cherry-pick", "HEAD", check=False)
    assert (at.administrative / "CHERRY_PICK_HEAD").exists()


def _rebase_at_edit(at: Standing) -> None:
    at.git("rebase", "--quiet", "-i", "HEAD~1", env={"GIT_SEQUENCE_EDITOR": "sed -i s/^pick/edit/"})


def _rebase_with_autostash(at: Standing) -> None:
    write(at.worktree, {"src/a.txt": "autostashed\n"})
    _edit = {"GIT_SEQUENCE_EDITOR": "sed -i s/^pick/edit/"}
    at.git("rebase", "--quiet", "-i", "--autostash", "HEAD~1", env=_edit)


def _am(at: Standing) -> None:
    _conflicting(at)
    patch = git(at.main, "format-patch", "-1", "--stdout", "main")
    at.git("am", "--quiet", input=patch + "\n", check=False)
    assert (at.administrative / "rebase-apply/applying").exists()


def _bisect(at: Standing) -> None:
    at.git("bisect", "start")
    at.git("bisect", "bad", "HEAD")


def _stash(at: Standing) -> None:
    write(at.worktree, {"src/a.txt": "stashed\n"})
    at.git("stash", "--quiet")


def _branch_twice(at: Standing) -> None:
    git(at.main, "worktree", "add", "--quiet", "--force", str(at.outside / "second"), "feat-1")


def _rebased_elsewhere(at: Standing) -> None:
    second = add_worktree(at.main, at.outside / "second", start="feat-1")
    at.git("checkout", "--quiet", "--detach")
    git(second, "checkout", "--quiet", "feat-1")
    git(second, "rebase", "--quiet", "-i", "HEAD~1", env={"GIT_SEQUENCE_EDITOR": "sed -i s/^pick/edit/"})
    at.git("symbolic-ref", "HEAD", "refs/heads/feat-1")


def _unborn(at: Standing) -> None:
    at.git("checkout", "--quiet", "--orphan", "fresh")


def _own_config(at: Standing) -> None:
    at.git("config", "extensions.worktreeConfig", "true")
    at.git("config", "--worktree", "user.nickname", "ada")


def _setting(key: str, below: str) -> Callable[[Standing], None]:
    def put(at: Standing) -> None:
        git(at.main, "config", key, str(at.worktree / below))

    return put


def _alternate(at: Standing) -> None:
    place = at.worktree / "data/store"
    place.mkdir(parents=True)
    write(place, {"kept": "x"})
    (at.main / ".git/objects/info/alternates").write_text(f"{place}\n")


def _admin(name: str) -> Callable[[Standing], None]:
    def put(at: Standing) -> None:
        path: Path = at.administrative / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine\n")

    return put


def _branch_lock(at: Standing) -> None:
    (at.main / ".git/refs/heads/feat-1.lock").touch()


def _replaced(at: Standing) -> None:
    """A replacement makes the lost commit look as if trunk had it."""
    at.git("checkout", "--quiet", "--detach")
    lost = _commit(at)
    false = at.git("commit-tree", "-m", "False", "-p", lost, "main^{tree}")
    at.git("replace", at.git("rev-parse", "main"), false)


HISTORY: tuple[State, ...] = (
    state("commits not in trunk", _unmerged, also=frozenset({"not-integrated"})),
    state("detached at trunk", lambda at: at.git("checkout", "--quiet", "--detach")),
    state("detached with a commit", _detached, "unreachable-commits"),
    state("detached with a commit that a replacement hides", _replaced, "unreachable-commits"),
    state("amended", _amended, "reflog-commits"),
    state("reset away", _reset_away, "reflog-commits"),
    state("only in ORIG_HEAD", _orig_head_only, "reflog-commits"),
    state("only in a ref of one's own making", _own_pseudo_ref, "reflog-commits", "administrative-files"),
    state("a commit under refs/worktree", _own_ref, "unreachable-commits"),
    state("a ref under refs/worktree", lambda at: at.git("update-ref", "refs/worktree/x", "HEAD"), "worktree-refs"),
    state("rebase stopped by a conflict", _stopped("rebase", "main"), "operation-in-progress", "uncommitted"),
    state("rebase stopped at edit", _rebase_at_edit, "operation-in-progress"),
    state("rebase with an autostash", _rebase_with_autostash, "operation-in-progress", "reflog-commits"),
    state(
        "merge stopped by a conflict",
        _stopped("merge", "main"),
        *("operation-in-progress", "uncommitted"),
        also=frozenset({"not-integrated"}),
    ),
    state("merge not committed", _merge_not_committed, "operation-in-progress", "uncommitted"),
    state(
        "cherry-pick stopped by a conflict",
        _stopped("cherry-pick", "main"),
        *("operation-in-progress", "uncommitted"),
        also=frozenset({"not-integrated"}),
    ),
    state("empty cherry-pick", _empty_pick, "operation-in-progress"),
    state(
        "revert stopped by a conflict",
        _stopped("revert", "--no-edit", "main"),
        *("operation-in-progress", "uncommitted"),
        also=frozenset({"not-integrated"}),
    ),
    state("am stopped", _am, "operation-in-progress", also=frozenset({"not-integrated"})),
    state("bisect", _bisect, "operation-in-progress", "worktree-refs"),
    state("stash entry", _stash, "stash"),
    state("branch checked out twice", _branch_twice, "branch-elsewhere"),
    state("branch rebased elsewhere", _rebased_elsewhere, "branch-elsewhere"),
    state("before the first commit", _unborn, "uncommitted"),
    state("configuration of its own", _own_config, "worktree-config"),
    state("a file in the administrative directory", _admin("notes.txt"), "administrative-files"),
    state("a directory in the administrative directory", _admin("tool/state"), "administrative-files"),
    state("a lock of git", _admin("index.lock"), "git-lock"),
    state("a lock on the branch", _branch_lock, "git-lock"),
    state("locked", lambda at: git(at.main, "worktree", "lock", str(at.worktree)), "locked"),
    state(
        "locked with a reason",
        lambda at: git(at.main, "worktree", "lock", "--reason=on a stick", str(at.worktree)),
        "locked",
    ),
    state("core.hooksPath leads here", _setting("core.hooksPath", "src"), "config-inside"),
    state("include.path leads here", _setting("include.path", "src/none"), "config-inside"),
    state("an alias runs something here", _setting("alias.tool", "run.sh"), "config-inside"),
    state("safe.directory names it", _setting("safe.directory", "")),
    state("an alternate leads here", _alternate, "config-inside", "ignored-unique"),
)
