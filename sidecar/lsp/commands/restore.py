"""Ask what `sidecar.restore` is to bring back: a merge taken back, a worktree, wiped work, or an earlier state."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.lsp.commands.arguments import Request
from sidecar.lsp.commands.flow import Choice, Outcome, Question, paragraph, sentences
from sidecar.lsp.results import open_window
from sidecar.model.findings import Failure
from sidecar.model.inventory_findings import size_text
from sidecar.model.messages import parse_moment
from sidecar.model.schema import Json, receipts_object, restore_object
from sidecar.model.words import counted, escape, shown

if TYPE_CHECKING:
    from sidecar.model.receipts import Receipt
    from sidecar.operations.guard.rewind import RewindPlan
    from sidecar.operations.records import RestoreResult
    from sidecar.operations.restore import EmptyPlan
    from sidecar.operations.run import Control


MOST_OFFERED = 5
"""How many receipts a question offers: the newest ones."""


def ask_restore(request: Request, _control: Control) -> Question | Failure:
    """Ask about what one receipt or an earlier state gives back; without an id, the newest receipts to choose from."""
    from sidecar.operations.restore import list_restorable

    wanted = request.arguments.get("id")
    if request.arguments.get("at") is not None or str(wanted).startswith("state-"):
        return _ask_state(request)
    receipts = list_restorable(request.folder, request.reading)
    if isinstance(receipts, Failure):
        return receipts
    if wanted is None:
        choices = tuple(_restoring(_title(one), request, one) for one in receipts[:MOST_OFFERED])
        text = "What is to be restored?" if choices else "There is nothing to restore."
        return Question(text, {**receipts_object(receipts), "findings": []}, choices, blocked=True)
    receipt = next((one for one in receipts if one.id == wanted), None)
    if receipt is None:
        return Failure("unknown-id", f"There is nothing to restore called {shown(wanted)}.")
    name, when = shown(receipt.worktree), _when(receipt)
    planned = restore_object("planned", request.arguments.get("into"), ())
    if receipt.what == "merge":
        text = f"Take back the merge of {name}, {when}? Trunk moves back to where it was before."
        return Question(text, planned, (_restoring("Take Back", request, receipt),))
    if receipt.what == "wiped":
        text = f"Bring back what was wiped in {name}, {when}? Nothing that is there now is written over."
        show = Choice("Show", "Comparing", partial(_show_wiped, request, receipt), again=True)
        return Question(text, planned, (_restoring("Restore", request, receipt), show))
    text = f"Restore {name}, {receipt.deed} {when}?"
    return Question(text, planned, (_restoring("Restore", request, receipt),))


def ask_empty(request: Request, _control: Control) -> Question | Failure:
    """Ask about letting go, for good, of what one receipt keeps, or all of them."""
    from sidecar.operations.restore import plan_empty

    plan = plan_empty(request.folder, request.arguments.get("id"), request.reading)
    if isinstance(plan, Failure):
        return plan
    if not plan.receipts:
        return Question("Nothing is kept.", restore_object("planned", None, ()), blocked=True)
    what = counted(len(plan.receipts), "entry", "entries")
    if len(plan.receipts) == 1:
        what = _title(plan.receipts[0])
    freed = f"{size_text(plan.bytes)} freed." if plan.bytes else ""
    text = paragraph(f"Let go of {what}?", freed, "It can't be restored afterwards.")
    choice = Choice("Let Go", "Letting go of what is kept", partial(_empty, request, plan))
    return Question(text, restore_object("planned", None, ()), (choice,))


def _empty(request: Request, plan: EmptyPlan, _control: Control) -> Outcome | Failure:
    from sidecar.operations.restore import apply_empty

    left = apply_empty(request.folder, plan, request.options)
    if isinstance(left, Failure):
        return left
    answer = restore_object("emptied" if not left else "failed", None, left)
    return Outcome(answer, "It is gone for good." if not left else sentences(left, "blocks"), ok=not left)


def _ask_state(request: Request) -> Question | Failure:
    """Ask about going back to the state of an id, or to that of a worktree at a time."""
    plan = plan_state(request)
    if isinstance(plan, Failure):
        return plan
    planned = restore_object("planned", plan.worktree.key if plan.worktree is not None else None, ())
    if plan.worktree is not None and not plan.changes:
        return Question(plan.sentence, planned)
    name = shown(plan.state.facts.name)
    choices = (
        Choice("Restore", f"Restoring {name}", partial(_go_back, plan)),
        Choice("Show Changes", "Comparing", partial(_show_changes, request, plan), again=True),
    )
    return Question(plan.sentence, planned, choices)


def plan_state(request: Request) -> RewindPlan | Failure:
    """Plan the going back that the arguments name: `id`, or `worktree` and `at`."""
    from sidecar.operations.guard.browse import find_kept, find_state, state_at
    from sidecar.operations.guard.rewind import plan_rewind

    folder, at = request.folder, request.arguments.get("at")
    if at is None:
        kept = find_state(folder, str(request.arguments.get("id")), request.options)
        state = kept if isinstance(kept, Failure) else kept.states[0]
    else:
        moment = parse_moment(str(at), datetime.now().astimezone())
        if moment is None:
            return Failure("bad-arguments", f"{shown(str(at))} is no time.")
        kept = find_kept(folder, str(request.arguments.get("worktree", "")), request.options)
        state = kept if isinstance(kept, Failure) else state_at(kept, moment.timestamp())
    if isinstance(kept, Failure):
        return kept
    return state if isinstance(state, Failure) else plan_rewind(kept, state, request.options)


def states_of(request: Request, _control: Control) -> Json | Failure:
    """List the states of a worktree as `restore NAME --list --json` does, each with the paths that `changed`."""
    from sidecar.operations.guard.browse import as_receipts, find_kept

    kept = find_kept(request.folder, request.worktree, request.reading)
    if isinstance(kept, Failure):
        return kept
    receipts = as_receipts(kept)
    answer = receipts_object(receipts)
    rows = zip(answer["receipts"], receipts, strict=True)
    return {**answer, "receipts": [{**row, "changed": one.facts["changed"]} for row, one in rows]}


def kept_states(request: Request, _control: Control) -> Json | Failure:
    """Give the last state of each worktree, also of those that are gone."""
    from sidecar.operations.guard.browse import last_states

    receipts = last_states(request.folder, request.reading)
    return receipts if isinstance(receipts, Failure) else receipts_object(receipts)


def state_plan(request: Request, _control: Control) -> Json | Failure:
    """Say what going back would do, for a client that shows it: a `sentence`, and a `diff` as a file to be opened."""
    from sidecar.operations.guard.rewind import rewind_diff, write_diff

    plan = plan_state(request)
    if isinstance(plan, Failure):
        return plan
    text = rewind_diff(plan)
    if isinstance(text, Failure):
        return text
    where = plan.worktree.key if plan.worktree is not None else None
    diff = str(write_diff(request.temporary, plan.state.id, text)) if text else None
    return {**restore_object("planned", where, ()), "sentence": plan.sentence, "diff": diff}


def _go_back(plan: RewindPlan, control: Control) -> Outcome:
    from sidecar.operations.guard.rewind import apply_rewind

    outcome = _outcome(apply_rewind(plan, control), plan.state.facts.name, plan.repository.common_dir)
    return outcome if plan.worktree is None else replace(outcome, steps=())


def _show_changes(request: Request, plan: RewindPlan, _control: Control) -> Outcome | Failure:
    from sidecar.operations.guard.rewind import rewind_diff

    return _shown(request, plan.state.id, rewind_diff(plan))


def _show_wiped(request: Request, receipt: Receipt, _control: Control) -> Outcome | Failure:
    from sidecar.operations.guard.mending import wiped_diff

    return _shown(request, receipt.id, wiped_diff(request.folder, receipt.id, request.reading))


def _shown(request: Request, name: str, text: str | Failure) -> Outcome | Failure:
    from sidecar.operations.guard.rewind import write_diff

    if isinstance(text, Failure):
        return text
    return Outcome({}, "", ok=True, documents=(write_diff(request.temporary, name, text),))


def restorable(request: Request, _control: Control) -> Json | Failure:
    """Give what can be restored, as `restore --json` prints it."""
    from sidecar.operations.restore import list_restorable

    receipts = list_restorable(request.folder, request.reading)
    return receipts if isinstance(receipts, Failure) else receipts_object(receipts)


def _restoring(button: str, request: Request, receipt: Receipt) -> Choice:
    return Choice(button, f"Restoring {shown(receipt.worktree)}", partial(_restore, request, receipt))


def _title(receipt: Receipt) -> str:
    return f"{shown(receipt.worktree)}, {receipt.deed} {_when(receipt)}"


def _when(receipt: Receipt) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(receipt.time))


def _restore(request: Request, receipt: Receipt, control: Control) -> Outcome | Failure:
    from sidecar.operations.restore import restore

    into = request.arguments.get("into")
    place = Path(into) if into is not None else None
    result = restore(request.folder, receipt.id, request.options, control, place)
    if isinstance(result, Failure):
        return result
    if receipt.what == "wiped" and result.outcome == "restored":
        said = f"What was wiped in {shown(receipt.worktree)} is back."
        answer = restore_object(result.outcome, result.path, result.findings)
        return Outcome(answer, paragraph(said, sentences(result.findings, "info")), ok=True)
    return _outcome(result, receipt.worktree, request.repository)


def _outcome(result: RestoreResult, worktree: str, repository: str) -> Outcome:
    answer = restore_object(result.outcome, result.path, result.findings)
    name = shown(worktree)
    if result.outcome != "restored":
        return Outcome(answer, paragraph(f"{name} was not restored.", sentences(result.findings, "blocks")), ok=False)
    done = f"The merge of {name} is taken back." if result.path is None else f"{name} is back in {escape(result.path)}."
    steps = () if result.path is None else (open_window(result.path, repository),)
    return Outcome(answer, paragraph(done, sentences(result.findings, "info")), ok=True, steps=steps)
