"""Which file systems change unseen: those that other machines write to too (proc(5): /proc/PID/mountinfo)."""

from __future__ import annotations

import os
from pathlib import Path

from sidecar.model.mountinfo import parse_mounts

_REMOTE = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "ceph", "afs", "davfs", "vboxsf", "prl_fs", "fuse.sshfs",
    "fuse.davfs", "fuse.rclone", "fuse.s3fs", "fuse.glusterfs", "fuse.grpcfuse", "fuse.vmhgfs-fuse",
})  # fmt: skip


def mounts() -> str:
    """The mounts of this process, as /proc/self/mountinfo tells them; empty where there is none."""
    try:
        return os.fsdecode(Path("/proc/self/mountinfo").read_bytes())
    except OSError:
        return ""


def is_remote(path: str, mountinfo: str) -> bool:
    """Whether changes of this path can happen on another machine, unseen by inotify."""
    real = os.path.realpath(path)
    longest, kind = "", ""
    for mount in parse_mounts(mountinfo):
        point = mount.point.rstrip("/")
        if (real == point or real.startswith(f"{point}/")) and len(point) >= len(longest):
            longest, kind = point, mount.kind
    return kind in _REMOTE
