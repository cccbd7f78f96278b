"""Everything below a folder, by lstat, never following a link: what is there, and what a snapshot can't hold of it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sidecar.git.mounts import mount_points, mounts_below
from sidecar.git.process import run
from sidecar.git.repository import Repository
from sidecar.git.snapshot.names import is_safe
from sidecar.git.snapshot.values import DIRECTORY_KIND, FILE_KIND, LINK_KIND, Signature, Unheld, Watcher
from sidecar.model.picture import Worktree

HELD_ATTRIBUTES = re.compile(r"user\..+|system\.posix_acl_(access|default)")
"""Extended attributes that are a person's own; the others are the system's (xattr(7))."""

LONGEST_PATH = 4096 - 64
"""Bytes of a whole path that can still be opened where a worktree is rebuilt, beside its place (PATH_MAX)."""

OF_THE_SYSTEM = frozenset({"security.selinux", "security.ima", "security.evm", "com.apple.provenance"})


@dataclass(slots=True)
class Walked:
    """What a walk found, by path relative to its root: (kind, signature). The root itself is ""."""

    found: dict[str, tuple[str, Signature]] = field(default_factory=dict)
    unheld: list[Unheld] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tracked:
    """What the index has: paths of files, the directories above them, and the paths of submodules."""

    files: frozenset[str] = frozenset()
    directories: frozenset[str] = frozenset()
    submodules: frozenset[str] = frozenset()


Ignoring = Callable[[Sequence[str]], frozenset[str]]
"""Those of some untracked paths that git ignores."""


def ignoring(repository: Repository, worktree: Worktree) -> Ignoring:
    """Git's own word on what is ignored (git-check-ignore(1)), each path asked once."""
    known: dict[str, bool] = {}
    place = repository.inside(worktree)

    def ask(paths: Sequence[str]) -> frozenset[str]:
        unknown = [path for path in paths if path not in known]
        if unknown:
            listing = b"".join(b"./" + os.fsencode(path) + b"\0" for path in unknown)
            said = run(place, "check-ignore", "--no-index", "-z", "--stdin", stdin=listing, accept=(0, 1))
            ignored = {os.fsdecode(path[2:]) for path in said.split(b"\0") if path}
            known.update((path, path in ignored) for path in unknown)
        return frozenset(path for path in paths if known[path])

    return ask


def walk(root: str, tracked: Tracked, ignored: Ignoring, watcher: Watcher) -> Walked:
    """All of a worktree but its `.git` and what is ignored; OSError when the root can't be read."""
    walked = Walked()
    top = os.lstat(root)
    walked.found[""] = (DIRECTORY_KIND, _signature(top))
    mounts = frozenset(mounts_below(root, mount_points()))
    level = [("", top)]
    while level:
        watcher.check()
        entries: list[tuple[str, os.stat_result]] = []
        for directory, status in level:
            try:
                listed = _list(root, directory, status)
            except OSError:
                if not directory:
                    raise
                walked.unheld.append(Unheld("unreadable", directory))
                continue
            entries += _without_repositories(root, directory, listed, tracked, walked)
        level = _sort(root, entries, tracked, ignored, walked, (top.st_dev, mounts))
    return walked


def _sort(
    root: str,
    entries: Sequence[tuple[str, os.stat_result]],
    tracked: Tracked,
    ignored: Ignoring,
    walked: Walked,
    disk: tuple[int, frozenset[str]],
) -> list[tuple[str, os.stat_result]]:
    """Note what can be held of one level, and give the directories to look into."""
    device, mounts = disk
    untracked = [path for path, _ in entries if path not in tracked.files and path not in tracked.directories]
    room = LONGEST_PATH - len(os.fsencode(root)) - 1
    overlong = {path for path, _ in entries if len(path) * 4 > room and len(os.fsencode(path)) > room}
    left_out = ignored([path for path in untracked if path not in tracked.submodules and path not in overlong])
    below = []
    for path, status in entries:
        kind = _kind(status)
        if path in overlong:
            walked.unheld.append(Unheld("overlong-path", path))
        elif path in left_out:
            walked.unheld.append(Unheld("ignored", path))
        elif status.st_dev != device or path in mounts:
            walked.unheld.append(Unheld("mount", path))
        elif not is_safe(path.rpartition("/")[2]):
            walked.unheld.append(Unheld("git-name", path))
        elif kind is None:
            walked.unheld.append(Unheld("special-file", path))
        else:
            walked.found[path] = (kind, _signature(status))
            if kind == DIRECTORY_KIND:
                below.append((path, status))
            elif status.st_nlink > 1:
                walked.unheld.append(Unheld("hard-link", path))
    return below


