"""Ignored files that are nowhere else come back with their worktree; they are never in git, and bounded."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.guard import ignored
from sidecar.operations.records import RestoreResult
from sidecar.operations.restore import apply_empty, list_restorable, plan_empty, restore
from tests.git.leaving import DEADLINE, eventually
from tests.harness import git, write
from tests.harness.states import Standing, build_standing
from tests.operations.guarding import guarding


@pytest.fixture
def at(tmp_path: Path) -> Standing:
    """A worktree that `git status` calls clean, with ignored files of all kinds."""
    standing = build_standing(tmp_path)
    write(standing.main, {".env": "SHARED=1\n", "copied.log": "the same\n"})
    mine = {
        ".env": "SECRET=1\n",
        "data/own.db": "rows\n",
        "data/deep/notes.log": "a note\n",
        "copied.log": "the same\n",
    }
    made = {"node_modules/x/index.js": "made\n", "src/__pycache__/x.pyc": "made\n", "build/out.o": "made\n"}
    write(standing.worktree, {**mine, **made, ".venv/pyvenv.cfg": "made\n", ".venv/bin/python": "made\n"})
    (standing.worktree / ".env").chmod(0o640)
    return standing


def kept_contents(at: Standing) -> set[str]:
    """The texts that are kept outside of git."""
    return {path.read_text() for path in (at.main / ".git/sidecar/guard").glob("*/blobs/*") if path.name[0] != "."}


def only_receipt(at: Standing) -> str:
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    (receipt,) = listed
    assert receipt.what == "vanished"
    return receipt.id


def bring_back(at: Standing) -> RestoreResult:
    back = restore(at.main, only_receipt(at), Options())
    assert not isinstance(back, Failure)
    assert back.outcome == "restored", back.findings
    return back


def test_they_come_back_although_git_calls_the_worktree_clean(at: Standing) -> None:
    with guarding(at) as told:
        eventually(lambda: "SECRET=1\n" in kept_contents(at) and "a note\n" in kept_contents(at))
        git(at.main, "worktree", "remove", str(at.worktree))
        assert told.vanished.get(timeout=DEADLINE).name == "feat-1"
    back = bring_back(at)
    said = [one.message for one in back.findings if one.code == "restored-ignored"]
    assert said == ["3 ignored files are back: .env, data/deep/notes.log, data/own.db."]
    assert (at.worktree / ".env").read_text() == "SECRET=1\n"
    assert stat.S_IMODE((at.worktree / ".env").stat().st_mode) == 0o640
    assert (at.worktree / "data/own.db").read_text() == "rows\n"
    assert not (at.worktree / "node_modules").exists()


def test_nobody_else_can_read_them_and_no_ref_has_them(at: Standing) -> None:
    with guarding(at):
        eventually(lambda: "SECRET=1\n" in kept_contents(at))
    for folder, _, files in os.walk(at.main / ".git/sidecar/guard"):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        for name in files:
            assert stat.S_IMODE(os.stat(Path(folder, name)).st_mode) == 0o600
    secret = git(at.main, "hash-object", "--stdin", input="SECRET=1\n")
    assert git(at.main, "cat-file", "-t", secret, check=False) == ""
    assert kept_contents(at) <= {"SECRET=1\n", "SHARED=1\n", "rows\n", "a note\n", "the same\n"}


def test_a_slow_deletion_forgets_none(at: Standing) -> None:
    with guarding(at) as told:
        eventually(lambda: "SECRET=1\n" in kept_contents(at) and "rows\n" in kept_contents(at))
        folder = at.main / ".git/sidecar/guard"
        count = len(list(folder.glob("*/*.json")))
        (at.worktree / ".env").unlink()
        eventually(lambda: len(list(folder.glob("*/*.json"))) > count)
        shutil.rmtree(at.worktree)
        told.vanished.get(timeout=DEADLINE)
    bring_back(at)
    assert (at.worktree / ".env").read_text() == "SECRET=1\n"


def test_what_is_too_large_or_too_many_is_named(at: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ignored, "LARGEST", 100)
    monkeypatch.setattr(ignored, "MOST_FILES", 20)
    write(at.worktree, {"large.db": "x" * 101, **{f"vendor/{number}.txt": "many\n" for number in range(30)}})
    with guarding(at):
        eventually(lambda: "SECRET=1\n" in kept_contents(at))
    shutil.rmtree(at.worktree)
    (said,) = [one.message for one in bring_back(at).findings if one.code == "not-in-states"]
    assert said == "Ignored files that are too large, or too many, were not kept: large.db, vendor."


def test_what_a_file_system_may_take_for_gits_own_is_not_kept(at: Standing) -> None:
    """Where case does not matter, a file below `.GIT` would come back into git's own directory."""
    write(at.worktree, {"notes/.GIT/config": "hidden\n", "notes/.gitignore": "*\n"})
    with guarding(at):
        eventually(lambda: "SECRET=1\n" in kept_contents(at))
    assert "hidden\n" not in kept_contents(at)


def test_a_setting_turns_it_off(at: Standing) -> None:
    git(at.main, "config", "sidecar.guardIgnored", "false")
    with guarding(at):
        eventually(lambda: git(at.main, "for-each-ref", "refs/sidecar/guard"))
    assert kept_contents(at) == set()


def test_they_go_with_what_else_is_kept(at: Standing) -> None:
    with guarding(at):
        eventually(lambda: "SECRET=1\n" in kept_contents(at))
    shutil.rmtree(at.worktree)
    only_receipt(at)
    plan = plan_empty(at.main, None, Options())
    assert not isinstance(plan, Failure)
    assert apply_empty(at.main, plan, Options()) == ()
    assert "SECRET=1\n" not in kept_contents(at)
    assert len(git(at.main, "for-each-ref", "refs/sidecar").splitlines()) == 1  # trunk's own checkout


def test_a_manifest_that_names_something_outside_is_not_obeyed(at: Standing) -> None:
    with guarding(at):
        eventually(lambda: "SECRET=1\n" in kept_contents(at))
    shutil.rmtree(at.worktree)
    for path in (at.main / ".git/sidecar/guard").glob("*/*.json"):
        path.write_text(path.read_text().replace('".env"', '"../outside/planted"'))
    bring_back(at)
    assert list(at.outside.iterdir()) == []
