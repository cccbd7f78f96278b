"""Read what was merged into trunk here, and what can be restored, from the receipts alone; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.model.receipts import Landing, Receipt
from sidecar.operations.records import list_receipts, sidecar_path

MOST_LANDINGS = 50
"""How many merges are told, the newest."""


@dataclass(frozen=True, slots=True)
class History:
    """The merges, the newest first, and the receipts that can be restored from, the newest first."""

    landings: tuple[Landing, ...] = ()
    restorable: tuple[Receipt, ...] = ()


def history_stamp(common_dir: str) -> int:
    """Give a number that is another one when a receipt came, went or was written; 0 where there are none."""
    try:
        return (sidecar_path(common_dir) / "receipts").stat().st_mtime_ns
    except OSError:
        return 0


def read_history(common_dir: str, trunk: str | None) -> History:
    """Read the receipts; a merge can be taken back only while trunk is at its commit, which `trunk` gives."""
    receipts = list_receipts(sidecar_path(common_dir))
    merges = [receipt for receipt in receipts if receipt.what == "merge"]
    landings = tuple(landing for one in merges[:MOST_LANDINGS] if (landing := _landing(one)) is not None)
    in_time = [one for one in receipts if one.what != "merge" or (trunk and one.facts.get("after") == trunk)]
    return History(landings, tuple(filter(is_restorable, in_time)))


def is_restorable(receipt: Receipt) -> bool:
    """Tell whether a receipt was neither restored from nor emptied."""
    return "restored" not in receipt.facts and "emptied" not in receipt.facts


def _landing(receipt: Receipt) -> Landing | None:
    """Give a merge as its receipt tells it; None where that is not as we write it."""
    before, after, strategy = (receipt.facts.get(name) for name in ("before", "after", "strategy"))
    if not (isinstance(before, str) and isinstance(after, str)):
        return None
    named = receipt.id, receipt.worktree, receipt.branch, receipt.time
    return Landing(*named, before, after, str(strategy or "merge"), "restored" in receipt.facts)
