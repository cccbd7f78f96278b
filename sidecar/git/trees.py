"""Ask git what differs between two trees, and between two texts, by one process that stays."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

from sidecar.git.objects import edit_tree, find_entry, parse_entry, read_blob, write_tree
from sidecar.git.process import Conversation, GitError, Place, run
from sidecar.git.quarantine import Quarantine
from sidecar.model.changes import Change, ChangeSet, Entry, merge_sources
from sidecar.model.hunks import Hunk
from sidecar.model.markers import split_lines
from sidecar.system.remembering import remembering

RAW = ("diff-tree", "--stdin", "-r", "-z", "--raw", "--no-abbrev", "--no-ext-diff", "--no-textconv")
HUNKS = (
    *("diff-tree", "--stdin", "-p", "-U1", "--inter-hunk-context=0", "--no-indent-heuristic"),
    *("--text", "--no-ext-diff", "--no-textconv", "--no-color"),
)
"""Without the indent heuristic, and by this algorithm unless told otherwise, merge-ort compares lines.

With a line of context, because without any git leaves out the common end of two texts before it compares them, which a
merge does not (`xdi_diff` in xdiff-interface.c).
"""

ALGORITHM = "histogram"

BINARY_PROBE = 8000
"""How many bytes git looks at to tell text from binary."""

REMEMBERED = 2_000_000
"""How many bytes of changes, of lines and of hunks are remembered each, roughly."""

HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@.*\n((?:[-+ \\].*\n)*)", re.MULTILINE)
LINES = re.compile(rb"((?: .*\n(?:\\.*\n)?)+)|(?:[-+].*\n(?:\\.*\n)?)+")
REMOVED, ADDED = re.compile(rb"^-", re.MULTILINE), re.compile(rb"^\+", re.MULTILINE)
"""A hunk with its lines; lines of context, or lines that differ, in a row; lines of one side."""


class TreeReader:
    """Compares trees and blobs by their ids; every answer is remembered, since an id never changes its meaning.

    `algorithm` is how git's merge compares lines here.
    """

    def __init__(self, quarantine: Quarantine, algorithm: str | None = None) -> None:
        self._quarantine = quarantine
        self._lines_by = (*HUNKS, f"--diff-algorithm={algorithm or ALGORITHM}")
        self._conversations: dict[tuple[str, ...], Conversation] = {}
        self._asking = threading.Lock()
        self._end = f"end {os.urandom(16).hex()}\n".encode()  # which no text can have on purpose, so it ends an answer
        self.changes = remembering(self._changes, lambda changes: 600 + 150 * len(changes.touched), REMEMBERED)
        self.lines = remembering(self._lines, _weight, REMEMBERED)
        self.edited = lru_cache(maxsize=256)(self._edited)
        self.is_binary = lru_cache(maxsize=4096)(self._is_binary)
        self._tree_of = lru_cache(maxsize=4096)(self._write_tree)
        self.renames = lru_cache(maxsize=1024)(self._renames)
        self.hunks = remembering(self._hunks, lambda hunks: 400 + 200 * len(hunks), REMEMBERED)

    def _changes(self, base: str, tree: str) -> ChangeSet:
        """Give the change set between two trees, as committed changes, renames folded."""
        if base == tree:
            return ChangeSet(base, tree)
        touched = MappingProxyType(self.touched(base, tree))
        return ChangeSet(base, tree, touched, self.fold_renames(base, tree, touched))

    def touched(self, base: str, tree: str) -> dict[str, Change]:
        """Give what differs between two trees, path by path, without rename detection."""
        answer = self._ask((*RAW, "--no-renames"), f"{base} {tree}")
        return {change.path: change for change in parse_raw(answer)}

    def fold_renames(self, base: str, tree: str, touched: Mapping[str, Change]) -> Mapping[str, Change]:
        """Give these changes with each rename as one, with the sources of both names."""
        removed = any(change.after is None for change in touched.values())
        added = any(change.before is None for change in touched.values())
        if not (removed and added):
            return touched
        folded = dict(touched)
        for change in self.renames(base, tree):
            old, new = folded.pop(change.old_path or "", None), folded.get(change.path)
            if old is not None and new is not None:
                folded[change.path] = replace(change, sources=merge_sources(old.sources, new.sources))
        return folded

    def _renames(self, base: str, tree: str) -> tuple[Change, ...]:
        """Give the renames between two trees, as git's merge would find them."""
        try:
            answer = self._ask((*RAW, "-M", "-l7000"), f"{base} {tree}")
        except GitError:
            return ()  # a blob that rename detection would read is not here (partial clone)
        return tuple(change for change in parse_raw(answer) if change.old_path is not None)

    def _hunks(self, before: str, after: str) -> tuple[Hunk, ...]:
        """Give the hunks between two blobs, in lines, as git's merge sees them."""
        if before == after:
            return ()
        return tuple(parse_hunks(self._ask(self._lines_by, f"{self._tree_of(before)} {self._tree_of(after)}")))

    def _write_tree(self, blob: str) -> str:
        """Give a tree with a blob and nothing else, because git compares trees one after the other, and no blobs."""
        return write_tree(self._quarantine.objects, {"text": Entry(0o100644, blob)})

    def _edited(self, tree: str, edits: frozenset[tuple[str, Entry | None]]) -> str:
        """Give the tree with some paths set or (None) removed."""
        return edit_tree(self._quarantine.objects, tree, dict(edits))

    def _lines(self, oid: str) -> list[bytes]:
        """Give the lines of a blob; nobody may change the list."""
        return split_lines(read_blob(self._quarantine.objects, oid))

    def _is_binary(self, oid: str) -> bool:
        """Tell whether git takes a blob for binary: a NUL among its first bytes."""
        return b"\0" in read_blob(self._quarantine.objects, oid)[:BINARY_PROBE]

    def same_attributes(self, one: str, two: str) -> bool:
        """Tell whether two trees have the same attributes files (gitattributes(5))."""
        return one == two or not any(path.endswith(".gitattributes") for path in self.changes(one, two).touched)

    def entry(self, tree: str, path: str) -> Entry | None:
        """Give what a tree has at a path."""
        return find_entry(self._quarantine.objects, tree, path)

    def find(self, tree: str, entry: Entry, like: str) -> str | None:
        """Give the path of a tree that has this content: with the last name of `like`, else the only one; or None."""
        listing = run(self._quarantine.plumbing, "ls-tree", "-r", "-z", "--full-tree", tree).split(b"\0")
        head, name = f"{entry.mode:06o} blob {entry.oid}".encode(), os.fsencode("/" + like.rpartition("/")[2])
        paths = [path for start, _, path in (row.partition(b"\t") for row in listing) if start == head]
        alike = [path for path in paths if (b"/" + path).endswith(name)] or paths[: len(paths) == 1]
        return os.fsdecode(alike[0]) if alike else None

    def _ask(self, command: tuple[str, ...], request: str) -> bytes:
        with self._asking:
            try:
                answer = self._converse(command, request)
            except GitError:
                answer = self._ask_anew(command, request)  # this process may just have been killed
        head, _, body = answer.partition(b"\n")
        if head != request.encode():
            raise GitError(f"git could not compare {request}.{self._quarantine.why_missing}")
        return body

    def _ask_anew(self, command: tuple[str, ...], request: str) -> bytes:
        """Ask a new process; where that ends early too, raise what git says of the request by itself."""
        try:
            return self._converse(command, request)
        except GitError:
            run(self._quarantine.plumbing, *command, stdin=request.encode() + b"\n")
            raise

    def _converse(self, command: tuple[str, ...], request: str) -> bytes:
        if command not in self._conversations:
            self._conversations[command] = Conversation(self._quarantine.plumbing, *command)
        try:
            answer = self._conversations[command].ask(request.encode() + b"\n" + self._end, self._end)
        except GitError:
            self._conversations.pop(command).close()
            raise
        if self._conversations[command].is_spent:
            self._conversations.pop(command).close()
        return answer

    def close(self) -> None:
        """End the processes."""
        with self._asking:
            for conversation in self._conversations.values():
                conversation.close()
            self._conversations.clear()


