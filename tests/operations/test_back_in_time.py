"""Going back to an earlier state: the files are as they were, what was there before is kept, nothing else changes."""

import os
import shutil
import time
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.guard import placing
from sidecar.operations.guard.browse import Kept, as_receipts, find_kept, find_state, state_at
from sidecar.operations.guard.rewind import RewindPlan, apply_rewind, plan_rewind
from sidecar.operations.guard.states import State
from sidecar.operations.records import RestoreResult
from sidecar.operations.run import Control
from tests.git.leaving import eventually
from tests.harness import git, write
from tests.harness.repository import Content, Executable, Symlink, commit
from tests.harness.states import Standing, build_at_work
from tests.harness.whole import as_kept, whole
from tests.operations.guarding import guarding, states, wait_until_kept


@pytest.fixture
def at(tmp_path: Path) -> Standing:
    return build_at_work(tmp_path)


def kept_of(at: Standing, name: str = "feat-1") -> Kept:
    found = find_kept(at.main, name, Options())
    assert not isinstance(found, Failure), found
    return found


def plan_of(kept: Kept, state: State) -> RewindPlan:
    plan = plan_rewind(kept, state, Options())
    assert not isinstance(plan, Failure), plan
    return plan


def go_back(kept: Kept, state: State) -> RestoreResult:
    return apply_rewind(plan_of(kept, state), Control())


def files(worktree: Path) -> dict[str, object]:
    return {key: one for key, one in as_kept(whole(worktree, {".git"})).items() if key.startswith("file ")}


def live(at: Standing, worktree: Path) -> tuple[dict[str, object], State]:
    """Files of all kinds, kept; then others in their places, kept: the first files, and their state."""
    made: dict[str, Content] = {"src/deep/new/file.txt": "deep\n", "exe": Executable("#!/bin/sh\n")}
    write(worktree, {**made, "a link": Symlink("exe"), "turns/into": "a directory's\n", "plain": "a file\n"})
    with guarding(at):
        wait_until_kept(at, "plain", worktree)
        before, first = files(worktree), states(at, worktree)[0]
        shutil.rmtree(worktree / "turns")
        for name in ("exe", "a link", "plain"):
            (worktree / name).unlink()
        shutil.rmtree(worktree / "src/deep/new")
        write(
            worktree,
            {"turns": "a file now\n", "plain/now": "a directory\n", "src/b.txt": "later\n", "exe": "no more\n"},
        )
        write(worktree, {"late.txt": "late\n"})
        wait_until_kept(at, "late.txt", worktree)
    return before, first


@pytest.mark.parametrize("where", ["feat-1", "main"])
def test_the_files_are_as_they_were_and_nothing_else_is_touched(where: str, at: Standing) -> None:
    worktree = at.worktree if where == "feat-1" else at.main
    before, first = live(at, worktree)
    later = files(worktree)
    index, head = git(worktree, "ls-files", "--stage"), git(worktree, "rev-parse", "HEAD")
    kept = kept_of(at, where)
    back = go_back(kept, first)
    assert back.outcome == "restored", back.findings
    assert files(worktree) == before
    assert (git(worktree, "ls-files", "--stage"), git(worktree, "rev-parse", "HEAD")) == (index, head)
    (undo,) = [one.message.rpartition(" ")[2] for one in back.findings if one.code == "kept-before"]
    state = find_state(at.main, undo, Options())
    assert not isinstance(state, Failure)
    assert go_back(state, state.states[0]).outcome == "restored"
    assert files(worktree) == later
    assert not list(worktree.parent.glob(".sidecar-*"))


def test_one_that_is_gone_is_brought_back_as_it_was_then(at: Standing) -> None:
    before, first = live(at, at.worktree)
    shutil.rmtree(at.worktree)
    git(at.main, "worktree", "prune")
    git(at.main, "branch", "-D", "feat-1")
    git(at.main, "reflog", "expire", "--expire=now", "--all")
    git(at.main, "gc", "--quiet", "--prune=now")
    kept = kept_of(at)
    assert kept.worktree is None
    assert go_back(kept, first).outcome == "restored"
    assert files(at.worktree) == before
    assert at.git("symbolic-ref", "HEAD") == "refs/heads/feat-1"


