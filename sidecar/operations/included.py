"""Bring into a new worktree what git ignores and a task needs: `.worktreeinclude` is copied, `.worktreelink` linked.

Both are patterns as in gitignore(5), at the top of trunk's checkout, or of the main worktree where trunk is not checked
out. Git itself finds the untracked files that they match; of these is brought what git ignores in both worktrees, so
that nothing of it is ever committed by accident. Nothing is written over, and nothing is read or made through a link.
A copy comes to its place whole, so that who comes after a kill just goes on.

What a new worktree lacks all the same, since only the network, or a person, can bring it, is said: submodules, contents
of Git LFS.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sidecar.git.conversions import find_pointers
from sidecar.git.ignore import untracked_ignored
from sidecar.git.process import GitError, Place, run
from sidecar.git.repository import Repository, list_worktrees
from sidecar.model.changes import ancestors
from sidecar.model.findings import Finding, finding
from sidecar.model.inventory_findings import size_text
from sidecar.model.picture import Worktree
from sidecar.model.words import counted, named, shown
from sidecar.operations.landing_repository.lent import gitlinks
from sidecar.operations.merge.backup import is_reachable, make_directories
from sidecar.operations.run import Control
from sidecar.system.files import READING

INCLUDE, LINK = ".worktreeinclude", ".worktreelink"

MOST_FILES, MOST_BYTES = 100_000, 4_000_000_000
"""What is copied at the most; beyond it nothing is, because half of it is of no use."""

MOST_TOLD = 100
"""Paths that are told one by one; of more, what is at the top."""

ABOVE = "something else is above it"
STANDS = "something is there already"
NOT_IGNORED = {
    INCLUDE: "git would not ignore it there",
    LINK: "git would not ignore the link (a pattern with a slash at its end ignores directories only)",
}

FICLONE = 0x40049409
"""Have a file share the blocks of another one until either is written (ioctl_ficlone(2), Linux)."""


@dataclass(frozen=True, slots=True)
class _Bringing:
    """Two worktrees; `draft` is what a copy is called until it is whole, `left` what was not brought, by reason."""

    repository: Repository
    source: Worktree
    target: Worktree
    draft: str
    control: Control
    left: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    linked: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """Give what the source is called."""
        return shown(self.source.name)


def bring_along(
    repository: Repository, operation: str, source: str | None, target: str, control: Control
) -> tuple[Finding, ...]:
    """Copy and link from the worktree at one path into the one at another; says what was brought, and what was not."""
    if source is None or not any(_is_list(os.path.join(source, name)) for name in (INCLUDE, LINK)):
        return ()
    worktrees = {one.key: one for one in list_worktrees(repository) if one.readable}
    here, there = worktrees.get(source), worktrees.get(target)
    if here is None or there is None:
        return ()
    bringing = _Bringing(repository, here, there, os.path.join(target, f".sidecar-{operation}"), control)
    try:
        return (*_link(bringing), *_copy(bringing))
    except GitError as error:
        return (finding("not-copied", f"What {INCLUDE} and {LINK} name was not brought along: {error.message}"),)
    finally:
        _discard(bringing.draft)


def _link(bringing: _Bringing) -> Iterator[Finding]:
    for path in _matched(bringing, LINK, "--directory", "--no-empty-directory"):
        why = _make_link(bringing, path)
        if why is None:
            bringing.linked.add(path)
        else:
            bringing.left[why].append(path)
    if made := sorted(bringing.linked):
        said = f"Linked to what is in {bringing.name}, as {LINK} says: {named(_told(made))}."
        yield finding("linked", said, _told(made))
    yield from _left(bringing, "linked")


def _make_link(bringing: _Bringing, path: str) -> str | None:
    """Make a link; why that was not done, or None."""
    full = os.path.join(bringing.source.key, path)
    if os.path.islink(full) or not is_reachable(bringing.source.key, path):
        return f"{bringing.name} has a link there"
    try:
        if not make_directories(bringing.target.key, path):
            return ABOVE
        os.symlink(full, os.path.join(bringing.target.key, path), target_is_directory=os.path.isdir(full))
    except OSError as error:
        return _why(error)
    return None


def _copy(bringing: _Bringing) -> Iterator[Finding]:
    paths = _matched(bringing, INCLUDE)
    sizes = [_size(os.path.join(bringing.source.key, path)) for path in paths]
    if len(paths) > MOST_FILES or sum(sizes) > MOST_BYTES:
        had = f"{len(paths)} files of {size_text(sum(sizes))}"
        most = f"at most {MOST_FILES} files of {size_text(MOST_BYTES)}"
        said = f"{INCLUDE} matches {had} in {bringing.name}; copied are {most}, so nothing was."
        yield finding("not-copied", f"{said} Name less there, or link what is large by {LINK}.", _told(paths))
        return
    if paths:
        bringing.control.stage(f"Copying {counted(len(paths), 'file', 'files')} by {INCLUDE}")
    copied = []
    for path in paths:
        why = "it was stopped" if bringing.control.cancelled() else _copy_one(bringing, path)
        if why is None:
            copied.append(path)
        else:
            bringing.left[why].append(path)
    if copied:
        files = counted(len(copied), "file", "files")
        said = f"Copied {files} of {bringing.name}, as {INCLUDE} says: {named(_told(copied))}."
        yield finding("copied", said, _told(copied))
    yield from _left(bringing, "copied")


def _copy_one(bringing: _Bringing, path: str) -> str | None:
    """Copy a file, or make the same link; why that was not done, or None."""
    full, new = os.path.join(bringing.source.key, path), os.path.join(bringing.target.key, path)
    try:
        if os.path.lexists(new):
            return STANDS
        if not is_reachable(bringing.source.key, path) or not make_directories(bringing.target.key, path):
            return ABOVE
        if os.path.islink(full):
            target = os.readlink(full)
            if not _stays(bringing.source.key, full, target):
                return f"it is a link that leads out of {bringing.name}, or back into it"
            os.symlink(target, new)
            return None
        if not _copy_file(full, bringing.draft):
            return "it is no file"
        _place(bringing.draft, new)
    except OSError as error:
        return _why(error)
    return None


def _stays(top: str, full: str, target: str) -> bool:
    """Tell whether a link leads, in the new worktree, where it should: to its own files, or out by its full name."""
    led = os.path.normpath(os.path.join(os.path.dirname(full), target))
    return (led == top or led.startswith(f"{top}/")) != os.path.isabs(target)


def _copy_file(full: str, draft: str) -> bool:
    """Copy a regular file with its mode and time, sharing its blocks where the file system can; OSError."""
    descriptor = os.open(full, READING)
    with open(descriptor, "rb") as source:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return False
        _discard(draft)
        with open(draft, "xb") as copy:
            if not _clone(descriptor, copy.fileno()):
                shutil.copyfileobj(source, copy, 1 << 20)
        os.chmod(draft, status.st_mode & 0o777)
        os.utime(draft, ns=(status.st_atime_ns, status.st_mtime_ns))
    return True


def _clone(source: int, copy: int) -> bool:
    try:
        from fcntl import ioctl

        ioctl(copy, FICLONE, source)
    except (ImportError, OSError):
        return False
    return True


def _place(draft: str, new: str) -> None:
    """Give a whole copy its name, unless somebody has it by now; OSError."""
    try:
        os.link(draft, new)
    except OSError:
        if os.path.lexists(new):
            raise
        os.rename(draft, new)  # a file system without hard links


def _discard(draft: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(draft)


def _why(error: OSError) -> str:
    if error.errno == errno.EEXIST:
        return STANDS
    return (error.strerror or "it can't be made").lower()


def _size(full: str) -> int:
    try:
        return os.lstat(full).st_size
    except OSError:
        return 0


def _is_list(file: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(file).st_mode)
    except OSError:
        return False


def _matched(bringing: _Bringing, patterns: str, *options: str) -> list[str]:
    """Find the untracked paths that a file of patterns matches and git ignores in both worktrees; GitError."""
    source, target, file = bringing.source, bringing.target, os.path.join(bringing.source.key, patterns)
    if not _is_list(file):
        return []
    place = bringing.repository.inside(source)
    listing = run(place, "ls-files", "--others", "--ignored", f"--exclude-from={file}", *options, "-z")
    here = untracked_ignored(place, [os.fsdecode(path) for path in listing.split(b"\0") if path])
    paths = [path.rstrip("/") for path in here if bringing.linked.isdisjoint((path, *ancestors(path)))]
    beyond = {path for path in paths if any(os.path.islink(os.path.join(target.key, one)) for one in ancestors(path))}
    there = set(untracked_ignored(bringing.repository.inside(target), [path for path in paths if path not in beyond]))
    bringing.left[ABOVE] += [path for path in paths if path in beyond]
    bringing.left[NOT_IGNORED[patterns]] += [path for path in paths if path not in there and path not in beyond]
    return [path for path in paths if path in there]


def _left(bringing: _Bringing, done: str) -> Iterator[Finding]:
    """Say what was not brought, once for each reason."""
    for why, paths in bringing.left.items():
        if paths:
            told = _told(paths)
            yield finding("not-copied", f"Not {done}, since {why}: {named(told)}.", told)
    bringing.left.clear()


def _told(paths: Sequence[str]) -> tuple[str, ...]:
    if len(paths) <= MOST_TOLD:
        return tuple(paths)
    return tuple(sorted({path.partition("/")[0] for path in paths}))[:MOST_TOLD]


FETCH = {"lfs": "git lfs pull", "annex": "git annex get ."}
"""What fetches the content of files, by their filter."""


def lacking(place: Place, top: str) -> tuple[Finding, ...]:
    """Find the submodules that are empty and the files that only stand for their content."""
    try:
        return tuple(_lacking(place, top))
    except GitError as error:
        return (finding("git-said", f"Whether submodules or contents are missing can't be told: {error.message}"),)


def _lacking(place: Place, top: str) -> Iterator[Finding]:
    modules = gitlinks(place) if os.path.lexists(os.path.join(top, ".gitmodules")) else {}
    empty = tuple(path for path in modules if _is_empty(os.path.join(top, path)))
    if empty:
        are = "submodule is" if len(empty) == 1 else "submodules are"
        said = f"{len(empty)} {are} empty there: {named(empty)}. To fill: git submodule update --init --recursive"
        yield finding("submodules-empty", said, empty)
    for name, paths in find_pointers(place, top).items():
        of = counted(len(paths), "file", "files")
        said = f"What stands for the content ({name}) of {of} is there, not the content: {named(paths)}."
        yield finding("no-content", f"{said} To fetch it: {FETCH[name]}", paths)


def _is_empty(folder: str) -> bool:
    try:
        return not os.listdir(folder)
    except OSError:
        return False
