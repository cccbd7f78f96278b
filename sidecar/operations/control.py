"""What a door lends to an operation while it runs, and what the operation hands back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sidecar.git.acting import Act


@dataclass(frozen=True, slots=True)
class Control:
    """Where progress goes and whether to stop: called from the operation's thread, must return at once.

    `stage` gets one sentence at the start of every stage; `output` every line that a command of the person prints.
    """

    stage: Callable[[str], None] = field(default=lambda _sentence: None)
    output: Callable[[str], None] = field(default=lambda _line: None)
    cancelled: Callable[[], bool] = field(default=lambda: False)

    def acting(self, operation_id: str, common_dir: str, *, stoppable: bool = True) -> Act:
        """How git is run for this operation; what must not stop half-way is not stoppable."""
        return Act(operation_id, self.output, self.cancelled if stoppable else lambda: False, common_dir)


QUIET = Control()
"""Says nothing and never stops."""
