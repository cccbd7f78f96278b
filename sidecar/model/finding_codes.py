"""Every code that a finding can have, once: `docs/findings.md` is generated from these tables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sidecar.model.finding_code import NOT_AT_STAKE, FindingCode
from sidecar.model.findings import Finding
from sidecar.model.operation_codes import COMMON_CODES, MERGE_CODES, OPEN_CODES, RESTORE_CODES
from sidecar.model.release_codes import RELEASE_CODES

CODES_BY_OPERATION: Mapping[str, tuple[FindingCode, ...]] = MappingProxyType(
    {
        "Release": RELEASE_CODES,
        "Restore": RESTORE_CODES,
        "Merge, and update from trunk": MERGE_CODES,
        "Open": OPEN_CODES,
        "Every operation": COMMON_CODES,
    }
)
"""The tables, by what they are shown under."""

FINDING_CODES: Mapping[str, FindingCode] = MappingProxyType(
    {code.code: code for codes in CODES_BY_OPERATION.values() for code in codes}
)

ALLOWABLE: frozenset[str] = frozenset(code.code for code in RELEASE_CODES if code.kept != NOT_AT_STAKE)
"""What `sidecar release --allow` can accept: all that it speaks of is kept."""


def finding(code: str, message: str, paths: tuple[str, ...] = ()) -> Finding:
    """A finding with the severity that its code has; a code that is in no table is a KeyError."""
    return Finding(code, FINDING_CODES[code].severity, message, paths)


__all__ = ["ALLOWABLE", "CODES_BY_OPERATION", "FINDING_CODES", "NOT_AT_STAKE", "FindingCode", "finding"]
