"""Read what a sidecar before 0.2 kept of worktrees: a record and a ref each, which hold a snapshot and no state.

Snapshots are not restored any more, but nothing that one holds is dropped: its files are in a tree that git can give.
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from sidecar.git.process import run_for_status
from sidecar.git.repository import Repository
from sidecar.model.changes import is_object_id
from sidecar.model.picture import Worktree
from sidecar.model.words import shown
from sidecar.operations import kept_refs
from sidecar.operations.records import Receipt, new_id, read_record, remove_record, write_receipt


def find_old_vanished(
    repository: Repository, sidecar_dir: Path, worktrees: Sequence[Worktree], superseded: Collection[str]
) -> tuple[Receipt, ...]:
    """Turn each record of a worktree that is gone into a receipt; one of a worktree that is there is left alone.

    Of `superseded` paths there are states since: their records go.
    """
    there = {one.key for one in worktrees if not one.missing}
    found = []
    for file in sorted((sidecar_dir / "guard").glob("*.json")):
        try:
            record = read_record(file)
        except ValueError:
            continue
        if record is None or not _is_ours(record) or not is_snapshot(repository, record["commit"]):
            continue
        if record["path"] in there and record["path"] not in superseded:
            continue
        if record["path"] not in superseded:
            receipt_id = new_id(sidecar_dir, "vanished")
            kept_refs.keep(repository, f"refs/sidecar/vanished/{receipt_id}", record["commit"])
            facts = {"snapshot": record["commit"], "path": record["path"], "kept": record["time"], "safe": False}
            branch = record["branch"]
            receipt = Receipt(receipt_id, "vanished", record["name"], branch, time.time(), record["bytes"], facts)
            write_receipt(sidecar_dir, receipt)
            found.append(receipt)
        kept_refs.let_go(repository, f"refs/sidecar/guard/{file.stem}")
        remove_record(file)
    return tuple(found)


def is_snapshot(repository: Repository, commit: str) -> bool:
    """Tell whether a commit is a snapshot of a worktree, and there."""
    name = ("cat-file", "-e", f"{commit}:snapshot.json")
    return run_for_status(repository.place, *name, accept=(0, 1, 128))[0] == 0


def how_to_get(repository: Repository, commit: str, where: str) -> str:
    """Say in a sentence how the files of a snapshot are had."""
    line = f"git --git-dir={shlex.quote(repository.common_dir)} archive {commit}:files | tar -x -C FOLDER"
    said = f"It was kept by an older sidecar, in a form that this one can't bring back to {shown(where)}."
    return f"{said} Get its files with: {line}"


def _is_ours(record: dict[str, object]) -> bool:
    path, commit, branch = record.get("path"), record.get("commit"), record.get("branch")
    return (
        all(isinstance(record.get(key), str) for key in ("path", "name", "commit"))
        and os.path.isabs(str(path))
        and is_object_id(str(commit))
        and (branch is None or isinstance(branch, str))
        and isinstance(record.get("bytes"), int)
        and isinstance(record.get("time"), int | float)
    )
