"""Note how a process watches a repository, for `sidecar status` and `sidecar doctor`; a note lies in its quarantine."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path

from sidecar.git.quarantine import quarantine_directories
from sidecar.model.picture import WatchNote

NAME = "watching.json"


def leave_note(directory: Path, note: WatchNote) -> None:
    """Write the note into a quarantine, unless it is gone or the disk is full."""
    draft = directory / f"{NAME}.draft"
    with suppress(OSError):
        draft.write_text(json.dumps(asdict(note)), encoding="utf-8")
        draft.replace(directory / NAME)


def watch_notes(repository: str) -> tuple[WatchNote, ...]:
    """Give the notes of the processes that watch a repository now, by its common directory."""
    from sidecar.system.processes import is_running  # a session only leaves its note

    found = (_read(directory / NAME) for directory in quarantine_directories())
    notes = [note for note in found if note is not None and note.repository == repository and is_running(note.pid)]
    return tuple(sorted(notes, key=lambda note: note.pid))


def _read(path: Path) -> WatchNote | None:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        note = WatchNote(**{field.name: said[field.name] for field in fields(WatchNote)})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    numbers = (note.pid, note.watches, note.worktrees, note.polled)
    return note if all(type(number) is int and number >= 0 for number in numbers) else None
