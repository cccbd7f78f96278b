"""Ask git for refs and the commits that names stand for, and read and write reflogs wherever git stores them.

A reflog is text: `OLD NEW NAME <EMAIL> SECONDS ZONE<TAB>MESSAGE`, the oldest line first. Where refs are files, so are
reflogs, and a file is taken as it is. Reftables are git's alone: it is asked for the entries, and an entry is written
by moving the ref again (git-reflog(1)).
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence

from sidecar.git.process import GitError, Place, run, run_for_status
from sidecar.git.repository import Repository
from sidecar.model.changes import object_ids_in
from sidecar.model.inventory import MOST_COMMITS


def is_branch_name(place: Place, name: str) -> bool:
    """Tell whether git takes this as the short name of a branch (git-check-ref-format(1))."""
    return _succeeds(place, "check-ref-format", f"refs/heads/{name}")


def branch_tip(place: Place, name: str) -> str | None:
    """Give what a branch, by its short name, points at; None when there is no such branch."""
    how = ("rev-parse", "--verify", "-q", "--end-of-options", f"refs/heads/{name}")
    status, said = run_for_status(place, *how, accept=(0, 1))
    return None if status else said.decode("ascii").strip()


def resolve_commit(place: Place, name: str) -> str | None:
    """Give the commit id that a name stands for (gitrevisions(7)); None when it stands for none."""
    try:
        said = run(place, "rev-parse", "--verify", "-q", "--end-of-options", f"{name}^{{commit}}")
    except GitError:
        return None
    return said.decode("ascii").strip() or None


def ref_names(place: Place, *which: str) -> list[str]:
    """List the full names of refs, by options and patterns of git-for-each-ref(1)."""
    return [os.fsdecode(name) for name in run(place, "for-each-ref", "--format=%(refname)", *which).splitlines()]


def has_commit(place: Place, commit: str) -> bool:
    """Tell whether a commit is in the object store."""
    return _succeeds(place, "cat-file", "-e", f"{commit}^{{commit}}")


def count_files(place: Place, commit: str) -> int:
    """Count the files of a commit, submodules included."""
    return run(place, "ls-tree", "-r", "--name-only", "-z", "--end-of-options", commit).count(b"\0")


def is_ancestor(place: Place, old: str, new: str) -> bool:
    """Tell whether a commit is another one or among its ancestors; False where git can't tell."""
    return _succeeds(place, "merge-base", "--is-ancestor", old, new)


def _succeeds(place: Place, *args: str) -> bool:
    try:
        run(place, *args)
    except (GitError, ValueError):  # a NUL is no part of an argument
        return False
    return True


def head_of(place: Place) -> str | None:
    """Give the commit of HEAD; None before the first."""
    said = run(place, "rev-parse", "--verify", "-q", "HEAD", accept=(0, 1))
    return said.decode("ascii").strip() or None


def kinds_of(place: Place, ids: Iterable[str]) -> dict[str, str]:
    """Give the kind of each of these objects (`commit`, `tag`, `tree`, `blob`) that the store has."""
    asked = sorted(set(ids))
    if not asked:
        return {}
    said = run(place, "cat-file", "--batch-check", stdin="\n".join(asked).encode() + b"\n").decode("ascii", "replace")
    rows = (line.split(" ") for line in said.splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 3}


def existing_commits(place: Place, ids: Iterable[str]) -> tuple[str, ...]:
    """Give those of the ids that are commits, or tags, in the object store, sorted."""
    return tuple(sorted(oid for oid, kind in kinds_of(place, ids).items() if kind in ("commit", "tag")))


def commits_reached(place: Place, roots: Sequence[str], without: Sequence[str], *excluding: str) -> tuple[str, ...]:
    """List the commits that the roots reach, and neither `without` nor refs named by `excluding` (of rev-list) do.

    Newest first, at most MOST_COMMITS.
    """
    if not roots:
        return ()
    asked = "".join(f"{root}\n" for root in roots) + "".join(f"^{commit}\n" for commit in without)
    options = ("--not", *excluding) if excluding else ()
    said = run(place, "rev-list", f"--max-count={MOST_COMMITS}", "--stdin", *options, stdin=asked.encode())
    return tuple(said.decode("ascii").split())


LONGEST_LINE = 1 << 16

OWN_REFS = ("refs/worktree/", "refs/bisect/", "refs/rewritten/")
"""The refs that every worktree has for itself (gitrepository-layout(5))."""


def has_reftables(repository: Repository) -> bool:
    """Tell whether the repository stores its refs in reftables, and so its reflogs and pseudo refs too."""
    return repository.config.get("extensions.refstorage") == "reftable"


