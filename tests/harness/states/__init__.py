"""Every state of a worktree in which work could be lost, each as a function that puts a worktree into it.

`build_standing` makes a linked worktree with nothing at stake: its branch is merged and its files are clean. A `State`
then puts something at stake, and names the codes of `docs/findings.md` that must be told, no more and no less.
"""

from tests.harness.states.changed import CHANGED
from tests.harness.states.history import HISTORY
from tests.harness.states.ignored import IGNORED
from tests.harness.states.inside import INSIDE
from tests.harness.states.machine import allows
from tests.harness.states.standing import Standing, State, build_at_work, build_standing

STATES: tuple[State, ...] = (*CHANGED, *IGNORED, *HISTORY, *INSIDE)

__all__ = ["STATES", "Standing", "State", "allows", "build_at_work", "build_standing"]
