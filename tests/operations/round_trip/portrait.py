"""All of a worktree as one value, and the ways in which people lose one."""

import os
import stat
from pathlib import Path

from sidecar.model.findings import Failure, allowable
from sidecar.model.settings import Options
from sidecar.operations.records import RestoreResult
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.restore import restore
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


def go_and_come_back(repo: Path, worktree: Path, into: Path | None = None) -> RestoreResult:
    """Release a worktree, whatever it has, let git collect what it takes for garbage, and restore it."""
    receipt = released(repo, worktree)
    collect(repo)
    return restored(repo, receipt, into)


def released(repo: Path, worktree: Path) -> str:
    """The id of the release."""
    plan = plan_release(repo, str(worktree), Options(), allowable())
    assert not isinstance(plan, Failure), plan
    result = apply_release(plan)
    assert result.outcome == "released", result.findings
    assert result.receipt is not None
    return result.receipt


def collect(repo: Path) -> None:
    """What git does by itself after a while."""
    git(repo, "worktree", "prune", "--expire=now")
    git(repo, "reflog", "expire", "--expire=now", "--all", check=False)
    git(repo, "gc", "--quiet", "--prune=now", check=False)


def restored(repo: Path, receipt: str, into: Path | None = None) -> RestoreResult:
    """The worktree, brought back."""
    back = restore(repo, receipt, Options(), into=into)
    assert not isinstance(back, Failure), back
    assert back.outcome == "restored", back.findings
    assert list((repo / ".git/sidecar").glob("trash*")) == []
    return back
