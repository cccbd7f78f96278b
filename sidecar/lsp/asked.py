"""What an operation's command was asked to do: its one object, and the repository and worktree that it means."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sidecar.lsp.door import Door, Repository
from sidecar.model.findings import Failure
from sidecar.model.messages import shown
from sidecar.model.picture import Picture, WorktreeState

Token = int | str
Arguments = Mapping[str, Any]

SETTLING_SECONDS = 10.0
"""How long a command waits for repositories that are just being opened."""

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
    "id": (str,),
    "into": (str, type(None)),
    "what": (str,),
}
"""What each member of the object is made of, in every command that has it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of `workspace/executeCommand`, and the client's own token for its progress."""

    arguments: tuple[Any, ...]
    token: Token | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What an operation is about: `folder` lies in its repository, `name` is a worktree as operations find it.

    `called` is what a person calls it; `state` is how the Picture shows it, None for one that it does not show.
    """

    folder: Path
    name: str
    called: str
    state: WorktreeState | None = None
    picture: Picture | None = None


def read_arguments(command: str, asked: Asked, needed: Iterable[str], also: Iterable[str]) -> Arguments | Failure:
    """The one object of a command; a member that it does not know is refused, since it might be a wish unheard."""
    needed, known = tuple(needed), {*needed, *also, "repository", "confirmed"}
    given = asked.arguments[0] if asked.arguments else {}
    if not isinstance(given, Mapping) or len(asked.arguments) > 1:
        return Failure("bad-arguments", f"{command} takes one object.")
    for name, value in given.items():
        if name not in known:
            return Failure("bad-arguments", f"{command} does not know {shown(str(name))}.")
        wanted = KINDS[name]
        if not isinstance(value, wanted) or (isinstance(value, str) and "\0" in value):
            return Failure("bad-arguments", f"{command} can't take this as {name}.")
    missing = [name for name in needed if not given.get(name)]
    if missing:
        return Failure("bad-arguments", f"{command} needs {missing[0]}.")
    return given


async def find_target(door: Door, arguments: Arguments) -> Target | Failure:
    """The worktree that `worktree` names (its name, branch or path), in the repository that is meant."""
    await _settled(door)
    name = str(arguments["worktree"])
    found = [(repository, state) for repository in _repositories(door, arguments) for state in _named(repository, name)]
    if len({repository.session.repository for repository, _ in found}) > 1:
        return Failure(
            "ambiguous-worktree", f"Several repositories have a worktree {shown(name)}. Name it by its path."
        )
    if len(found) != 1:  # none, or several of one repository: the operation says which
        repository = found[0][0] if found else _only(door, arguments)
        return repository if isinstance(repository, Failure) else _target(repository, name, shown(name), None)
    repository, state = found[0]
    return _target(repository, state.worktree.key, shown(state.worktree.name), state)


async def find_repository(door: Door, arguments: Arguments) -> Target | Failure:
    """The repository that is meant: the one that `repository` names (its common directory), or the only one."""
    await _settled(door)
    repository = _only(door, arguments)
    return repository if isinstance(repository, Failure) else _target(repository, "", "", None)


def _target(repository: Repository, name: str, called: str, state: WorktreeState | None) -> Target:
    picture = repository.snapshot.picture if repository.snapshot else None
    roots = (root for root in sorted(repository.roots) if os.path.isdir(root))
    folder = next(roots, repository.session.repository)
    return Target(Path(folder), name, called, state, picture)


def _only(door: Door, arguments: Arguments) -> Repository | Failure:
    found = _repositories(door, arguments)
    if len(found) == 1:
        return found[0]
    if not found:
        return Failure("no-repository", "No git repository is open here.")
    return Failure("ambiguous-repository", "Several repositories are open here. Say which one: repository.")


def _repositories(door: Door, arguments: Arguments) -> list[Repository]:
    wanted = arguments.get("repository")
    every = list(door.repositories.values())
    if wanted is None:
        return every
    return [held for held in every if held.session.repository == os.path.realpath(str(wanted))]


def _named(repository: Repository, name: str) -> list[WorktreeState]:
    """The worktrees of that path, else name, else branch: as in the terminal."""
    states = repository.snapshot.picture.worktrees if repository.snapshot else ()
    path = os.path.realpath(name) if os.path.isabs(name) else None
    for attribute, wanted in (("key", path), ("name", name), ("branch", name)):
        found = [state for state in states if wanted is not None and getattr(state.worktree, attribute) == wanted]
        if found:
            return found
    return []


async def _settled(door: Door) -> None:
    """Wait for repositories that are being opened: a command may come right after the start."""
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLING_SECONDS):
            await door.settled.wait()
            for repository in list(door.repositories.values()):
                await repository.drawn.wait()
