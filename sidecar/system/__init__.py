"""What the machine says: which processes are inside a worktree."""

from sidecar.system.processes import Process, processes_inside

__all__ = ["Process", "processes_inside"]
