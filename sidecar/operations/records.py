"""Keep what must outlive an operation in `<common dir>/sidecar/`, which is the user's alone: records and receipts.

A receipt says what was merged or released; `sidecar restore` lists receipts and takes back what they tell of.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from sidecar.model.findings import Failure, Finding
from sidecar.model.receipts import Landing, Receipt
from sidecar.system.files import make_private, read_regular, why_not_ours

if TYPE_CHECKING:
    from sidecar.model.schema import Json

T = TypeVar("T")

DOOMED = "doomed"
"""The directory, below the sidecar directory, of what is only ever deleted."""

ENTERED = frozenset({"trash", DOOMED})
"""The directories in it that are entered by who looks for links, at every step."""

MOST_BYTES = 8 * 1024 * 1024
"""Bytes above which a record of ours is not ours."""


def sidecar_path(common_dir: str) -> Path:
    """Give the sidecar directory of a repository; it need not be there."""
    return Path(common_dir) / "sidecar"


def aside_of(worktree: str, operation_id: str) -> Path:
    """Give the folder of an operation beside a worktree (its path), on the same disk."""
    return Path(worktree).parent / f".sidecar-{operation_id}"


def is_swept(sidecar_dir: Path) -> bool:
    """Tell whether nothing waits to be deleted."""
    return not os.path.lexists(sidecar_dir / DOOMED)


def has_nothing_left(common_dir: str) -> bool:
    """Tell whether no operation that was killed has left anything to recover from or to delete."""
    sidecar_dir = sidecar_path(common_dir)
    try:
        return is_swept(sidecar_dir) and not (sidecar_dir / "journal").exists()
    except OSError:  # nobody can tell
        return False


def why_unreadable(common_dir: str) -> str | None:
    """Say in a sentence why the sidecar directory can't be looked into; None where it can be, or is not there."""
    folder = sidecar_path(common_dir)
    try:
        (folder / "journal").exists()
        if folder.is_dir():
            os.scandir(folder).close()
    except OSError as error:
        return why_not_ours(folder) or f"{folder} can't be read: {error.strerror}."
    return None


def open_sidecar_dir(common_dir: str) -> Path | Failure:
    """Open the sidecar directory, made if need be; a Failure when it leads elsewhere or is somebody else's."""
    folder = sidecar_path(common_dir)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        said = make_private(folder)
        links = sorted({one.name for one in os.scandir(folder) if one.is_symlink()} - ENTERED) if said is None else []
    except OSError as error:
        return Failure("bad-state", f"{folder} can't be used: {error.strerror}.")
    if links:
        said = f"{folder / links[0]} is a link, which nothing of ours is. Move it away."
    return folder if said is None else Failure("bad-state", said)


def write_record(path: Path, record: Json) -> None:
    """Put a record there as a whole or not at all, on the disk when this returns; OSError when it can't be written."""
    write_new(path, json.dumps(record, ensure_ascii=True, indent=1).encode() + b"\n")


def write_new(path: Path, content: bytes) -> None:
    """Put a file of ours there as a whole or not at all, on the disk when this returns; OSError if it can't be."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    sync_directory(path.parent)


def sweep_drafts(sidecar_dir: Path) -> None:
    """Remove what a killed process had begun to write; the caller holds the lock."""
    for folder in (sidecar_dir, sidecar_dir / "receipts"):
        for draft in folder.glob(".*.new"):
            with contextlib.suppress(OSError):
                draft.unlink()


def remove_record(path: Path) -> None:
    """Take a record away, on the disk too; one that is gone already is fine."""
    path.unlink(missing_ok=True)
    sync_directory(path.parent)


def read_record(path: Path) -> Json | None:
    """Read a record as it stands; None when it is not there, ValueError when it is none of ours."""
    try:
        text = read_regular(str(path), MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}.") from error
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON.") from error
    if not isinstance(record, dict) or record.get("schema") != 1:
        raise ValueError(f"{path} is not a record of this version.")
    return record


def read_as(kind: type[T], path: Path) -> T | None:
    """Read what a record of ours tells, as this dataclass; None when it is not there, or not as we wrote it."""
    try:
        record = read_record(path)
    except ValueError:
        return None
    from sidecar.model.decode import decode  # every start of a door imports this module

    found = decode(kind, record)
    return None if isinstance(found, Failure) else found


def sync_directory(folder: Path) -> None:
    """Have the names in a directory on the disk; where the system can't, it does so itself."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


