"""What git's own merge makes of two worktrees, from its messages and conflict markers: the truth that tests hold to.

It works in a scratch repository that borrows the objects of the one under test, and shares no code with the sidecar.
What it reads of a commit, whose id says all of its content, is read once.
"""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from tests.harness.repository import GitFailedError, git, git_bytes, init, run_git
from tests.harness.state import worktree_paths

Lines = tuple[int, int]
"""First and last line, 1-based, both included."""

_MARKER_SIZE = 37  # longer than any line of marks in a test's files
_CONFLICT = re.compile(r"CONFLICT ?\(([^)]*)\)")
_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


@dataclass(frozen=True)
class Conflict:
    """One message of git's: its word in `CONFLICT (...)`, and the paths that it is about, the merged one first."""

    kind: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """A conflict in a merged file: where each side's part of it lies in that side's file; no lines: the line before."""

    ours: Lines
    theirs: Lines


@dataclass(frozen=True)
class Merge:
    """A merge that was tried: `tree` is what git wrote, with markers where it stopped; `base` the merge base."""

    base: str
    ours: str
    theirs: str
    tree: str
    conflicts: tuple[Conflict, ...]


def scratch_repository(main: Path, place: Path) -> Path:
    """A repository that can read all objects of another and has its settings and attributes, but writes nothing there.

    Merge drivers that only the repository defines are left out: nobody has said that it is to be trusted.
    """
    common = Path(git(main, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    init(place)
    own = place / ".git"
    (own / "config").write_bytes((common / "config").read_bytes())
    git(place, "config", "core.bare", "false")
    for key in git(place, "config", "--name-only", "--get-regexp", r"^merge\..*\.driver$", check=False).splitlines():
        git(place, "config", "--unset-all", key)
    (own / "objects/info/alternates").write_bytes(os.fsencode(common / "objects") + b"\n")
    if (common / "shallow").exists():
        (own / "shallow").write_bytes((common / "shallow").read_bytes())
    git(place, "config", "--unset", "extensions.refstorage", check=False)
    for name in ("exclude", "attributes"):
        if (common / "info" / name).exists():
            (own / "info" / name).write_bytes((common / "info" / name).read_bytes())
    with (own / "info/attributes").open("a") as attributes:
        attributes.write(f"\n* conflict-marker-size={_MARKER_SIZE}\n")
    return place


def present_states(main: Path, scratch: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Worktree's name -> a commit of everything in it but what is ignored; nested worktrees are not part of it.

    In the middle of a merge it is the commit that would end that.
    """
    states = {}
    every = worktree_paths(main)
    for worktree in every:
        index = Path(git(worktree, "rev-parse", "--path-format=absolute", "--git-path", "index"))
        copy = scratch / ".git" / "present-index"
        shutil.copy2(index, copy)  # git needs the time of the index to tell which files it must read again
        for shared in index.parent.glob("sharedindex.*"):
            shutil.copy2(shared, scratch / ".git")
        there = {"GIT_DIR": str(scratch / ".git"), "GIT_WORK_TREE": str(worktree), "GIT_INDEX_FILE": str(copy), **env}
        nested = [
            f":(exclude,literal){path.relative_to(worktree)}"
            for path in every
            if path != worktree and worktree in path.parents
        ]
        git(worktree, "add", "--all", "--", ".", *nested, env=there)
        tree = git(worktree, "write-tree", env=there)
        head = git(worktree, "rev-parse", "HEAD")
        message = f"Present state of {worktree.name}"  # else two that look alike would be one commit
        merging = index.with_name("MERGE_HEAD")
        heads = [head, *(merging.read_text().split() if merging.exists() else [])]
        parents = [word for parent in heads for word in ("-p", parent)]
        states[worktree.name] = git(scratch, "commit-tree", tree, *parents, "-m", message)
    return states


def merge(scratch: Path, ours: str, theirs: str, env: Mapping[str, str]) -> Merge:
    """Really merge `theirs` into a checkout of `ours`, and leave the outcome in the scratch worktree.

    Messages and tree come from `git merge-tree`, which tells paths apart exactly; both must agree on whether it merges.
    """
    git(scratch, "checkout", "--quiet", "--force", "--detach", ours, env=env)
    git(scratch, "clean", "-ffdxq", env=env)
    merges = run_git(scratch, "merge", "--no-ff", "--no-commit", "--quiet", theirs, env=env).returncode == 0
    told = run_git(scratch, "merge-tree", "--write-tree", "--messages", "-z", ours, theirs, env=env)
    if not told.stdout:
        raise GitFailedError(f"git can't merge {ours} and {theirs} (it crashes on some histories)")
    tree, *records = os.fsdecode(told.stdout).split("\0")
    # a message about a conflict that git then got around is none
    conflicts = () if merges else tuple(_conflicts(records, (f"~{ours}", f"~{theirs}")))
    if merges != (told.returncode == 0) or merges == bool(conflicts):
        raise AssertionError(f"git merge and git merge-tree disagree: {conflicts}")
    return Merge(git(scratch, "merge-base", ours, theirs), ours, theirs, tree, conflicts)


def updated(scratch: Path, state: str, tip: str, env: Mapping[str, str]) -> str | None:
    """A commit of a worktree's state with trunk's tip merged into it; None where that stops."""
    told = git(scratch, "merge-tree", "--write-tree", state, tip, env=env, check=False).splitlines()
    if len(told) != 1:
        return None
    return git(scratch, "commit-tree", told[0], "-p", state, "-p", tip, "-m", "Up to date")


def blocks(scratch: Path, tried: Merge, path: str, ours_path: str, theirs_path: str) -> list[Block]:
    """The conflict blocks of a file in the scratch worktree after `merge`; empty when git wrote no markers into it."""
    merged = scratch / path
    if merged.is_symlink() or not merged.is_file():
        return []
    stored = git(scratch, "hash-object", "-w", f"--path={path}", merged)
    ours, theirs, spans = _take_apart(_plain(git_bytes(scratch, "cat-file", "blob", stored)))
    if not spans:
        return []
    mine = _located(scratch, ours, [span[0] for span in spans], content(scratch, tried.ours, ours_path))
    other = _located(scratch, theirs, [span[1] for span in spans], content(scratch, tried.theirs, theirs_path))
    return [Block(left, right) for left, right in zip(mine, other, strict=True)]


def changed_lines(scratch: Path, before: bytes, after: bytes) -> list[Lines]:
    """The lines of `after` that differ from `before`, hunk by hunk, as git's merge aligns them."""
    return [_lines(at, count) for _, _, at, count in _hunks(scratch, before, after)]


def landing_lines(scratch: Path, before: bytes, mine: bytes, other: bytes) -> list[Lines]:
    """Where each hunk of `other` lands in `mine`: the lines in its place now, whole own hunks where it touches any."""
    own = [_span(hunk) for hunk in _hunks(scratch, before, mine)]
    found = []
    for theirs in _hunks(scratch, before, other):
        start, end, _, _ = _span(theirs)
        touched = [span for span in own if span[0] <= end and start <= span[1]]
        shift = sum((span[3] - span[2]) - (span[1] - span[0]) for span in own if span[1] < start)
        grown = sum((span[3] - span[2]) - (span[1] - span[0]) for span in touched)
        first = min([start, *(span[0] for span in touched)]) + shift
        last = max([end, *(span[1] for span in touched)]) + shift + grown
        found.append(_lines(first + 1, last - first) if last > first else _lines(first, 0))
    return found


@cache
def content(scratch: Path, commit: str, path: str) -> bytes:
    """A file of a commit or tree; empty when it isn't there."""
    return git_bytes(scratch, "cat-file", "blob", f"{commit}:{path}", check=False)


@cache
def entry(scratch: Path, commit: str, path: str) -> str:
    """Mode, type and id of a path in a commit or tree; empty when it isn't there."""
    return git(scratch, "ls-tree", "-z", commit, "--", f":(literal){path}").partition("\t")[0]


def _conflicts(records: Sequence[str], detours: tuple[str, str]) -> list[Conflict]:
    """The messages of `merge-tree -z` (git-merge-tree(1), OUTPUT) that are conflicts.

    A path that git moved out of the way, by one of the `detours` at its end, is called by its own name.
    """
    start = records.index("")
    found = []
    position = start + 1
    while position < len(records) and records[position].isdecimal():
        count = int(records[position])
        named = records[position + 1 : position + 1 + count]
        paths = tuple(name.removesuffix(detours[0]).removesuffix(detours[1]) for name in named)
        kind, message = records[position + 1 + count : position + 3 + count]
        position += 3 + count
        word = _CONFLICT.match(message)
        if kind == "CONFLICT (binary)":
            found.append(Conflict("binary", paths))
        elif word:
            found.append(Conflict(word[1], paths))
    return found


def _take_apart(lines: list[bytes]) -> tuple[list[bytes], list[bytes], list[tuple[Lines, Lines]]]:
    """A file with markers -> each side's lines, and for each block its (start, end) slice in either of them."""
    sides: tuple[list[bytes], list[bytes]] = ([], [])
    spans = []
    inside: tuple[int, ...] = (0, 1)
    for line in lines:
        mark = (
            line[:1] if len(line.rstrip(b" \n")) >= _MARKER_SIZE and line.startswith(line[:1] * _MARKER_SIZE) else b""
        )
        if mark == b"<":
            inside, begun = (0,), (len(sides[0]), len(sides[1]))
        elif mark == b"=":
            inside = (1,)
        elif mark == b">":
            inside = (0, 1)
            spans.append(((begun[0], len(sides[0])), (begun[1], len(sides[1]))))
        elif mark == b"|":
            inside = ()
        else:
            for side in inside:
                sides[side].append(line)
    return *sides, spans


def _located(scratch: Path, resolved: list[bytes], spans: list[Lines], own: bytes) -> list[Lines]:
    """Where slices of a merged file, resolved for one side, lie in that side's own file."""
    own_lines = _plain(own)
    hunks = _hunks(scratch, b"".join(resolved), b"".join(own_lines))
    found = []
    for start, end in spans:
        shift = sum(size - count for at, count, _, size in hunks if at + max(count - 1, 0) <= start)
        lines = own_lines[start + shift : end + shift]
        if lines != resolved[start:end]:
            raise AssertionError(f"lines {start + 1} to {end} of the merged file are not where they should be")
        found.append(_lines(start + shift + 1, end - start) if end > start else _lines(start + shift, 0))
    for (_, last), (first, _) in pairwise(found):
        assert last <= first
    return found


@cache
def _hunks(scratch: Path, before: bytes, after: bytes) -> list[tuple[int, int, int, int]]:
    """(line, count, line, count) as in the heads of a diff without context, aligned as git's merge does."""
    ids = [git(scratch, "hash-object", "-w", "--no-filters", "--stdin", input=text) for text in (before, after)]
    options = ("--text", "--unified=0", "--diff-algorithm=histogram", "--no-indent-heuristic")
    diff = git_bytes(scratch, "diff", *options, *ids)
    return [(int(at), int(count or b"1"), int(to), int(size or b"1")) for at, count, to, size in _HUNK.findall(diff)]


def _span(hunk: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """A hunk as two slices: (start, end, start, end), from 0."""
    at, count, to, size = hunk
    start, begin = at - 1 if count else at, to - 1 if size else to
    return start, start + count, begin, begin + size


def _plain(text: bytes) -> list[bytes]:
    """Lines that all end alike, so that neither CRLF nor a missing last line end shifts anything."""
    plain = text.replace(b"\r\n", b"\n")
    return [line + b"\n" for line in plain.removesuffix(b"\n").split(b"\n")] if plain else []


def _lines(first: int, count: int) -> Lines:
    """As a hunk's head says it: without lines, `first` is the line before the gap."""
    return (first, first + count - 1) if count else (max(first, 1), max(first, 1))
