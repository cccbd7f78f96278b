"""Objects: read from the user's store, written to the quarantine only."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from sidecar.git.process import Conversation, GitError, Place
from sidecar.git.remember import remembering
from sidecar.git.repository import Repository
from sidecar.model.changes import Entry

TREE_MODE = 0o040000

REMEMBERED = 4_000_000
"""How many bytes of parsed directories are kept, roughly."""

Tree = Mapping[str, Entry]
"""One directory of a tree: name -> entry; a subdirectory has mode 040000."""


@dataclass(frozen=True, slots=True)
class Objects:
    """An object database; `read` gives (type, content) or raises GitError, `write` gives the id.

    `tree` is a directory, parsed and remembered, names decoded as `os.fsdecode` does. All may be called from any
    thread. `null` is the id of no object, `empty_tree` that of the empty tree. `let_go` forgets packs that somebody
    has deleted (git-gc(1)), which would take up disk space as long as they are open, and says whether there were any.
    """

    read: Callable[[str], tuple[str, bytes]]
    write: Callable[[str, bytes], str]
    tree: Callable[[str], Tree]
    let_go: Callable[[], bool]
    close: Callable[[], None]
    null: str
    empty_tree: str


def open_objects(directory: Path, alternate: str, repository: Repository, place: Place) -> Objects:
    """The database in an `objects` directory over a repository's own; libgit2 where it can, git itself for sha256.

    `place` is a repository on that directory, for the conversation with git.
    """
    if repository.object_format == "sha1":
        return _with_libgit2(directory, alternate, repository.why_missing)
    return _with_git(directory, alternate, repository, place)


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
    return Objects(read, write, _remembering(read), let_go, standing.clear, "0" * 40, write("tree", b""))


def _losing(directory: str) -> Callable[[], bool]:
    """Tells, each time it is asked, whether a pack has gone from a directory since; that costs a `stat`."""

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
                answer = conversation[0].ask(oid.encode() + b"\n", _whole_object)
            except GitError:
                conversation.pop().close()
                raise
        header, _, rest = answer.partition(b"\n")
        words = header.decode("ascii", "replace").split(" ")
        if len(words) != 3:
            raise GitError(f"object {oid} can't be read.{repository.why_missing}")
        return words[1], rest[:-1]

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
    return Objects(read, write, _remembering(read), let_go, close, "0" * width, write("tree", b""))


def _writing(directory: Path, object_format: str) -> Callable[[str, bytes], str]:
    """Writes loose objects (gitformat-loose), which takes a third of the time that libgit2 does; not compressed."""
    place = str(directory)

    def write(kind: str, content: bytes) -> str:
        framed = b"%s %d\0%s" % (kind.encode(), len(content), content)
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
                raise unwritten(error.strerror) from error
        return oid

    return write


def _whole_object(answer: bytearray) -> bool:
    end = answer.find(b"\n")
    if end < 0:
        return False
    words = bytes(answer[:end]).split(b" ")
    return len(words) != 3 or len(answer) >= end + 1 + int(words[2]) + 1


def unwritten(why: object) -> GitError:
    """What to say when there is no place for what a reading makes."""
    return GitError(f"The temporary directory {tempfile.gettempdir()} can't be written: {why}")


def read_blob(objects: Objects, oid: str) -> bytes:
    """The content of a blob; GitError when it is missing."""
    return objects.read(oid)[1]


def _remembering(read: Callable[[str], tuple[str, bytes]]) -> Callable[[str], Tree]:
    return remembering(lambda oid: MappingProxyType(_parse_tree(oid, read(oid)[1])), _weight, REMEMBERED)


def _weight(tree: Tree) -> int:
    """Bytes that a parsed directory takes, roughly: most of its entries are those of another one, too."""
    return 300 + 120 * len(tree)


@lru_cache(maxsize=1 << 12)
def _parse_entry(mode: bytes, oid: bytes) -> Entry:
    """Entries of one content are one value: directories differ in little from one save to the next."""
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
    """The id of a tree with these entries, sorted as git sorts them (a directory as if its name ended in `/`)."""
    encoded = sorted(
        (os.fsencode(name) + (b"/" if entry.mode == TREE_MODE else b""), os.fsencode(name), entry)
        for name, entry in entries.items()
    )
    return objects.write(
        "tree", b"".join(b"%o %s\0%s" % (e.mode, name, bytes.fromhex(e.oid)) for _, name, e in encoded)
    )


def tree_of(objects: Objects, commit: str) -> str:
    """The tree id of a commit; a tree's own id for a tree."""
    kind, content = objects.read(commit)
    if kind == "tree":
        return commit
    if kind == "tag":
        return tree_of(objects, content[7 : content.index(b"\n")].decode("ascii"))
    return content[5 : content.index(b"\n")].decode("ascii")


def find_entry(objects: Objects, tree: str, path: str) -> Entry | None:
    """What a tree has at a path; None when it has nothing there."""
    *directories, name = path.split("/")
    for part in directories:
        entry = objects.tree(tree).get(part)
        if entry is None or entry.mode != TREE_MODE:
            return None
        tree = entry.oid
    return objects.tree(tree).get(name)


def edit_tree(objects: Objects, tree: str, edits: Mapping[str, Entry | None]) -> str:
    """The tree with some paths set or (None) removed; empty directories vanish, a file gives way to a directory."""
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
    """A virtual commit: the same tree and parents always give the same id."""
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    lines += ["author Worktree Sidecar <> 0 +0000", "committer Worktree Sidecar <> 0 +0000", "", ""]
    return objects.write("commit", "\n".join(lines).encode())
