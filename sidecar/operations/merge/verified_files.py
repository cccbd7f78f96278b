"""Look at the files that verify runs on: whether they are those that land, and all of them. It only reads.

Found are links and whatever else leads into another checkout, reading in another checkout what lands here, and
submodules and contents that are not there.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sidecar.git.conversions import find_pointers
from sidecar.git.repository import Repository, list_worktrees
from sidecar.model.changes import Change
from sidecar.model.findings import Finding, finding
from sidecar.model.words import counted, named, shown
from sidecar.operations.landing_repository.layout import LandingRepository
from sidecar.system.files import read_regular
from sidecar.system.processes import Running, marked_processes
from sidecar.watch.openings import Openings, note_openings

MOST_NAMED = 3

MOST_BYTES = 1 << 20
"""Bytes of a file that is searched for paths."""

FIRST_LINE = 4096
"""Bytes in which the first line of a script ends."""


@dataclass(frozen=True, slots=True)
class Checkouts:
    """The real paths of other checkouts of the repository, and of its common directory, which is no checkout's."""

    paths: tuple[str, ...]
    common_dir: str

    def holding(self, path: str) -> str | None:
        """Give the innermost of them that a path leads into, links resolved; None for none."""
        return self.holding_real(os.path.realpath(path)) if os.path.isabs(path) else None

    def holding_real(self, path: str) -> str | None:
        """Give the innermost of them that a real path is in; None for none."""
        found = [one for one in self.paths if is_in(path, one)]
        return max(found, key=len) if found and not is_in(path, self.common_dir) else None


def other_checkouts(repository: Repository, top: str) -> Checkouts:
    """List the checkouts in which the directory of these files is not; GitError."""
    checkouts = [os.path.realpath(one.key) for one in list_worktrees(repository) if not one.bare]
    others = tuple(one for one in checkouts if not is_in(os.path.realpath(top), one))
    return Checkouts(others, os.path.realpath(repository.common_dir))


def is_in(path: str, folder: str) -> bool:
    """Tell whether a path is a directory, or below it."""
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def read_text(path: str) -> str:
    """Read a text of a usual size; '' for anything else."""
    try:
        return read_regular(path, MOST_BYTES * 16).decode("utf-8", "replace")
    except OSError:
        return ""


def links_elsewhere(others: Checkouts, top: str) -> Finding | None:
    """Find what leads from the landing worktree into another checkout of the repository, or None.

    Links, and what tools keep instead: the `.pth` files, finders and records of Python's packages, the first lines of
    its scripts, and the files of workspaces that name directories.
    """
    top = os.path.realpath(top)
    found: dict[str, str] = {}
    for path, target in _leads(top, others.paths):
        if not is_in(target, top) and others.holding_real(target) is not None:
            found[os.path.relpath(path, top)] = target
    if not found:
        return None
    named = "; ".join(f"{shown(path)} leads to {shown(target)}" for path, target in list(found.items())[:MOST_NAMED])
    more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    said = f"Verify would test files of another checkout, not those that land: {named}{more}."
    advice = "Have sidecar.prepare install there instead of linking, for example: npm ci"
    return finding("links-elsewhere", f"{said} {advice}", tuple(found))


