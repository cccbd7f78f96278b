"""Names: which a snapshot can hold, and which a tree of git can."""

from __future__ import annotations

import os
import re
import sys

LONGEST_NAME = 255

IGNORED_BY_HFS = dict.fromkeys([*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF])
"""Characters that macOS leaves out when it compares names (git's utf8.c, `next_hfs_char`)."""

HAZARDS = re.compile(r"\.git(modules)?|gi[0-9a-z]*~[0-9a-f]+")


def is_git_name(name: str) -> bool:
    """Whether a name would be a repository's own on this system's disks."""
    if len(name) == 4 and name.lower() == ".git":
        return True
    return sys.platform in ("darwin", "win32") and _folded(name) in (".git", "git~1")


def fits_tree(path: str) -> bool:
    """Whether git and `git fsck` take a path in a tree without objection (git-fsck(1), hasDotgit and its like)."""
    if path.isascii() and "~" not in path and ".git" not in path.lower():
        return True
    return not any(HAZARDS.fullmatch(_folded(part)) for name in path.split("/") for part in name.split("\\"))


def is_safe(path: str) -> bool:
    """Whether a path that somebody wrote down stays below its root and is nobody's git."""
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return all(_is_safe_name(name) for name in path.split("/"))


def _is_safe_name(name: str) -> bool:
    if not name or name in (".", "..") or "\0" in name or is_git_name(name):
        return False
    if sys.platform == "win32" and ("\\" in name or ":" in name):
        return False
    return len(name) * 4 <= LONGEST_NAME or len(os.fsencode(name)) <= LONGEST_NAME


def _folded(name: str) -> str:
    return name.translate(IGNORED_BY_HFS).partition(":")[0].rstrip(" .").lower()
