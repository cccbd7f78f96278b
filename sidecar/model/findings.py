"""What a plan or a reading saw that a person should know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation: a stable `code`, how much it matters, one sentence, and the paths that it is about."""

    code: str
    severity: Literal["blocks", "kept", "info"]
    message: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a question could not be answered: one sentence for a person that says what to do."""

    code: str
    message: str
