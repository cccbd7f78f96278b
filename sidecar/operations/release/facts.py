"""What the journal and the receipt of a release say, checked field by field before any of it is obeyed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sidecar.git.refs import is_branch_name
from sidecar.git.repository import Repository
from sidecar.model.object_ids import is_object_id


@dataclass(frozen=True, slots=True)
class Facts:
    """A release as its journal and receipt tell it.

    `path` is where the worktree was, `administrative` the name of its administrative directory, `tip` what the branch
    pointed at when it is to be deleted (None: it stays), `snapshot` the commit that keeps what objects can hold,
    `output` the build output that is not kept, `freed` and `kept` bytes on the disk as the plan has them.
    """

    path: str
    name: str
    administrative: str
    branch: str | None
    tip: str | None
    head: str | None
    snapshot: str | None
    output: tuple[str, ...]
    freed: int
    kept: int

    def record(self) -> dict[str, Any]:
        """The facts as JSON has them."""
        return {**asdict(self), "output": list(self.output)}


def snapshot_ref(release_id: str) -> str:
    """The ref that keeps the snapshot of a release."""
    return f"refs/sidecar/release/{release_id}"


def parse_facts(repository: Repository, facts: Mapping[str, Any]) -> Facts:
    """Facts that a file tells; ValueError for the first one that is not as we write them."""
    path = _text(facts, "path")
    if not os.path.isabs(path) or os.path.normpath(path) != path or path == os.path.dirname(path):
        raise ValueError("its path is not a worktree's")
    if repository.common_dir == path or repository.common_dir.startswith(path + "/"):
        raise ValueError("its path has the repository in it")
    administrative = _text(facts, "administrative")
    if "/" in administrative or administrative in ("", ".", "..") or "\0" in administrative:
        raise ValueError("its administrative directory is not a name")
    output = facts.get("output")
    if not isinstance(output, list) or not all(isinstance(item, str) for item in output):
        raise ValueError("its build output is not a list")
    branch = _optional(facts, "branch")
    if branch is not None and not is_branch_name(repository.place, branch):
        raise ValueError("its branch is no branch")
    return Facts(
        path,
        _text(facts, "name"),
        administrative,
        branch,
        _object_id(facts, "tip"),
        _object_id(facts, "head"),
        _object_id(facts, "snapshot"),
        tuple(output),
        _size(facts, "freed"),
        _size(facts, "kept"),
    )


def _text(facts: Mapping[str, Any], key: str) -> str:
    value = facts.get(key)
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"its {key} is not there")
    return value


def _size(facts: Mapping[str, Any], key: str) -> int:
    value = facts.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"its {key} is no number of bytes")
    return value


def _optional(facts: Mapping[str, Any], key: str) -> str | None:
    return None if facts.get(key) is None else _text(facts, key)


def _object_id(facts: Mapping[str, Any], key: str) -> str | None:
    value = _optional(facts, key)
    if value is not None and not is_object_id(value):
        raise ValueError(f"its {key} is no object id")
    return value
