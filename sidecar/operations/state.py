"""Where operations keep what must outlive them: `<common dir>/sidecar/`, which is the user's alone."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from pathlib import Path
from typing import Any

from sidecar.git.files import read_regular
from sidecar.model.findings import Failure

Json = dict[str, Any]

DOOMED = "doomed"
"""The directory, below the state directory, of what is only ever deleted."""

MOST_BYTES = 8 * 1024 * 1024
"""Bytes above which a record of ours is not ours."""


def state_path(common_dir: str) -> Path:
    """The state directory of a repository; it need not be there."""
    return Path(common_dir) / "sidecar"


def is_swept(state: Path) -> bool:
    """Whether nothing waits to be deleted."""
    return not os.path.lexists(state / DOOMED)


def open_state(common_dir: str) -> Path | Failure:
    """The state directory, made if need be; a Failure when it leads elsewhere or belongs to somebody else."""
    folder = state_path(common_dir)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode):
            return Failure("bad-state", f"{folder} is not a directory. Move it away.")
        if hasattr(os, "getuid") and status.st_uid != os.getuid():
            return Failure("bad-state", f"{folder} belongs to another user. Nothing is done with it.")
        if status.st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        return Failure("bad-state", f"{folder} can't be used: {error.strerror}.")
    return folder


def write_record(path: Path, record: Json) -> None:
    """Put a record there as a whole or not at all, on the disk when this returns; OSError when it can't be written."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(json.dumps(record, ensure_ascii=True, indent=1).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    sync_directory(path.parent)


def sweep_drafts(state: Path) -> None:
    """Remove what a killed process had begun to write; the caller holds the lock."""
    for folder in (state, state / "receipts"):
        for draft in folder.glob(".*.new"):
            with contextlib.suppress(OSError):
                draft.unlink()


def remove_record(path: Path) -> None:
    """Take a record away, on the disk too; one that is gone already is fine."""
    path.unlink(missing_ok=True)
    sync_directory(path.parent)


def read_record(path: Path) -> Json | None:
    """A record as it stands; None when it is not there, ValueError when it is none of ours."""
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
