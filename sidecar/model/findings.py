"""What a plan or a reading saw that a person should know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["blocks", "kept", "info"]

_GRAVEST_FIRST: tuple[Severity, ...] = ("blocks", "kept", "info")


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation: a stable `code`, how much it matters, one sentence, and the paths that it is about."""

    code: str
    severity: Severity
    message: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a question could not be answered: one sentence for a person that says what to do."""

    code: str
    message: str


def blocks(code: str, message: str, paths: tuple[str, ...] = ()) -> Finding:
    """A finding that stands in the way."""
    return Finding(code, "blocks", message, paths)


def info(code: str, message: str, paths: tuple[str, ...] = ()) -> Finding:
    """A finding that a person should know and that stops nothing."""
    return Finding(code, "info", message, paths)


def as_finding(failure: Failure) -> Finding:
    """Why a question could not be answered, as what stands in the way."""
    return blocks(failure.code, failure.message)


def is_blocked(findings: Iterable[Finding]) -> bool:
    """Whether one of them stands in the way."""
    return any(one.severity == "blocks" for one in findings)


def gravest_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings by how much they matter; those that matter alike stay in their order."""
    return tuple(sorted(findings, key=lambda one: _GRAVEST_FIRST.index(one.severity)))
