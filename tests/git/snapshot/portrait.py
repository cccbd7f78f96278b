"""All of a worktree as one value, and the ways in which people lose one."""

import os
import shutil
import stat
from pathlib import Path

from sidecar.git.repository import Repository
from sidecar.git.snapshot.restore import restore_snapshot
from sidecar.git.snapshot.values import Restored, Snapshot, Unheld
from sidecar.git.snapshot.write import write_snapshot
from sidecar.model.findings import Failure
from tests.git.opening import opened, worktree_at
from tests.harness import git, git_bytes

Portrait = dict[str, object]
KEPT_FOR_ITSELF = frozenset({"gitdir", "commondir", "index"})


def administrative(worktree: Path) -> Path:
    """The worktree's directory below `.git/worktrees`."""
    said = (worktree / ".git").read_text(errors="surrogateescape").removeprefix("gitdir: ").rstrip("\n")
    return Path(os.path.normpath(worktree / said))


def portrait(worktree: Path, branch: str | None = None) -> Portrait:
    """Every file with all that lstat, its content and its attributes say; every administrative file; git's answers."""
    home = administrative(worktree)
    seen: Portrait = {f"files/{path}": entry for path, entry in _below(worktree) if path != ".git"}
    for path, entry in _below(home):
        top = path.partition("/")[0]
        if top and top not in KEPT_FOR_ITSELF and not top.startswith("sharedindex."):
            seen[f"admin/{path}"] = entry
    seen["index"] = git_bytes(worktree, "ls-files", "-s", "-v", "-z")
    seen["resolved"] = git_bytes(worktree, "ls-files", "--resolve-undo", "-z")
    seen["status"] = _status(worktree)
    seen["HEAD"] = git(worktree, "rev-parse", "HEAD", check=False)
    seen["log"] = git(worktree, "reflog", "HEAD", check=False)
    seen["per-worktree refs"] = git(worktree, "for-each-ref", "refs/worktree", "refs/bisect", "refs/rewritten")
    if branch is not None:
        seen["branch"] = git(worktree, "rev-parse", f"refs/heads/{branch}", check=False)
        seen["branch's log"] = git(worktree, "reflog", "show", f"refs/heads/{branch}", check=False)
        seen["branch's settings"] = git(worktree, "config", "--get-regexp", rf"^branch\.{branch}\.", check=False)
    return seen


def _status(worktree: Path) -> tuple[bytes, ...]:
    shown = ("--untracked-files=all", "--no-renames", "--ignored=no")
    said = git_bytes(worktree, "--no-optional-locks", "status", "--porcelain=v2", "--branch", "-z", *shown, check=False)
    return tuple(sorted(said.split(b"\0")))


def _below(root: Path) -> list[tuple[str, object]]:
    found = [("", _entry(str(root), None))]
    for folder, directories, files, descriptor in os.fwalk(root, follow_symlinks=False):
        inside = os.path.relpath(folder, root)
        for name in (*directories, *files):
            path = name if inside == "." else f"{inside}/{name}"
            found.append((path, _entry(name, descriptor)))
    return found


def _entry(name: str, folder: int | None) -> object:
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    mode, time = stat.S_IMODE(status.st_mode), status.st_mtime_ns
    if stat.S_ISLNK(status.st_mode):
        return "link", time, os.readlink(name, dir_fd=folder)
    if not stat.S_ISREG(status.st_mode):
        return stat.S_IFMT(status.st_mode), mode, time
    descriptor = os.open(name, os.O_RDONLY, dir_fd=folder)
    with open(descriptor, "rb") as file:
        attributes = {name: os.getxattr(descriptor, name) for name in os.listxattr(descriptor)}
        return "file", mode, time, attributes, file.read()


def without(seen: Portrait, unheld: tuple[Unheld, ...]) -> Portrait:
    """The portrait without what a snapshot said it does not hold, and without the time of the index's directory."""
    left_out = [item.path for item in unheld if item.code not in ("hard-link", "attribute", "missing-object")]
    files = [f"files/{path}" for path in left_out if not path.startswith(".git/")]
    files += [f"admin/{path.removeprefix('.git/')}" for path in left_out if path.startswith(".git/")]
    emptied = {path for path in files if isinstance(seen.get(path), tuple) and seen[path][0] == stat.S_IFDIR}  # type: ignore[index]
    kept = {
        name: entry
        for name, entry in seen.items()
        if name not in emptied and not any(name == path or name.startswith(f"{path}/") for path in files)
    }
    rows = [row for row in kept["status"] if not _names(row, left_out)]  # type: ignore[attr-defined]
    return kept | {"status": tuple(rows)}


def _names(row: bytes, paths: list[str]) -> bool:
    return any(row.endswith((b" " + os.fsencode(path), b" " + os.fsencode(path) + b"/")) for path in paths)


def hold(repo: Path, worktree: Path, **how: object) -> Snapshot:
    """A snapshot of one moment, kept by a ref."""
    repository = opened(repo)
    snapshot = write_snapshot(repository, worktree_at(repository, worktree), **how)  # type: ignore[arg-type]
    assert isinstance(snapshot, Snapshot), snapshot
    assert snapshot.changed == ()
    git(repo, "update-ref", "refs/sidecar/test", snapshot.commit)
    return snapshot


def destroy(repo: Path, worktree: Path, branch: str | None = None) -> None:
    """Everything that a person does to get rid of a worktree for good, and what git does later by itself."""
    shutil.rmtree(worktree)
    git(repo, "worktree", "unlock", str(worktree), check=False)
    git(repo, "worktree", "prune", "--expire=now")
    if branch is not None:
        git(repo, "branch", "--quiet", "-D", branch, check=False)
    git(repo, "reflog", "expire", "--expire=now", "--all", check=False)
    git(repo, "gc", "--quiet", "--prune=now", check=False)


def restored(repository: Repository, commit: str, path: Path) -> Restored:
    """The worktree, brought back."""
    back = restore_snapshot(repository, commit, str(path))
    assert isinstance(back, Restored), back
    return back


def refused(repository: Repository, commit: str, path: Path) -> Failure:
    """Why it was not brought back."""
    failure = restore_snapshot(repository, commit, str(path))
    assert isinstance(failure, Failure), failure
    return failure
