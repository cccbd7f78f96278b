"""Unfinished operations of git in a worktree, by what it leaves in the git directory (gitrepository-layout(5))."""

from __future__ import annotations

import os

from sidecar.git.files import read_small

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

COMES_BACK_TO = ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START")
"""What names the branch that an unfinished operation will set, or check out, again."""

_HEADS = b"refs/heads/"


def unfinished_operations(git_dir: str) -> tuple[str, ...]:
    """Git's words for what is unfinished, sorted, none twice: `merge`, `am`, ..."""
    found = {_word(git_dir, name) for name in OPERATIONS if git_dir and os.path.lexists(os.path.join(git_dir, name))}
    if found & {"cherry-pick", "revert"}:
        found.discard(OPERATIONS["sequencer"])
    return tuple(sorted(found))


def _word(git_dir: str, name: str) -> str:
    """`rebase-apply` serves two commands."""
    if name == "rebase-apply" and os.path.lexists(os.path.join(git_dir, name, "applying")):
        return "am"
    return OPERATIONS[name]


def branches_held(git_dir: str) -> tuple[str, ...]:
    """The branches, by their short names, that unfinished operations will come back to."""
    found = []
    for path in COMES_BACK_TO:
        try:
            said = read_small(os.path.join(git_dir, path)).strip() if git_dir else b""
        except OSError:
            continue
        if path == "BISECT_START" and not said.startswith(b"refs/"):
            said = _HEADS + said
        if said.startswith(_HEADS) and said != _HEADS:
            found.append(os.fsdecode(said.removeprefix(_HEADS)))
    return tuple(dict.fromkeys(found))
