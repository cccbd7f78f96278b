"""Letting go of what is kept, because a person says so or because its time is over."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from sidecar.git.process import GitError
from sidecar.git.repository import Repository
from sidecar.operations import journal
from sidecar.operations.guard.records import drop_vanished
from sidecar.operations.receipts import Receipt, drop_receipt, list_receipts, write_receipt
from sidecar.operations.release import steps
from sidecar.operations.release.trash import delete_trash
from sidecar.session.sources import Options, settings_of

DAY = 24 * 60 * 60


def let_go(repository: Repository, state: Path, receipt: Receipt) -> None:
    """Drop what a receipt keeps, then the receipt; GitError or OSError when something of it stays.

    The caller holds the lock. The receipt says first what is about to happen: half of what was kept is never restored.
    """
    if receipt.what in ("release", "vanished") and "restored" not in receipt.facts:
        write_receipt(state, replace(receipt, facts={**receipt.facts, "emptied": time.time()}))
    if receipt.what == "release":
        delete_trash(state, receipt.id, str(receipt.facts.get("path")))
        steps.drop_snapshot(repository, receipt.id)
    elif receipt.what == "vanished":
        drop_vanished(repository, receipt.id)
    drop_receipt(state, receipt.id)


def is_emptied(receipt: Receipt) -> bool:
    """Whether what it kept is gone, or was going when the one who let go of it was ended."""
    return "emptied" in receipt.facts


def let_go_of_old(repository: Repository, state: Path, options: Options) -> None:
    """Let go of what was kept for longer than the setting `retention` says, and of what was being let go of.

    The caller holds the lock. While an operation waits to be recovered nothing goes, and what can't go is tried again
    the next time.
    """
    try:
        if journal.pending(state) is not None:
            return
        days = settings_of(repository, options)["retention"]
        oldest = time.time() - int(days) * DAY if isinstance(days, int) and days > 0 else 0.0
        for receipt in list_receipts(state):
            kept = receipt.what in ("release", "vanished") and "restored" not in receipt.facts
            if is_emptied(receipt) or (kept and receipt.time < oldest):
                let_go(repository, state, receipt)
    except (GitError, OSError, ValueError):
        return
