"""Bringing back what was wiped: everything is back, and nothing that is there now is written over."""

from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.records import RestoreResult
from sidecar.operations.restore import list_restorable, restore
from tests.git.leaving import DEADLINE, eventually
from tests.harness import git, write
from tests.harness.repository import Executable, Symlink
from tests.harness.states import Standing
from tests.harness.whole import as_kept, whole
from tests.operations.guarding import guarding, states
from tests.operations.test_wiped import NUMBERED, WIPES, WORK, at, rewrite, wait_until_kept

__all__ = ["at"]


def bring_back(at: Standing, receipt: str) -> RestoreResult:
    back = restore(at.main, receipt, Options())
    assert not isinstance(back, Failure), back
    assert back.outcome == "restored", back.findings
    return back


def wiped_by(at: Standing, name: str) -> str:
    """The receipt of a wipe, after the guard has told it and ended."""
    with guarding(at) as told:
        wait_until_kept(at)
        WIPES[name][0](at)
        return told.wiped.get(timeout=DEADLINE).receipt


@pytest.mark.parametrize("name", ["reset and clean", "checkout -- .", "stash, then drop", "add and reset --hard"])
def test_everything_is_back(name: str, at: Standing) -> None:
    (at.worktree / "notes.md").chmod(0o755)
    write(at.worktree, {"run.sh": Executable("#!/bin/sh\nmine\n")})
    write(at.worktree, {"new link": Symlink("notes.md")})
    at.git("add", "run.sh")
    before = as_kept(whole(at.worktree))
    receipt = wiped_by(at, name)
    git(at.main, "gc", "--quiet", "--prune=now")
    back = bring_back(at, receipt)
    assert back.findings == ()
    after = as_kept(whole(at.worktree))
    if name.startswith(("checkout", "stash", "add")):  # what was staged comes back unstaged, or was staged in the end
        before, after = ({key: one for key, one in found.items() if "file" in key} for found in (before, after))
    assert after == before
    listed = list_restorable(at.main, Options())
    assert listed == ()
    assert git(at.main, "for-each-ref", "refs/sidecar/wiped") == ""


def test_what_was_written_since_is_merged_where_git_merges_it(at: Standing) -> None:
    stale = "an agent's rewrite from a stale buffer"
    back = bring_back(at, wiped_by(at, stale))
    assert [one.code for one in back.findings] == ["restored-merged"]
    assert (at.worktree / "src/a.txt").read_text() == WORK.replace("line 18\n", "an agent's 18\n")


def test_what_does_not_merge_is_put_beside(at: Standing) -> None:
    receipt = wiped_by(at, "reset and clean")
    mine = NUMBERED.replace("line 12\n", "quite another 12\n")
    write(at.worktree, {"src/a.txt": mine, "notes.md": "new notes\n"})
    back = bring_back(at, receipt)
    assert [one.code for one in back.findings] == ["restored-beside"]
    assert set(back.findings[0].paths) == {"src/a.txt.restored", "notes.md.restored"}
    assert (at.worktree / "src/a.txt").read_text() == mine
    assert (at.worktree / "src/a.txt.restored").read_text() == WORK
    assert (at.worktree / "notes.md").read_text() == "new notes\n"
    assert (at.worktree / "notes.md.restored").read_text() == "one note\nanother note\n"


def test_a_directory_or_an_ignored_file_in_its_place_stays(at: Standing) -> None:
    receipt = wiped_by(at, "reset and clean")
    write(at.worktree, {"notes.md/inside.txt": "inside\n"})
    back = bring_back(at, receipt)
    assert back.findings[0].paths == ("notes.md.restored",)
    assert (at.worktree / "notes.md/inside.txt").read_text() == "inside\n"
    assert (at.worktree / "notes.md.restored").read_text() == "one note\nanother note\n"


def test_line_ends_and_filters_are_as_the_worktree_has_them(at: Standing) -> None:
    write(at.worktree, {".gitattributes": "*.txt text eol=crlf\n"})
    (at.worktree / "src/a.txt").write_bytes(WORK.replace("\n", "\r\n").encode())
    with guarding(at) as told:
        eventually(
            lambda: states(at) and ".gitattributes" in git(at.main, "ls-tree", "--name-only", states(at)[0].commit)
        )
        wait_until_kept(at)
        rewrite(at, "src/a.txt", NUMBERED.replace("line 18\n", "18\n").replace("\n", "\r\n"))
        receipt = told.wiped.get(timeout=DEADLINE).receipt
    bring_back(at, receipt)
    merged = WORK.replace("line 18\n", "18\n").replace("\n", "\r\n")
    assert (at.worktree / "src/a.txt").read_bytes() == merged.encode()


def test_what_is_there_is_kept_before_anything_is_changed(at: Standing) -> None:
    receipt = wiped_by(at, "an agent's rewrite from a stale buffer")
    write(at.worktree, {"last.txt": "written last\n"})
    bring_back(at, receipt)
    kept = states(at)[0]
    assert kept.facts.why == "restore"
    assert git(at.main, "show", f"{kept.commit}:last.txt") == "written last"


def test_it_is_restored_once(at: Standing) -> None:
    receipt = wiped_by(at, "restore .")
    bring_back(at, receipt)
    again = restore(at.main, receipt, Options())
    assert not isinstance(again, Failure)
    assert [one.code for one in again.findings] == ["restored-already"]


def test_nothing_is_told_of_what_a_restoration_did(at: Standing) -> None:
    with guarding(at) as told:
        wait_until_kept(at)
        WIPES["restore ."][0](at)
        receipt = told.wiped.get(timeout=DEADLINE).receipt
        bring_back(at, receipt)
        eventually(lambda: git(at.main, "show", f"{states(at)[0].commit}:src/a.txt") == WORK.strip())
        eventually(lambda: not told.guard._suspicions.held)
        assert told.wiped.empty()
    leftover = [path.name for path in Path(at.worktree).parent.glob(".sidecar-*")]
    assert leftover == []
