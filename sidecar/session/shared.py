"""Say who shares a session: doors of which nothing could make another verdict of the same files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sidecar.model.decode import Text
from sidecar.model.settings import Value
from sidecar.session.address import identity
from sidecar.system.place import Place


@dataclass(frozen=True, slots=True)
class Shared:
    """What doors have in common that share a session; whatever could make another verdict of the same files.

    `main_folder` is a main worktree that only those know who are in it. `environment` has the variables that decide
    what is read, `code` what this code is, by its place and its times.
    """

    common_dir: Text
    main_folder: str | None
    trusted: bool
    settings: Mapping[str, str | bool | int | tuple[str, ...]]
    environment: Mapping[str, str]
    version: str
    code: str

    @property
    def name(self) -> str:
        """Give the name of the session's files: short, and another one for whoever differs."""
        said = json.dumps(asdict(self), sort_keys=True).encode()
        return hashlib.sha256(said).hexdigest()[:16]


def shared(place: Place, trusted: bool, settings: Mapping[str, Value]) -> Shared:
    """Say what a door of this process has in common with those that it can share a session with."""
    return Shared(**identity(place, trusted, settings))
