"""An agent that says nothing of its edits is known as a writer where nobody else could have made them."""

import os
import sys
import time
from collections.abc import Collection
from pathlib import Path

from sidecar.model.findings import Failure
from sidecar.operations.who_is_there import agents_in_picture
from sidecar.session.once import look
from tests.harness import add_worktree, commit, git, write
from tests.operations.test_who_is_there import programs, running

__all__ = ["programs"]


def writers(repo: Path, opened: Collection[str] = ()) -> dict[str, list[str]]:
    """The clients in each worktree in which there is one, by the worktree's name; those that edit with a `*`."""
    picture = look(repo, prove=False)
    assert not isinstance(picture, Failure)
    found = agents_in_picture(picture, (), opened=opened)
    return {
        Path(key).name: [f"{one.client}{'*' if one.is_writer else ''}" for one in agents]
        for key, agents in found.items()
    }


def change(worktree: Path, name: str = "a.txt", *, after: float = 10.0) -> Path:
    """A file that is written so many seconds from now, as one that was written long after an agent began."""
    write(worktree, {name: "changed\n"})
    moment = time.time() + after
    os.utime(worktree / name, (moment, moment))
    return worktree / name


def test_an_agent_alone_where_files_change_is_a_writer(repo: Path, programs: Path) -> None:
    commit(repo, {"a.txt": "one\n"})
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    with running(one, programs / "claude"), running(two, sys.executable, programs / "gemini"):
        assert writers(repo) == {"one": ["Claude Code"], "two": ["Gemini CLI"]}
        change(one)
        assert writers(repo) == {"one": ["Claude Code*"], "two": ["Gemini CLI"]}
        change(two, "new.txt")
        assert writers(repo) == {"one": ["Claude Code*"], "two": ["Gemini CLI*"]}


def test_a_shell_around_it_and_what_it_starts_are_no_others(repo: Path, programs: Path) -> None:
    commit(repo, {"a.txt": "one\n"})
    one = add_worktree(repo, "one")
    script = programs / "gemini"
    with running(one, "/bin/sh"), running(one, sys.executable, script, programs / "claude"):
        change(one)
        assert writers(repo)["one"][-1].endswith("*")


def test_nothing_is_concluded_in_any_doubt(repo: Path, programs: Path) -> None:
    """Another process or agent is there; an editor had the file open; it was there before, or it is committed."""
    commit(repo, {"a.txt": "one\n"})
    one = add_worktree(repo, "one")
    with running(one, programs / "claude"):
        path = change(one)
        with running(one, "cat"):
            assert writers(repo) == {"one": ["Claude Code"]}
        with running(one, sys.executable, programs / "gemini"):
            assert writers(repo) == {"one": ["Claude Code", "Gemini CLI"]}
        assert writers(repo, [str(path)]) == {"one": ["Claude Code"]}
        change(one, after=-1000.0)
        assert writers(repo) == {"one": ["Claude Code"]}
        change(one)
        git(one, "commit", "--quiet", "-am", "Work")
        assert writers(repo) == {"one": ["Claude Code"]}


def test_nothing_is_concluded_in_the_main_worktree(repo: Path, programs: Path) -> None:
    commit(repo, {"a.txt": "one\n"})
    with running(repo, programs / "claude"):
        change(repo)
        assert writers(repo) == {"repo": ["Claude Code"]}
