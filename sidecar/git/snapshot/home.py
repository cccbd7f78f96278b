"""The administrative directory that a restored worktree gets, or still has."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from sidecar.git.files import read_small
from sidecar.git.process import GitError, run
from sidecar.git.repository import Repository
from sidecar.git.snapshot.branches import rename_in
from sidecar.git.snapshot.build import build, check_built, finish_directory
from sidecar.git.snapshot.format import MalformedError, check_items
from sidecar.git.snapshot.read import Contents
from sidecar.git.snapshot.store import Exchange, Store, read_object
from sidecar.git.snapshot.values import RefusedError, Watcher
from sidecar.git.unfinished import COMES_BACK_TO

LOCK_REASON = "worktree-sidecar restores"
"""What a half restored worktree is locked with, before the id of its snapshot: git prunes no locked one."""

NAMING_A_BRANCH = ("HEAD", *COMES_BACK_TO)
ON_A_BRANCH = re.compile(rb"ref:\s*refs/heads/[^\x00-\x20\x7f~^:?*\[\\]+")
MOST_NAMES = 1000
CLAIM = ".claim"
"""Ends the name of the file beside a draft that says which name in `worktrees` was claimed for it."""
MOST_IN_INDEX = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Home:
    """An administrative directory that names the destination: whether it is our half restored one."""

    git_dir: str
    ours: bool


def find_home(repository: Repository, commit: str, target: str) -> Home | None:
    """The administrative directory of a worktree at `target`, if there is a usable one."""
    worktrees = os.path.join(repository.common_dir, "worktrees")
    try:
        names = sorted(os.listdir(worktrees))
    except FileNotFoundError:
        return None
    for name in names:
        git_dir = os.path.join(worktrees, name)
        try:
            said = os.fsdecode(read_small(os.path.join(git_dir, "gitdir")).rstrip(b"\n"))
            common = os.fsdecode(read_small(os.path.join(git_dir, "commondir")).rstrip(b"\n"))
            read_small(os.path.join(git_dir, "HEAD"))
        except OSError:
            continue
        points = os.path.join(git_dir, said)
        same = os.path.realpath(os.path.dirname(points)) == target and os.path.basename(points) == ".git"
        if same and os.path.realpath(os.path.join(git_dir, common)) == repository.common_dir:
            return Home(git_dir, _lock_of(git_dir) == lock_text(commit))
    return None


def lock_text(commit: str) -> bytes:
    """The content of `locked` while a snapshot is being restored."""
    return f"{LOCK_REASON} {commit}\n".encode("ascii")


def _lock_of(git_dir: str) -> bytes | None:
    try:
        return read_small(os.path.join(git_dir, "locked"))
    except OSError:
        return None


def build_home(
    repository: Repository,
    store: Store,
    contents: Contents,
    target: str,
    draft: str,
    names: Mapping[str, str],
    watcher: Watcher,
) -> tuple[str, list[str]]:
    """Make the administrative directory in `draft`, then rename it into place, locked; it, and what has other times.

    `names` are the names that branches have now.
    """
    header = contents.header
    items = check_items(header.admin)
    os.mkdir(draft, 0o700)
    build(store, draft, items, watcher)
    minor = check_built(store, draft, items, watcher)
    for path in NAMING_A_BRANCH:
        if path in items:
            _rename_branch(os.path.join(draft, path), names)
    with Exchange(store, "cat-file", "--batch") as git:
        if header.index is not None:
            path = os.path.join(draft, "index")
            _write(path, read_object(git, header.index.oid, "blob", MOST_IN_INDEX, watcher), header.index.mode)
            os.utime(path, ns=(header.index.mtime, header.index.mtime))
    _write(os.path.join(draft, "commondir"), b"../..\n")
    _write(os.path.join(draft, "locked"), lock_text(contents.commit))
    git_dir = _claim(repository, draft, header.administrative, os.path.basename(target))
    link = os.path.join(target, ".git")
    said = os.path.relpath(link, git_dir) if header.relative else link
    _write(os.path.join(draft, "gitdir"), os.fsencode(said) + b"\n")
    finish_directory(draft, items[""])
    _sync()
    os.rename(draft, git_dir)
    os.unlink(draft + CLAIM)
    return git_dir, minor


def check_head(store: Store, contents: Contents) -> None:
    """Malformed unless HEAD is what the header says: a branch, or another name of it, or a commit."""
    header = contents.header
    head = next((item for item in header.admin if item.path == "HEAD"), None)
    if head is None or head.oid is None:
        raise MalformedError("it has no HEAD")
    with Exchange(store, "cat-file", "--batch") as git:
        said = read_object(git, head.oid, "blob", 1 << 16, Watcher()).strip()
    if header.branch is not None:
        if not ON_A_BRANCH.fullmatch(said) or b".." in said:
            raise MalformedError("its HEAD is not on its branch")
    elif header.head is None or said != header.head.encode("ascii"):
        raise MalformedError("its HEAD is not at its commit")


def restore_tags(store: Store, contents: Contents) -> None:
    """Write tag objects again that only the worktree named: a tree can hold none, so they are kept as blobs."""
    with Exchange(store, "cat-file", "--batch") as git:
        for oid, blob in contents.header.tags:
            content = read_object(git, blob, "blob", 1 << 24, Watcher())
            said = run(store.place, "hash-object", "-t", "tag", "-w", "--stdin", stdin=content)
            if said.decode("ascii").strip() != oid:
                raise GitError(f"tag object {oid} is damaged.")


def finish_home(git_dir: str, contents: Contents) -> None:
    """Take our lock away, or put the worktree's own there; doing it twice changes nothing."""
    path = os.path.join(git_dir, "locked")
    if _lock_of(git_dir) != lock_text(contents.commit):
        return
    lock = contents.header.locked
    if lock is None:
        os.unlink(path)
        return
    draft = f"{path}.{contents.commit[:12]}"
    if os.path.lexists(draft):
        os.unlink(draft)
    _write(draft, os.fsencode(lock.text), lock.mode)
    os.utime(draft, ns=(lock.mtime, lock.mtime))
    os.rename(draft, path)


