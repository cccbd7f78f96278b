"""Find at which paths a merge under way waits for a person: what is unmerged in the index and not resolved on the disk.

Whoever has taken the conflict markers out of a file and saved it has resolved it, as `git commit --all` sees it. What
leaves no markers (a binary file, a deletion, a merge driver), or reads as one of the sides, is resolved by `git add`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sidecar.git.config import read_config
from sidecar.git.process import run
from sidecar.git.repository import Repository
from sidecar.model.picture import Worktree
from sidecar.system.files import read_regular

MOST_BYTES = 8 * 1024 * 1024
"""Bytes of a file above which only `git add` says that it is resolved."""

_OWN_DRIVERS = ("set", "text", "union")
_OURS, _THEIRS = 2, 3


@dataclass(frozen=True, slots=True)
class Unmerged:
    """Paths that are unmerged in the index, sorted: those that wait for a person, and those resolved on the disk."""

    unresolved: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()


def read_unmerged(repository: Repository, worktree: Worktree) -> Unmerged:
    """Read what is unmerged in a worktree; GitError when its index can't be read. Runs nothing of the repository."""
    stages = read_stages(repository, worktree)
    texts = {path: text for path, sides in stages.items() if (text := _resolution(worktree, path, sides)) is not None}
    attributes = _read_attributes(repository, worktree, texts.keys()) if texts else {}
    texts = {path: text for path, text in texts.items() if _has_no_markers(text, *attributes.get(path, ("", "")))}
    settled = {path for path, text in texts.items() if not _is_a_side(repository, worktree, text, stages[path])}
    return Unmerged(tuple(sorted(stages.keys() - settled)), tuple(sorted(settled)))


def read_stages(repository: Repository, worktree: Worktree) -> Mapping[str, Mapping[int, str]]:
    """Give for each path that is unmerged in the index the blob of each stage (git-ls-files(1))."""
    found: dict[str, dict[int, str]] = {}
    for row in run(repository.inside(worktree), "ls-files", "--unmerged", "-z").split(b"\0"):
        about, tab, path = row.partition(b"\t")
        if tab:
            _mode, oid, stage = about.split(b" ")
            found.setdefault(os.fsdecode(path), {})[int(stage)] = oid.decode("ascii")
    return found


def _read_attributes(repository: Repository, worktree: Worktree, paths: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Give for each path the merge driver and the length of conflict markers (gitattributes(5))."""
    place = repository.inside(worktree)
    listing = b"".join(os.fsencode(path) + b"\0" for path in paths)
    fields = run(place, "check-attr", "-z", "--stdin", "merge", "conflict-marker-size", stdin=listing).split(b"\0")
    found: dict[tuple[str, bytes], str] = {}
    for path, name, value in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        found[os.fsdecode(path), name] = os.fsdecode(value)
    default = read_config(place).get("merge.default") or "text"
    drivers = {
        path: default if value == "unspecified" else value for (path, name), value in found.items() if name == b"merge"
    }
    return {path: (driver, found.get((path, b"conflict-marker-size"), "")) for path, driver in drivers.items()}


def _has_no_markers(text: bytes, driver: str, size: str) -> bool:
    """Tell whether git's own merge of lines made a text, and left no markers of the usual length, or of `size`."""
    least = int(size) if size in ("1", "2", "3", "4") else 5
    marker = rb"^(<{%d,}|>{%d,})( |\r?$)" % (least, least)
    return driver in _OWN_DRIVERS and re.search(marker, text, re.MULTILINE) is None


def _resolution(worktree: Worktree, path: str, stages: Mapping[int, str]) -> bytes | None:
    """Give the text of a file that both sides have; None for any other."""
    if not {_OURS, _THEIRS} <= stages.keys():
        return None
    try:
        text = read_regular(os.path.join(worktree.key, path), MOST_BYTES)
    except (OSError, ValueError):
        return None
    return None if b"\0" in text else text


def _is_a_side(repository: Repository, worktree: Worktree, text: bytes, stages: Mapping[int, str]) -> bool:
    """Tell whether a file reads as one of the sides, apart from line ends: a merge may have left it so."""
    place = repository.inside(worktree)
    sides = (run(place, "cat-file", "blob", stages[stage]) for stage in (_OURS, _THEIRS))
    return any(side.replace(b"\r\n", b"\n") == text.replace(b"\r\n", b"\n") for side in sides)
