"""What people and agents do in the worktrees of a repository, at random but by a seed."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Protocol

from bench.processes import family
from tests.harness import GitFailedError, add_worktree, commit, git, init, worktree_paths

FILES, SHARED, LINES = 120, 12, 40
"""Files in the repository, how many of them everybody works on, and how long they are."""

COMMON = 30
"""How often what is common happens, to one of what is rare."""


class Told(Protocol):
    """A session, wherever it runs."""

    def set_unsaved(self, path: str, text: str | None, version: int) -> None:
        """Take the editor's text of a file."""

    def refresh(self) -> None:
        """Look again at everything."""


@dataclass
class World:
    """The repository, who looks at it, and what was done so far; `unsaved` are the texts that the session was given."""

    main: Path
    session: Told
    chance: random.Random
    most: int
    numbers: Iterator[int] = field(default_factory=count)
    unsaved: dict[str, str] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    last: list[str] = field(default_factory=list)


def found(root: Path, worktrees: int) -> Path:
    """A repository with so many linked worktrees; gives its main one."""
    main = init(root / "main")
    for key, value in {"user.name": "Soak", "user.email": "soak@example.com", "gc.auto": "0"}.items():
        git(main, "config", key, value)
    commit(main, {_file(number): _text(number) for number in range(FILES)}, "Begin")
    for number in range(worktrees):
        add_worktree(main, f"start-{number:02}")
    return main


def act(world: World) -> None:
    """Do one thing somewhere. What git refuses is part of life."""
    deeds = list(DEEDS)
    deed = world.chance.choices(deeds, [DEEDS[one] for one in deeds])[0]
    linked = _linked(world)
    place = add if len(linked) < world.most // 2 else deed
    world.last = [*world.last[-30:], place.__name__]
    world.done[place.__name__] = world.done.get(place.__name__, 0) + 1
    try:
        place(world, world.chance.choice([world.main, *linked] if place in ANYWHERE or not linked else linked))
    except GitFailedError:
        world.refused += 1
    except (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError, shutil.Error):
        world.refused += 1


def close_documents(world: World) -> None:
    """No editor has anything open any more."""
    for path in list(world.unsaved):
        world.session.set_unsaved(path, None, next(world.numbers))
        del world.unsaved[path]


# On files


def edit(world: World, place: Path) -> None:
    """Change some lines, in the file or by putting a new one in its place."""
    path = _some_file(world, place)
    lines = path.read_text(encoding="utf-8").splitlines()
    at = world.chance.randrange(len(lines) + 1)
    lines[at : at + world.chance.randrange(3)] = [_line(world, place) for _ in range(world.chance.randrange(4))]
    text = "".join(f"{line}\n" for line in lines)
    if world.chance.random() < 0.5:
        path.write_text(text, encoding="utf-8")
    else:
        passing = path.with_name(f".{path.name}.tmp")
        passing.write_text(text, encoding="utf-8")
        passing.replace(path)


def put_back(world: World, place: Path) -> None:
    """Undo an edit."""
    git(place, "checkout", "-q", "HEAD", "--", _some_file(world, place))


def create(world: World, place: Path) -> None:
    """A new file, often in new directories."""
    number = next(world.numbers)
    deep = "/".join(f"new-{number}-{level}" for level in range(world.chance.randrange(4)))
    name = world.chance.choice([f"new-{number}.txt", f"shared-{number % 5}.txt", f"ignored-{number}.log"])
    (place / deep).mkdir(parents=True, exist_ok=True)
    (place / deep / name).write_text(f"{_line(world, place)}\n")


def delete(world: World, place: Path) -> None:
    """A file, or a whole directory."""
    path = _some_file(world, place)
    if world.chance.random() < 0.2 and path.parent != place:
        shutil.rmtree(path.parent)
    else:
        path.unlink()


