"""Bringing back the branches of a snapshot beside those that are there now."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping, Sequence

from sidecar.git.config import read_config
from sidecar.git.process import GitError, configured, run
from sidecar.git.refs import branch_tip, is_branch_name
from sidecar.git.repository import Repository, list_worktrees
from sidecar.git.snapshot.store import Exchange, Store, read_object
from sidecar.git.snapshot.values import Branch, RefusedError, Watcher

MOST_NAMES = 100
MOST_IN_LOG = 1024 * 1024 * 1024


def restore_branches(
    repository: Repository, store: Store, branches: Sequence[Branch], git_dir: str, *, only_missing: bool
) -> dict[str, str]:
    """Create each branch at its tip, with its reflog and configuration: the name that it has now, by its old one.

    One that exists at its tip and that no worktree but the one of `git_dir` is on stays; else it gets another name,
    `NAME-restored`, or with `only_missing` nothing. Doing it twice changes nothing.
    """
    taken = {w.branch for w in list_worktrees(repository) if w.branch is not None and w.git_dir != git_dir}
    names: dict[str, str] = {}
    for branch in branches:
        for number in range(MOST_NAMES):
            name = branch.name + ("" if number == 0 else "-restored" if number == 1 else f"-restored-{number}")
            if only_missing and branch_tip(repository.place, name) is not None:
                break
            if name not in taken and _create(repository, store, name, branch.tip):
                names[branch.name] = name
                _restore_log(repository, store, name, branch)
                _restore_config(repository, name, branch)
                break
            if only_missing:
                break
        else:
            raise RefusedError("branch-taken", f"The branch {branch.name} and {MOST_NAMES} names like it are taken.")
    return names


def _create(repository: Repository, store: Store, name: str, tip: str | None) -> bool:
    """Whether the branch is now at its tip: created by compare-and-swap, or there already."""
    if not is_branch_name(repository.place, name):
        return False
    now = branch_tip(repository.place, name)
    if now is not None or tip is None:
        return now == tip
    settings = configured([("core.fsync", "all"), ("core.logAllRefUpdates", "false")])
    with contextlib.suppress(GitError):  # somebody else's is there now, or `a/b` where this is `a`
        run(repository.place.plus(**settings), "update-ref", f"refs/heads/{name}", tip, "0" * store.width)
    return branch_tip(repository.place, name) == tip


def _restore_log(repository: Repository, store: Store, name: str, branch: Branch) -> None:
    """Put the reflog there, whole or not at all; one that is there and has entries is the branch's own."""
    log = os.path.join(repository.common_dir, "logs", "refs", "heads", name)
    expired = os.path.isfile(log) and not os.path.islink(log) and os.path.getsize(log) == 0
    if branch.log is None or branch.tip is None or (os.path.lexists(log) and not expired):
        return
    with Exchange(store, "cat-file", "--batch") as git:
        content = read_object(git, branch.log, "blob", MOST_IN_LOG, Watcher())
    with contextlib.suppress(FileExistsError, NotADirectoryError):
        os.makedirs(os.path.dirname(log), exist_ok=True)
        draft = f"{log}.{secrets.token_hex(4)}.lock"
        with open(draft, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if expired:
            os.replace(draft, log)
            return
        try:
            os.link(draft, log)
        finally:
            os.unlink(draft)


def _restore_config(repository: Repository, name: str, branch: Branch) -> None:
    """Set what the branch had configured, key by key, where it has nothing now."""
    now = {key for scope, key, _ in read_config(repository.place).pairs if scope == "local"}
    for key, value in branch.config:
        full = f"branch.{name}.{key}"
        if full not in now:
            run(repository.place, "config", "--local", "--add", "--", full, value)


def rename_in(content: bytes, names: Mapping[str, str]) -> bytes:
    """The text of a HEAD, a `head-name` or a BISECT_START with the branch's new name."""
    for old, new in names.items():
        for prefix in (b"", b"refs/heads/", b"ref: refs/heads/"):
            if content.rstrip(b"\n") == prefix + os.fsencode(old):
                return prefix + os.fsencode(new) + content[len(content.rstrip(b"\n")) :]
    return content