def list_tree(place: Place, tree: str, timeout: float | None = None) -> dict[str, Entry]:
    """List what a tree, or a commit's, has: files, links, submodules; GitError, also after so many seconds."""
    found = {}
    for row in os.fsdecode(run(place, "ls-tree", "-r", "-z", "--full-tree", tree, timeout=timeout)).split("\0")[:-1]:
        head, _, path = row.partition("\t")
        mode, _, oid = head.split(" ")
        found[path] = Entry(int(mode, 8), oid)
    return found


def parse_hunks(answer: bytes) -> Iterator[Hunk]:
    """Parse the hunks of a unified diff, each without its context (git-diff(1), "Generating patch text with -p")."""
    for part in HUNK.finditer(answer):
        first, count, start, length = (int(number) if number is not None else 1 for number in part.groups()[:4])
        before, after = first - (count > 0), start - (length > 0)
        for lines in LINES.finditer(part[5]):
            if lines[1]:
                before, after = before + lines[1].count(b"\n"), after + lines[1].count(b"\n")
            else:
                removed, added = len(REMOVED.findall(lines[0])), len(ADDED.findall(lines[0]))
                yield Hunk(before, removed, after, added)
                before, after = before + removed, after + added


def parse_raw(answer: bytes) -> list[Change]:
    """Parse the changes of `diff-tree --raw -z` (git-diff-tree(1), raw output format)."""
    fields = iter(answer.split(b"\0"))
    changes = []
    for head in fields:
        if head.startswith(b":"):
            path = next(fields)
            changes.append(_parse_change(head, path, next(fields) if b" R" in head or b" C" in head else None))
    return changes


def _weight(lines: list[bytes]) -> int:
    return 600 + 44 * len(lines) + sum(map(len, lines))


@lru_cache(maxsize=1 << 11)
def _parse_change(head: bytes, path: bytes, new: bytes | None) -> Change:
    """Parse a row, once for each content, because change sets differ in little from one save to the next."""
    old_mode, new_mode, old_oid, new_oid, _ = head[1:].decode("ascii").split(" ")
    before, after = parse_entry(old_mode, old_oid), parse_entry(new_mode, new_oid)
    if new is None:
        return Change(os.fsdecode(path), before, after)
    return Change(os.fsdecode(new), before, after, old_path=os.fsdecode(path))
