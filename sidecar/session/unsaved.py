"""An editor's unsaved text as part of a worktree."""

from __future__ import annotations

import codecs
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sidecar.git.files import read_regular
from sidecar.git.hashing import hash_text
from sidecar.git.ignore import is_ignored
from sidecar.git.objects import tree_of
from sidecar.git.repository import place_of_files
from sidecar.git.status import Edit, Uncommitted
from sidecar.model.changes import FILE, UNSAVED, Entry, ancestors, merge_sources
from sidecar.model.picture import Worktree
from sidecar.session.sources import Sources


@dataclass(frozen=True, slots=True)
class Unsaved:
    """An editor's text of one file, as the bytes that saving would write."""

    text: bytes
    version: int


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A file as it was when the editor's text of that version was the same: its stat then tells whether it still is."""

    version: int
    stat: tuple[int, ...]


def note_on_disk(path: str, held: Unsaved, known: OnDisk | None, limit: int) -> OnDisk | None:
    """What is known of an editor's text that nobody has typed into; None when somebody has.

    Once a text was the file's, it stays unedited until the editor tells of a newer version: when the file changes
    under it, the file is right and the editor has yet to read it again.
    """
    if known is not None and known.version == held.version:
        return known
    try:
        before = os.stat(path)
        content = read_regular(path, limit)
    except (OSError, ValueError):
        return None
    same = content in (held.text, codecs.BOM_UTF8 + held.text)
    return OnDisk(held.version, signature(before)) if same or not _is_utf8(content) else None


def is_stale(path: str, noted: OnDisk) -> bool:
    """Whether the file has changed since the editor's text was the same."""
    try:
        return signature(os.stat(path)) != noted.stat
    except OSError:
        return True


def signature(status: os.stat_result) -> tuple[int, ...]:
    """What changes when a file's content does."""
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_ctime_ns


def lay_over(
    sources: Sources, worktree: Worktree, uncommitted: Uncommitted, unsaved: Mapping[str, Unsaved]
) -> Uncommitted:
    """What is not committed in a worktree with the editor's texts (by path) on top, where they differ from the disk."""
    edits = {edit.path: edit for edit in uncommitted.edits}
    for path, held in unsaved.items():
        text = _to_be_saved(worktree, path, held.text, sources.size_limit)
        if text is None or len(text) > sources.size_limit:
            continue
        known = edits.get(path)
        standing = known.now if known is not None else _committed_entry(sources, worktree, path)
        if known is None and standing is None and is_ignored(sources.repository, worktree, path):
            continue
        place = sources.quarantine.writing(place_of_files(sources.repository, worktree), sources.repository)
        mode = standing.mode if standing is not None and standing.is_file else FILE
        now = Entry(mode, hash_text(place, path, text))
        if now != standing:
            edits[path] = Edit(path, now, merge_sources(known.sources if known else (), (UNSAVED,)))
    return replace(uncommitted, edits=tuple(edits.values()))


def _to_be_saved(worktree: Worktree, path: str, text: bytes, limit: int) -> bytes | None:
    """The bytes that saving would write; None where they are those on disk, or would not be this worktree's work.

    Editors keep a byte order mark to themselves, and their text says nothing about the bytes of a file that is not
    UTF-8. A file through a symbolic link, in another repository or in git's own directory is not the worktree's.
    """
    full = os.path.join(worktree.key, path)
    if "\0" in path or os.path.islink(full) or ".git" in path.split("/"):
        return None
    for directory in ancestors(path):
        above = os.path.join(worktree.key, directory)
        if os.path.islink(above) or os.path.lexists(os.path.join(above, ".git")):
            return None
    try:
        content = read_regular(full, limit)
    except FileNotFoundError:
        return text
    except OSError:
        return None
    mark = codecs.BOM_UTF8
    if content.startswith(mark) and not text.startswith(mark):
        text = mark + text
    return text if text != content and _is_utf8(content) else None


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _committed_entry(sources: Sources, worktree: Worktree, path: str) -> Entry | None:
    if worktree.head is None:
        return None
    return sources.trees.entry(tree_of(sources.quarantine.objects, worktree.head), path)
