"""The live picture: events in, a new immutable Picture out, subscribers told."""

from sidecar.session.look import compare, look
from sidecar.session.sources import Options

__all__ = ["Options", "compare", "look"]
