"""Commits that one repository has and nobody else is known to have."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence

from sidecar.git.inventory.ground import PLAIN, Ground
from sidecar.git.process import Place, run
from sidecar.model.inventory import MOST_COMMITS
from sidecar.model.object_ids import object_ids_in

LONGEST_LINE = 1 << 16


def lines_of(path: str) -> Iterator[bytes]:
    """The lines of a regular file, cut where one is longer than any of git's; none when there is no such file.

    OSError when it is something else, or can't be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        return
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        while line := file.readline(LONGEST_LINE):
            yield line


def ids_of_log(path: str) -> set[str]:
    """Every id that a reflog names, old and new (git-reflog(1)); the null id left out."""
    return {oid for line in lines_of(path) for oid in object_ids_in(b" ".join(line.split(b" ", 2)[:2]))}


def ids_in(path: str) -> set[str]:
    """Every full object id that the text of a file has."""
    return {oid for line in lines_of(path) for oid in object_ids_in(line)}


def existing_commits(place: Place, ids: Iterable[str]) -> tuple[str, ...]:
    """Those of the ids that are commits, or tags, in the object store, sorted."""
    asked = sorted(set(ids))
    if not asked:
        return ()
    said = run(place, "cat-file", "--batch-check", stdin="\n".join(asked).encode() + b"\n").decode("ascii", "replace")
    rows = (line.split(" ") for line in said.splitlines())
    return tuple(row[0] for row in rows if len(row) == 3 and row[1] in ("commit", "tag"))


def commits_reached(place: Place, roots: Sequence[str], without: Sequence[str], *excluding: str) -> tuple[str, ...]:
    """Commits that the roots reach and neither `without` nor the refs named by these rev-list options do.

    Newest first, at most MOST_COMMITS.
    """
    if not roots:
        return ()
    asked = "".join(f"{root}\n" for root in roots) + "".join(f"^{commit}\n" for commit in without)
    options = ("--not", *excluding) if excluding else ()
    said = run(place, "rev-list", f"--max-count={MOST_COMMITS}", "--stdin", *options, stdin=asked.encode())
    return tuple(said.decode("ascii").split())


def head_of(ground: Ground) -> str | None:
    """The commit of HEAD; None before the first."""
    said = run(ground.place, "rev-parse", "--verify", "-q", "HEAD", accept=(0, 1))
    return said.decode("ascii").strip() or None


def commits_of_its_own(ground: Ground, git_dir: str, other: str | None = None) -> tuple[str, ...]:
    """Commits of a nested repository that neither its remotes nor, when given, another git directory's refs reach.

    What a shallow clone was cut at came from somewhere too. GitError when the repository can't be read.
    """
    refs = run(ground.place, "for-each-ref", "--format=%(objectname)").decode("ascii").split()
    roots = {*refs, *_logged(os.path.join(git_dir, "logs"))}
    if (head := head_of(ground)) is not None:
        roots.add(head)
    fetched = set(ids_in(os.path.join(git_dir, "shallow")))
    if other is not None:
        place = Place(other, {"GIT_DIR": other}).plus(**PLAIN)
        fetched |= set(run(place, "for-each-ref", "--format=%(objectname)").decode("ascii").split())
        fetched |= set(run(place, "rev-parse", "-q", "--verify", "HEAD", accept=(0, 1)).decode("ascii").split())
    known = existing_commits(ground.place, roots)
    return commits_reached(ground.place, known, existing_commits(ground.place, fetched), "--remotes")


def _logged(folder: str) -> set[str]:
    """Every id in the reflogs below a directory."""
    found: set[str] = set()
    for here, _, names in os.walk(folder):
        for name in names:
            found |= ids_of_log(os.path.join(here, name))
    return found
