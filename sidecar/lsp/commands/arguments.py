"""Read what an operation's command was asked to do: its one object, and the repository and worktree that it means.

Nothing is decided here: what stands in the way of an operation is found by the operation.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol.types import ExecuteCommandParams

from sidecar.lsp.documents import Document, within
from sidecar.lsp.positions import decode
from sidecar.lsp.state import OpenRepository, ServerState
from sidecar.model.findings import Failure
from sidecar.model.hunks import evened
from sidecar.model.picture import Picture, locate
from sidecar.model.words import shown

if TYPE_CHECKING:
    from sidecar.model.settings import Options
    from sidecar.operations.unsaved import Unsaved

SETTLING_SECONDS = 10.0
"""How long a command waits for repositories that are just being opened."""
MOST_BYTES = 50 * 1024 * 1024
"""Bytes of a file above which a document is taken for saved without comparing."""

KINDS: Mapping[str, tuple[type, ...]] = {
    "worktree": (str,),
    "repository": (str,),
    "confirmed": (bool,),
    "strategy": (str,),
    "message": (str, type(None)),
    "commit": (str, type(None)),
    "verify": (str, type(None)),
    "from": (str, type(None)),
    "allow": (list, tuple),
    "regenerate": (bool,),
    "id": (str,),
    "into": (str, type(None)),
    "what": (str,),
    "at": (str,),
    "undo": (bool,),
    "path": (str,),
    "commits": (list, tuple),
}
"""The types that each member of the object can have, in every command that has it."""


@dataclass(frozen=True)
class Request:
    """What an operation is asked to do, and what the editor knows at that moment.

    `folder` lies in the repository. `worktree` is one as operations find it, "" for the repository as a whole, and
    `called` is what a person calls it. `options` are for what a person agrees to, `reading` for what comes before: it
    runs nothing unless the editor trusts the repository. `temporary` is a folder for what is only shown. `closes` says
    that the editor's window shows this worktree alone, and that it can be closed by us, `asks` that the client can ask
    for a text itself.
    """

    folder: Path
    worktree: str
    called: str
    picture: Picture | None
    arguments: Mapping[str, Any]
    options: Options
    reading: Options
    documents: Mapping[str, Document]
    temporary: Path
    closes: bool = False
    asks: bool = False

    @property
    def repository(self) -> str:
        """Name the repository in an argument of a command: by its common directory, where that is known."""
        return self.picture.repository if self.picture is not None else str(self.folder)

    @cached_property
    def unsaved(self) -> Unsaved:
        """Find the files with unsaved text; reads files, so not for the event loop."""
        return frozenset(_unsaved(self.picture, self.documents.values())) if self.picture is not None else frozenset()


def read_arguments(
    call: ExecuteCommandParams, needed: Iterable[str], also: Iterable[str]
) -> Mapping[str, Any] | Failure:
    """Read the one object of a command; a member that it does not know is refused, since it might be a wish unheard."""
    needed, command = tuple(needed), call.command
    known = {*needed, *also, "repository", "confirmed"}
    given = call.arguments[0] if call.arguments else {}
    if not isinstance(given, Mapping) or len(call.arguments or ()) > 1:
        return Failure("bad-arguments", f"{command} takes one object.")
    for name, value in given.items():
        if name not in known:
            return Failure("bad-arguments", f"{command} does not know {shown(str(name))}.")
        if not isinstance(value, KINDS[name]) or (isinstance(value, str) and "\0" in value):
            return Failure("bad-arguments", f"{command} can't take this as {name}.")
    missing = [name for name in needed if not given.get(name)]
    if missing:
        return Failure("bad-arguments", f"{command} needs {missing[0]}.")
    return given


async def request_for_worktree(state: ServerState, arguments: Mapping[str, Any]) -> Request | Failure:
    """Find the worktree that `worktree` names (its name, branch or path), in the repository that is meant."""
    from sidecar.session.once import find_worktree  # loads libgit2: only after `initialize` is answered

    await _settled(state)
    name = str(arguments["worktree"])
    found: list[tuple[OpenRepository, str, str]] = []
    for repository in _named_repositories(state, arguments):
        states = repository.indexed.picture.worktrees if repository.indexed else ()
        one = find_worktree(states, name, _folder(repository))
        if isinstance(one, Failure):
            return one
        if one is not None:
            found.append((repository, one.worktree.key, shown(one.worktree.name)))
    if len(found) > 1:
        return Failure(
            "ambiguous-worktree", f"Several repositories have a worktree {shown(name)}. Name it by its path."
        )
    if found:
        return _request(state, *found[0], arguments)
    only = _only_repository(state, arguments)  # in which the operation says that there is no such worktree
    return only if isinstance(only, Failure) else _request(state, only, name, shown(name), arguments)


async def request_for_repository(state: ServerState, arguments: Mapping[str, Any]) -> Request | Failure:
    """Find the repository that is meant: the one that `repository` names (its common directory), or the only one."""
    await _settled(state)
    repository = _only_repository(state, arguments)
    return repository if isinstance(repository, Failure) else _request(state, repository, "", "", arguments)


def _request(
    state: ServerState, repository: OpenRepository, worktree: str, called: str, arguments: Mapping[str, Any]
) -> Request:
    """Add what the editor knows.

    Whoever asks for an operation where no editor speaks of trust trusts the repository, as one who types `git merge`.
    """
    picture = repository.indexed.picture if repository.indexed else None
    options, reading = options_of(state, trusted=True), options_of(state, trusted=state.trusted is True)
    place, temporary = _folder(repository), temporary_of(state)
    shown_alone = bool(worktree) and all(within(folder.path, worktree) for folder in state.folders)
    asks = state.client.consents
    closes = asks and bool(state.folders) and shown_alone
    known = (picture, arguments, options, reading, state.documents, temporary, closes, asks)
    return Request(place, worktree, called, *known)


def _folder(repository: OpenRepository) -> Path:
    roots = (root for root in sorted(repository.roots) if os.path.isdir(root))
    return Path(next(roots, repository.session.repository))


def _only_repository(state: ServerState, arguments: Mapping[str, Any]) -> OpenRepository | Failure:
    found = _named_repositories(state, arguments)
    if len(found) == 1:
        return found[0]
    if not found:
        return Failure("no-repository", "No git repository is open here.")
    return Failure("ambiguous-repository", "Several repositories are open here. Say which one: repository.")


def _named_repositories(state: ServerState, arguments: Mapping[str, Any]) -> list[OpenRepository]:
    wanted = arguments.get("repository")
    every = list(state.repositories.values())
    return every if wanted is None else [one for one in every if one.session.repository == os.path.realpath(wanted)]


async def _settled(state: ServerState) -> None:
    """Wait for repositories that are being opened: a command may come right after the start."""
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLING_SECONDS):
            await state.settled.wait()
            for repository in list(state.repositories.values()):
                await repository.drawn.wait()


def temporary_of(state: ServerState) -> Path:
    """Give the server's folder for what is only shown; it goes with the server."""
    state.temporary = state.temporary or Path(tempfile.mkdtemp(prefix="sidecar-"))
    return state.temporary


def options_of(state: ServerState, *, trusted: bool) -> Options:
    """Give what operations are told of the editor."""
    from sidecar.model.settings import Options

    return Options(trusted=trusted, editor=state.settings or {})


def _unsaved(picture: Picture, documents: Iterable[Document]) -> Iterable[tuple[str, str]]:
    """Find the (worktree's key, path in it) of documents whose text is not on disk."""
    for document in documents:
        # One that was not edited and that the Picture leaves out has only not been read again since its file changed.
        suspect = document.edited or document.path in picture.documents
        place = locate(picture, document.path) if suspect else None
        if place is not None and not _is_saved(document):
            yield place[0].key, place[1]


def _is_saved(document: Document) -> bool:
    """Tell whether the file reads as the document does, apart from line ends.

    Where that can't be told, in a large file or one that is not UTF-8: whether the document was left alone.
    """
    file = Path(document.path)
    try:
        if file.stat().st_size > MOST_BYTES:
            return True
        text = decode(file.read_bytes())
    except OSError:
        return False
    if "\ufffd" in text or "\0" in text:
        return not document.edited
    return evened(text) == evened(document.text)
