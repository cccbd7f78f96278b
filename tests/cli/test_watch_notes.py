"""`sidecar status` says how a running server watches, and nothing once that has ended."""

import json
import os
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import pytest

from sidecar.model.picture import WatchNote, watch_sentence
from sidecar.model.settings import Options
from sidecar.session.watch_notes import NAME, leave_note, watch_notes
from tests.cli.conftest import Sidecar
from tests.git.leaving import eventually, quarantines, temporary
from tests.harness import add_worktree, commit, init, write
from tests.session.watching import watching

__all__ = ["temporary"]

NOTE = WatchNote("/r/.git", 7, "inotify", 1234, 12, 0)


@pytest.fixture
def repo(tmp_path: Path, temporary: Path) -> Path:
    made = init(tmp_path / "repo")
    commit(made, {".gitignore": "out/\n", "a/b/c.txt": "1\n"})
    write(made, {"out/x/y/z.txt": "1\n"})
    add_worktree(made, "linked")
    return made


def test_status_counts_the_watches_of_a_server(repo: Path, sidecar: Sidecar) -> None:
    assert "Watching" not in sidecar(repo, "status").out
    with watching(repo) as live:

        def said() -> str:
            return next((line for line in sidecar(repo, "status").out.splitlines() if "Watching" in line), "")

        eventually(lambda: said().startswith("Watching: "))
        eventually(lambda: f"{live.session.watch_report()[1]:,} directories of 2 worktrees" in said())
        assert f"(process {os.getpid()})." in said()
        assert '"watches"' not in sidecar(repo, "status", "--json").out, "the object is fixed"
        before = live.session.watch_report()[1]
        write(repo, {"new/deep/f.txt": "1\n", "out/more/f.txt": "1\n"})
        eventually(lambda: live.session.watch_report()[1] == before + 2)
        eventually(lambda: f"{before + 2:,} directories" in said())
    assert "Watching" not in sidecar(repo, "status").out


def test_of_another_repository_nothing_is_said(tmp_path: Path, repo: Path, sidecar: Sidecar) -> None:
    other = init(tmp_path / "other")
    with watching(repo):
        eventually(lambda: watch_notes(str(repo / ".git")))
        assert watch_notes(str(other / ".git")) == ()
        assert "Watching" not in sidecar(other, "status").out


def test_a_worktree_without_enough_watches_is_said(repo: Path, sidecar: Sidecar) -> None:
    write(repo, {f"d{number}/f.txt": "1\n" for number in range(30)})
    with watching(repo, Options(editor={"maxWatches": 20})):
        eventually(lambda: any(note.polled for note in watch_notes(str(repo / ".git"))))
        assert "there are not enough watches" in sidecar(repo, "status").out


def test_what_is_no_note_is_passed_over(repo: Path, temporary: Path) -> None:
    with watching(repo):
        eventually(lambda: watch_notes(str(repo / ".git")))
        (directory,) = (path for path in quarantines(temporary) if path.is_dir())

        def is_passed_over(text: str) -> bool:  # the session may have a word to say itself at first
            (directory / NAME).write_text(text)
            return watch_notes(str(repo / ".git")) == ()

        for text in ("", "[]", "{}", '{"repository": 3}', "\0", '"text"'):
            eventually(partial(is_passed_over, text))
        right = replace(NOTE, repository=str(repo / ".git"), pid=os.getpid())
        for wrong in (replace(right, pid=0), replace(right, pid=2**22 + 1), replace(right, watches=-1)):
            eventually(partial(is_passed_over, json.dumps(asdict(wrong))))
        leave_note(directory, right)
        assert len(watch_notes(str(repo / ".git"))) == 1


def test_the_sentence() -> None:
    assert watch_sentence(NOTE) == "Watching: 1,234 directories of 12 worktrees (process 7)."
    assert watch_sentence(replace(NOTE, watches=1, worktrees=1)) == "Watching: 1 directory of 1 worktree (process 7)."
    assert "looking again" in watch_sentence(replace(NOTE, backend="polling"))
    assert "For 3 of these" in watch_sentence(replace(NOTE, polled=3))