def rename(world: World, place: Path) -> None:
    """A file, or a whole directory."""
    path = _some_file(world, place)
    source = path.parent if world.chance.random() < 0.2 and path.parent != place else path
    source.rename(source.with_name(f"renamed-{next(world.numbers)}-{source.name[-20:]}"))


def reshape(world: World, place: Path) -> None:
    """Make a file something else: executable, a link, a directory."""
    path = _some_file(world, place)
    kind = world.chance.randrange(3)
    if kind == 0:
        path.chmod(path.stat().st_mode ^ 0o111)
        return
    path.unlink()
    if kind == 1:
        path.symlink_to("somewhere")
    else:
        path.mkdir()
        (path / "inside.txt").write_text(f"{_line(world, place)}\n")


def ignore(world: World, place: Path) -> None:
    """Ignore more, or less."""
    rules = place / world.chance.choice([".gitignore", "part-1/.gitignore"])
    rules.write_text(world.chance.choice(["*.log\n", "*.log\nnew-*/\n", "shared-*\n", ""]))


def type_text(world: World, place: Path) -> None:
    """Type into an editor without saving."""
    path = _some_file(world, place)
    text = f"{_line(world, place)}\n{path.read_text(encoding='utf-8')}"
    world.unsaved[str(path)] = text
    world.session.set_unsaved(str(path), text, next(world.numbers))


def close_one(world: World, place: Path) -> None:
    """Close a document."""
    del place
    if world.unsaved:
        path = world.chance.choice(sorted(world.unsaved))
        world.session.set_unsaved(path, None, next(world.numbers))
        del world.unsaved[path]


# With git


def stage(world: World, place: Path) -> None:
    """Everything, or one file."""
    git(place, "add", "--all" if world.chance.random() < 0.5 else _some_file(world, place))


def commit_all(world: World, place: Path) -> None:
    """Commit what is there; finishes a merge, too."""
    git(place, "add", "--all")
    git(place, "commit", "-q", "-m", f"Change {next(world.numbers)}")


def switch(world: World, place: Path) -> None:
    """Go to another commit, on a branch or detached; by force where something is in the way."""
    commits = git(place, "rev-list", "--all", "--max-count=200").split()
    target = world.chance.choice(commits)
    how = ["--detach"] if world.chance.random() < 0.3 else ["-B", f"topic-{world.chance.randrange(20)}"]
    git(place, "checkout", "-q", "-f", *how, target)


def throw_away(world: World, place: Path) -> None:
    """Forget what was not committed."""
    git(place, "reset", "-q", "--hard")
    if world.chance.random() < 0.5:
        git(place, "clean", "-q", "-ffdx")


def stash(world: World, place: Path) -> None:
    """Put work aside, or take it up again."""
    git(place, "stash", *world.chance.choice([("push", "-q", "--include-untracked"), ("pop", "-q")]))


def merge_trunk(world: World, place: Path) -> None:
    """Merge trunk; where that stops, go on, give up, or leave it like that."""
    _or_give_up(world, place, "merge", "-q", "--no-edit", "main")


def rebase(world: World, place: Path) -> None:
    """Replay onto trunk."""
    _or_give_up(world, place, "rebase", "-q", "main")


def land(world: World, place: Path) -> None:
    """Merge a worktree's commit into trunk."""
    _or_give_up(world, world.main, "merge", "-q", "--no-edit", git(place, "rev-parse", "HEAD"), leave=False)


def tidy(world: World, place: Path) -> None:
    """What git does now and then."""
    del place
    git(world.main, *world.chance.choice([("gc", "-q"), ("pack-refs", "--all"), ("worktree", "prune")]))


# With worktrees


def add(world: World, place: Path) -> None:
    """One more, unless there are enough."""
    if len(_linked(world)) < world.most:
        start = git(place, "rev-parse", "HEAD")
        add_worktree(world.main, f"more-{next(world.numbers)}", start=start, detach=world.chance.random() < 0.2)


