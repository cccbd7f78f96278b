"""The repository that the measurements run on: many files, many worktrees, and a file that is hot.

Built by real git, the same every time. The checkouts of the linked worktrees are hard links to the main one's files
until something changes them; whatever writes must therefore replace a file, as editors do, and not write into it.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.harness import GitFailedError, environment, git, identity, init

RECIPE = 1
"""Grows when the same numbers give another repository, so that kept ones are built anew."""

HOT, HOT_WORKTREES = "core/orders.py", 15
"""A file of 36 kB that the first 15 worktrees have changed; the first three of them in the same lines."""
WARM, WARM_WORKTREES = "core/carts.py", 5
"""The same for five worktrees: what a repository of any number of worktrees can be measured with."""

SHARING = 10
"""How many worktrees change the same files where a measurement asks for that."""

COMMITS, FILES_A_COMMIT = 300, 5
FORKED_BACK = 5
"""Every fourth worktree left trunk this many commits ago."""

_BUSY_LINES, _BLOCK, _BLOCK_LINES = 900, 55, 4
_FILES_A_DIRECTORY, _SUBDIRECTORIES = 5.5, 8
_FIRST_COMMIT = 1_767_225_600
_VOCABULARY = (
    "account address amount archive basket batch bill box branch buffer cache card cart catalog change check client"
    " code count coupon customer date delivery discount draft email entry event field filter form group handler"
    " history image index invoice item label limit line list lock log mail market message method money name network"
    " note number offer order owner page parcel part payment person phone picture place plan price product profile"
    " query queue rate reason receipt record refund region report request result return review role rule sale search"
    " seller service session shelf shipping shop sign size source stage state stock store supplier table task tax"
    " ticket time title token total trade type unit update user value version view vote wallet weight work zone"
)
_WORDS = tuple(_VOCABULARY.split())


@dataclass(frozen=True)
class Repository:
    """Where it is: `worktrees` are the linked ones, in the order of their names."""

    root: Path
    main: Path
    worktrees: tuple[Path, ...]

    @property
    def every(self) -> tuple[Path, ...]:
        """All worktrees, the main one first."""
        return (self.main, *self.worktrees)


@contextmanager
def repository(keep: Path | None, files: int, worktrees: int, seed: int = 1) -> Iterator[Repository]:
    """A repository of so many files and linked worktrees; from `keep` if it was built before, else in a passing place.

    The worktrees are `task-00`, `task-01` and so on; the constants of this module say who has changed what.
    """
    if keep is not None:
        yield _kept(keep.absolute() / f"{files}-files-{worktrees}-worktrees-seed-{seed}", files, worktrees, seed)
        return
    with tempfile.TemporaryDirectory(prefix="sidecar-bench-") as passing:
        yield build(Path(passing), files, worktrees, seed)


def _kept(root: Path, files: int, worktrees: int, seed: int) -> Repository:
    done = root / "built.json"
    recipe = json.dumps({"recipe": RECIPE, "root": str(root)})
    if not done.exists() or done.read_text() != recipe:
        shutil.rmtree(root, ignore_errors=True)
        build(root, files, worktrees, seed)
        done.write_text(recipe)
    found = _paths(root, worktrees)
    _show_all(found)
    return found


def build(root: Path, files: int, worktrees: int, seed: int) -> Repository:
    """Build it in a directory that is new or empty."""
    found = _paths(root, worktrees)
    init(found.main)
    for key, value in {"gc.auto": "0", "user.name": "Bench", "user.email": "bench@example.com"}.items():
        git(found.main, "config", key, value)
    chance = random.Random(seed)
    paths = _import_history(found.main, files, chance)
    git(found.main, "reset", "--quiet", "--hard", "main")
    for worktree in found.worktrees:
        git(found.main, "worktree", "add", "--quiet", "--no-checkout", "-b", f"task/{worktree.name}", worktree)
        tops = sorted(place for place in found.main.iterdir() if place.name != ".git")
        subprocess.run(["cp", "-al", "-t", worktree, "--", *tops], check=True)
    _refresh(found.main)
    for number, worktree in enumerate(found.worktrees):
        shutil.copyfile(found.main / ".git/index", _git_dir(found, worktree) / "index")
        _do_work(worktree, number, paths, random.Random(f"{seed}-{number}"))
    for worktree in found.every:
        _refresh(worktree)
    return found


@contextmanager
def showing(found: Repository, count: int) -> Iterator[Repository]:
    """The repository with only its first linked worktrees; git is not told of the others meanwhile."""
    hidden = found.root / "hidden"
    hidden.mkdir(exist_ok=True)
    try:
        for worktree in found.worktrees[count:]:
            _git_dir(found, worktree).rename(hidden / worktree.name)
        yield Repository(found.root, found.main, found.worktrees[:count])
    finally:
        _show_all(found)


@contextmanager
def sharing(found: Repository, files: int) -> Iterator[Sequence[str]]:
    """The first ten worktrees have all changed so many files more, which are given; at the end all is as it was."""
    listed = [name for name in git(found.main, "ls-files").splitlines() if name not in (HOT, WARM)]
    places = ((worktree, worktree / name) for name in listed[:files] for worktree in found.worktrees[:SHARING])
    texts = {path: (worktree.name, path.read_text(encoding="utf-8")) for worktree, path in places if path.is_file()}
    try:
        for path, (owner, text) in texts.items():
            replace_file(path, f"# {owner} was here, too\n{text}")
        yield listed[:files]
    finally:
        for path, (_, text) in texts.items():
            replace_file(path, text)


def _show_all(found: Repository) -> None:
    for administrative in (found.root / "hidden").glob("*"):
        administrative.rename(found.main / ".git/worktrees" / administrative.name)


def replace_file(path: Path, text: str) -> float:
    """Write a file as editors and agents do: a new one takes the old one's place at once, and this gives when."""
    passing = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    passing.write_text(text, encoding="utf-8")
    now = time.perf_counter()
    passing.replace(path)
    return now


