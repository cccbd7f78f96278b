"""Where a path that a person gave lies."""

from __future__ import annotations

import os
from pathlib import Path

from sidecar.cli.asking import here


def absolute(path: str) -> str:
    """A path as git spells it: absolute, links above its last part followed, the last part as it is."""
    above, name = os.path.split(here() / path)
    if name in ("", ".."):
        return os.path.realpath(here() / path)
    return os.path.join(os.path.realpath(above), name)  # Path.resolve would follow the last part


def nearest_folder(path: str) -> Path:
    """The directory that the path is or lies in, or the nearest above that is there."""
    place = Path(path)
    if place.is_dir() and not place.is_symlink():
        return place
    return next(folder for folder in place.parents if folder.is_dir())
