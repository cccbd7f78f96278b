"""What a finding's code stands for."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.model.findings import Severity

NOT_AT_STAKE = "Nothing is removed while this stands."
IN_THE_TRASH = "Kept in the trash as it is, and restored."
IN_THE_SNAPSHOT = "Kept in the snapshot, and restored."
SHARED = "Stays where it is."


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
        """Each severity that a finding of this code can have, the usual one first."""
        return (self.severity,) if self.at_times is None else (self.severity, self.at_times)
