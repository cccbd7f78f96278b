"""What git's own merge of two commits says: the truth that the replay of a history holds to."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sidecar.git.process import environment

MARKER_SIZE = 61
"""Longer than the lines of marks in people's texts."""

BLOCK = re.compile(rb"^<{61} [^\n]*\n(.*?)^={61}\r?\n(.*?)^>{61} [^\n]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Truth:
    """What git says: whether the merge stops, on which paths, the merged tree, and what was merged at a path.

    `stages` are blob ids by path and stage.
    """

    stops: bool
    paths: frozenset[str]
    tree: str
    stages: Mapping[str, Mapping[int, str]]


def git(repository: str, *args: str, files: Path | None = None, accept: tuple[int, ...] = (0,)) -> bytes:
    """Standard output of git, with the same environment that the sidecar gives it; `files` is its working tree."""
    variables = {"GIT_DIR": repository} | ({"GIT_WORK_TREE": str(files)} if files else {})
    done = subprocess.run(
        ["git", *args], env=environment(variables), cwd=files or repository, capture_output=True, check=False
    )
    if done.returncode not in accept:
        raise RuntimeError(done.stderr.decode("utf-8", "replace"))
    return done.stdout


def lay_attributes(repository: str, commit: str, files: Path) -> None:
    """A working tree with the attributes files of a commit, as a checkout of it would have."""
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir()
    listing = git(repository, "ls-tree", "-r", "-z", "--name-only", commit).split(b"\0")
    for name in map(os.fsdecode, listing):
        if name.rpartition("/")[2] == ".gitattributes":
            (files / name).parent.mkdir(parents=True, exist_ok=True)
            (files / name).write_bytes(git(repository, "cat-file", "blob", f"{commit}:{name}"))
    with (files / ".gitattributes").open("ab") as top:
        top.write(b"\n* conflict-marker-size=%d\n" % MARKER_SIZE)


def ask_git(repository: str, ours: str, theirs: str, files: Path) -> Truth | None:
    """Git's merge of two commits; None when it refuses to try (no history in common)."""
    try:
        said = git(
            repository,
            "-c",
            "core.bare=false",
            "merge-tree",
            "--write-tree",
            "--messages",
            "-z",
            ours,
            theirs,
            files=files,
            accept=(0, 1),
        )
    except RuntimeError:
        return None
    fields = said.split(b"\0")
    conflicted = fields[1 : fields.index(b"", 1)]
    label = re.compile(f"~({ours}|{theirs})(_\\d+)?$")
    stages: dict[str, dict[int, str]] = {}
    for field in conflicted:
        head, _, path = field.partition(b"\t")
        _, oid, number = head.decode().split()
        stages.setdefault(label.sub("", os.fsdecode(path)), {})[int(number)] = oid
    return Truth(bool(conflicted) or b"CONFLICT" in said, frozenset(stages), fields[0].decode(), stages)


def borrow(repository: Path, place: Path) -> Path:
    """A bare repository with the history of another, so that nothing is written into that one."""
    here = os.path.abspath(repository)
    subprocess.run(["git", "clone", "--quiet", "--bare", "--shared", here, str(place)], check=True)
    return place