def remove(world: World, place: Path) -> None:
    """One less, in the ways that people have."""
    if world.chance.random() < 0.6:
        git(world.main, "worktree", "remove", "--force", "--force", place)
    else:
        shutil.rmtree(place)
        if world.chance.random() < 0.7:
            git(world.main, "worktree", "prune")


def move(world: World, place: Path) -> None:
    """Somewhere else, by git or behind its back."""
    target = place.with_name(f"moved-{next(world.numbers)}")
    if world.chance.random() < 0.7:
        git(world.main, "worktree", "move", place, target)
    else:
        place.rename(target)
        git(target, "worktree", "repair")


def lock(world: World, place: Path) -> None:
    """Lock it, or unlock it."""
    git(world.main, "worktree", *world.chance.choice([("lock", "--reason", "in use"), ("unlock",)]), place)


# To the session


def refresh(world: World, place: Path) -> None:
    """Ask for everything again."""
    del place
    world.session.refresh()


def kill_git(world: World, place: Path) -> None:
    """One of the session's own git processes dies."""
    del place
    gits = [process for process in family(os.getpid())[1:] if _is_session_git(process)]
    if gits:
        with suppress(ProcessLookupError):
            os.kill(world.chance.choice(gits).pid, signal.SIGKILL)


DEEDS: Mapping[Callable[[World, Path], None], int] = {
    edit: 10 * COMMON,
    put_back: COMMON,
    create: 2 * COMMON,
    delete: COMMON,
    rename: COMMON,
    reshape: COMMON // 2,
    ignore: COMMON // 3,
    type_text: 3 * COMMON,
    close_one: 2 * COMMON,
    stage: 2 * COMMON,
    commit_all: 3 * COMMON,
    switch: COMMON,
    throw_away: COMMON,
    stash: COMMON // 2,
    merge_trunk: COMMON,
    rebase: COMMON // 2,
    land: COMMON // 2,
    tidy: 4,
    add: COMMON,
    remove: COMMON // 2,
    move: COMMON // 4,
    lock: COMMON // 4,
    refresh: COMMON // 6,
    kill_git: COMMON // 6,
}
ANYWHERE = {edit, put_back, create, delete, rename, reshape, ignore, type_text, stage, commit_all, throw_away, stash}
"""What is done in the main worktree, too."""


def _linked(world: World) -> list[Path]:
    return [path for path in worktree_paths(world.main)[1:] if (path / ".git").exists()]


def _some_file(world: World, place: Path) -> Path:
    """One that is there: one of those that everybody works on, or any."""
    shared = [path for number in range(SHARED) if (path := place / _file(number)).is_file() and not path.is_symlink()]
    if shared and world.chance.random() < 0.7:
        return world.chance.choice(shared)
    every = [place / name for name in git(place, "ls-files").splitlines() if not name.startswith('"')]
    plain = [path for path in every if path.is_file() and not path.is_symlink()]
    if not plain:
        raise FileNotFoundError(place)
    return world.chance.choice(plain)


def _or_give_up(world: World, place: Path, *arguments: str, leave: bool = True) -> None:
    try:
        git(place, *arguments)
    except GitFailedError:
        choice = world.chance.random()
        if choice < 0.4 or not leave:
            git(place, arguments[0], "--abort")
        elif choice < 0.7 and arguments[0] == "merge":
            commit_all(world, place)
        raise


def _is_session_git(process: object) -> bool:
    """Whether it is one that stays, and not one of the turmoil's own."""
    with suppress(Exception):
        return "--stdin" in process.cmdline() or "--batch" in process.cmdline()  # type: ignore[attr-defined]
    return False


def _file(number: int) -> str:
    return f"part-{number % 7}/file-{number}.txt"


def _text(number: int) -> str:
    return "".join(f"line {line} of file {number}\n" for line in range(LINES))


def _line(world: World, place: Path) -> str:
    return f"{world.chance.choice([place.name, 'somebody'])} wrote this {world.chance.randrange(100)}"
