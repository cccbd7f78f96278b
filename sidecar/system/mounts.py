"""Say where other file systems are mounted, and which of them change on other machines."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

_REMOTE = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "ceph", "afs", "davfs", "vboxsf", "prl_fs", "fuse.sshfs",
    "fuse.davfs", "fuse.rclone", "fuse.s3fs", "fuse.glusterfs", "fuse.grpcfuse", "fuse.vmhgfs-fuse",
})  # fmt: skip


class Mount(NamedTuple):
    """A file system at a place: the absolute path, "/" for the root, and its type."""

    point: str
    kind: str


def read_mounts() -> tuple[Mount, ...]:
    """Give every mount that this process sees, a later one over an earlier; none where the system does not tell."""
    import psutil  # takes as long as a git, and most commands need no mounts

    try:
        return tuple(Mount(one.mountpoint, one.fstype) for one in psutil.disk_partitions(all=True))
    except (OSError, psutil.Error):
        return ()


def mount_points() -> frozenset[str]:
    """Give the absolute paths that something is mounted at."""
    return frozenset(mount.point for mount in read_mounts())


def mounts_below(folder: str, points: frozenset[str]) -> tuple[str, ...]:
    """Give the mount points at or below a folder, relative to it, sorted; '.' for the folder itself."""
    return tuple(
        sorted(os.path.relpath(point, folder) for point in points if point == folder or point.startswith(folder + "/"))
    )


def mounted_in(folder: str | os.PathLike[str]) -> tuple[str, ...]:
    """Give the paths in a folder where other file systems are mounted, because what is there is not the folder's."""
    return mounts_below(os.path.realpath(folder), mount_points())


def is_remote(path: str, mounts: Iterable[Mount]) -> bool:
    """Tell whether changes of this path can happen on another machine, unseen by inotify."""
    real = os.path.realpath(path)
    longest, kind = "", ""
    for mount in mounts:
        point = mount.point.rstrip("/")
        if (real == point or real.startswith(f"{point}/")) and len(point) >= len(longest):
            longest, kind = point, mount.kind
    return kind in _REMOTE
