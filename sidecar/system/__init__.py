"""The machine: which processes are inside a worktree, and this program in another one."""

from sidecar.system.myself import run_myself
from sidecar.system.processes import Process, processes_inside

__all__ = ["Process", "processes_inside", "run_myself"]
