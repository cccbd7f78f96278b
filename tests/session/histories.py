"""Repositories at random: a trunk that moves on, worktrees with commits and uncommitted work."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from tests.harness import add_worktree, commit, git, init
from tests.model.loose import EXECUTABLE, SYMLINK, File, Files
from tests.model.tree_edits import VERBS, Edit, apply, bases, edits

NAMES = ("one", "two", "three")


@dataclass(frozen=True)
class Story:
    """What happens in a worktree: it starts from where trunk was or is, commits, and has more that is not committed."""

    late: bool
    committed: list[Edit]
    staged: list[Edit]
    unstaged: list[Edit]
    merges_trunk: bool


@dataclass(frozen=True)
class History:
    """A repository to build."""

    base: dict[str, File]
    trunk: list[Edit]
    stories: list[Story]


def stories(verbs: Sequence[str] = VERBS) -> st.SearchStrategy[Story]:
    """Mostly committed work, some of it not."""
    some = edits(3, verbs)
    none: st.SearchStrategy[list[Edit]] = st.just([])
    few = st.one_of(none, none, edits(2, verbs))
    return st.builds(Story, st.booleans(), some, few, few, st.sampled_from([False, False, False, True]))


def histories(least: int = 2, most: int = 3, verbs: Sequence[str] = VERBS) -> st.SearchStrategy[History]:
    """A repository with some worktrees, in which this is done."""
    none: st.SearchStrategy[list[Edit]] = st.just([])
    trunk = st.one_of(none, edits(2, verbs))
    return st.builds(History, bases(), trunk, st.lists(stories(verbs), min_size=least, max_size=most))


def build(place: Path, history: History) -> Path:
    """The main worktree of it; trunk `main` is checked out there, and linked worktrees lie beside it."""
    main = init(place / "main")
    put(main, {}, history.base)
    start = commit(main)
    now = apply(history.base, history.trunk)
    put(main, history.base, now)
    tip = commit(main)
    for name, story in zip(NAMES, history.stories, strict=False):
        path = add_worktree(main, name, start=tip if story.late else start)
        before = now if story.late else history.base
        for number, todo in enumerate((story.committed, story.staged, story.unstaged)):
            after = apply(before, todo)
            put(path, before, after)
            before = after
            if number == 0:
                commit(path)
                if story.merges_trunk:
                    git(path, "merge", "--quiet", "--no-edit", "main", check=False)
                    if git(path, "ls-files", "--unmerged"):
                        git(path, "merge", "--abort")
                    else:
                        before = _read(path)
            elif number == 1 and todo:
                git(path, "add", "--all")
    return main


def put(worktree: Path, before: Files, after: Files) -> None:
    """Make the files on disk that were `before` what they are `after`."""
    gone = [path for path in before if before[path] != after.get(path)]
    for path in gone:
        (worktree / path).unlink()
        for above in (worktree / path).parents:
            if above == worktree or any(above.iterdir()):
                break
            above.rmdir()
    for path, (mode, content) in after.items():
        if before.get(path) == (mode, content):
            continue
        place = worktree / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if mode == SYMLINK:
            place.symlink_to(os.fsdecode(content))
        else:
            place.write_bytes(content)
            place.chmod(0o755 if mode == EXECUTABLE else 0o644)


def _read(worktree: Path) -> dict[str, File]:
    """What is committed there, by path."""
    found: dict[str, File] = {}
    for row in git(worktree, "ls-tree", "-r", "-z", "HEAD").split("\0")[:-1]:
        head, _, path = row.partition("\t")
        place = worktree / path
        mode = int(head.split(" ")[0], 8)
        found[path] = (mode, os.fsencode(os.readlink(place)) if mode == SYMLINK else place.read_bytes())
    return found
