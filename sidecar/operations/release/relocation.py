"""Have a worktree somewhere else: copy its folder to another disk, and write the links between it and git's directory.

A copy has every byte, compared, and in no case leads through a link: everything is reached from an open directory by
one name, so no path is too long either. Each link keeps its form, absolute or relative (git-worktree(1),
`worktree.useRelativePaths`), and follows from the two places alone, so writing them again after a kill is fine.
Submodules have links of their own: their `.git` files and `core.worktree` are relative to both (gitsubmodules(7)).
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sidecar.git.process import run
from sidecar.git.repository import Repository
from sidecar.system.worktree_links import read_gitdir

DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
"""How a directory is opened, and nothing else."""

FILE = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Copying:
    """A copy under way: its open root, the first name there of each file that has several, and what may stop it."""

    root: int
    check: Callable[[], None]
    met: dict[tuple[int, int], str] = field(default_factory=dict)


def copy_folder(source: str, target: str, check: Callable[[], None]) -> None:
    """Copy a folder with modes, times, attributes and hard links, and compare; OSError when the copy is another.

    `target` is new; what was copied until an error stays there. A pipe or a socket is made anew, a device is an error.
    `check` is called before each piece, and may raise.
    """
    os.mkdir(target, 0o700)
    with opened(source) as one, opened(target) as two:
        _copy_inside(_Copying(two, check), one, two, "")
        _compare_inside(one, two, check)


def _copy_inside(copying: _Copying, source: int, target: int, inside: str) -> None:
    for name in sorted(os.listdir(source)):
        copying.check()
        status = os.lstat(name, dir_fd=source)
        if stat.S_ISDIR(status.st_mode):
            os.mkdir(name, 0o700, dir_fd=target)
            with opened(name, source) as one, opened(name, target) as two:
                _copy_inside(copying, one, two, f"{inside}{name}/")
        elif stat.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
            os.utime(name, ns=(status.st_atime_ns, status.st_mtime_ns), dir_fd=target, follow_symlinks=False)
        elif stat.S_ISREG(status.st_mode):
            if not _link(copying, status, target, inside, name):
                _copy_file(copying, source, target, name)
        elif stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode):
            os.mknod(name, status.st_mode, dir_fd=target)
            os.chmod(name, stat.S_IMODE(status.st_mode), dir_fd=target)
        else:
            raise OSError(errno.EINVAL, "it can't be copied", name)
    _dress(source, target)
    os.fsync(target)


def _link(copying: _Copying, status: os.stat_result, target: int, inside: str, name: str) -> bool:
    """Make another name of a file that was copied before; tell whether it is there by that."""
    if status.st_nlink == 1:
        return False
    first = copying.met.setdefault((status.st_dev, status.st_ino), inside + name)
    if first == inside + name:
        return False
    try:
        os.link(first, name, src_dir_fd=copying.root, dst_dir_fd=target, follow_symlinks=False)
    except OSError:
        return False
    return True


def _copy_file(copying: _Copying, source: int, target: int, name: str) -> None:
    with opened(name, source, FILE) as one, open(os.open(name, NEW, 0o600, dir_fd=target), "wb") as two:
        while piece := os.read(one, PIECE):
            copying.check()
            two.write(piece)
        two.flush()
        _dress(one, two.fileno())
        os.fsync(two.fileno())


def _dress(source: int, target: int) -> None:
    """Give an open file or directory the attributes, mode and times of another; what the disk can't take is left."""
    status = os.fstat(source)
    for name in os.listxattr(source) if hasattr(os, "listxattr") else ():
        with contextlib.suppress(OSError):
            os.setxattr(target, name, os.getxattr(source, name))
    os.chmod(target, stat.S_IMODE(status.st_mode))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _compare_inside(source: int, target: int, check: Callable[[], None]) -> None:
    if sorted(os.listdir(source)) != sorted(os.listdir(target)):
        raise OSError(errno.EIO, "the copy has other names")
    for name in os.listdir(source):
        check()
        one, two = os.lstat(name, dir_fd=source), os.lstat(name, dir_fd=target)
        same = one.st_mode == two.st_mode
        if same and stat.S_ISDIR(one.st_mode):
            with opened(name, source) as below, opened(name, target) as also:
                _compare_inside(below, also, check)
        elif same and stat.S_ISLNK(one.st_mode):
            same = os.readlink(name, dir_fd=source) == os.readlink(name, dir_fd=target)
        elif same and stat.S_ISREG(one.st_mode):
            same = one.st_size == two.st_size and _has_same_bytes(name, source, target, check)
        if not same:
            raise OSError(errno.EIO, "the copy differs", name)


def _has_same_bytes(name: str, source: int, target: int, check: Callable[[], None]) -> bool:
    with opened(name, source, FILE) as one, opened(name, target, FILE) as two:
        while True:
            check()
            first, second = os.read(one, PIECE), os.read(two, PIECE)
            if first != second or not first:
                return first == second


