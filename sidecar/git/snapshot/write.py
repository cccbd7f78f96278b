"""Taking a snapshot: one commit that holds a linked worktree (layout in docs/architecture.md, "Snapshots")."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import MappingProxyType

from sidecar.git.blobs import id_of
from sidecar.git.process import GitError, run
from sidecar.git.repository import Repository
from sidecar.git.snapshot.admin import Roots, find_roots
from sidecar.git.snapshot.content import find_reusable, hash_files, make_items, store_content
from sidecar.git.snapshot.format import encode_header, encode_lists
from sidecar.git.snapshot.index import SPARSE_DIRECTORY, Index
from sidecar.git.snapshot.look import Look, differences, look
from sidecar.git.snapshot.names import fits_tree
from sidecar.git.snapshot.store import (
    Store,
    look_up,
    make_tree,
    object_line,
    open_store,
    write_blobs,
    write_object,
    write_tree,
)
from sidecar.git.snapshot.values import (
    DIRECTORY_KIND,
    FILE_KIND,
    LINK_KIND,
    Branch,
    Header,
    IndexFile,
    Item,
    Known,
    RefusedError,
    Snapshot,
    Unheld,
    Watcher,
)
from sidecar.git.snapshot.walk import ignoring
from sidecar.model.changes import EXECUTABLE, FILE, SYMLINK
from sidecar.model.findings import Failure
from sidecar.model.picture import Worktree

HEADER = "snapshot.json"
MODES = {"blob": 0o100644, "tree": 0o040000}


def write_snapshot(
    repository: Repository,
    worktree: Worktree,
    *,
    rehash: bool = True,
    previous: str | None = None,
    largest: int | None = None,
    most: int | None = None,
    watcher: Watcher | None = None,
) -> Snapshot | Failure:
    """Hold a linked worktree in one commit of the user's object store, on the disk when this returns.

    `rehash` reads every file. Without, a file is taken to be unchanged when lstat says about it what it said to git's
    index, which is younger than the file (racy), and no attribute converts it. A file of more than `largest` bytes is
    left out; with more than `most` bytes of new content nothing is stored (`too-large`). Ignored files are never held.
    When nothing has changed since the snapshot `previous`, that commit is the answer. A Failure says why there is none;
    `Snapshot.changed` is not empty when somebody wrote meanwhile: then it may mix two moments. Nothing of the
    repository runs: no filter, hook or fsmonitor.
    """
    watcher = watcher or Watcher()
    try:
        with open_store(repository) as store:
            snapshot = _write(repository, worktree, store, rehash, previous, (largest, most), watcher)
        if rehash and hasattr(os, "sync"):
            os.sync()  # what git wrote before, without fsync, is part of it
    except RefusedError as refused:
        return refused.failure
    except GitError as error:
        return Failure("no-snapshot", f"No snapshot of {worktree.name} could be taken: {error.message}")
    except OSError as error:
        where = "" if error.filename is None else f" ({os.fsdecode(error.filename)})"
        return Failure("no-snapshot", f"No snapshot of {worktree.name} could be taken: {error.strerror}{where}.")
    return snapshot


def _write(
    repository: Repository,
    worktree: Worktree,
    store: Store,
    rehash: bool,
    previous: str | None,
    limits: tuple[int | None, int | None],
    watcher: Watcher,
) -> Snapshot:
    taken = time.time_ns()
    ignored = ignoring(repository, worktree)
    first = look(repository, worktree, store, ignored, watcher)
    root, git_dir = first.worktree.key, first.worktree.git_dir
    reusable = {} if rehash else find_reusable(repository, first.worktree, first.index, first.files)
    content = hash_files(store, root, first.files, reusable, limits[0], watcher)
    written = store_content(store, root, first.files, content, limits[1], watcher)
    quiet = Watcher(cancelled=watcher.cancelled)
    held = hash_files(store, git_dir, first.admin, {}, None, quiet)
    store_content(store, git_dir, first.admin, held, None, quiet)
    if "HEAD" not in held.oids:
        raise RefusedError("changing", f"{first.worktree.name} is being switched. Try again.")
    items, admin = make_items(root, first.files, content), make_items(git_dir, first.admin, held)
    roots = _find_roots(repository, store, first)
    lists = encode_lists(items)
    logs = [branch.log for branch in first.branches if branch.log is not None]
    tags = [run(store.place, "cat-file", "tag", oid) for oid in roots.tags]
    index = [] if first.index is None else [first.index.raw]
    documents = _store_documents(store, [*lists, *tags, *index], logs)
    list_ids, tag_ids = documents[: len(lists)], documents[len(lists) : len(lists) + len(tags)]
    log_ids = dict(zip(logs, documents[len(documents) - len(logs) :], strict=True))
    index_id = documents[len(lists) + len(tags)] if index else None
    unheld = (*first.unheld, *content.unheld, *held.unheld, *roots.unheld, *_aliases(first))
    header = Header(
        name=first.worktree.name,
        path=root,
        administrative=os.path.basename(git_dir),
        head=first.worktree.head,
        branch=first.worktree.branch,
        branches=tuple(
            Branch(b.name, b.tip, log_ids.get(b.log) if b.log is not None else None, b.config) for b in first.branches
        ),
        locked=first.locked,
        index=None if first.index is None else IndexFile(str(index_id), first.index.mode, first.index.mtime),
        link=(first.link[0] & 0o7777, first.link[2]),
        relative=first.relative,
        admin=tuple(sorted(admin, key=lambda item: item.path)),
        tags=tuple(zip(roots.tags, tag_ids, strict=True)),
        lists=tuple(list_ids),
        files=sum(item.kind != DIRECTORY_KIND for item in items),
        bytes=sum(item.size for item in items),
        unheld=tuple(sorted((u for u in unheld if u.code != "ignored"), key=lambda u: (u.path, u.code))),
    )
    (header_id,) = _store_documents(store, [encode_header(header)], [])
    tree = _grow(store, header_id, documents, items, admin, _named_by_index(store, first, roots))
    changed = {*content.changed, *(f".git/{path}" for path in held.changed)}
    last = look(repository, worktree, store, ignored, watcher, first)
    changed |= {*differences(first, last)}
    blobs = {
        item.path: (first.files.found[item.path][1], item.oid)
        for item in items
        if item.kind == FILE_KIND and item.oid is not None and item.path not in changed
    }
    snapshot = Snapshot(
        commit="",
        tree=tree,
        parents=roots.parents,
        files=header.files,
        bytes=header.bytes,
        written=written,
        unheld=unheld,
        changed=tuple(sorted(changed)),
        lost=tuple(sorted(first.files.found.keys() - last.files.found.keys())),
        known=Known(MappingProxyType(blobs), taken),
    )
    if previous is not None and _is_of(store, previous, tree, roots.parents):
        return replace(snapshot, commit=previous)
    return replace(snapshot, commit=_commit(store, tree, roots.parents, first.worktree.name))


def _is_of(store: Store, commit: str, tree: str, parents: Sequence[str]) -> bool:
    """Whether a commit is there and holds just this; what else it says does not matter."""
    try:
        said = run(store.place, "cat-file", "commit", commit)
    except GitError:
        return False
    return said.decode("ascii", "replace").startswith("\n".join([*_names(tree, parents), "author "]))


def _names(tree: str, parents: Sequence[str]) -> list[str]:
    """How a commit begins (gitformat-commit)."""
    return [f"tree {tree}", *(f"parent {parent}" for parent in parents)]


def _find_roots(repository: Repository, store: Store, seen: Look) -> Roots:
    """Every object that the worktree's HEAD, branches, reflogs, pseudo refs and operations name."""
    heads = [oid for oid in (seen.worktree.head, *(branch.tip for branch in seen.branches)) if oid is not None]
    git_dir = seen.worktree.git_dir
    files = [os.path.join(git_dir, path) for path, (kind, _) in seen.admin.found.items() if kind == FILE_KIND]
    files += [branch.log for branch in seen.branches if branch.log is not None]
    return find_roots(repository, store, list(dict.fromkeys(heads)), files)


