"""Where other file systems, or other folders of the same one, are mounted."""

from __future__ import annotations

import os
from pathlib import Path

from sidecar.model.mountinfo import parse_mounts


def mount_points() -> frozenset[str]:
    """The absolute paths that something is mounted at; none where the system does not tell."""
    try:
        text = os.fsdecode(Path("/proc/self/mountinfo").read_bytes())
    except OSError:
        return frozenset()
    return frozenset(mount.point for mount in parse_mounts(text))


def mounts_below(folder: str, points: frozenset[str]) -> tuple[str, ...]:
    """Those at or below a folder, relative to it; '.' for the folder itself."""
    return tuple(
        sorted(os.path.relpath(point, folder) for point in points if point == folder or point.startswith(folder + "/"))
    )
