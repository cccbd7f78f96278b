"""`sidecar/picture`: the whole Picture, for clients that show more than diagnostics."""

from __future__ import annotations

from typing import Any

from sidecar.model.picture import Picture
from sidecar.model.schema import status_object

PICTURE = "sidecar/picture"


def picture_object(picture: Picture) -> dict[str, Any]:
    """The notification's parameters: what `sidecar status --json` prints."""
    return status_object(picture)