LAST_TIME = 1e11
"""Seconds since 1970 that no clock shows, nor `time.localtime` takes everywhere."""

RECEIPT_ID = re.compile(r"(merge|release|vanished|wiped)-[0-9]{8}-[0-9]{6}(-[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """What became of taking something back: `path` is where the worktree is, None for a merge."""

    outcome: Literal["restored", "refused", "failed"]
    path: str | None
    findings: tuple[Finding, ...] = ()


def new_id(sidecar_dir: Path, what: str) -> str:
    """Make an id that no journal, receipt or trash of this repository has had: what, and the second it began (UTC)."""
    base = f"{what}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
    taken = {
        path.name.removesuffix(".json") for folder in ("receipts", "trash") for path in (sidecar_dir / folder).glob("*")
    }
    return next(name for name in (base, *(f"{base}-{n}" for n in range(2, 1000))) if name not in taken)


def write_receipt(sidecar_dir: Path, receipt: Receipt) -> None:
    """Put a receipt on the disk; OSError when it can't be written."""
    write_record(_path(sidecar_dir, receipt.id), {"schema": 1, **asdict(receipt)})


def read_receipt(sidecar_dir: Path, receipt_id: str) -> Receipt | None:
    """Read one receipt; None when there is none of that id, or when it is not as we wrote it."""
    if not RECEIPT_ID.fullmatch(receipt_id):
        return None
    receipt = read_as(Receipt, _path(sidecar_dir, receipt_id))
    if (
        receipt is None
        or receipt.bytes < 0
        or not 0 <= receipt.time < LAST_TIME
        or receipt.id != receipt_id
        or not receipt_id.startswith(f"{receipt.what}-")
    ):
        return None
    return receipt


def list_receipts(sidecar_dir: Path) -> tuple[Receipt, ...]:
    """Read every receipt, the newest first; a file that is none is passed over. OSError where nobody may look."""
    try:
        names = os.listdir(sidecar_dir / "receipts")
    except (FileNotFoundError, NotADirectoryError):
        return ()
    ids = (name.removesuffix(".json") for name in names if name.endswith(".json"))
    found = [receipt for one in ids if (receipt := read_receipt(sidecar_dir, one)) is not None]
    return tuple(sorted(found, key=lambda receipt: (receipt.time, receipt.id), reverse=True))


def drop_receipt(sidecar_dir: Path, receipt_id: str) -> None:
    """Forget a receipt."""
    if RECEIPT_ID.fullmatch(receipt_id):
        remove_record(_path(sidecar_dir, receipt_id))


def _path(sidecar_dir: Path, receipt_id: str) -> Path:
    return sidecar_dir / "receipts" / f"{receipt_id}.json"


MOST_LANDINGS = 50
"""How many merges are told, the newest."""


def history_stamp(common_dir: str) -> int:
    """Give a number that is another one when a receipt came, went or was written; 0 where there are none."""
    try:
        return (sidecar_path(common_dir) / "receipts").stat().st_mtime_ns
    except OSError:
        return 0


def read_history(common_dir: str, trunk: str | None) -> tuple[tuple[Landing, ...], tuple[Receipt, ...]]:
    """Give the merges, and what can be restored from, the newest first.

    A merge can be taken back only while trunk is at its commit, which `trunk` gives.
    """
    try:
        receipts = list_receipts(sidecar_path(common_dir))
    except OSError:  # the guard says why
        return (), ()
    merges = [receipt for receipt in receipts if receipt.what == "merge"]
    landings = tuple(landing for one in merges[:MOST_LANDINGS] if (landing := _landing(one)) is not None)
    in_time = [one for one in receipts if one.what != "merge" or (trunk and one.facts.get("after") == trunk)]
    return landings, tuple(filter(is_restorable, in_time))


def is_restorable(receipt: Receipt) -> bool:
    """Tell whether a receipt was neither restored from nor emptied."""
    return "restored" not in receipt.facts and "emptied" not in receipt.facts


def _landing(receipt: Receipt) -> Landing | None:
    """Give a merge as its receipt tells it; None where that is not as we write it."""
    before, after, strategy = (receipt.facts.get(name) for name in ("before", "after", "strategy"))
    if not (isinstance(before, str) and isinstance(after, str)):
        return None
    named = receipt.id, receipt.worktree, receipt.branch, receipt.time
    return Landing(*named, before, after, str(strategy or "merge"), "restored" in receipt.facts)
