"""Reading a snapshot: everything that it claims is checked against what the store has, before anybody acts on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sidecar.git.process import GitError
from sidecar.git.refs import is_branch_name
from sidecar.git.repository import Repository
from sidecar.git.snapshot.admin import is_whole, ref_tips
from sidecar.git.snapshot.format import MalformedError, check_items, decode_header, decode_list
from sidecar.git.snapshot.store import Exchange, Object, Store, look_up, open_store, read_object
from sidecar.git.snapshot.values import (
    DIRECTORY_KIND,
    Header,
    Item,
    RefusedError,
    SnapshotFacts,
    Watcher,
)
from sidecar.git.snapshot.write import HEADER
from sidecar.model.findings import Failure

MOST_IN_HEADER = 64 * 1024 * 1024
MOST_IN_LIST = 64 * 1024 * 1024
MOST_IN_LISTS = 1024 * 1024 * 1024
MOST_IN_TREE = 64 * 1024
"""Bytes above which a part of a snapshot is refused unread."""


@dataclass(frozen=True, slots=True)
class Contents:
    """A snapshot as read and checked: `files` by path, and the seconds since 1970 at which it was taken."""

    commit: str
    header: Header
    files: Mapping[str, Item]
    time: int


def read_snapshot(repository: Repository, commit: str) -> SnapshotFacts | Failure:
    """What a snapshot holds, from its header alone; a Failure (`bad-snapshot`) when it is none, or an edited one."""
    try:
        with open_store(repository) as store, Exchange(store, "cat-file", "--batch") as git:
            header, time = _read_header(repository, git, commit, Watcher())
    except RefusedError as refused:
        return refused.failure
    except (GitError, OSError, MalformedError) as error:
        return bad(commit, error)
    return SnapshotFacts(
        commit=commit,
        name=header.name,
        path=header.path,
        branch=header.branch,
        head=header.head,
        time=time,
        files=header.files,
        bytes=header.bytes,
        locked=None if header.locked is None else header.locked.text,
        branches=header.branches,
        unheld=header.unheld,
    )


def check_snapshot(repository: Repository, commit: str) -> Failure | None:
    """Whether every object of a snapshot is there: to be asked once a ref names it, since `git gc --prune=now` may have
    run between its writing and its naming. The Failure is `bad-snapshot`.
    """
    partial = repository.config.get("extensions.partialclone") is not None
    try:
        with open_store(repository) as store:
            others = [oid for oid in ref_tips(repository) if oid != commit]
            if commit in look_up(store, [commit]) and is_whole(store, others, [commit], partial):
                return None
    except RefusedError as refused:
        return refused.failure
    except (GitError, OSError) as error:
        return bad(commit, error)
    return bad(commit, MalformedError("some of its objects are gone"))


def bad(commit: str, why: Exception) -> Failure:
    """The Failure for a commit that is no snapshot."""
    said = getattr(why, "message", None) or getattr(why, "strerror", None) or str(why)
    return Failure("bad-snapshot", f"{commit[:12]} is not a snapshot that can be restored: {said.rstrip('.')}.")


def read_contents(repository: Repository, store: Store, commit: str, watcher: Watcher) -> Contents:
    """All that a snapshot says, checked: names, links between its parts, and that the store has every object of it.

    RefusedError, GitError or MalformedError otherwise.
    """
    with Exchange(store, "cat-file", "--batch") as git:
        header, time = _read_header(repository, git, commit, watcher)
        sizes = look_up(store, header.lists)
        if sum(found.size for found in sizes.values()) > MOST_IN_LISTS:
            raise MalformedError("its lists are too large")
        items: list[Item] = []
        for oid in header.lists:
            watcher.check()
            items += decode_list(read_object(git, oid, "blob", MOST_IN_LIST, watcher))
    files = check_items(items)
    held = [item for item in items if item.kind != DIRECTORY_KIND]
    if (len(held), sum(item.size for item in held)) != (header.files, header.bytes):
        raise MalformedError("its lists are not those that its header counts")
    _check_objects(store, header, items)
    return Contents(commit, header, files, time)


def _read_header(repository: Repository, git: Exchange, commit: str, watcher: Watcher) -> tuple[Header, int]:
    if len(commit) not in (40, 64) or not set(commit) <= set("0123456789abcdef"):
        raise MalformedError("it is no commit id")
    lines = read_object(git, commit, "commit", MOST_IN_HEADER, watcher).split(b"\n\n")[0].split(b"\n")
    fields = dict(line.partition(b" ")[::2] for line in lines)
    tree = read_object(git, fields[b"tree"].decode("ascii"), "tree", MOST_IN_TREE, watcher)
    name = b" " + HEADER.encode() + b"\0"
    at = tree.find(name)
    if at < 0:
        raise MalformedError("it has no header")
    start = at + len(name)
    oid = tree[start : start + len(commit) // 2].hex()
    header = decode_header(read_object(git, oid, "blob", MOST_IN_HEADER, watcher))
    for branch in header.branches:
        if not is_branch_name(repository.place, branch.name):
            raise MalformedError(f"{branch.name!r} is no branch name")
    time = fields.get(b"committer", b"").split(b" ")[-2:-1]
    return header, int(time[0]) if time and time[0].isdigit() else 0


def _check_objects(store: Store, header: Header, items: list[Item]) -> None:
    """Every object that is to be read is there, of its kind and its size."""
    blobs = [item for item in (*items, *header.admin) if item.oid is not None]
    others = [oid for branch in header.branches for oid in (branch.log,) if oid is not None]
    others += [oid for _, oid in header.tags] + ([header.index.oid] if header.index is not None else [])
    commits = [oid for oid in (header.head, *(branch.tip for branch in header.branches)) if oid is not None]
    found: dict[str, Object] = look_up(store, [*(str(item.oid) for item in blobs), *others, *commits])
    for item in blobs:
        there = found.get(str(item.oid))
        if there is None or there.kind != "blob":
            raise MalformedError(f"the content of {item.path!r} is missing")
        if there.size != item.size:
            raise MalformedError(f"the content of {item.path!r} is not the one it had")
    for oid in others:
        if oid not in found or found[oid].kind != "blob":
            raise MalformedError(f"object {oid} is missing")
    for oid in commits:
        if oid not in found or found[oid].kind != "commit":
            raise MalformedError(f"commit {oid} is missing")