@contextlib.contextmanager
def opened(name: str, directory: int | None = None, flags: int = DIRECTORY) -> Iterator[int]:
    """Open an entry of an open directory, or a path, for reading, and close it afterwards."""
    descriptor = os.open(name, flags, dir_fd=directory)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def entered(root: str | os.PathLike[str], inside: str) -> Iterator[int | None]:
    """Open a directory below a root step by step, following no link; None when there is no such."""
    with contextlib.ExitStack() as stack:
        try:
            descriptor = os.open(root, DIRECTORY)
            stack.callback(os.close, descriptor)
            for name in filter(None, inside.split("/")):
                if name in (".", ".."):
                    raise OSError(errno.EINVAL, "not below", inside)
                descriptor = os.open(name, DIRECTORY, dir_fd=descriptor)
                stack.callback(os.close, descriptor)
        except OSError:
            yield None
            return
        yield descriptor


MOST_NAMES = 1000
DRAFT = ".sidecar-link"
"""What a link is called while it is written."""


def free_names(common_dir: str, first: str, second: str) -> Sequence[str]:
    """Give the names that nobody has in `worktrees/`, as `git worktree add` would find them; the best first."""
    names = (first, second, *(f"{first}{number}" for number in range(1, MOST_NAMES)))
    worktrees = os.path.join(common_dir, "worktrees")
    return [name for name in dict.fromkeys(names) if not os.path.lexists(os.path.join(worktrees, name))]


def link(
    folder: Path, admin: Path, where: str, git_dir: str, repository: Repository, modules: Sequence[tuple[str, str]]
) -> None:
    """Write the links of a folder and an administrative directory for `where` and `git_dir`, to which they will move.

    `modules` are the submodules that are checked out, each with its git directory relative to the common directory, as
    it was. OSError or GitError when they can't be written.
    """
    with entered(admin, "") as home, entered(folder, "") as top:
        if home is None:
            raise NotADirectoryError(None, "it is not there", str(admin))
        _write(home, "gitdir", b"", os.path.join(where, ".git"), git_dir)
        if top is not None:
            _write(top, ".git", b"gitdir: ", git_dir, where)
    for path, was in modules:
        parts = was.split("/")
        below = "/".join(parts[2:]) if parts[0] == "worktrees" else ""
        own = os.path.join(git_dir, below) if below else os.path.join(repository.common_dir, was)
        place = os.path.join(where, path)
        with entered(folder, path) as directory:
            if directory is not None:
                _write(directory, ".git", b"gitdir: ", own, place)
        if below:
            _point_back(admin / below, os.path.relpath(place, own), place, repository)


def _write(directory: int, name: str, before: bytes, target: str, base: str) -> None:
    """Have a link of one line lead to `target`, if it does not yet; relative to `base` where it is a relative one.

    A symbolic link, as git-annex makes one of `.git`, stays one.
    """
    status = os.lstat(name, dir_fd=directory)
    symbolic = stat.S_ISLNK(status.st_mode)
    if symbolic:
        said = os.fsencode(os.readlink(name, dir_fd=directory))
    else:
        with open(os.open(name, FILE, dir_fd=directory), "rb") as file:
            said = file.read(1 << 16).removeprefix(before).removesuffix(b"\n")
    wanted = os.fsencode(target if said.startswith(b"/") else os.path.relpath(target, base))
    if wanted == said:
        return
    with contextlib.suppress(FileNotFoundError):
        os.unlink(DRAFT, dir_fd=directory)
    if symbolic:
        os.symlink(wanted, DRAFT, dir_fd=directory)
    else:
        with open(os.open(DRAFT, NEW, 0o600, dir_fd=directory), "wb") as file:
            file.write(before + wanted + b"\n")
            file.flush()
            os.chmod(file.fileno(), stat.S_IMODE(status.st_mode))
            os.utime(file.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
            os.fsync(file.fileno())
    os.rename(DRAFT, name, src_dir_fd=directory, dst_dir_fd=directory)


def _point_back(git_dir: Path, relative: str, place: str, repository: Repository) -> None:
    """Have a submodule's git directory lead to its files."""
    config = git_dir / "config"
    if not config.is_file() or config.is_symlink():
        return
    how = ("config", "--file", str(config))
    here = repository.place  # not the git directory, whose configuration does not hold yet
    said = os.fsdecode(run(here, *how, "--get", "core.worktree", accept=(0, 1)).removesuffix(b"\n"))
    wanted = place if os.path.isabs(said) else relative
    if said not in ("", wanted):
        run(here, *how, "core.worktree", wanted)


def names_path(admin: Path, path: str, git_dir: str) -> bool:
    """Tell whether an administrative directory, which was at `git_dir`, is that of the worktree at `path`.

    To be asked before anything is moved, because anyone can edit a record.
    """
    try:
        said = read_gitdir(admin)
    except OSError:
        return False
    folder = os.path.dirname(os.path.join(git_dir, said))
    return path in (os.path.normpath(folder), os.path.realpath(folder))