def busy_text(label: str = "", number: int = 0, *, lines: int = 6, turn: int = 0) -> str:
    """A hot or warm file; with a label as that worktree has it: its own lines in the place of four of the base's.

    The first three worktrees (`number` 0 to 2) stand in the same place. `turn` makes each text a new one.
    """
    text = [f"    total_{line:03} = carry({line * 7919 % 1000:03})  # row {line}" for line in range(1, _BUSY_LINES + 1)]
    if label:
        start = busy_start(number) - 1
        text[start : start + _BLOCK_LINES] = [f"    of_{label}_{line} = {turn}" for line in range(lines)]
    return "\n".join(text) + "\n"


def busy_start(number: int) -> int:
    """The first line (from 1) that a worktree has changed in a hot or warm file."""
    return 10 + _BLOCK * max(0, number - 2)


def _paths(root: Path, worktrees: int) -> Repository:
    return Repository(root, root / "main", tuple(root / f"task-{number:02}" for number in range(worktrees)))


def _git_dir(found: Repository, worktree: Path) -> Path:
    return found.main / ".git/worktrees" / worktree.name


def _refresh(worktree: Path) -> None:
    with suppress(GitFailedError):  # it says with its exit status that there are changes
        git(worktree, "update-index", "-q", "--refresh")


def _directory(number: int) -> str:
    """The directories form a tree in which each has eight subdirectories; all of them have files."""
    names = []
    while number:
        names.append(f"{_WORDS[number % len(_WORDS)]}{number // len(_WORDS) or ''}/")
        number = (number - 1) // _SUBDIRECTORIES
    return "".join(reversed(names))


