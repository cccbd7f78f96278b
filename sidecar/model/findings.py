"""Define what a plan or a reading saw that a person should know, and read what its codes mean (`findings.toml`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Severity = Literal["blocks", "kept", "info"]

_GRAVEST_FIRST: tuple[Severity, ...] = ("blocks", "kept", "info")
NOT_AT_STAKE = "Nothing is removed while this stands."
"""What becomes, in a release, of what a code speaks of, where its row says nothing else."""


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


@dataclass(frozen=True, slots=True)
class FindingCode:
    """What a code stands for: its usual severity, what was found, what becomes of it in a release, and what to do.

    `at_times` is a second severity that it has where less, or more, hangs on it.
    """

    code: str
    severity: Severity
    meaning: str
    kept: str = NOT_AT_STAKE
    advice: str = "Nothing."
    at_times: Severity | None = None

    @property
    def severities(self) -> tuple[Severity, ...]:
        """Give each severity that a finding of this code can have, the usual one first."""
        return (self.severity,) if self.at_times is None else (self.severity, self.at_times)


@cache
def codes_by_operation() -> Mapping[str, tuple[FindingCode, ...]]:
    """Read the table of codes, by the operation under which they are shown."""
    import tomllib  # takes longer than all else here, and most commands make no finding

    rows = tomllib.loads(Path(__file__).with_name("findings.toml").read_text("utf-8"))
    return {
        operation: tuple(FindingCode(code, **row) for code, row in codes.items()) for operation, codes in rows.items()
    }


@cache
def finding_codes() -> Mapping[str, FindingCode]:
    """Give every code by its name."""
    return {code.code: code for codes in codes_by_operation().values() for code in codes}


@cache
def allowable() -> frozenset[str]:
    """Give the codes that `sidecar release --allow` can accept: all that they speak of is kept."""
    return frozenset(code.code for code in codes_by_operation()["Release"] if code.kept != NOT_AT_STAKE)


def finding(code: str, message: str, paths: tuple[str, ...] = (), *, severity: Severity | None = None) -> Finding:
    """Make a finding with the severity that its code has, or with its other one; an unknown code is a KeyError."""
    known = finding_codes()[code]
    if severity is not None and severity not in known.severities:
        raise KeyError(f"{code} is never {severity}")
    return Finding(code, severity or known.severity, message, paths)


def as_finding(failure: Failure) -> Finding:
    """Make a finding that blocks of a Failure."""
    return Finding(failure.code, "blocks", failure.message)


def is_blocked(findings: Iterable[Finding]) -> bool:
    """Tell whether one of them stands in the way."""
    return any(one.severity == "blocks" for one in findings)


def gravest_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort the findings by how much they matter; those that matter alike stay in their order."""
    return tuple(sorted(findings, key=lambda one: _GRAVEST_FIRST.index(one.severity)))
