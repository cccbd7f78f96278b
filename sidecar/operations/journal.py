"""What the running operation has done so far, so that whoever comes after a kill can finish or undo it.

There is one journal, since there is one operation at a time: `<common dir>/sidecar/journal`. Every step is on the disk
before the step is taken. Anyone can edit a file, so each operation checks every fact before it obeys one.

A repository that was
copied or unpacked brings no journal with it: a journal names the inode of the directory that it was written in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sidecar.model.finding_codes import finding
from sidecar.model.findings import Finding
from sidecar.operations.state import read_record, remove_record, write_record

OPERATION_ID = re.compile(r"(merge|update|release|restore|open|move|undo)-[0-9]{8}-[0-9]{6}(-[0-9]{1,3})?")
"""What an id of ours looks like; it becomes part of file names and refs."""


@dataclass(frozen=True, slots=True)
class Journal:
    """An operation under way: its id, what it is, the step that it is about to take, and its facts."""

    id: str
    what: str
    step: str
    facts: Mapping[str, Any]


def begin(state: Path, operation_id: str, what: str, step: str, facts: Mapping[str, Any]) -> Journal:
    """Open the journal; the caller holds the lock and has found no other journal."""
    journal = Journal(operation_id, what, step, dict(facts))
    _write(state, journal)
    return journal


def advance(state: Path, journal: Journal, step: str, **facts: Any) -> Journal:
    """Say which step comes next, with what was learned since."""
    moved = replace(journal, step=step, facts={**journal.facts, **facts})
    _write(state, moved)
    return moved


def finish(state: Path) -> None:
    """Close the journal: nothing of the operation is left to do."""
    remove_record(_path(state))


def pending(state: Path) -> Journal | None:
    """The journal of an operation that did not end; None without one, ValueError for a file that is no journal."""
    record = read_record(_path(state))
    if record is None:
        return None
    known = record.get("id"), record.get("what"), record.get("step")
    facts = record.get("facts")
    operation_id, what, step = known
    if not (isinstance(operation_id, str) and isinstance(what, str) and isinstance(step, str)):
        raise ValueError(f"{_path(state)} names no operation.")
    if (
        not OPERATION_ID.fullmatch(operation_id)
        or not operation_id.startswith(f"{what}-")
        or not isinstance(facts, dict)
    ):
        raise ValueError(f"{_path(state)} is not as we wrote it.")
    if record.get("place") != _place(state):
        raise ValueError(f"{_path(state)} was written in another repository, of which this is a copy.")
    return Journal(operation_id, what, step, facts)


def left_over(state: Path) -> Finding | None:
    """Why nothing new may begin: an operation before it was ended half-way; None when there is nothing left of one."""
    try:
        standing = pending(state)
    except ValueError as error:
        return finding("bad-journal", f"{error} Look at it, and move it away.")
    if standing is None:
        return None
    said = "An operation before this one was ended half-way. Run the command again: it is cleaned up first."
    return finding("unfinished", said)


def _path(state: Path) -> Path:
    return state / "journal"


def _write(state: Path, journal: Journal) -> None:
    known = {"id": journal.id, "what": journal.what, "step": journal.step, "place": _place(state)}
    write_record(_path(state), {"schema": 1, **known, "facts": dict(journal.facts)})


def _place(state: Path) -> int:
    """What no copy of the directory has; the device's number changes from one start of the machine to the next."""
    return state.stat().st_ino
