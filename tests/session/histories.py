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
    """What happens in a worktree: it starts somewhere, commits, and has more that is not committed.

    It starts from where trunk was, or is (`late`), or from the branch of the worktree before it (`stacked`).
    """

    late: bool
    committed: list[Edit]
    staged: list[Edit]
    unstaged: list[Edit]
    merges_trunk: bool
    stacked: bool = False


@dataclass(frozen=True)
class History:
    """A repository to build."""

    base: dict[str, File]
    trunk: list[Edit]
    stories: list[Story]


def stories(verbs: Sequence[str] = VERBS, *, stacking: bool = False) -> st.SearchStrategy[Story]:
    """Mostly committed work, some of it not."""
    some = edits(3, verbs)
    none: st.SearchStrategy[list[Edit]] = st.just([])
    few = st.one_of(none, none, edits(2, verbs))
    rarely = st.sampled_from([False, False, False, True])
    return st.builds(Story, st.booleans(), some, few, few, rarely, rarely if stacking else st.just(False))


def histories(
    least: int = 2, most: int = 3, verbs: Sequence[str] = VERBS, *, stacking: bool = False, crowded: bool = False
) -> st.SearchStrategy[History]:
    """A repository with some worktrees, in which this is done; `crowded`: in one or two files."""
    none: st.SearchStrategy[list[Edit]] = st.just([])
    trunk = edits(2, verbs) if crowded else st.one_of(none, edits(2, verbs))
    base = bases(1, 2) if crowded else bases()
    return st.builds(History, base, trunk, st.lists(stories(verbs, stacking=stacking), min_size=least, max_size=most))


def build(place: Path, history: History) -> Path:
    """The main worktree of it; trunk `main` is checked out there, and linked worktrees lie beside it."""
    main = init(place / "main")
    put(main, {}, history.base)
    start = commit(main)
    now = apply(history.base, history.trunk)
    put(main, history.base, now)
    tip = commit(main)
    starts = {False: (start, dict(history.base)), True: (tip, now)}
    for name, below, story in zip(NAMES, (None, *NAMES), history.stories, strict=False):
        stacked = story.stacked and below is not None
        path = add_worktree(main, name, start=below if stacked and below else starts[story.late][0])
        before = _read(path) if stacked else starts[story.late][1]
        for number, todo in enumerate((story.committed, story.staged, story.unstaged)):
            after = apply(before, todo)
            put(path, before, after)
            before = after
            if number == 0:
                commit(path)
                if story.merges_trunk:
                    git(path, "merge", "--quiet", "--no-edit", "main", check=False)
                    if git(path, "ls-files", "--unmerged"):
                        git(path, "reset", "--quiet", "--hard")
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
