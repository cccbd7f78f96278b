"""The durable records of what was merged and released: what `sidecar restore` lists and takes back."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sidecar.operations.state import read_record, remove_record, write_record

RECEIPT_ID = re.compile(r"(merge|release|vanished)-[0-9]{8}-[0-9]{6}(-[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Receipt:
    """One record: `what` is merge, release or vanished; `time` in seconds since 1970; `bytes` that it keeps on disk.

    `facts` is what its own kind of operation needs to take it back; whoever reads them checks them first.
    """

    id: str
    what: str
    worktree: str
    branch: str | None
    time: float
    bytes: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)


def new_id(state: Path, what: str) -> str:
    """An id that no journal, receipt or trash of this repository has had: what, and the second it began (UTC)."""
    base = f"{what}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
    taken = {path.name.removesuffix(".json") for folder in ("receipts", "trash") for path in (state / folder).glob("*")}
    return next(name for name in (base, *(f"{base}-{n}" for n in range(2, 1000))) if name not in taken)


def write_receipt(state: Path, receipt: Receipt) -> None:
    """Put a receipt on the disk; OSError when it can't be written."""
    write_record(
        _path(state, receipt.id),
        {
            "schema": 1,
            "id": receipt.id,
            "what": receipt.what,
            "worktree": receipt.worktree,
            "branch": receipt.branch,
            "time": receipt.time,
            "bytes": receipt.bytes,
            "facts": dict(receipt.facts),
        },
    )


def read_receipt(state: Path, receipt_id: str) -> Receipt | None:
    """One receipt; None when there is none of that id, or when it is not as we wrote it."""
    if not RECEIPT_ID.fullmatch(receipt_id):
        return None
    try:
        record = read_record(_path(state, receipt_id))
    except ValueError:
        return None
    return None if record is None else _parse(receipt_id, record)


def list_receipts(state: Path) -> tuple[Receipt, ...]:
    """Every receipt, the newest first; a file that is none is passed over."""
    names = (path.name.removesuffix(".json") for path in (state / "receipts").glob("*.json"))
    found = [receipt for name in names if (receipt := read_receipt(state, name)) is not None]
    return tuple(sorted(found, key=lambda receipt: (receipt.time, receipt.id), reverse=True))


def drop_receipt(state: Path, receipt_id: str) -> None:
    """Forget a receipt."""
    if RECEIPT_ID.fullmatch(receipt_id):
        remove_record(_path(state, receipt_id))


def _path(state: Path, receipt_id: str) -> Path:
    return state / "receipts" / f"{receipt_id}.json"


def _parse(receipt_id: str, record: Mapping[str, Any]) -> Receipt | None:
    what, worktree, branch = record.get("what"), record.get("worktree"), record.get("branch")
    moment, size, facts = record.get("time"), record.get("bytes"), record.get("facts")
    if record.get("id") != receipt_id or not isinstance(what, str) or not receipt_id.startswith(f"{what}-"):
        return None
    if not isinstance(worktree, str) or not (branch is None or isinstance(branch, str)):
        return None
    if isinstance(moment, bool) or not isinstance(moment, int | float) or isinstance(size, bool):
        return None
    if not isinstance(size, int) or size < 0 or not isinstance(facts, dict):
        return None
    return Receipt(receipt_id, what, worktree, branch, float(moment), size, facts)
