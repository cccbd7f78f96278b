"""Plan, consent, apply, as a person in an editor meets them: the same for every operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol.types import MessageActionItem, MessageType, ShowDocumentParams, ShowMessageRequestParams

from sidecar.lsp.asked import Arguments, Asked, Target, read_arguments
from sidecar.lsp.documents import Document, file_uri
from sidecar.lsp.door import Door, log, log_error, say
from sidecar.lsp.progress import at_work
from sidecar.model.findings import Failure, Finding
from sidecar.model.messages import escape_lines

if TYPE_CHECKING:
    from sidecar.operations.control import Control
    from sidecar.session.sources import Options

Json = dict[str, Any]

CANCEL = "Cancel"
PATIENCE = 0.5
"""Seconds that planning may take before it is shown."""
MOST_FINDINGS = 6
"""How many findings a message names."""
MOST_DOCUMENTS = 10
"""How many files are opened at once."""

UNTRUSTED = Failure(
    "untrusted",
    "This folder is not trusted, so its hooks may not run, and nothing is merged or released. Trust the folder first.",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an operation: the command's answer, a sentence for the person, and files to look at next."""

    answer: Json
    sentence: str
    ok: bool
    documents: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that a person can agree to: what it is called while it runs, and the deed."""

    title: str
    do: Callable[[Control], Outcome]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan as a person is asked about it.

    `offers` are by the words on their buttons. The first one is the plan itself unless it is `blocked`: then they are
    ways out of that. `planned` is the command's answer when nothing was done.
    """

    text: str
    planned: Json
    offers: Mapping[str, Offer] = field(default_factory=dict)
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What an operation is asked to do, and what the editor knows at that moment.

    `options` are for what a person agrees to, `reading` for what comes before: it runs nothing unless the editor trusts
    the repository.
    """

    target: Target
    arguments: Arguments
    options: Options
    reading: Options
    documents: Mapping[str, Document]


@dataclass(frozen=True, slots=True)
class Operation:
    """What this door knows of an operation: its command, what its object has in it, and how it is planned.

    `find` finds the worktree or the repository that is meant. `planning` is what is shown while it is planned, with {}
    for the worktree.
    """

    command: str
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    find: Callable[[Door, Arguments], Awaitable[Target | Failure]]
    planning: str
    propose: Callable[[Request, Control], Proposal | Failure]
    failed: Callable[[Failure], Json]


async def operate(door: Door, operation: Operation, asked: Asked) -> Json:
    """Plan, ask, apply, tell; the command's answer."""
    request = await _understand(door, operation, asked)
    if isinstance(request, Failure):
        say(door, request.message, MessageType.Warning)
        return operation.failed(request)
    planning = operation.planning.format(request.target.called)
    proposal = await at_work(door, planning, partial(_plan, operation, request), patience=PATIENCE)
    if isinstance(proposal, Failure):
        say(door, proposal.message, MessageType.Warning)
        return operation.failed(proposal)
    offer = await _agree(door, proposal, confirmed=request.arguments.get("confirmed") is True)
    if offer is None:
        return proposal.planned
    outcome = await at_work(door, offer.title, offer.do, token=asked.token)
    say(door, outcome.sentence, MessageType.Info if outcome.ok else MessageType.Warning)
    _open(door, outcome.documents)
    return outcome.answer


async def _understand(door: Door, operation: Operation, asked: Asked) -> Request | Failure:
    if door.trusted is False:
        return UNTRUSTED
    arguments = read_arguments(operation.command, asked, operation.needs, operation.takes)
    if isinstance(arguments, Failure):
        return arguments
    target = await operation.find(door, arguments)
    return target if isinstance(target, Failure) else request_of(door, target, arguments)


def request_of(door: Door, target: Target, arguments: Arguments) -> Request:
    """What is asked, with what the editor knows.

    Whoever asks for an operation where no editor speaks of trust trusts the repository, as one who types `git merge`.
    """
    options, reading = options_of(door, trusted=True), options_of(door, trusted=door.trusted is True)
    return Request(target, arguments, options, reading, door.documents)


def options_of(door: Door, *, trusted: bool) -> Options:
    """What operations are told of the editor."""
    from sidecar.session.sources import Options  # loads libgit2: only when it is needed

    return Options(trusted=trusted, editor=door.settings or {})


def _plan(operation: Operation, request: Request, control: Control) -> Proposal | Failure:
    """Plan in a repository in which no killed operation has left anything."""
    from sidecar.operations.recovery import recover_all

    for finding in recover_all(request.target.folder):
        control.stage(finding.message)
    return operation.propose(request, control)


async def _agree(door: Door, proposal: Proposal, *, confirmed: bool) -> Offer | None:
    """What the person wants done; None for nothing.

    A client that says `confirmed` has shown the plan itself: that is consent to the plan, not to a way out.
    """
    if not proposal.offers or (confirmed and proposal.blocked):
        say(door, proposal.text, MessageType.Warning)
        return None
    if confirmed:
        log(door, proposal.text)
        return next(iter(proposal.offers.values()))
    kind = MessageType.Warning if proposal.blocked else MessageType.Info
    buttons = [MessageActionItem(title) for title in (*proposal.offers, CANCEL)]
    question = ShowMessageRequestParams(kind, escape_lines(proposal.text), buttons)
    try:
        chosen = await door.server.window_show_message_request_async(question)
    except Exception as error:
        log_error(door, "Asking for consent", error)
        say(door, f"{proposal.text} Nothing was done: this editor can't ask.", MessageType.Warning)
        return None
    return None if chosen is None else proposal.offers.get(chosen.title)


def _open(door: Door, documents: Sequence[Path]) -> None:
    """Show the files that a person has to look at now, the first one in front."""
    if door.client.show_document:
        for path in reversed(documents[:MOST_DOCUMENTS]):
            uri = file_uri(str(path), door.folders)
            door.server.window_show_document(ShowDocumentParams(uri, take_focus=True))


def sentences(findings: Sequence[Finding], *severities: str) -> str:
    """The findings of these severities as one paragraph; how many more there are, where they are many."""
    said = list(dict.fromkeys(found.message for found in findings if found.severity in severities))
    left = len(said) - MOST_FINDINGS
    more = ["There is 1 more reason." if left == 1 else f"There are {left} more reasons."] if left > 0 else []
    return " ".join([*said[:MOST_FINDINGS], *more])


def paragraph(*parts: str) -> str:
    """Sentences as one paragraph, without those that are empty."""
    return " ".join(part for part in parts if part)
