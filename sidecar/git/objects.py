"""Read and write objects, and remember answers up to a weight in bytes, which `functools.lru_cache` can't count.

Objects: read from the user's store, written to the quarantine only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from sidecar.git.process import Conversation, GitError, Place, read_object
from sidecar.git.repository import Repository
from sidecar.model.changes import Entry
from sidecar.system.remembering import remembering

TREE_MODE = 0o040000

REMEMBERED = 4_000_000
"""How many bytes of parsed directories are kept, roughly."""

MOST_ROOTS = 8_000
"""Twice as many commits as are remembered with their trees."""

Tree = Mapping[str, Entry]
"""One directory of a tree: name -> entry; a subdirectory has mode 040000."""


@dataclass(frozen=True, slots=True)
class Objects:
    """An object database; `read` gives (type, content) or raises GitError, `write` gives the id.

    `tree` is a directory, parsed and remembered, names decoded as `os.fsdecode` does; `root` the id of the tree that a
    commit, a tag or a tree itself has, remembered too. All may be called from any thread. `null` is the id of no
    object, `empty_tree` that of the empty tree. `let_go` forgets packs that somebody has deleted (git-gc(1)), which
    would take up disk space as long as they are open, and says whether there were any.
    """

    read: Callable[[str], tuple[str, bytes]]
    write: Callable[[str, bytes], str]
    tree: Callable[[str], Tree]
    root: Callable[[str], str]
    let_go: Callable[[], bool]
    close: Callable[[], None]
    null: str
    empty_tree: str


def open_objects(directory: Path, alternate: str, repository: Repository, place: Place) -> Objects:
    """Give the database in an `objects` directory over a repository's own; libgit2 where it can, git itself for sha256.

    `place` is a repository on that directory, for the conversation with git.
    """
    if repository.object_format == "sha1":
        return _with_libgit2(directory, alternate, repository.why_missing)
    return _with_git(directory, alternate, repository, place)


def load_library() -> None:
    """Load libgit2 now, for who has nothing else to do yet."""
    import pygit2  # noqa: F401


def library_versions() -> tuple[str, str]:
    """Give the versions of pygit2 and of its libgit2."""
    import pygit2

    return pygit2.__version__, pygit2.LIBGIT2_VERSION  # type: ignore[attr-defined]


def _with_libgit2(directory: Path, alternate: str, why_missing: str) -> Objects:
    import pygit2

    pygit2.settings.enable_caching(False)  # up to 256 MB of what is remembered here in another shape
    types = {
        pygit2.enums.ObjectType.BLOB: "blob",
        pygit2.enums.ObjectType.TREE: "tree",
        pygit2.enums.ObjectType.COMMIT: "commit",
        pygit2.enums.ObjectType.TAG: "tag",
    }

    def opened() -> pygit2.Odb:
        database = pygit2.Odb(str(directory))
        if "\n" in alternate:  # which libgit2 can't read from the alternates file
            database.add_disk_alternate(alternate)
        return database

    standing: list[pygit2.Odb] = [opened()]
    has_lost = _losing(os.path.join(alternate, "pack"))

    def let_go() -> bool:
        lost = has_lost()
        if lost:
            standing[:] = [opened()]
        return lost

    def database() -> pygit2.Odb:
        try:
            return standing[0]
        except IndexError:
            raise GitError("the objects have been closed.") from None

    def read(oid: str) -> tuple[str, bytes]:
        try:
            number, content = database().read(oid)
        except (KeyError, ValueError, OSError, pygit2.GitError) as error:
            raise GitError(f"object {oid} can't be read.{why_missing}") from error
        return types[pygit2.enums.ObjectType(number)], content

    write = _writing(directory, "sha1")
    close, empty = standing.clear, write("tree", b"")
    return Objects(read, write, _remembering(read), _roots(read), let_go, close, "0" * 40, empty)


MOST_REPLACEMENTS = 5
"""How often git goes on from a replacement to another (replace-object.c); more is an error."""


def replacing(objects: Objects, replaced: Mapping[str, str]) -> Objects:
    """Give the same objects, read as git reads them where some have a replacement (git-replace(1))."""

    def read(oid: str) -> tuple[str, bytes]:
        for _ in range(MOST_REPLACEMENTS):
            if oid not in replaced:
                return objects.read(oid)
            oid = replaced[oid]
        raise GitError(f"object {oid} has too many replacements.")

    return replace(objects, read=read, tree=_remembering(read), root=_roots(read))


def _losing(directory: str) -> Callable[[], bool]:
    """Tell, each time it is asked, whether a pack has gone from a directory since; that costs a `stat`."""

    def look() -> tuple[int, frozenset[str]]:
        try:
            changed = os.stat(directory).st_mtime_ns
            return changed, frozenset(name for name in os.listdir(directory) if name.endswith(".pack"))
        except OSError:
            return 0, frozenset()

    changed, packs = look()

    def has_lost() -> bool:
        nonlocal changed, packs
        with contextlib.suppress(OSError):
            if os.stat(directory).st_mtime_ns == changed:
                return False
        before = packs
        changed, packs = look()
        return not before <= packs

    return has_lost


def _with_git(directory: Path, alternate: str, repository: Repository, place: Place) -> Objects:
    object_format = repository.object_format
    asking = threading.Lock()
    conversation: list[Conversation] = []
    has_lost = _losing(os.path.join(alternate, "pack"))

    def read(oid: str) -> tuple[str, bytes]:
        with asking:
            if not conversation:
                conversation.append(Conversation(place, "cat-file", "--batch"))
            try:
                found = read_object(conversation[0], oid.encode())
            except GitError:
                conversation.pop().close()
                raise
        if found is None:
            raise GitError(f"object {oid} can't be read.{repository.why_missing}")
        return found

    def close() -> None:
        with asking:
            while conversation:
                conversation.pop().close()

    def let_go() -> bool:
        lost = has_lost()
        if lost:
            close()
        return lost

    width = hashlib.new(object_format).digest_size * 2
    write = _writing(directory, object_format)
    empty = write("tree", b"")
    return Objects(read, write, _remembering(read), _roots(read), let_go, close, "0" * width, empty)


def framed_object(kind: str, content: bytes) -> bytes:
    """Give what git hashes, and compresses, of an object: its type and size before its content."""
    return b"%s %d\0%s" % (kind.encode(), len(content), content)


def id_of(object_format: str, content: bytes, kind: str = "blob") -> str:
    """Give the id of an object with this content; no git is asked, and no filter takes part."""
    return hashlib.new(object_format, framed_object(kind, content), usedforsecurity=False).hexdigest()


def _writing(directory: Path, object_format: str) -> Callable[[str, bytes], str]:
    """Write loose objects (gitformat-loose(5)) uncompressed, in a third of the time that libgit2 takes."""
    place = str(directory)

    def write(kind: str, content: bytes) -> str:
        framed = framed_object(kind, content)
        oid = hashlib.new(object_format, framed, usedforsecurity=False).hexdigest()
        folder = f"{place}/{oid[:2]}"
        path = f"{folder}/{oid[2:]}"
        if not os.path.exists(path):
            draft = f"{folder}/draft-{os.getpid()}-{threading.get_ident()}"
            try:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(folder)
                with open(draft, "wb") as file:
                    file.write(zlib.compress(framed, 0))
                os.replace(draft, path)
            except OSError as error:
                with contextlib.suppress(OSError):
                    os.unlink(draft)
                raise unwritten(place, error.strerror) from error
        return oid

    return write


def unwritten(place: object, why: object) -> GitError:
    """Make the GitError for objects of a reading that there is no room for."""
    return GitError(f"The temporary directory {place} can't be written: {why}")


def read_blob(objects: Objects, oid: str) -> bytes:
    """Give the content of a blob; GitError when it is missing."""
    return objects.read(oid)[1]


def _remembering(read: Callable[[str], tuple[str, bytes]]) -> Callable[[str], Tree]:
    return remembering(lambda oid: MappingProxyType(_parse_tree(oid, read(oid)[1])), _weight, REMEMBERED)


def _weight(tree: Tree) -> int:
    """Estimate the bytes of a parsed directory: most of its entries are those of another one, too."""
    return 300 + 120 * len(tree)


@lru_cache(maxsize=1 << 12)
def parse_entry(mode: str, oid: str) -> Entry | None:
    """Give the entry that git writes as these two words; None for mode 0, which is how it says that there is none."""
    return Entry(int(mode, 8), oid) if int(mode, 8) else None


@lru_cache(maxsize=1 << 12)
def _parse_entry(mode: bytes, oid: bytes) -> Entry:
    """Parse an entry, once for each content, because directories differ in little from one save to the next."""
    return Entry(int(mode, 8), oid.hex())


def _parse_tree(oid: str, content: bytes) -> dict[str, Entry]:
    width = len(oid) // 2
    entries: dict[str, Entry] = {}
    at = 0
    while at < len(content):
        space = content.index(b" ", at)
        zero = content.index(b"\0", space)
        following = zero + 1 + width
        entry = _parse_entry(content[at:space], content[zero + 1 : following])
        entries[sys.intern(os.fsdecode(content[space + 1 : zero]))] = entry
        at = following
    return entries


def write_tree(objects: Objects, entries: Tree) -> str:
    """Give the id of a tree with these entries, sorted as git sorts them (a directory as if its name ended in `/`)."""
    encoded = sorted(
        (os.fsencode(name) + (b"/" if entry.mode == TREE_MODE else b""), os.fsencode(name), entry)
        for name, entry in entries.items()
    )
    return objects.write(
        "tree", b"".join(b"%o %s\0%s" % (e.mode, name, bytes.fromhex(e.oid)) for _, name, e in encoded)
    )


def _roots(read: Callable[[str], tuple[str, bytes]]) -> Callable[[str], str]:
    def root(oid: str) -> str:
        kind, content = read(oid)
        if kind == "tree":
            return oid
        if kind == "tag":
            return root(content[7 : content.index(b"\n")].decode("ascii"))
        return content[5 : content.index(b"\n")].decode("ascii")

    return remembering(root, lambda _tree: 1, MOST_ROOTS)


def tree_of(objects: Objects, commit: str) -> str:
    """Give the id of a commit's tree, or of a tree itself."""
    return objects.root(commit)


