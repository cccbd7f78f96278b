"""Say what was merged into trunk here: each landing as its receipt tells it, and the object of `sidecar/history`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sidecar.model.schema import SCHEMA, Json, Restorable, receipts_object


@dataclass(frozen=True, slots=True)
class Landing:
    """A merge into trunk that the sidecar made, from its receipt: trunk's commits, and whether it was taken back."""

    id: str
    worktree: str
    branch: str | None
    time: float
    before: str
    after: str
    strategy: str
    taken_back: bool


def history_object(repository: str, landings: Iterable[Landing], restorable: Iterable[Restorable]) -> Json:
    """Give what `sidecar/history` carries: {"schema": 1, "repository", "landings": [LANDING], "receipts": [RECEIPT]}.

    LANDING  {"id", "worktree", "branch": str|null, "time", "before", "after", "strategy", "taken_back": bool}

    The newest come first; `receipts` are what can be restored now, as `restore --json` has them.
    """
    return {
        "schema": SCHEMA,
        "repository": repository,
        "landings": [asdict(landing) for landing in landings],
        "receipts": receipts_object(restorable)["receipts"],
    }
