"""Uncommitted work that disappears inside a living worktree: told once, where nothing else has it, and not else."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty

import pytest

from sidecar.git.status import Edit
from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.guard import wiped
from sidecar.operations.restore import restore
from tests.git.leaving import DEADLINE, eventually
from tests.harness import git, write
from tests.harness.repository import add_worktree, commit
from tests.harness.states import Standing, build_standing
from tests.operations.guarding import Told, guarding, states

NUMBERED = "".join(f"line {number}\n" for number in range(20))
WORK = NUMBERED.replace("line 3\n", "line 3\nfirst thought\nsecond thought\n").replace("line 12\n", "a better 12\n")
"""Work in two places of a file."""


@pytest.fixture
def at(tmp_path: Path) -> Standing:
    """A worktree with edits in two places of a file, an untracked file, and a commit of its own."""
    standing = build_standing(tmp_path)
    git(standing.main, "config", "user.name", "Ada")
    git(standing.main, "config", "user.email", "ada@example.com")
    commit(standing.worktree, {"own.txt": "own\n"}, "Own")
    for file in (standing.main / ".git/objects").glob("??/*"):
        os.utime(file, (0, 0))  # its history is older than the work
    write(standing.worktree, {"src/a.txt": WORK, "notes.md": "one note\nanother note\n"})
    return standing


def has(at: Standing, path: str, text: str) -> bool:
    """Whether the last state has this content at a path."""
    kept = states(at)
    return bool(kept) and git(at.main, "show", f"{kept[0].commit}:{path}", check=False) == text.rstrip("\n")


def wait_until_kept(at: Standing) -> None:
    eventually(lambda: has(at, "src/a.txt", WORK))
    eventually(lambda: has(at, "notes.md", "one note\nanother note\n"))


def present_tree(at: Standing) -> str:
    """The worktree's present state, by git."""
    index = {"GIT_INDEX_FILE": str(at.outside / "index")}
    at.git("read-tree", "HEAD", env=index)
    at.git("add", "--all", env=index)
    return at.git("write-tree", env=index)


def wait_until_looked(told: Told, at: Standing) -> None:
    """Wait until the guard has seen what there is now, and whatever it suspects has been decided."""
    tree = present_tree(at)
    eventually(lambda: states(at)[0].tree == tree)
    eventually(lambda: not told.guard._suspicions.held)


def rewrite(at: Standing, path: str, text: str) -> None:
    """Write a file as an agent does: beside, then renamed over it."""
    beside = at.worktree / f"{path}.tmp"
    beside.write_text(text)
    beside.replace(at.worktree / path)


def move_away(at: Standing) -> None:
    at.git("checkout", "--quiet", "--force", "--detach", "main~1")


WIPES: dict[str, tuple[Callable[[Standing], object], set[str]]] = {
    "reset --hard": (lambda at: at.git("reset", "--quiet", "--hard"), {"src/a.txt"}),
    "reset --hard to an older commit": (lambda at: at.git("reset", "--quiet", "--hard", "HEAD~2"), {"src/a.txt"}),
    "checkout -- .": (lambda at: at.git("checkout", "--quiet", "--", "."), {"src/a.txt"}),
    "restore .": (lambda at: at.git("restore", "."), {"src/a.txt"}),
    "restore from an older commit": (lambda at: at.git("restore", "--source=HEAD~2", "src/a.txt"), {"src/a.txt"}),
    "clean -fd": (lambda at: at.git("clean", "-fd"), {"notes.md"}),
    "reset and clean": (
        lambda at: (at.git("reset", "--quiet", "--hard"), at.git("clean", "-fd")),
        {"src/a.txt", "notes.md"},
    ),
    "checkout --force of something else": (move_away, {"src/a.txt"}),
    "an agent's rewrite from a stale buffer": (
        lambda at: rewrite(at, "src/a.txt", NUMBERED.replace("line 18\n", "an agent's 18\n")),
        {"src/a.txt"},
    ),
    "an agent's rewrite of all of it": (lambda at: rewrite(at, "src/a.txt", NUMBERED), {"src/a.txt"}),
    "rm of an untracked file": (lambda at: (at.worktree / "notes.md").unlink(), {"notes.md"}),
    "rm of a file with edits": (lambda at: (at.worktree / "src/a.txt").unlink(), {"src/a.txt"}),
    "a file made empty": (lambda at: (at.worktree / "notes.md").write_text(""), {"notes.md"}),
    "stash, then drop": (
        lambda at: (at.git("stash", "--quiet", "--include-untracked"), at.git("stash", "drop", "--quiet")),
        {"src/a.txt", "notes.md"},
    ),
    "add and reset --hard": (
        lambda at: (at.git("add", "--all"), at.git("reset", "--quiet", "--hard")),
        {"src/a.txt", "notes.md"},
    ),
}