def scan(root: str, skip: Callable[[str], str | None], watcher: Watcher) -> Walked:
    """All of an administrative directory; `skip` gives why a path is left out ("": without a word), None to hold it."""
    walked = Walked()
    top = os.lstat(root)
    walked.found[""] = (DIRECTORY_KIND, _signature(top))
    waiting = [("", top)]
    while waiting:
        watcher.check()
        directory, above = waiting.pop()
        try:
            listed = _list(root, directory, above)
        except PermissionError:
            walked.unheld.append(Unheld("unreadable", directory))
            continue
        for path, status in listed:
            why = skip(path)
            kind = _kind(status)
            if why is None and kind is None:
                why = "special-file"
            if why is None and not is_safe(path.rpartition("/")[2]):
                why = "git-name"
            if why is not None or kind is None:
                if why:
                    walked.unheld.append(Unheld(why, f".git/{path}"))
                continue
            walked.found[path] = (kind, _signature(status))
            if kind == DIRECTORY_KIND:
                waiting.append((path, status))
    return walked


def read_attributes(path: str) -> tuple[tuple[tuple[str, bytes], ...], bool]:
    """The extended attributes of a file or directory that can be held, and whether there are others."""
    if not hasattr(os, "listxattr"):
        return (), False
    try:
        names = os.listxattr(path, follow_symlinks=False)
        held = sorted(name for name in names if HELD_ATTRIBUTES.fullmatch(name))
        values = tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in held)
    except OSError:
        return (), False
    return values, not {*names} <= {*held, *OF_THE_SYSTEM}


def _list(root: str, directory: str, expected: os.stat_result) -> list[tuple[str, os.stat_result]]:
    """A directory's entries; OSError when it is not the one that was expected."""
    full = os.path.join(root, directory) if directory else root
    descriptor = os.open(full, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0))
    try:
        if not os.path.samestat(os.fstat(descriptor), expected):
            raise FileNotFoundError(full)
        with os.scandir(descriptor) as entries:
            names = sorted(entry.name for entry in entries)
        listed = []
        for name in names:
            try:
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except FileNotFoundError:
                continue
            listed.append((f"{directory}/{name}" if directory else name, status))
        return listed
    finally:
        os.close(descriptor)


def _without_repositories(
    root: str, directory: str, listed: list[tuple[str, os.stat_result]], tracked: Tracked, walked: Walked
) -> list[tuple[str, os.stat_result]]:
    """The entries without the worktree's own `.git`, and without what belongs to a repository inside."""
    own = next((path for path, _ in listed if path.rpartition("/")[2] == ".git"), None)
    if own is None:
        return listed
    rest = [(path, status) for path, status in listed if path != own]
    if not directory:
        return rest
    if not _is_repository(os.path.join(root, own)):
        walked.unheld.append(Unheld("git-name", own))
        return rest
    if directory in tracked.directories:
        walked.unheld.append(Unheld("nested-repository", own))
        return rest
    walked.unheld.append(Unheld("submodule" if directory in tracked.submodules else "nested-repository", directory))
    return []


def _is_repository(path: str) -> bool:
    """Whether git would take a `.git` for a repository's: a directory with a HEAD, or a file that points to one."""
    if os.path.islink(path) or os.path.isfile(path):
        return True
    return os.path.lexists(os.path.join(path, "HEAD"))


def _kind(status: os.stat_result) -> str | None:
    for test, kind in ((stat.S_ISREG, FILE_KIND), (stat.S_ISDIR, DIRECTORY_KIND), (stat.S_ISLNK, LINK_KIND)):
        if test(status.st_mode):
            return kind
    return None


def _signature(status: os.stat_result) -> Signature:
    return status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