def find_entry(objects: Objects, tree: str, path: str) -> Entry | None:
    """Give what a tree has at a path; None when it has nothing there."""
    *directories, name = path.split("/")
    for part in directories:
        entry = objects.tree(tree).get(part)
        if entry is None or entry.mode != TREE_MODE:
            return None
        tree = entry.oid
    return objects.tree(tree).get(name)


def edit_tree(objects: Objects, tree: str, edits: Mapping[str, Entry | None]) -> str:
    """Write a tree with some paths set or (None) removed; empty directories go, a file gives way to a directory."""
    if not edits:
        return tree
    entries = dict(objects.tree(tree))
    below: dict[str, dict[str, Entry | None]] = {}
    for path, entry in edits.items():
        name, slash, rest = path.partition("/")
        if slash:
            below.setdefault(name, {})[rest] = entry
        elif entry is None:
            if (standing := entries.get(name)) is not None and standing.mode != TREE_MODE:
                del entries[name]
        else:
            entries[name] = entry
    for name, inner in below.items():
        standing = entries.get(name)
        replaced = edits.get(name) is not None
        if replaced and all(entry is None for entry in inner.values()):
            continue
        start = standing.oid if standing is not None and standing.mode == TREE_MODE else objects.empty_tree
        edited = edit_tree(objects, start, inner)
        if edited != objects.empty_tree:
            entries[name] = Entry(TREE_MODE, edited)
        elif standing is not None and standing.mode == TREE_MODE:
            del entries[name]
    return write_tree(objects, entries)


def write_commit(objects: Objects, tree: str, parents: tuple[str, ...] = ()) -> str:
    """Write a virtual commit; the same tree and parents always give the same id."""
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    lines += ["author Worktree Sidecar <> 0 +0000", "committer Worktree Sidecar <> 0 +0000", "", ""]
    return objects.write("commit", "\n".join(lines).encode())
