"""Keeps each linked worktree's last present state under a ref, so that one that vanishes can be restored."""

from sidecar.operations.guard.keeping import Guard, Vanished, open_guard
from sidecar.operations.guard.records import find_vanished, forget

__all__ = ["Guard", "Vanished", "find_vanished", "forget", "open_guard"]
