"""Find unfinished operations of git in a worktree by what it leaves in the git directory (gitrepository-layout(5))."""

from __future__ import annotations

import os

from sidecar.git.process import Place, run
from sidecar.model.changes import is_object_id
from sidecar.model.picture import Unfinished
from sidecar.system.files import read_small

OPERATIONS = {
    "MERGE_HEAD": "merge",
    "MERGE_AUTOSTASH": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "sequencer": "cherry-pick or revert",
    "BISECT_LOG": "bisect",
    "BISECT_START": "bisect",
    "NOTES_MERGE_REF": "notes merge",
    "NOTES_MERGE_WORKTREE": "notes merge",
}
"""What git leaves while something is unfinished: git status looks at these too (wt-status.c)."""

PSEUDO_REFS = ("CHERRY_PICK_HEAD", "REVERT_HEAD", "MERGE_AUTOSTASH", "NOTES_MERGE_REF")
"""Those of `OPERATIONS` that git stores as it stores refs; MERGE_HEAD is a file always (gitglossary(7))."""

COMES_BACK_TO = ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START")
"""What names the branch that an unfinished operation will set, or check out, again."""

_HEADS = b"refs/heads/"


def unfinished_operations(git_dir: str) -> tuple[str, ...]:
    """Give git's words for what is unfinished, sorted, each once: `merge`, `am`, ...; GitError where git can't tell."""
    left = {name for name in OPERATIONS if git_dir and os.path.lexists(os.path.join(git_dir, name))}
    if git_dir and os.path.isdir(os.path.join(git_dir, "reftable")):
        left |= _pseudo_refs(git_dir)
    found = {_word(git_dir, name) for name in left}
    if found & {"cherry-pick", "revert"}:
        found.discard(OPERATIONS["sequencer"])
    return tuple(sorted(found))


def _pseudo_refs(git_dir: str) -> set[str]:
    """Give those of `OPERATIONS` that are no files where refs are in reftables."""
    place = Place(git_dir, {"GIT_DIR": git_dir})
    said = run(place, "for-each-ref", "--include-root-refs", "--format=%(refname)", *PSEUDO_REFS)
    return set(said.decode("utf-8", "replace").splitlines()) & OPERATIONS.keys()


def _word(git_dir: str, name: str) -> str:
    """Give git's word for what left this entry; `rebase-apply` serves two commands."""
    if name == "rebase-apply" and os.path.lexists(os.path.join(git_dir, name, "applying")):
        return "am"
    return OPERATIONS[name]


def detached_by(git_dir: str) -> Unfinished | None:
    """Give the operation that has detached HEAD and will come back to a branch; None where there is none."""
    held = _held(git_dir)
    if not held:
        return None
    path, branch = next(iter(held.items()))
    return Unfinished("bisect" if path == "BISECT_START" else "rebase", branch)


def merged_heads(git_dir: str) -> tuple[str, ...]:
    """Give the ids of the commits that a merge has begun to bring in, in git's order; none where none is under way."""
    try:
        said = read_small(os.path.join(git_dir, "MERGE_HEAD")) if git_dir else b""
    except OSError:
        return ()
    return tuple(filter(is_object_id, said.decode("ascii", "replace").split()))


def branches_held(git_dir: str) -> tuple[str, ...]:
    """Give the branches, by their short names, that unfinished operations will come back to."""
    return tuple(dict.fromkeys(_held(git_dir).values()))


def _held(git_dir: str) -> dict[str, str]:
    """Give file -> branch for the files that name one."""
    found = {}
    for path in COMES_BACK_TO:
        try:
            said = read_small(os.path.join(git_dir, path)).strip() if git_dir else b""
        except OSError:
            continue
        if path == "BISECT_START" and not said.startswith(b"refs/"):
            said = _HEADS + said
        if said.startswith(_HEADS) and said != _HEADS:
            found[path] = os.fsdecode(said.removeprefix(_HEADS))
    return found
