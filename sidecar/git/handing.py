"""Hand objects from the quarantine over to the user's store: what a new ref is to hold has to be there before it.

No process takes part. Loose objects are written as git writes them (gitformat-loose(5)): beside, on the disk, renamed.
An object that is there already is freshened, since `git prune` goes by age. Nothing is ever removed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sidecar.git.config import Config
from sidecar.git.objects import TREE_MODE, Objects, Tree, framed_object, id_of
from sidecar.git.process import GitError, run
from sidecar.git.quarantine import Quarantine
from sidecar.git.repository import Repository
from sidecar.model.changes import SUBMODULE


def missing_objects(repository: Repository, oids: Iterable[str]) -> list[str]:
    """Give those of the objects that the user's own store lacks now, its packs and alternates included.

    Packs are opened anew each time, because a reader that stays still sees those that `git gc` has deleted.
    """
    directory = os.path.join(repository.common_dir, "objects")
    packed = [oid for oid in oids if not os.path.exists(_path(directory, oid))]
    if not packed:
        return []
    if repository.object_format != "sha1":  # which libgit2 can't read
        listing = "".join(f"{oid}\n" for oid in packed).encode()
        said = run(repository.place, "cat-file", "--batch-check", stdin=listing).splitlines()
        return [oid for oid, line in zip(packed, said, strict=True) if line.endswith(b" missing")]
    import pygit2

    database = pygit2.Odb(directory)
    return [oid for oid in packed if not database.exists(oid)]


LARGE = 1 << 20
"""Bytes from which on content is not compressed again: `git gc` does it later, and better."""

DRAFT = "tmp_obj_sidecar"
"""How a file begins that is being written: `git prune` removes those that were left behind (builtin/prune.c)."""

SHARED = {"group": 0o660, "true": 0o660, "yes": 0o660, "1": 0o660}
SHARED |= dict.fromkeys(("all", "world", "everybody", "2"), 0o664)
"""What core.sharedRepository adds to a file's mode (git-config(1))."""


@dataclass(frozen=True, slots=True)
class Store:
    """Where objects come from and go to: `objects` directories; `shared` is added to the mode of what is made."""

    objects: Objects
    sources: tuple[str, ...]
    target: str
    repository: Repository
    shared: int


def open_store(quarantine: Quarantine, repository: Repository) -> Store:
    """Open the way from a quarantine into the store of its repository."""
    target = os.path.join(repository.common_dir, "objects")
    return Store(quarantine.objects, quarantine.stores, target, repository, _shared(repository.config))


def new_objects(objects: Objects, tree: str, known: str | None) -> Iterator[str]:
    """Give the ids that a tree has and a known one lacks at the same path; what is in a directory comes before it."""
    if tree == known:
        return
    there: Tree = objects.tree(known) if known is not None else {}
    for name, entry in objects.tree(tree).items():
        before = there.get(name)
        if entry == before or entry.mode == SUBMODULE:
            continue
        if entry.mode == TREE_MODE:
            below = before.oid if before is not None and before.mode == TREE_MODE else None
            yield from new_objects(objects, entry.oid, below)
        else:
            yield entry.oid
    yield tree


def hand_over(store: Store, oid: str) -> int:
    """Copy an object from the quarantine into the user's store, on the disk; gives the bytes that this took.

    GitError for an object that is in neither, OSError when the store can't be written.
    """
    target, source = _path(store.target, oid), _source(store, oid)
    with contextlib.suppress(FileNotFoundError):
        os.utime(target)
        _hold(target, source)
        return 0
    try:
        size = os.stat(source).st_size
    except FileNotFoundError:
        if missing_objects(store.repository, [oid]):
            raise GitError(f"object {oid} is not there any more.") from None
        return 0  # in a pack of the user's

    def write(draft: int) -> None:
        with open(source, "rb") as file, open(draft, "wb", closefd=False) as out:
            if size < LARGE:
                out.write(zlib.compress(zlib.decompress(file.read()), 1))
            else:
                shutil.copyfileobj(file, out, 1 << 20)

    return _put(store, target, write)


def size_of(store: Store, oid: str) -> int:
    """Give the size in bytes of an object that would be handed over; 0 where the user's store has it already."""
    try:
        return 0 if os.path.exists(_path(store.target, oid)) else os.stat(_source(store, oid)).st_size
    except OSError:
        return 0


def put_commit(store: Store, content: bytes) -> str:
    """Write a commit straight into the user's store; gives its id."""
    oid = id_of(store.repository.object_format, content, "commit")
    target = _path(store.target, oid)
    try:
        os.utime(target)
    except FileNotFoundError:
        packed = zlib.compress(framed_object("commit", content), 1)
        _put(store, target, lambda draft: os.write(draft, packed))
    return oid


def _source(store: Store, oid: str) -> str:
    """Give the path of an object in the quarantine, one that it could have where it is in none of its stores."""
    paths = [_path(source, oid) for source in store.sources]
    return next(filter(os.path.exists, paths), paths[0])


def _hold(target: str, source: str) -> None:
    """Copy into the quarantine what only the user's store has, because `git gc` may take it before a ref holds it."""
    with contextlib.suppress(OSError):
        if not os.path.exists(source) and os.stat(target).st_size < LARGE:
            os.makedirs(os.path.dirname(source), exist_ok=True)
            shutil.copyfile(target, f"{source}.draft")
            os.replace(f"{source}.draft", source)


def _put(store: Store, target: str, write: Callable[[int], object]) -> int:
    """Write a file as a whole and on the disk, by a rename; gives the bytes that it takes."""
    folder = os.path.dirname(target)
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder)
        if store.shared:
            search = (store.shared & 0o444) >> 2  # who may read a directory may search it too
            os.chmod(folder, stat.S_IMODE(os.stat(folder).st_mode) | store.shared | search | stat.S_ISGID)
    draft = os.path.join(folder, f"{DRAFT}{os.getpid()}-{threading.get_ident()}")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(draft)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    try:
        try:
            write(descriptor)
            os.fsync(descriptor)
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        if store.shared:
            os.chmod(draft, (stat.S_IMODE(status.st_mode) | store.shared) & 0o555)
        os.rename(draft, target)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise
    return status.st_blocks * 512 if hasattr(status, "st_blocks") else status.st_size


def _shared(config: Config) -> int:
    value = (config.get("core.sharedrepository") or "").lower()
    if value in SHARED:
        return SHARED[value]
    try:
        return int(value, 8) & 0o666 if value.startswith("0") and len(value) > 1 else 0
    except ValueError:
        return 0


def _path(directory: str, oid: str) -> str:
    return f"{directory}/{oid[:2]}/{oid[2:]}"
