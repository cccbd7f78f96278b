"""Give a door the session of a repository: the one that others have, or one of its own where that can't be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.model.findings import Failure
from sidecar.model.settings import Options, of_session
from sidecar.session.address import is_off
from sidecar.session.attached import AttachedSession, Hears, about
from sidecar.session.shared import shared
from sidecar.session.starting import attach
from sidecar.system.place import find_place

if TYPE_CHECKING:
    from sidecar.session.live import Session


def find_session(
    folder: Path, options: Options, hears: Hears, *, alone: bool = False
) -> tuple[AttachedSession | Session, str | None] | Failure:
    """Give a session for the repository that a folder lies in; with a sentence where it had to be one of this process.

    `alone`: in this process, whatever else could be.
    """
    place = None if alone or is_off() else find_place(str(folder))
    why = None
    if place is not None:
        common = shared(place, options.trusted, of_session(options.editor))
        found = attach(common, folder, about(folder))
        if not isinstance(found, Failure):
            return AttachedSession(common, folder, options, hears, found), None
        if found.code != "no-session-process":
            return found
        why = f"{found.message} This window keeps a session of its own."
    from sidecar.session.live import open_session  # loads libgit2, which who attaches does without

    session = open_session(folder, options, hears.picture)
    return session if isinstance(session, Failure) else (session, why)