@pytest.mark.parametrize("name", WIPES)
def test_a_wipe_is_told_once(name: str, at: Standing) -> None:
    wipe, paths = WIPES[name]
    with guarding(at, settled=0.5) as told:
        wait_until_kept(at)
        wipe(at)
        found = told.wiped.get(timeout=DEADLINE)
        assert (found.name, set(found.paths)) == ("feat-1", paths)
        assert found.lines == (3 if "src/a.txt" in paths else 0) + (2 if "notes.md" in paths else 0)
        wait_until_looked(told, at)
        assert told.wiped.empty()
    with guarding(at, settled=0.5) as again:
        wait_until_looked(again, at)
        assert again.wiped.empty()


@contextmanager
def one_line_and_a_lock(at: Standing) -> Iterator[tuple[Told, Path, Path]]:
    """Guard a worktree whose work is one line, which is kept, while git has begun: its lock has the next index."""
    only = NUMBERED.replace("line 3\n", "my only 3\n")
    write(at.worktree, {"src/a.txt": only})
    with guarding(at, settled=0.5) as told:
        eventually(lambda: has(at, "src/a.txt", only))
        lock, index = at.administrative / "index.lock", at.administrative / "index"
        lock.write_bytes(index.read_bytes())
        yield told, lock, index


def test_one_line_that_git_takes_away_is_told_although_its_index_is_written_a_moment_later(at: Standing) -> None:
    """As git does it: the lock is taken, the files are written, and last the index gets its place."""
    with one_line_and_a_lock(at) as (told, lock, index):
        rewrite(at, "src/a.txt", NUMBERED)
        eventually(lambda: has(at, "src/a.txt", NUMBERED))
        lock.replace(index)
        assert told.wiped.get(timeout=DEADLINE).paths == ("src/a.txt",)


def test_one_line_that_git_takes_away_is_told_although_it_is_read_after_a_look_at_the_new_index(at: Standing) -> None:
    """As on a busy machine: git is done when the guard looks, and the session has not read the file yet."""
    with one_line_and_a_lock(at) as (told, lock, index):
        lock.replace(index)
        written = index.stat().st_mtime_ns
        looked_at = told.guard._suspicions._written
        eventually(lambda: any(mark is not None and written in mark for mark, _ in looked_at.copy().values()))
        rewrite(at, "src/a.txt", NUMBERED)
        assert told.wiped.get(timeout=DEADLINE).paths == ("src/a.txt",)


