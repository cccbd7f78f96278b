"""The live picture: events in, a new immutable Picture out, subscribers told."""

from sidecar.session.aside import Foreground
from sidecar.session.live import Session, open_session
from sidecar.session.look import compare, find_worktree, identify, look
from sidecar.session.sources import Options
from sidecar.session.watch_notes import watch_notes

__all__ = [
    "Foreground",
    "Options",
    "Session",
    "compare",
    "find_worktree",
    "identify",
    "look",
    "open_session",
    "watch_notes",
]
