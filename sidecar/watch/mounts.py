"""Which file systems change unseen: those that other machines write to too (proc(5): /proc/PID/mountinfo)."""

from __future__ import annotations

import os
import re
from pathlib import Path

_REMOTE = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "ceph", "afs", "davfs", "vboxsf", "prl_fs", "fuse.sshfs",
    "fuse.davfs", "fuse.rclone", "fuse.s3fs", "fuse.glusterfs", "fuse.grpcfuse", "fuse.vmhgfs-fuse",
})  # fmt: skip
_ESCAPE = re.compile(r"\\([0-7]{3})")


def mounts() -> str:
    """The mounts of this process, as /proc/self/mountinfo tells them; empty where there is none."""
    try:
        return Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    except OSError:
        return ""


def is_remote(path: str, mountinfo: str) -> bool:
    """Whether changes of this path can happen on another machine, unseen by inotify."""
    real = os.path.realpath(path)
    longest, kind = "", ""
    for line in mountinfo.split("\n"):
        fields, separator, more = line.partition(" - ")
        if not separator:
            continue
        point = _ESCAPE.sub(lambda code: chr(int(code[1], 8)), fields.split(" ")[4]).rstrip("/")
        if (real == point or real.startswith(f"{point}/")) and len(point) >= len(longest):
            longest, kind = point, more.partition(" ")[0]
    return kind in _REMOTE