def _aliases(seen: Look) -> list[Unheld]:
    return [Unheld("symbolic-branch", branch.name) for branch in seen.branches if branch.symbolic]


def _store_documents(store: Store, texts: Sequence[bytes], files: Sequence[str]) -> list[str]:
    """The ids of texts of ours and of files, in this order, all stored."""
    ids = [id_of(store.object_format, text) for text in texts]
    there = look_up(store, ids)
    missing = {oid: text for oid, text in zip(ids, texts, strict=True) if oid not in there}
    paths = [(store.draft(text), len(text)) for text in missing.values()]
    paths += [(path, os.lstat(path).st_size) for path in files]
    written = write_blobs(store, paths, Watcher())
    if None in written or written[: len(missing)] != list(missing):
        raise GitError("a part of it could not be stored.")
    return [*ids, *(str(oid) for oid in written[len(missing) :])]


def _named_by_index(store: Store, seen: Look, roots: Roots) -> dict[str, str]:
    """Objects (id -> kind) that only the index or a file keeps alive: stages, resolved conflicts, cached trees."""
    index: Index | None = seen.index
    named = dict(roots.others)
    if index is not None:
        (store.home / "index").write_bytes(index.raw)
        said = run(store.place, "rev-list", "--objects", "--indexed-objects", "--missing=print")
        oids = {line.partition(b" ")[0].decode("ascii") for line in said.splitlines() if not line.startswith(b"?")}
        oids |= {entry.oid for entry in index.entries if entry.mode == SPARSE_DIRECTORY}
        empty = id_of(store.object_format, b"")
        if any(entry.oid == empty for entry in index.entries):
            _store_documents(store, [b""], [])
        oids -= _in_head(store, seen.worktree.head)
        named |= {oid: found.kind for oid, found in look_up(store, sorted(oids)).items()}
    return named


