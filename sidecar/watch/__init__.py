"""File events: inotify on Linux, watchfiles elsewhere, polling as the last resort."""

from sidecar.watch.events import Batch, GitTarget, Report, Target, Watcher, WorktreeTarget
from sidecar.watch.open import open_watcher

__all__ = ["Batch", "GitTarget", "Report", "Target", "Watcher", "WorktreeTarget", "open_watcher"]