def _claim(repository: Repository, draft: str, first: str, second: str) -> str:
    """An empty directory of a free name, as `git worktree add` finds one; the name is written beside `draft` before."""
    worktrees = os.path.join(repository.common_dir, "worktrees")
    os.makedirs(worktrees, exist_ok=True)
    for name in (first, second, *(f"{first}{number}" for number in range(1, MOST_NAMES))):
        path = os.path.join(worktrees, name)
        if os.path.lexists(path):
            continue
        with suppress(FileNotFoundError):
            os.unlink(draft + CLAIM)
        _write(draft + CLAIM, os.fsencode(name))
        try:
            os.mkdir(path)
        except FileExistsError:
            continue
        return path
    raise RefusedError("name-taken", f"{MOST_NAMES} names like {first} are taken in {worktrees}.")


def _drop_claim(repository: Repository, draft: str) -> None:
    """Give back the name that an attempt claimed and did not use: its directory is still empty."""
    try:
        name = os.fsdecode(read_small(draft + CLAIM))
    except FileNotFoundError:
        return
    if name == os.path.basename(name) and name not in ("", ".", ".."):
        with suppress(OSError):  # there is something in it, or it is not there
            os.rmdir(os.path.join(repository.common_dir, "worktrees", name))
    os.unlink(draft + CLAIM)


def _rename_branch(path: str, names: Mapping[str, str]) -> None:
    status = os.stat(path)
    before = read_small(path)
    after = rename_in(before, names)
    if after != before:
        os.chmod(path, 0o600)
        with open(path, "wb") as file:
            file.write(after)
        os.chmod(path, status.st_mode & 0o7777)


def _write(path: str, content: bytes, mode: int | None = None) -> None:
    with open(path, "xb") as file:
        file.write(content)
        file.flush()
        if mode is not None:
            os.chmod(path, mode)


def _sync() -> None:
    if hasattr(os, "sync"):
        os.sync()


def remove_draft_home(repository: Repository, draft: str) -> None:
    """Take away what an attempt that ended left of an administrative directory, its claim of a name too."""
    _drop_claim(repository, draft)
    remove_draft(draft)


def remove_draft(path: str) -> None:
    """Take away what a killed attempt left; only a real directory of ours has this name."""
    if os.path.lexists(path):
        if os.path.islink(path) or not os.path.isdir(path):
            raise RefusedError("path-taken", f"{path} is in the way. Move it away.")
        os.chmod(path, 0o700)
        for folder, names, _ in os.walk(path):
            for name in names:
                if not os.path.islink(os.path.join(folder, name)):
                    os.chmod(os.path.join(folder, name), 0o700)
        shutil.rmtree(path)