def _import_history(main: Path, files: int, chance: random.Random) -> list[str]:
    """Commit everything to trunk through one pack; gives the paths of the plain files."""
    directories = max(1, int(files / _FILES_A_DIRECTORY))
    paths = [
        f"{_directory(number % directories)}{_WORDS[number * 31 % len(_WORDS)]}_{number // directories}_{number}.py"
        for number in range(files - 2)
    ]
    pool = [
        f"{'    ' * chance.randrange(4)}{'_'.join(chance.choices(_WORDS, k=2))} = {chance.choice(_WORDS)}"
        f"({', '.join(chance.choices(_WORDS, k=chance.randrange(4)))})"
        for _ in range(5000)
    ]
    with subprocess.Popen(
        ["git", "fast-import", "--quiet", "--done"], cwd=main, env=environment(), stdin=subprocess.PIPE
    ) as importing:
        stream = importing.stdin
        assert stream is not None

        def commit(number: int, contents: Iterator[tuple[str, str]]) -> None:
            when = f"Bench <bench@example.com> {_FIRST_COMMIT + 60 * number} +0000"
            message = f"Change {number}".encode()
            stream.write(f"commit refs/heads/main\ncommitter {when}\n".encode())
            stream.write(b"data %d\n%s\n" % (len(message), message))
            for path, text in contents:
                data = text.encode()
                stream.write(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))

        def first() -> Iterator[tuple[str, str]]:
            yield from ((busy, busy_text()) for busy in (HOT, WARM))
            for path in paths:
                yield path, _plain_text(path, pool, chance)

        commit(0, first())
        for number in range(1, COMMITS):
            commit(number, ((path, _plain_text(path, pool, chance)) for path in chance.sample(paths, FILES_A_COMMIT)))
        stream.write(b"done\n")
    if importing.returncode:
        raise GitFailedError(f"git fast-import exited with {importing.returncode}.")
    return paths


def _plain_text(path: str, pool: Sequence[str], chance: random.Random) -> str:
    """Sizes as in real projects: half of the files below 2 kB, a few of tens of kB."""
    lines = min(2000, int(chance.lognormvariate(4.0, 0.9)) + 3)
    return "\n".join([f"# {path}", *chance.choices(pool, k=lines)]) + "\n"


def _do_work(worktree: Path, number: int, paths: Sequence[str], chance: random.Random) -> None:
    """A task's work: a dozen changes of its own, committed and not; and its part in the hot and the warm file."""
    if number % 4 == 3:
        fork = f"main~{FORKED_BACK}"
        _refresh(worktree)  # the others' work has changed the times of files that are shared
        git(worktree, "read-tree", "-m", "-u", "main", fork)
        git(worktree, "update-ref", "HEAD", fork)
    mine = chance.sample(paths, 10)
    for path in mine[:5]:
        _edit(worktree / path, worktree.name, chance)
    if number % 7 == 6:
        (worktree / mine[5]).unlink()
    if number % 10 == 9:
        (worktree / mine[6]).rename((worktree / mine[6]).with_suffix(".renamed.py"))
    _add(worktree, chance, paths)
    busy = [HOT] * (number < HOT_WORKTREES) + [WARM] * (number < WARM_WORKTREES)
    label = worktree.name.replace("-", "_")
    for path in busy if number % 2 else ():
        replace_file(worktree / path, busy_text(label, number))
    git(worktree, "add", "--all")
    git(worktree, "commit", "--quiet", "--message", f"Work on {worktree.name}", env=identity(_FIRST_COMMIT + 10**6))
    for path in busy:
        replace_file(worktree / path, busy_text(label, number, lines=7))
    for path in mine[7:9]:
        _edit(worktree / path, worktree.name, chance)
    _edit(worktree / mine[9], worktree.name, chance)
    git(worktree, "add", mine[9])
    _add(worktree, chance, paths)
    _add(worktree, chance, paths)


def _edit(path: Path, label: str, chance: random.Random) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    at = chance.randrange(len(lines))
    replace_file(path, "\n".join([*lines[:at], f"# {label} was here", *lines[at + 1 :]]) + "\n")


def _add(worktree: Path, chance: random.Random, paths: Sequence[str]) -> None:
    beside = worktree / chance.choice(paths)
    replace_file(beside.with_name(f"new_{worktree.name}_{chance.randrange(10**6)}.py"), f"# new in {worktree.name}\n")
