"""Where other file systems are mounted (proc(5): /proc/PID/mountinfo)."""

from __future__ import annotations

import os
import re

_ESCAPE = re.compile(r"\\([0-7]{3})")


def mount_points() -> frozenset[str]:
    """The absolute paths that something is mounted at; none where the system does not tell."""
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            lines = [line for line in os.fsdecode(file.read()).split("\n") if line]
    except OSError:
        return frozenset()
    return frozenset(_ESCAPE.sub(lambda code: chr(int(code[1], 8)), line.split(" ")[4]) for line in lines)


def mounts_below(folder: str, points: frozenset[str]) -> tuple[str, ...]:
    """Those at or below a folder, relative to it; '.' for the folder itself."""
    return tuple(
        sorted(os.path.relpath(point, folder) for point in points if point == folder or point.startswith(folder + "/"))
    )
