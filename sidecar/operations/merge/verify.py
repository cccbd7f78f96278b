"""The person's own commands on the very tree that will land, and which trees have passed before."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from sidecar.git.acting import run_shell
from sidecar.git.process import GitError, run
from sidecar.model.findings import Finding, blocks, info
from sidecar.model.messages import shown
from sidecar.model.picture import Worktree
from sidecar.operations.control import Control
from sidecar.operations.merge.desk import Desk
from sidecar.operations.merge.making import quoted, stop_if_cancelled
from sidecar.operations.merge.values import MergePlan, RefusedError
from sidecar.operations.state import read_record, write_record
from sidecar.system.processes import end_marked

MOST_PASSED = 200
"""How many trees that passed are remembered."""

MARK = "SIDECAR_VERIFY"
"""Carried by what prepare and verify start, however far away it goes; ended with them when they fail."""


def verify_commit(desk: Desk, plan: MergePlan, place: Worktree, commit: str, control: Control) -> list[Finding]:
    """Run prepare and verify; RefusedError with the last lines when one of them fails.

    A tree that passed the same commands before is not tried again.
    """
    if not plan.verify.strip():
        return []
    tree = run(desk.repository.place, "rev-parse", f"{commit}^{{tree}}").decode().strip()
    key = _key(plan, tree)
    if key in passed(desk.state):
        return [info("verified-before", "These very files passed before, so they were not verified again.")]
    for name, line in (("prepare", plan.prepare), ("verify", plan.verify)):
        if line.strip():
            control.stage(f"Running {name}: {shown(line)}")
            _run(desk, plan, place, name, line)
    changed = _changed_files(desk, place)
    if changed:
        said = "Verify changed tracked files. What lands is what was merged, without these changes."
        return [info("verify-changed-files", said, changed)]
    remember(desk.state, key)
    return []


def _run(desk: Desk, plan: MergePlan, place: Worktree, name: str, line: str) -> None:
    said = run_shell(desk.acting, line, place.key, plan.limit or None, _variables(desk, plan))
    if said.ok and not desk.acting.cancelled():
        return
    end_marked(desk.acting.mark, MARK)
    stop_if_cancelled(desk)
    trunk = shown(plan.trunk.branch)
    if said.stopped == "timeout":
        told = f"{name.capitalize()} took longer than {plan.limit:.0f} seconds and was ended. {trunk} is as it was."
    else:
        told = f"{name.capitalize()} failed (status {said.status}). {trunk} is as it was."
    raise RefusedError(blocks(f"{name}-failed", f"{told} Its last lines:\n{quoted(said)}"))


def _variables(desk: Desk, plan: MergePlan) -> Mapping[str, str]:
    """What the commands can build on: where the work is, where trunk is checked out, and their names."""
    return {
        MARK: desk.acting.mark,
        "SIDECAR_WORKTREE": plan.worktree.key,
        "SIDECAR_CHECKOUT": plan.checkout.key if plan.checkout is not None else "",
        "SIDECAR_BRANCH": plan.worktree.branch or "",
        "SIDECAR_TRUNK": plan.trunk.branch,
    }


def _changed_files(desk: Desk, place: Worktree) -> tuple[str, ...]:
    try:
        status = ("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=no", "--ignore-submodules=dirty")
        said = run(desk.repository.inside(place), *status)
    except GitError:
        return (".",)
    return tuple(os.fsdecode(row[3:]) for row in said.split(b"\0") if row)


def _key(plan: MergePlan, tree: str) -> str:
    commands = f"{plan.prepare}\0{plan.verify}".encode("utf-8", "surrogateescape")
    return f"{hashlib.sha256(commands).hexdigest()} {tree}"


def passed(state: Path) -> list[str]:
    """The commands and trees that passed, oldest first."""
    try:
        record = read_record(state / "verified")
    except ValueError:
        return []
    found = record.get("passed") if record is not None else None
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def remember(state: Path, key: str) -> None:
    """Note that a tree passed; a full disk only means that it is tried again."""
    try:
        write_record(state / "verified", {"schema": 1, "passed": [*passed(state), key][-MOST_PASSED:]})
    except OSError:
        return
