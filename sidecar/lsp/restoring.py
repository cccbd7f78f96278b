"""`sidecar.restore`: taking back a merge, or bringing a worktree back."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.lsp.consent import Json, Offer, Outcome, Proposal, Request, paragraph, sentences
from sidecar.model.findings import Failure, as_finding
from sidecar.model.messages import escape, shown
from sidecar.model.schema import receipts_object, restore_object

if TYPE_CHECKING:
    from sidecar.operations.control import Control
    from sidecar.operations.receipts import Receipt

MOST_OFFERED = 5
"""How many receipts a question offers: the newest ones."""

DEEDS = {"merge": "merged", "release": "released", "vanished": "vanished"}
"""What happened to a worktree, by the receipt's word."""


def propose_restore(request: Request, _control: Control) -> Proposal | Failure:
    """What one receipt gives back; without an id, the newest ones to choose from."""
    from sidecar.operations.restore import list_restorable

    receipts = list_restorable(request.target.folder, request.reading)
    if isinstance(receipts, Failure):
        return receipts
    wanted = request.arguments.get("id")
    if wanted is None:
        offers = {_title(one): _offer(request, one) for one in receipts[:MOST_OFFERED]}
        text = "What is to be restored?" if offers else "There is nothing to restore."
        return Proposal(text, receipts_object(receipts), offers, blocked=True)
    receipt = next((one for one in receipts if one.id == wanted), None)
    if receipt is None:
        return Failure("unknown-id", f"There is nothing to restore called {shown(wanted)}.")
    name, when = shown(receipt.worktree), _when(receipt)
    planned = restore_object("planned", request.arguments.get("into"), ())
    if receipt.what == "merge":
        text = f"Take back the merge of {name}, {when}? Trunk moves back to where it was before."
        return Proposal(text, planned, {"Take Back": _offer(request, receipt)})
    text = f"Restore {name}, {DEEDS.get(receipt.what, receipt.what)} {when}?"
    return Proposal(text, planned, {"Restore": _offer(request, receipt)})


def restorable(request: Request, _control: Control) -> Json | Failure:
    """What can be restored, as `restore --json` prints it."""
    from sidecar.operations.restore import list_restorable

    receipts = list_restorable(request.target.folder, request.reading)
    return receipts if isinstance(receipts, Failure) else receipts_object(receipts)


def _offer(request: Request, receipt: Receipt) -> Offer:
    return Offer(f"Restoring {shown(receipt.worktree)}", partial(_restore, request, receipt))


def _title(receipt: Receipt) -> str:
    return f"{shown(receipt.worktree)}, {DEEDS.get(receipt.what, receipt.what)} {_when(receipt)}"


def _when(receipt: Receipt) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(receipt.time))


def _restore(request: Request, receipt: Receipt, control: Control) -> Outcome:
    from sidecar.operations.restore import restore

    into = request.arguments.get("into")
    place = Path(into) if into is not None else None
    result = restore(request.target.folder, receipt.id, request.options, control, place)
    if isinstance(result, Failure):
        return Outcome(failed_restore(result), result.message, ok=False)
    answer = restore_object(result.outcome, result.path, result.findings)
    name = shown(receipt.worktree)
    if result.outcome != "restored":
        return Outcome(answer, paragraph(f"{name} was not restored.", sentences(result.findings, "blocks")), ok=False)
    done = f"The merge of {name} is taken back." if result.path is None else f"{name} is back in {escape(result.path)}."
    return Outcome(answer, paragraph(done, sentences(result.findings, "info")), ok=True)


def failed_restore(failure: Failure) -> Json:
    """The restore object of a question that has no answer."""
    return restore_object("failed", None, [as_finding(failure)])
