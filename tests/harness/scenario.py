"""Builds the repository that a scenario file describes; `tests/test_scenarios.py` says how to write one."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from tests.harness.repository import (
    Content,
    Executable,
    GitFailedError,
    Symlink,
    add_worktree,
    commit,
    commit_index,
    environment,
    git,
    git_bytes,
    init,
    tick,
    write,
)
from tests.harness.state import worktree_paths

Table = Mapping[str, Any]


@dataclass(frozen=True)
class Scenario:
    """A scenario that was built: where its main worktree is, and the overlaps that it expects, as in the design's JSON.

    `inherited` are paths where git stops between two worktrees though only one of them has changed the path itself;
    `was` has the old name of an overlap's path where both sides renamed it alike.
    """

    main: Path
    overlaps: list[dict[str, Any]]
    inherited: frozenset[str]
    was: Mapping[str, str]
    env: Mapping[str, str]


def build(file: Path, root: Path, home: Path) -> Scenario:
    """Build it under `root`; the settings of `[config.global]` go to `home`."""
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    unknown = table.keys() - {
        "config",
        "home",
        "percent_names",
        "base",
        "trunk",
        "worktree",
        "main",
        "overlap",
        "no_overlaps",
        "inherited",
    }
    if unknown:
        raise ValueError(f"{file.name}: what is {', '.join(sorted(unknown))}?")
    if bool(table.get("overlap")) == bool(table.get("no_overlaps")):
        raise ValueError(f"{file.name} needs [[overlap]] tables, or else no_overlaps = true")
    percent = bool(table.get("percent_names"))
    env = {name: environment(home)[name] for name in ("HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL")}
    write(home, table.get("home", {}))
    main = _repository(table, root, env, percent)
    overlaps = [_overlap(overlap, main, percent) for overlap in table.get("overlap", [])]
    was = {
        _name(overlap["path"], percent): _name(overlap["was"], percent)
        for overlap in table.get("overlap", [])
        if "was" in overlap
    }
    return Scenario(main, overlaps, frozenset(table.get("inherited", [])), was, env)


def _repository(table: Table, root: Path, env: Mapping[str, str], percent: bool) -> Path:
    main = init(root / "main")
    for where in ("global", "repository"):
        option = "--global" if where == "global" else "--local"
        for key, value in table.get("config", {}).get(where, {}).items():
            git(main, "config", option, key, str(value), env=env)
    steps = Steps(root, env, percent)
    steps.run(main, table.get("base", []))
    commit(main, message="Base")
    base = git(main, "rev-parse", "HEAD")
    steps.run(main, table.get("trunk", []))
    for name, worktree in table.get("worktree", {}).items():
        start = worktree.get("from", base)
        path = add_worktree(
            main, name, branch=worktree.get("branch"), start=start, detach=worktree.get("detach", False)
        )
        steps.run(path, worktree.get("steps", []))
    steps.run(main, table.get("main", []))
    return main


@dataclass(frozen=True)
class Steps:
    """Carries out the steps of a scenario; the first key of a step says which of the methods below does it."""

    root: Path
    env: Mapping[str, str]
    percent: bool

    def run(self, worktree: Path, steps: list[Table]) -> None:
        """Every step in order; a step that nobody knows raises AttributeError."""
        for step in steps:
            verb, subject = next(iter(step.items()))
            rest = {key: value for key, value in step.items() if key != verb}
            getattr(self, f"do_{verb}")(worktree, subject, **rest)

    def do_write(
        self,
        worktree: Path,
        path: str,
        *,
        text: str | None = None,
        lines: int | None = None,
        ends: str = "\n",
        hex: str | None = None,  # noqa: A002 (the word of the format)
        encoding: str = "utf-8",
        executable: bool = False,
    ) -> None:
        numbered = "".join(f"line {number}{ends}" for number in range(1, (lines or 0) + 1))
        plain = bytes.fromhex(hex) if hex is not None else (numbered if text is None else text).encode(encoding)
        content: Content = Executable(plain) if executable else plain
        write(worktree, {self._path(path): content})

    def do_replace(self, worktree: Path, path: str, *, lines: int | str, by: str) -> None:
        first, last = _line_range(lines)
        self._splice(worktree, path, first - 1, last, by.split("\n"))

    def do_cut(self, worktree: Path, path: str, *, lines: int | str) -> None:
        first, last = _line_range(lines)
        self._splice(worktree, path, first - 1, last, [])

    def do_insert(self, worktree: Path, path: str, *, after: int, text: str) -> None:
        self._splice(worktree, path, after, after, text.split("\n"))

    def do_delete(self, worktree: Path, path: str) -> None:
        write(worktree, {self._path(path): None})

    def do_rename(self, worktree: Path, path: str, *, to: str) -> None:
        target = worktree / self._path(to)
        target.parent.mkdir(parents=True, exist_ok=True)
        (worktree / self._path(path)).rename(target)

    def do_chmod(self, worktree: Path, path: str, *, executable: bool) -> None:
        (worktree / self._path(path)).chmod(0o755 if executable else 0o644)

    def do_symlink(self, worktree: Path, path: str, *, to: str) -> None:
        write(worktree, {self._path(path): Symlink(to)})

    def do_submodule(self, worktree: Path, path: str, *, at: int) -> None:
        library = self.root / "library"
        if not library.exists():
            init(library)
            for number in range(1, 5):
                commit(library, {"library.txt": f"version {number}\n"}, f"Version {number}")
        wanted = git(library, "rev-list", "--reverse", "HEAD").splitlines()[at - 1]
        (worktree / path).mkdir(parents=True, exist_ok=True)
        git(worktree, "update-index", "--add", "--cacheinfo", f"160000,{wanted},{path}")

    def do_stage(self, worktree: Path, path: str) -> None:
        git(worktree, "add", "--all", "--", f":(literal){self._path(path)}", env=self.env)

    def do_commit(self, worktree: Path, message: str) -> None:
        git(worktree, "add", "--all", env=self.env)
        commit_index(worktree, message)

    def do_commit_staged(self, worktree: Path, message: str) -> None:
        commit_index(worktree, message)

    def do_git_fails(self, worktree: Path, arguments: list[str]) -> None:
        try:
            self.do_git(worktree, arguments)
        except GitFailedError:
            return
        raise ValueError(f"git {' '.join(arguments)} should have failed")

    def do_git(self, worktree: Path, arguments: list[str]) -> None:
        git(worktree, *arguments, env={**self.env, **tick(worktree)})

    def _path(self, path: str) -> str:
        return _name(path, self.percent)

    def _splice(self, worktree: Path, path: str, start: int, end: int, new: list[str]) -> None:
        file = worktree / self._path(path)
        lines = re.findall(rb"[^\n]*\n|[^\n]+", file.read_bytes())
        if not start <= end <= len(lines):
            raise ValueError(f"{path} has only {len(lines)} lines")
        ends = b"\r\n" if lines and lines[0].endswith(b"\r\n") else b"\n"
        write(
            worktree,
            {self._path(path): b"".join([*lines[:start], *(line.encode() + ends for line in new), *lines[end:]])},
        )


def _overlap(overlap: Table, main: Path, percent: bool) -> dict[str, Any]:
    path = _name(overlap["path"], percent)
    sides = [_side(side, path, main, percent) for side in overlap["sides"]]
    appended = {"appended": True} if overlap.get("appended") else {}
    return {"path": path, "verdict": overlap["verdict"], "kind": overlap["kind"], "sides": sides, **appended}


def _side(side: Table, path: str, main: Path, percent: bool) -> dict[str, Any]:
    own = _name(side["path"], percent) if "path" in side else path
    regions = [_line_range(part) for part in str(side["lines"]).split(",")]
    name = None if side.get("trunk") else side["worktree"]
    return {
        "worktree": name,
        "ref": _ref(main, name) if name else side.get("ref", "main"),
        "path": own,
        "regions": [{"start": start, "end": end} for start, end in regions],
        "sources": sorted(side.get("sources", ["committed"])),
    }


def _ref(main: Path, name: str) -> str:
    path = next(path for path in worktree_paths(main) if path.name == name)
    branch = git_bytes(path, "symbolic-ref", "--quiet", "--short", "HEAD", check=False)
    return os.fsdecode(branch).strip() or git(path, "rev-parse", "HEAD")


def _name(path: str, percent: bool) -> str:
    return os.fsdecode(unquote_to_bytes(path)) if percent else path


def _line_range(lines: int | str) -> tuple[int, int]:
    first, _, last = str(lines).strip().partition("-")
    return int(first), int(last or first)
