"""File events: inotify on Linux, watchfiles elsewhere, polling as the last resort."""

from sidecar.watch.events import Batch, GitTarget, Moment, Report, Target, Watcher, WorktreeTarget, now
from sidecar.watch.open import open_watcher

__all__ = ["Batch", "GitTarget", "Moment", "Report", "Target", "Watcher", "WorktreeTarget", "now", "open_watcher"]
