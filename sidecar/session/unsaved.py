"""Take an editor's unsaved text for a part of its worktree."""

from __future__ import annotations

import codecs
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sidecar.git.blobs import hash_text
from sidecar.git.conversions import decoded, encoded, encoding_of
from sidecar.git.ignore import is_ignored
from sidecar.git.objects import tree_of
from sidecar.git.repository import place_of_files
from sidecar.git.status import Edit, Uncommitted
from sidecar.model.changes import FILE, UNSAVED, Entry, ancestors, merge_sources
from sidecar.model.hunks import Hunk, evened, with_ends_of
from sidecar.model.picture import Worktree
from sidecar.session.reader import Sources
from sidecar.system.files import read_regular, signature


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


def note_on_disk(sources: Sources, worktree: Worktree, path: str, held: Unsaved, known: OnDisk | None) -> OnDisk | None:
    """Note the file of an editor's text (a path in a worktree) that nobody has typed into; None when somebody has.

    Once a text was the file's, it stays unedited until the editor tells of a newer version: when the file changes
    under it, the file is right and the editor has yet to read it again. Editors even out line ends when they open a
    file, and that is no typing.
    """
    if known is not None and known.version == held.version:
        return known
    full = os.path.join(worktree.key, path)
    try:
        before = os.stat(full)
        content = read_regular(full, sources.size_limit)
    except (OSError, ValueError):
        return None
    shown = decoded(content, encoding_of(sources.repository, sources.surroundings, worktree, path))
    same = shown is None or _is_shown(shown, _typed(held.text, content))
    return OnDisk(held.version, signature(before)) if same else None


def _is_shown(shown: str, typed: str) -> bool:
    """Tell whether an editor's text is a file's, whatever the file's line ends."""
    return typed == shown or ("\r" in shown and evened(typed) == evened(shown))


def _typed(held: bytes, content: bytes) -> str:
    """Give an editor's text, without a byte order mark that the file has."""
    text = held.decode("utf-8", "surrogatepass")
    return text.removeprefix("\ufeff") if content.startswith(codecs.BOM_UTF8) else text


def is_stale(path: str, noted: OnDisk) -> bool:
    """Tell whether the file has changed since the editor's text was the same."""
    try:
        return signature(os.stat(path)) != noted.stat
    except OSError:
        return True


def lay_over(
    sources: Sources, worktree: Worktree, uncommitted: Uncommitted, unsaved: Mapping[str, Unsaved]
) -> Uncommitted:
    """Lay the editor's texts (by path) over what is not committed in a worktree, where they differ from the disk."""
    edits = {edit.path: edit for edit in uncommitted.edits}
    for path, held in unsaved.items():
        text = _to_be_saved(sources, worktree, path, held.text)
        if text is None or len(text) > sources.size_limit:
            continue
        known = edits.get(path)
        standing = known.now if known is not None else _committed_entry(sources, worktree, path)
        if known is None and standing is None and is_ignored(sources.repository, worktree, path):
            continue
        place = sources.quarantine.writing(place_of_files(sources.repository, worktree))
        mode = standing.mode if standing is not None and standing.is_file else FILE
        now = Entry(mode, hash_text(place, path, text))
        if now != standing:
            edits[path] = Edit(path, now, merge_sources(known.sources if known else (), (UNSAVED,)))
    return replace(uncommitted, edits=tuple(edits.values()))


def _to_be_saved(sources: Sources, worktree: Worktree, path: str, text: bytes) -> bytes | None:
    """Give the bytes that saving would write; None where they are those on disk, or would not be this worktree's work.

    Editors keep a byte order mark to themselves, even out line ends, and their text says nothing about the bytes of a
    file that is in no encoding known to git. A file through a symbolic link, in another repository or in git's own
    directory is not the worktree's.
    """
    full = os.path.join(worktree.key, path)
    if "\0" in path or os.path.islink(full) or ".git" in path.split("/"):
        return None
    for directory in ancestors(path):
        above = os.path.join(worktree.key, directory)
        if os.path.islink(above) or os.path.lexists(os.path.join(above, ".git")):
            return None
    encoding = encoding_of(sources.repository, sources.surroundings, worktree, path)
    try:
        content = read_regular(full, sources.size_limit)
    except FileNotFoundError:
        return encoded(_typed(text, b""), encoding)
    except OSError:
        return None
    shown, typed = decoded(content, encoding), _typed(text, content)
    if shown is None or _is_shown(shown, typed):
        return None
    return encoded(with_ends_of(shown, typed, partial(_compare, sources)), encoding, content)


def _compare(sources: Sources, before: str, after: str) -> Sequence[Hunk]:
    objects = sources.quarantine.objects
    blobs = (objects.write("blob", text.encode("utf-8", "surrogatepass")) for text in (before, after))
    return sources.trees.hunks(*blobs)


def _committed_entry(sources: Sources, worktree: Worktree, path: str) -> Entry | None:
    if worktree.head is None:
        return None
    return sources.trees.entry(tree_of(sources.quarantine.objects, worktree.head), path)
