"""Write down what the running operation has done so far, so that whoever comes after a kill can finish or undo it.

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
from typing import Annotated, Any, TypeVar

from sidecar.model.decode import decode
from sidecar.model.findings import Failure, Finding, finding
from sidecar.operations.records import read_record, remove_record, write_record

T = TypeVar("T")

OPERATION_ID = re.compile(
    r"(merge|update|continue|release|restore|open|move|undo|uninstall)-[0-9]{8}-[0-9]{6}(-[0-9]{1,3})?"
)
"""What an id of ours looks like; it becomes part of file names and refs."""

OperationId = Annotated[str, OPERATION_ID.fullmatch]


@dataclass(frozen=True, slots=True)
class Journal:
    """An operation under way: its id, what it is, the step that it is about to take, and its facts."""

    id: OperationId
    what: str
    step: str
    facts: Mapping[str, Any]


def begin(sidecar_dir: Path, operation_id: str, what: str, step: str, facts: Mapping[str, Any]) -> Journal:
    """Open the journal; the caller holds the lock and has found no other journal."""
    journal = Journal(operation_id, what, step, dict(facts))
    _write(sidecar_dir, journal)
    return journal


def advance(sidecar_dir: Path, journal: Journal, step: str, **facts: Any) -> Journal:
    """Say which step comes next, with what was learned since."""
    moved = replace(journal, step=step, facts={**journal.facts, **facts})
    _write(sidecar_dir, moved)
    return moved


def finish(sidecar_dir: Path) -> None:
    """Close the journal: nothing of the operation is left to do."""
    remove_record(_path(sidecar_dir))


def pending(sidecar_dir: Path) -> Journal | None:
    """Read the journal of an operation that did not end; None without one, ValueError for another file."""
    record = read_record(_path(sidecar_dir))
    if record is None:
        return None
    journal = decode(Journal, record)
    if isinstance(journal, Failure) or not journal.id.startswith(f"{journal.what}-"):
        raise ValueError(f"{_path(sidecar_dir)} is not as we wrote it.")
    if record.get("place") != _place(sidecar_dir):
        raise ValueError(f"{_path(sidecar_dir)} was written in another repository, of which this is a copy.")
    return journal


def left_over(sidecar_dir: Path) -> Finding | None:
    """Say why nothing new may begin: an operation was ended half-way; None when nothing of one is left."""
    try:
        standing = pending(sidecar_dir)
    except ValueError as error:
        return bad_journal(str(error))
    if standing is None:
        return None
    said = "An operation before this one was ended half-way. Run the command again: it is cleaned up first."
    return finding("unfinished", said)


def bad_journal(why: str) -> Finding:
    """Say that a journal is not obeyed; `why` is a sentence."""
    return finding("bad-journal", f"{why} Look at it, and move it away.")


def decode_facts(cls: type[T], entry: Journal) -> T | Finding:
    """Read the facts of a journal as their operation writes them; else the finding that says that they are not so."""
    facts = decode(cls, entry.facts)
    if isinstance(facts, Failure):
        return bad_journal(f"The journal of {entry.id} is not as we wrote it: {facts.message}.")
    return facts


def _path(sidecar_dir: Path) -> Path:
    return sidecar_dir / "journal"


def _write(sidecar_dir: Path, journal: Journal) -> None:
    known = {"id": journal.id, "what": journal.what, "step": journal.step, "place": _place(sidecar_dir)}
    write_record(_path(sidecar_dir), {"schema": 1, **known, "facts": dict(journal.facts)})


def _place(sidecar_dir: Path) -> int:
    """Give what no copy of the directory has; the device's number changes from one start of the machine to the next."""
    return sidecar_dir.stat().st_ino
