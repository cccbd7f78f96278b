"""A worktree with nothing at stake, and what a state of one is."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.harness.repository import Content, Executable, Symlink, add_worktree, commit, git, init, write

IGNORE = "*.log\n*.db\n.env\n.env.link\n/data/\n/vendor/\nnode_modules/\n__pycache__/\n/build/\n/.venv/\n"


@dataclass(frozen=True)
class Standing:
    """A repository with trunk `main` checked out in `main`, a linked worktree, and a directory beside both."""

    main: Path
    worktree: Path
    outside: Path

    @property
    def administrative(self) -> Path:
        """The worktree's directory under `.git/worktrees`."""
        return Path((self.worktree / ".git").read_text().removeprefix("gitdir: ").rstrip("\n"))

    def git(self, *arguments: str, **how: object) -> str:
        """Git in the worktree."""
        return git(self.worktree, *arguments, **how)  # type: ignore[arg-type]


@dataclass(frozen=True)
class State:
    """A way in which something is at stake: its name, what puts a worktree into it, and the codes that tell it.

    `codes` come from the worktree's inventory; `also` from those who know trunk and processes. `undo` is for what
    outlives a test's directory; `needs` says what the machine must allow: "" or "mount".
    """

    name: str
    put: Callable[[Standing], object]
    codes: frozenset[str] = frozenset()
    also: frozenset[str] = frozenset()
    undo: Callable[[Standing], object] = lambda _standing: None
    needs: str = ""


def state(
    name: str,
    put: Callable[[Standing], object],
    *codes: str,
    also: frozenset[str] = frozenset(),
    undo: Callable[[Standing], object] = lambda _standing: None,
    needs: str = "",
) -> State:
    """A state, with its codes as they are said."""
    return State(name, put, frozenset(codes), also, undo, needs)


def build_standing(root: Path, name: str = "feat-1", how: tuple[str, ...] = ()) -> Standing:
    """A merged and clean worktree `name` on a branch of that name, next to its main worktree; `how` is for git init."""
    main = init(root / "main", *how)
    files: dict[str, Content] = {
        ".gitignore": IGNORE,
        "README.md": "# Shop\n",
        "src/a.txt": "".join(f"line {number}\n" for number in range(20)),
        "src/b.txt": "b\n",
        "src/deep/c.txt": "c\n",
        "run.sh": Executable("#!/bin/sh\n"),
        "link": Symlink("src/a.txt"),
        "windows.txt": "one\ntwo\n",
    }
    commit(main, files, "Begin")
    worktree = add_worktree(main, name)
    commit(worktree, {"src/feature.txt": "feature\n"}, "Add the feature")
    git(main, "merge", "--quiet", "--ff-only", name)
    outside = root / "outside"
    outside.mkdir()
    return Standing(main, worktree, outside)


def build_at_work(root: Path, how: tuple[str, ...] = ()) -> Standing:
    """The same with a commit, a staged, an unstaged and an untracked change that trunk lacks."""
    standing = build_standing(root, how=how)
    commit(standing.worktree, {"more.txt": "more\n"}, "Not merged")
    write(standing.worktree, {"src/a.txt": "staged\n"})
    standing.git("add", "src/a.txt")
    write(standing.worktree, {"src/b.txt": "unstaged\n", "new/untracked.txt": "untracked\n"})
    return standing


def keep_times(path: Path, content: str) -> None:
    """Write content of the same length without a change of size or time."""
    before = path.stat()
    assert len(content) == before.st_size
    path.write_text(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