def test_work_that_is_written_and_wiped_while_something_is_suspected_is_told_too(
    at: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a `merge --abort`: what is suspected is held for seconds, and no older state has the new work."""
    monkeypatch.setattr(wiped, "LONGEST", 1000.0)
    with guarding(at, settled=1000.0) as told:
        wait_until_kept(at)
        at.git("checkout", "--quiet", "--", "src/a.txt")
        eventually(lambda: told.guard._suspicions.held)
        write(at.worktree, {"late.md": "a late note\nand one more\n"})
        eventually(lambda: has(at, "late.md", "a late note\nand one more\n"))
        at.git("clean", "-fdq")
        records = at.main / ".git/sidecar/guard"
        eventually(lambda: len(list(records.glob("*/suspicion*.json"))) == 2)
        monkeypatch.setattr(wiped, "SETTLED", 0.3)
        found = [told.wiped.get(timeout=DEADLINE) for _ in range(2)]
        assert {one.paths: one.lines for one in found} == {("notes.md", "src/a.txt"): 5, ("late.md",): 2}
        wait_until_looked(told, at)
        assert told.wiped.empty() and not list(records.glob("*/suspicion*.json"))
    for one in found:
        back = restore(at.main, one.receipt, Options())
        assert not isinstance(back, Failure) and back.outcome == "restored"
    texts = {path: (at.worktree / path).read_text() for path in ("src/a.txt", "notes.md", "late.md")}
    assert texts == {
        "src/a.txt": WORK,
        "notes.md": "one note\nanother note\n",
        "late.md": "a late note\nand one more\n",
    }


def test_it_is_told_once_although_states_are_kept_every_few_seconds_only(at: Standing) -> None:
    with guarding(at, settled=0.5, between=60.0) as told:
        wait_until_kept(at)
        at.git("checkout", "--quiet", "--", ".")
        assert told.wiped.get(timeout=DEADLINE).paths == ("src/a.txt",)
        wait_until_looked(told, at)
        write(at.worktree, {"later.txt": "later\n"})
        eventually(lambda: any(edit.path == "later.txt" for edit in edits_of(told, at)))
        eventually(lambda: not told.guard._suspicions.held)
        assert told.wiped.empty()


def edits_of(told: Told, at: Standing) -> tuple[Edit, ...]:
    """What the session has read of the worktree that is not committed."""
    seen = told.session.seen()
    assert seen is not None
    return next(one.uncommitted.edits for one in seen.readings if one.worktree.key == str(at.worktree))


def commit_all(at: Standing) -> None:
    at.git("add", "--all")
    at.git("commit", "--quiet", "-m", "Work")


def commit_and_leave(at: Standing) -> None:
    commit_all(at)
    at.git("checkout", "--quiet", "--detach", "main")


def commit_a_part_and_stash_the_rest(at: Standing) -> None:
    at.git("commit", "--quiet", "-m", "Notes", "--only", "src/a.txt")
    at.git("stash", "--quiet", "--include-untracked")


def commit_and_reset(at: Standing) -> None:
    commit_all(at)
    at.git("reset", "--quiet", "--hard", "HEAD~1")


def there_and_back(at: Standing) -> None:
    at.git("stash", "--quiet", "--include-untracked")
    at.git("checkout", "--quiet", "--detach", "main")
    at.git("checkout", "--quiet", "feat-1")
    at.git("stash", "pop", "--quiet")


def rebase(at: Standing) -> None:
    commit(at.main, {"trunk.txt": "trunk\n"}, "Trunk goes on")
    at.git("rebase", "--quiet", "--autostash", "main")


def cherry_pick_elsewhere(at: Standing) -> None:
    other = add_worktree(at.main, "feat-2")
    commit_all(at)
    git(other, "cherry-pick", "feat-1")
    at.git("reset", "--quiet", "--hard", "HEAD~1")


def move_lines(at: Standing) -> None:
    write(at.worktree, {"src/moved.txt": "first thought\nsecond thought\na better 12\n"})
    rewrite(at, "src/a.txt", NUMBERED)


def rename(at: Standing) -> None:
    (at.worktree / "docs").mkdir()
    (at.worktree / "notes.md").rename(at.worktree / "docs/notes.md")
    at.git("mv", "src/a.txt", "src/renamed.txt")


def go_on(at: Standing) -> None:
    rewrite(at, "src/a.txt", WORK.replace("first thought\n", "a thought\n").replace("a better 12", "the best 12"))
    rewrite(at, "src/a.txt", WORK.replace("first thought\nsecond thought\n", "quite another thought\n"))


def take_back_by_hand(at: Standing) -> None:
    rewrite(at, "src/a.txt", WORK.replace("a better 12\n", "line 12\n"))


def to_another_worktree(at: Standing) -> None:
    other = add_worktree(at.main, "feat-2")
    write(other, {"src/a.txt": WORK, "notes.md": "one note\nanother note\n"})
    eventually(lambda: states(at, other))
    at.git("checkout", "--quiet", "--", ".")
    (at.worktree / "notes.md").unlink()


def ignore(at: Standing) -> None:
    write(at.worktree, {".gitignore": (at.worktree / ".gitignore").read_text() + "notes.md\n"})


def abort_a_merge(at: Standing) -> None:
    commit_all(at)
    commit(at.main, {"src/a.txt": NUMBERED.replace("line 3\n", "trunk's 3\n")}, "Trunk's")
    at.git("merge", "main", check=False)
    count = len(states(at))
    eventually(lambda: len(states(at)) > count)
    at.git("merge", "--abort")


def build(at: Standing) -> None:
    write(
        at.worktree, {"pkg/__pycache__/x.py": "made\nby a build\n", "out.egg-info/PKG-INFO": "made\n", ".gitignore": ""}
    )
    eventually(lambda: states(at) and "egg-info" in git(at.main, "ls-tree", "-r", "--name-only", states(at)[0].commit))
    for path in ("pkg/__pycache__/x.py", "out.egg-info/PKG-INFO"):
        (at.worktree / path).unlink()


def edit_commit_quickly(at: Standing) -> None:
    rewrite(at, "src/a.txt", WORK.replace("first thought\nsecond thought\n", "the one thought\n"))
    commit_all(at)


def edit_commit_with_an_old_date(at: Standing) -> None:
    rewrite(at, "src/a.txt", WORK.replace("first thought\nsecond thought\n", "the one thought\n"))
    (at.worktree / "notes.md").rename(at.worktree / "renamed.md")
    at.git("add", "--all")
    at.git("commit", "--quiet", "-m", "Work", env={"GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z"})


def edit_and_stage(at: Standing) -> None:
    rewrite(at, "src/a.txt", WORK.replace("first thought\nsecond thought\n", "the one thought\n"))
    at.git("add", "--all")


def reformat(at: Standing) -> None:
    rewrite(at, "src/a.txt", "".join(f"    {line}\n" for line in WORK.splitlines()))


ORDINARY: dict[str, Callable[[Standing], object]] = {
    "a commit": commit_all,
    "a commit, and another branch": commit_and_leave,
    "a commit of a part, a stash of the rest": commit_a_part_and_stash_the_rest,
    "a stash": lambda at: at.git("stash", "--quiet", "--include-untracked"),
    "stash, another branch, back, pop": there_and_back,
    "rebase --autostash": rebase,
    "a commit that was picked elsewhere and reset here": cherry_pick_elsewhere,
    "a commit that is reset away": commit_and_reset,
    "lines moved to another file": move_lines,
    "files renamed": rename,
    "going on with the same lines": go_on,
    "one place taken back by hand": take_back_by_hand,
    "moved to another worktree": to_another_worktree,
    "a file that is ignored from now on": ignore,
    "a merge that is aborted": abort_a_merge,
    "build output deleted": build,
    "edited and committed at once": edit_commit_quickly,
    "edited and committed with an old date": edit_commit_with_an_old_date,
    "edited and staged": edit_and_stage,
    "reformatted": reformat,
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_work_is_not_told(name: str, at: Standing) -> None:
    with guarding(at, settled=0.5) as told:
        wait_until_kept(at)
        ORDINARY[name](at)
        wait_until_looked(told, at)
        with pytest.raises(Empty):
            raise AssertionError(told.wiped.get_nowait().sentence)