def _leads(top: str, others: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give (a path below, a path that it leads to), links resolved; git directories are left out."""
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        scripts = any(entry.name == "pyvenv.cfg" for entry in entries)
        for entry in entries:
            if entry.name == ".git":
                continue
            if entry.is_symlink():
                yield entry.path, os.path.realpath(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
                if scripts and entry.name in ("bin", "Scripts"):
                    yield from _first_lines(entry.path, others)
            elif _names_paths(entry.name):
                yield from ((entry.path, path) for path in _named(entry.path, others, MOST_BYTES))


NAME_PATHS = frozenset({"direct_url.json", "go.work", "go.mod", "Cargo.toml", "pyproject.toml", "uv.toml"})
"""Files in which package managers write where a package is, or was when it was installed."""


def _names_paths(name: str) -> bool:
    editable = name.startswith("__editable__") and name.endswith(".py")
    return editable or name in NAME_PATHS or name.endswith((".pth", ".egg-link"))


def _first_lines(folder: str, others: Sequence[str]) -> Iterator[tuple[str, str]]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        if not os.path.islink(path):
            yield from ((path, said) for said in _named(path, others, FIRST_LINE, first_line=True))


def _named(path: str, others: Sequence[str], limit: int, *, first_line: bool = False) -> Iterator[str]:
    """Find the checkouts that a text names, where nothing of a longer name follows."""
    try:
        if first_line:
            with open(path, "rb") as file:
                text = file.readline(limit)
            if not text.startswith(b"#!"):
                return
        else:
            text = read_regular(path, limit)
    except OSError:
        return
    for other in others:
        at = text.find(os.fsencode(other))
        after = text[at + len(os.fsencode(other)) :][:1]
        if at >= 0 and after in (b"", b"/", b"\n", b"\r", b"'", b'"'):
            yield other


TRIES = 20
"""How often one looks for who reads in another checkout."""

BETWEEN = 0.05
"""Seconds between two of these looks."""


@dataclass(slots=True)
class Twins:
    """What verify read of the files that land: there, or in other checkouts.

    `own` says which file of the landing worktree another checkout's is the twin of; `led` are the checkouts that
    verify is known to have worked in. Others read there too: editors, agents.
    """

    top: str
    others: Checkouts
    own: Mapping[str, str]
    mark: tuple[str, str]
    led: set[str]
    openings: Openings = field(default_factory=Openings)
    tries: int = 0
    last: float = 0.0

    def note(self, path: str) -> None:
        """Find out whether it is verify that opens a twin, while it may still be at it."""
        path = _source_of(path)
        if path not in self.own or self.tries >= TRIES or time.monotonic() - self.last < BETWEEN:
            return
        if self.others.holding(path) in self.led:
            return
        self.tries += 1
        for process in marked_processes(*self.mark):
            self.led.update(_led_by(process, self.others))
        self.last = time.monotonic()

    def verified_elsewhere(self) -> Finding | None:
        """Find that verify read a file that lands in another checkout, and never the one that lands."""
        if not self.openings.complete:
            return None
        read, opened = ({_source_of(path) for path in some} for some in (self.openings.read, self.openings.opened))
        led = [path for path in sorted(read & self.own.keys()) if self.others.holding(path) in self.led]
        never = [path for path in led if self.own[path] not in opened]
        if not never:
            return None
        told = "; ".join(shown(path) for path in never[:MOST_NAMED])
        more = f"; and {len(never) - MOST_NAMED} more" if len(never) > MOST_NAMED else ""
        said = f"Verify read files of another checkout, and never those that land: {told}{more}. So it proved nothing."
        advice = "Have it work in the folder that it is run in, with what sidecar.prepare installs there."
        paths = tuple(os.path.relpath(self.own[path], self.top) for path in never)
        return finding("verified-elsewhere", f"{said} {advice}", paths)


COMPILED = "__pycache__"
"""The directory from which Python takes what it made of a source, without opening that again (PEP 3147)."""


def _source_of(path: str) -> str:
    """Give the source that Python made a file of, beside which it keeps it; any other path is its own."""
    folder, name = os.path.split(path)
    if os.path.basename(folder) != COMPILED:
        return path
    return os.path.join(os.path.dirname(folder), f"{name.partition('.')[0]}.py")


@contextlib.contextmanager
def watch_twins(
    others: Checkouts, top: Path, changes: Mapping[str, Change], line: str, mark: tuple[str, str]
) -> Iterator[Twins]:
    """Watch which files that land are read, here and in other checkouts, while the command line runs."""
    paths = [path for path, change in changes.items() if change.after is not None and change.after.is_file]
    own = {os.path.join(other, path): str(top / path) for other in others.paths for path in paths}
    own = {twin: path for twin, path in own.items() if os.path.isfile(twin)}
    twins = Twins(str(top), others, own, mark, set(_led_by_line(line, others)))
    folders = {os.path.dirname(path) for path in (*own, *own.values())}
    folders |= {compiled for folder in folders if os.path.isdir(compiled := os.path.join(folder, COMPILED))}
    with note_openings(folders if own else (), twins.note) as twins.openings:
        yield twins


def _led_by_line(line: str, others: Checkouts) -> Iterator[str]:
    """List the checkouts that a command line names itself."""
    told = any(name in line for name in ("SIDECAR_CHECKOUT", "SIDECAR_WORKTREE"))
    yield from (other for other in others.paths if told or other in line)


def _led_by(process: Running, others: Checkouts) -> Iterator[str]:
    """List the checkouts that a process works in, or takes its code from: by its directory, arguments, variables."""
    paths = [process.cwd, *process.arguments]
    paths += [part for name in SEARCHED for part in process.variables.get(name, "").split(os.pathsep)]
    yield from (found for path in paths if (found := others.holding(path)) is not None)
    if process.arguments and os.path.basename(process.arguments[0]).startswith("python"):
        for program in (process.arguments[0], process.program):
            for folder in Path(program).parent.parent.glob("lib/python3*/site-packages"):
                yield from _named_by_packages(folder, others.paths)


SEARCHED = ("PYTHONPATH", "NODE_PATH", "GOWORK", "CARGO_MANIFEST_DIR")
"""Variables by which programs find code."""


def _named_by_packages(folder: Path, others: Sequence[str]) -> Iterator[str]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file() and _names_paths(entry.name):
                yield from _named(entry.path, others, MOST_BYTES)


def missing_findings(where: LandingRepository, submodules: tuple[str, ...]) -> Iterator[Finding]:
    """Find what of the files that land is not there after all was prepared; GitError when that can't be told."""
    empty = tuple(path for path in submodules if not os.path.lexists(where.top / path / ".git"))
    if empty:
        what = counted(len(empty), "submodule", "submodules")
        said = f"Verify ran without {what} at the commit that lands, which is nowhere here: {named(empty, 5)}."
        yield finding("submodule-missing", f"{said} Fetch it first: git submodule update --init", empty)
    for filtered, paths in find_pointers(where.place, str(where.top)).items():
        what = counted(len(paths), "file", "files")
        said = f"Verify had only what stands for the content ({filtered}) of {what}: {named(paths, 5)}."
        yield finding("pointers", f"{said} Have sidecar.prepare fetch it, for example: git lfs pull", paths)
