"""Write as JSON what `decode.py` reads again. Who only asks a session loads this, and so no dataclasses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def encode(value: object) -> bytes:
    """Give the JSON of plain values, tuples, mappings by str, and dataclasses of such."""
    return json.dumps(value, separators=(",", ":"), default=_fields).encode("ascii")


def _fields(value: Any) -> Mapping[str, Any]:
    """Give a mapping or a dataclass as what JSON has a word for."""
    if isinstance(value, Mapping):
        return dict(value)
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