def _in_head(store: Store, head: str | None) -> frozenset[str]:
    """All trees and blobs of HEAD, which its commit keeps alive."""
    if head is None:
        return frozenset()
    rows = run(store.place, "ls-tree", "-r", "-t", "-z", head).split(b"\0")
    return frozenset(row.partition(b"\t")[0].split(b" ")[2].decode("ascii") for row in rows if row)


def _grow(
    store: Store,
    header: str,
    documents: Iterable[str],
    items: Sequence[Item],
    admin: Sequence[Item],
    named: dict[str, str],
) -> str:
    """The snapshot's tree: `files` and `admin` as they lie on the disk, everything else by its id."""
    entries = [(0o100644, header, HEADER), *((0o100644, oid, f"documents/{oid}") for oid in documents)]
    for folder, held in (("files", items), ("admin", admin)):
        for item in held:
            if item.oid is not None:
                path = f"{folder}/{item.path}"
                entries.append((_mode(item), item.oid, path if fits_tree(item.path) else f"odd/{item.oid}"))
    tree = write_tree(store, dict.fromkeys(entries))
    present = {oid for _, oid, _ in entries}
    lines = [object_line(oid, MODES[kind], kind, oid) for oid, kind in sorted(named.items()) if oid not in present]
    if not lines:
        return tree
    objects = make_tree(store, b"".join(lines))
    return make_tree(store, run(store.place, "ls-tree", "-z", tree) + object_line(objects, 0o040000, "tree", "objects"))


def _mode(item: Item) -> int:
    if item.kind == LINK_KIND:
        return SYMLINK
    return EXECUTABLE if item.mode & 0o100 else FILE


def _commit(store: Store, tree: str, parents: Sequence[str], name: str) -> str:
    now = f"Worktree Sidecar <> {int(time.time())} +0000"
    lines = [*_names(tree, parents), f"author {now}", f"committer {now}"]
    lines += ["", f"Snapshot of the worktree {ascii(name)[1:-1]}", ""]
    return write_object(store, "commit", "\n".join(lines).encode("ascii"))