def test_states_are_listed_with_what_changed_and_found_by_time(at: Standing) -> None:
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
        for number in range(3):
            write(at.worktree, {f"{number}.txt": "there\n"})
            wait_until_kept(at, f"{number}.txt")
    kept = kept_of(at)
    receipts = as_receipts(kept)
    assert [one.facts["changed"] for one in receipts] == [["2.txt"], ["1.txt"], ["0.txt"], []]
    assert [one.what for one in receipts] == ["state"] * 4
    assert state_at(kept, time.time()) == kept.states[0]
    assert state_at(kept, kept.states[2].facts.time) == kept.states[2]
    assert isinstance(state_at(kept, kept.states[-1].facts.time - 1), Failure)


def test_an_ignored_file_in_the_way_stays(at: Standing) -> None:
    with guarding(at):
        wait_until_kept(at, "untracked.txt")
        first = states(at)[0]
        (at.worktree / "new/untracked.txt").unlink()
        write(at.worktree, {".gitignore": "/new/\n"})
        write(at.worktree, {"mark.txt": "mark\n", "new/untracked.txt": "SECRET\n"})
        wait_until_kept(at, "mark.txt")
    back = go_back(kept_of(at), first)
    assert [one.code for one in back.findings] == ["kept-before", "restored-beside"]
    assert (at.worktree / "new/untracked.txt").read_text() == "SECRET\n"
    assert (at.worktree / "new/untracked.txt.restored").read_text() == "untracked\n"


def test_directories_without_a_file_give_way_and_one_with_a_link_stays(at: Standing) -> None:
    before, first = live(at, at.worktree)
    (at.worktree / "plain/now").unlink()
    (at.worktree / "plain/inside/this").mkdir(parents=True)
    assert go_back(kept_of(at), first).outcome == "restored"
    assert files(at.worktree) == before
    (at.worktree / "a link").unlink()
    (at.worktree / "a link/inside").mkdir(parents=True)
    git(at.main, "config", "core.excludesFile", str(at.main.parent / "ignored"))
    write(at.main.parent, {"ignored": "to-*\n"})
    (at.worktree / "a link/inside/to-nowhere").symlink_to("nowhere", target_is_directory=True)
    back = go_back(kept_of(at), first)
    assert [one.code for one in back.findings] == ["kept-before", "restored-beside"]
    assert os.readlink(at.worktree / "a link.restored") == "exe"
    assert os.readlink(at.worktree / "a link/inside/to-nowhere") == "nowhere"


def test_what_was_written_after_the_plan_is_seen(at: Standing) -> None:
    _, first = live(at, at.worktree)
    plan = plan_of(kept_of(at), first)
    write(at.worktree, {"src/b.txt": "at the last moment\n"})
    refused = apply_rewind(plan, Control())
    assert [one.code for one in refused.findings] == ["changed-meanwhile"]
    assert (at.worktree / "src/b.txt").read_text() == "at the last moment\n"


@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_is_written_while_it_goes_back_is_not_lost(
    moment: str, at: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that comes right before, or right after, the second name was given."""
    _, first = live(at, at.worktree)
    plan = plan_of(kept_of(at), first)
    real = placing._link

    def link(file: str, name: str) -> bool:
        def intrude() -> None:
            Path(file).write_text(f"written into {Path(file).name}\n")

        if moment == "before":
            intrude()
        done = real(file, name)
        if moment == "after":
            intrude()
        return done

    monkeypatch.setattr(placing, "_link", link)
    back = apply_rewind(plan, Control())
    assert back.outcome == "restored"
    assert (at.worktree / "src/b.txt").read_text() == "written into b.txt\n"
    assert (at.worktree / "src/b.txt.restored").read_text() == "unstaged\n"


def test_a_worktree_that_has_committed_since_keeps_its_commits(at: Standing) -> None:
    before, first = live(at, at.worktree)
    at.git("add", "--all")
    commit(at.worktree, {}, "Later")
    head = at.git("rev-parse", "HEAD")
    assert go_back(kept_of(at), first).outcome == "restored"
    assert files(at.worktree) == before
    assert at.git("rev-parse", "HEAD") == head


def test_going_back_is_told_as_no_wipe(at: Standing) -> None:
    _, first = live(at, at.worktree)
    with guarding(at) as told:
        wait_until_kept(at, "late.txt")
        assert go_back(kept_of(at), first).outcome == "restored"
        eventually(lambda: states(at)[0].tree == first.tree)
        eventually(lambda: not told.guard._suspicions.held)
        assert told.wiped.empty()


def test_nothing_is_kept_of_a_name_that_nobody_had(at: Standing) -> None:
    assert isinstance(find_kept(at.main, "nobody", Options()), Failure)
    assert isinstance(find_state(at.main, "state-" + "0" * 12, Options()), Failure)
    assert os.listdir(at.main / ".git/worktrees") == ["feat-1"]
