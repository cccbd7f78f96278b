"""Keeps each linked worktree's last present state under a ref, so that one that vanishes can be restored."""

from sidecar.operations.guard.keeping import Guard, Vanished, open_guard
from sidecar.operations.guard.records import find_vanished, forget
from sidecar.operations.guard.writing import answer

__all__ = ["Guard", "Vanished", "answer", "find_vanished", "forget", "open_guard"]