def read_reflog(repository: Repository, place: Place, ref: str) -> bytes:
    """Read the reflog of a ref (full name); empty when there is none. OSError or GitError when it can't be read."""
    if not has_reftables(repository):
        return b"".join(lines_of(_file(repository, place, ref)))
    form = "%H %gn <%ge> %gd%x09%gs"
    try:
        said = run(place, "log", "-g", "-z", "--no-show-signature", "--date=raw", f"--format={form}", ref, "--")
    except GitError as error:
        if error.status == 128:
            return b""  # there is no such ref, or it has no commit yet
        raise
    rows = [row for row in said.split(b"\0") if row]
    ids = [row.split(b" ", 1)[0] for row in rows]
    olds = [*ids[1:], b"0" * len(ids[0])] if ids else []
    return b"".join(_line(old, row) for old, row in reversed(list(zip(olds, rows, strict=True))))


def _line(old: bytes, row: bytes) -> bytes:
    """Give one line of git's answer as a reflog has it: `%gd` with a raw date is `REF@{SECONDS ZONE}`."""
    facts, _, message = row.partition(b"\t")
    who, _, selector = facts.rpartition(b"> ")
    return old + b" " + who + b"> " + selector.rpartition(b"@{")[2].rstrip(b"}") + b"\t" + message + b"\n"


def ids_of_reflog(repository: Repository, place: Place, ref: str) -> set[str]:
    """Give every id that the reflog of a ref names, old and new; the null id left out."""
    lines = read_reflog(repository, place, ref).splitlines()
    return {oid for line in lines for oid in object_ids_in(b" ".join(line.split(b" ", 2)[:2]))}


def ids_of_own_refs(repository: Repository, place: Place) -> set[str]:
    """List the ids that a worktree's own refs, pseudo refs and HEAD's reflog name in reftables; else none."""
    if not has_reftables(repository):
        return set()
    said = run(place, "for-each-ref", "--include-root-refs", "--format=%(objectname) %(refname)").decode(
        "utf-8", "replace"
    )
    rows = (line.partition(" ") for line in said.splitlines())
    own = {oid for oid, _, name in rows if not name.startswith("refs/") or name.startswith(OWN_REFS)}
    return own | ids_of_reflog(repository, place, "HEAD")


def write_reflog(repository: Repository, ref: str, text: bytes) -> None:
    """Put a reflog there for a ref that has none, or an empty one; one with entries stays as it is.

    GitError or OSError when it can't be written. With reftables the ref has to point where the last line says.
    """
    if has_reftables(repository):
        if not read_reflog(repository, repository.place, ref):
            _replay(repository, ref, text)
        return
    log = _file(repository, repository.place, ref)
    expired = os.path.isfile(log) and not os.path.islink(log) and os.path.getsize(log) == 0
    if os.path.lexists(log) and not expired:
        return
    with contextlib.suppress(FileExistsError, NotADirectoryError):
        os.makedirs(os.path.dirname(log), exist_ok=True)
        draft = f"{log}.{secrets.token_hex(4)}.lock"
        with open(draft, "xb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if expired:
            os.replace(draft, log)
            return
        try:
            os.link(draft, log)
        finally:
            os.unlink(draft)


def _replay(repository: Repository, ref: str, text: bytes) -> None:
    """Move a ref along its reflog, each entry at its time and by whom it was; where a line is not git's, stop."""
    quiet = repository.place.set([("core.logAllRefUpdates", "false")])
    for number, line in enumerate(text.splitlines()):
        facts, _, message = line.partition(b"\t")
        old, new, who = (*facts.split(b" ", 2), b"", b"")[:3]
        name, _, rest = os.fsdecode(who).partition(" <")
        email, _, date = rest.partition("> ")
        if not date:
            return
        if number == 0:
            began = (os.fsdecode(old),) if old.strip(b"0") else ()
            run(quiet, "update-ref", "--no-deref", *(() if began else ("-d",)), ref, *began)
        then = repository.place.plus(GIT_COMMITTER_NAME=name, GIT_COMMITTER_EMAIL=email, GIT_COMMITTER_DATE=date)
        said = ("--create-reflog", "-m", os.fsdecode(message), ref, os.fsdecode(new))
        run(then, "update-ref", "--no-deref", *said)


def _file(repository: Repository, place: Place, ref: str) -> str:
    """Give the path of a ref's reflog, where refs are files; HEAD's is in the place's own git directory."""
    shared = ref.startswith("refs/") and not ref.startswith(OWN_REFS)
    return os.path.join(repository.common_dir if shared else place.variables["GIT_DIR"], "logs", *ref.split("/"))


def lines_of(path: str) -> Iterator[bytes]:
    """Read the lines of a regular file, cut where one is longer than any of git's; none when there is no such file.

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


def ids_in(path: str) -> set[str]:
    """Read every full object id in a file's text; none when there is no such file, OSError when it is no file."""
    return {oid for line in lines_of(path) for oid in object_ids_in(line)}
