"""How a long look can be followed and stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sidecar.model.findings import Finding

OFTEN = 256
"""Entries between two words of progress."""


class CancelledError(Exception):
    """The person has stopped the proof."""


class ImpossibleError(Exception):
    """There is nothing to take an inventory of; carries the findings that say why."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(findings[0].message)
        self.findings = findings


@dataclass(slots=True)
class Watching:
    """Counts entries; tells `progress` what is looked at and how many so far; stops when `cancelled` says so."""

    cancelled: Callable[[], bool]
    progress: Callable[[str, int], None]
    stage: str = ""
    entries: int = field(default=0)

    def begin(self, stage: str) -> None:
        """The next part begins."""
        self.stage = stage
        self.progress(stage, self.entries)
        self.check()

    def count(self) -> None:
        """One more entry was looked at."""
        self.entries += 1
        if self.entries % OFTEN == 0:
            self.progress(self.stage, self.entries)
            self.check()

    def check(self) -> None:
        """Raises CancelledError when the person has stopped it."""
        if self.cancelled():
            raise CancelledError
