"""`sidecar.compare`: two versions of a file, side by side."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsprotocol.types import MessageActionItem, MessageType, ShowDocumentParams, ShowMessageRequestParams

from sidecar.lsp.diagnostics import other_path
from sidecar.lsp.documents import path_of, plain_uri, repository_root
from sidecar.lsp.door import Door, in_pool, owner, say, scene_of
from sidecar.lsp.scene import Scene, Sight
from sidecar.model.changes import UNSAVED, Entry
from sidecar.model.messages import called, party, shown
from sidecar.model.overlaps import Side
from sidecar.model.picture import TRUNK_KEY

COMPARE = "sidecar.compare"


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be compared: the file of a URI; `other` names a worktree (None: trunk) if `named`."""

    uri: str
    path: str
    named: bool
    other: str | None


def read_request(arguments: tuple[Any, ...]) -> Request | None:
    """The one object that `sidecar.compare` takes; None when it is no such object."""
    given = arguments[0] if arguments else None
    if not isinstance(given, Mapping) or not isinstance(uri := given.get("uri"), str):
        return None
    path, other = path_of(uri), given.get("worktree")
    if path is None or not (other is None or isinstance(other, str)):
        return None
    return Request(uri, path, "worktree" in given, other)


def argument(scene: Scene, uri: str, side: Side | None = None) -> dict[str, str | None]:
    """The object for `sidecar.compare`; a worktree whose name is not its own alone goes by its path."""
    if side is None:
        return {"uri": uri}
    return {"uri": uri, "worktree": worktree_name(scene, side)}


def worktree_name(scene: Scene, side: Side) -> str | None:
    """What commands know a side by: its worktree's name, or its path where that name is not its own alone."""
    names = [state.worktree.name for state in scene.snapshot.picture.worktrees]
    return side.key if side.name is not None and names.count(side.name) > 1 else side.name


def candidates(scene: Scene, path: str, request: Request) -> list[Sight]:
    """The overlaps that the request can mean, one for each other side."""
    sights = {sight.other.key: sight for sight in reversed(scene.snapshot.sights.get(path, ()))}
    found = list(reversed(sights.values()))
    if not request.named:
        return found
    if request.other is None:
        return [sight for sight in found if sight.other.key == TRUNK_KEY]
    wanted = (request.other,)
    named = [sight for sight in found if (sight.other.key,) == wanted or (sight.other.name,) == wanted]
    return named or [sight for sight in found if sight.other.name is not None and sight.other.ref == request.other]


def ranking(sights: list[Sight]) -> list[Sight]:
    """The conflicts first."""
    return sorted(sights, key=lambda sight: sight.overlap.verdict != "conflict")


def choices(scene: Scene, sights: list[Sight]) -> list[dict[str, str | None]]:
    """What a person picks from when several other sides changed the file."""
    marks = {"conflict": ": conflict", "identical": ": identical"}
    return [
        {
            "worktree": worktree_name(scene, sight.other),
            "title": party(sight.other) + marks.get(sight.overlap.verdict, ""),
        }
        for sight in ranking(sights)
    ]


def comparison(scene: Scene, sight: Sight, uri: str, temporary: Path) -> dict[str, str]:
    """The object that `sidecar.compare` answers: `left` is the other side's file, `right` mine."""
    left = other_path(scene, sight)
    if left is None or UNSAVED in sight.other.sources or not Path(left).is_file():
        left_uri = _copy(scene, sight.other, sight.other.after, temporary)
    else:
        left_uri = scene.uris(left)[0]
    right_uri = uri if sight.mine.after is not None else _copy(scene, sight.mine, None, temporary)
    name = shown(Path(sight.mine.path).name)
    return {"left": left_uri, "right": right_uri, "title": f"{name}: {called(sight.other)} ↔ {called(sight.mine)}"}


def _copy(scene: Scene, side: Side, entry: Entry | None, temporary: Path) -> str:
    """The URI of a read-only copy of content that is in no file on disk; it keeps the file's name."""
    content = scene.snapshot.content(entry) if entry is not None else None
    place = temporary / (entry.oid if entry is not None else "deleted") / Path(side.path).name
    if not place.exists():
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.write_bytes(content or b"")
        place.chmod(0o400)
    return plain_uri(str(place))


async def compare(door: Door, arguments: tuple[Any, ...]) -> dict[str, Any] | None:
    """Answer the command; the client shows the answer itself if it said so (`experimental.diffEditor`), else we do."""
    request = read_request(arguments)
    if request is None:
        say(door, f'{COMPARE} takes one object: {{"uri": a file, "worktree": a name or null}}.', MessageType.Warning)
        return None
    path = os.path.realpath(request.path)
    name = shown(Path(path).name)
    scene = scene_of(door, owner(door, repository_root(path)))
    if scene is None:
        say(door, f"{name} is in no repository that is open here.")
        return None
    found = candidates(scene, path, request)
    if not found:
        other = "trunk" if request.other is None else shown(request.other)
        say(door, f"{other} has not changed {name}." if request.named else f"No other worktree has changed {name}.")
        return None
    if len(found) > 1 and door.client.diff_editor:
        return {"choices": choices(scene, found)}
    sight = found[0] if len(found) == 1 else await _pick(door, scene, found)
    if sight is None:
        return None
    door.temporary = door.temporary or Path(tempfile.mkdtemp(prefix="sidecar-"))
    answer = await in_pool(door, comparison, scene, sight, request.uri, door.temporary)
    if not door.client.diff_editor:
        await _show(door, answer["left"])
    return answer


async def _pick(door: Door, scene: Scene, found: list[Sight]) -> Sight | None:
    """Ask the person which version is meant, in a client that has no picker for our choices."""
    titles = [choice["title"] or "" for choice in choices(scene, found)]
    actions = [MessageActionItem(title) for title in titles]
    question = ShowMessageRequestParams(MessageType.Info, "Compare with which version?", actions)
    chosen = await door.server.window_show_message_request_async(question)
    ranked = ranking(found)
    return ranked[titles.index(chosen.title)] if chosen is not None and chosen.title in titles else None


async def _show(door: Door, uri: str) -> None:
    if door.client.show_document:
        await door.server.window_show_document_async(ShowDocumentParams(uri, take_focus=True))
    else:
        say(door, f"The other version is {path_of(uri)}.")
