"""The mounts of a process, as Linux tells them (proc(5): /proc/PID/mountinfo)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system at a place: the absolute path, "/" for the root, and its type."""

    point: str
    kind: str


def parse_mounts(text: str) -> tuple[Mount, ...]:
    """Every mount of a mountinfo file, as os.fsdecode gives its text; a line that is none is passed over."""
    found = []
    for line in text.split("\n"):
        fields, separator, more = line.partition(" - ")
        columns = fields.split(" ")
        if separator and len(columns) > 4:
            found.append(Mount(_ESCAPE.sub(lambda code: chr(int(code[1], 8)), columns[4]), more.partition(" ")[0]))
    return tuple(found)
