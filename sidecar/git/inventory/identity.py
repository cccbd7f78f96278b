"""Whether a linked worktree and its administrative directory are each other's, before anything in them is believed."""

from __future__ import annotations

import os
import stat

from sidecar.git.files import read_small
from sidecar.git.inventory.watching import ImpossibleError
from sidecar.git.repository import Repository
from sidecar.model.finding_codes import finding
from sidecar.model.findings import Finding
from sidecar.model.messages import escape, shown
from sidecar.model.picture import Worktree


def check_identity(repository: Repository, worktree: Worktree) -> None:
    """Raises ImpossibleError for the main worktree, a missing one, and one that git did not make as it stands.

    The links of gitrepository-layout(5) are read anew: what an earlier listing said may be of another time.
    """
    found = _refusal(repository, worktree)
    if found is not None:
        raise ImpossibleError(found)


def _refusal(repository: Repository, worktree: Worktree) -> Finding | None:
    name = shown(worktree.name)
    if worktree.main or worktree.bare:
        return finding("main-worktree", f"{name} is the main worktree, which can't be released.")
    if worktree.missing or not os.path.lexists(worktree.key):
        return finding("missing", f"The folder of {name} is not there: {escape(worktree.key)}.")
    problem = _problem(repository.common_dir, worktree)
    return None if problem is None else finding("identity", f"{name} is not as git made it: {escape(problem)}.")


def _problem(common: str, worktree: Worktree) -> str | None:
    """What is wrong with the links between the two, as the rest of a sentence."""
    folder, administrative = worktree.key, worktree.git_dir
    if not administrative:
        return "it has no administrative directory"
    if os.path.dirname(administrative) != os.path.join(common, "worktrees"):
        return f"its administrative directory {administrative} is not in {common}/worktrees"
    if not _is_plain_directory(administrative):
        return f"its administrative directory {administrative} is not a directory"
    if not _is_plain_directory(folder):
        return f"{folder} is not a directory"
    if os.path.realpath(folder) != folder:
        return f"{folder} is reached through a link"
    if common == folder or common.startswith(folder + "/"):
        return "the repository itself lies in it"
    try:
        back = os.fsdecode(read_small(os.path.join(administrative, "gitdir")).removesuffix(b"\n"))
        forth = read_small(os.path.join(folder, ".git"))
        shared = os.fsdecode(read_small(os.path.join(administrative, "commondir")).removesuffix(b"\n"))
    except OSError as error:
        return f"{error.filename} can't be read ({error.strerror})"
    listed = os.path.join(administrative, back)
    if os.path.basename(listed) != ".git" or os.path.realpath(os.path.dirname(listed)) != folder:
        return f"its administrative directory belongs to {back}"
    if os.path.islink(os.path.dirname(listed)):
        return f"its path {os.path.dirname(listed)} is a link"
    pointed = os.fsdecode(forth.removeprefix(b"gitdir:").strip())
    if not forth.startswith(b"gitdir:") or os.path.realpath(os.path.join(folder, pointed)) != administrative:
        return "its .git file points somewhere else"
    if os.path.realpath(os.path.join(administrative, shared)) != common:
        return "its administrative directory belongs to another repository"
    return None


def _is_plain_directory(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False
