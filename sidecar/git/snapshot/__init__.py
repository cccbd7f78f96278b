"""A linked worktree as one commit, and back again, byte for byte (docs/architecture.md, "Snapshots")."""

from sidecar.git.snapshot.read import check_snapshot, read_snapshot
from sidecar.git.snapshot.restore import check_readable, restore_snapshot
from sidecar.git.snapshot.values import Known, Restored, Snapshot, SnapshotFacts, Unheld, Watcher
from sidecar.git.snapshot.write import write_snapshot

__all__ = [
    "Known",
    "Restored",
    "Snapshot",
    "SnapshotFacts",
    "Unheld",
    "Watcher",
    "check_readable",
    "check_snapshot",
    "read_snapshot",
    "restore_snapshot",
    "write_snapshot",
]
