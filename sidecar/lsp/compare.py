"""Answer `sidecar.compare`: two versions of a file, side by side."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsprotocol.types import ExecuteCommandParams, MessageType, ShowDocumentParams

from sidecar.lsp.commands.arguments import temporary_of
from sidecar.lsp.diagnostics import other_path
from sidecar.lsp.documents import path_of, plain_uri, repository_root
from sidecar.lsp.editor_view import EditorView, FileOverlap
from sidecar.lsp.state import ServerState, ask, in_pool, owner, say, view_of
from sidecar.model.changes import UNSAVED, Entry
from sidecar.model.messages import called, party
from sidecar.model.overlaps import Side
from sidecar.model.picture import TRUNK_KEY
from sidecar.model.words import shown

COMPARE = "sidecar.compare"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be compared: the file of a URI; `other` names a worktree (None: trunk) if `named`."""

    uri: str
    path: str
    named: bool
    other: str | None


def read_wanted(arguments: Sequence[Any]) -> Wanted | None:
    """Read the one object that `sidecar.compare` takes; None when it is no such object."""
    given = arguments[0] if arguments else None
    if not isinstance(given, Mapping) or not isinstance(uri := given.get("uri"), str):
        return None
    path, other = path_of(uri), given.get("worktree")
    if path is None or not (other is None or isinstance(other, str)):
        return None
    return Wanted(uri, path, "worktree" in given, other)


def argument(view: EditorView, uri: str, side: Side | None = None) -> dict[str, str | None]:
    """Give the object for `sidecar.compare`; a worktree whose name is not its own alone goes by its path."""
    if side is None:
        return {"uri": uri}
    return {"uri": uri, "worktree": worktree_name(view, side)}


def worktree_name(view: EditorView, side: Side) -> str | None:
    """Give what commands know a side by: its worktree's name, or its path where that name is not its own alone."""
    names = [state.worktree.name for state in view.indexed.picture.worktrees]
    return side.key if side.name is not None and names.count(side.name) > 1 else side.name


def candidates(view: EditorView, path: str, wanted: Wanted) -> list[FileOverlap]:
    """Find the overlaps that can be meant, one for each other side."""
    first = {seen.other.key: seen for seen in reversed(view.indexed.overlaps_at(path))}
    found = list(reversed(first.values()))
    if not wanted.named:
        return found
    if wanted.other is None:
        return [seen for seen in found if seen.other.key == TRUNK_KEY]
    named = [seen for seen in found if wanted.other in (seen.other.key, seen.other.name)]
    return named or [seen for seen in found if seen.other.name is not None and seen.other.ref == wanted.other]


def ranking(found: list[FileOverlap]) -> list[FileOverlap]:
    """Put the conflicts first."""
    return sorted(found, key=lambda seen: seen.overlap.verdict != "conflict")


def choices(view: EditorView, file_overlaps: list[FileOverlap]) -> list[dict[str, str | None]]:
    """Give what a person picks from when several other sides changed the file."""
    marks = {"conflict": ": conflict", "identical": ": identical"}
    return [
        {
            "worktree": worktree_name(view, seen.other),
            "title": party(seen.other) + marks.get(seen.overlap.verdict, ""),
        }
        for seen in ranking(file_overlaps)
    ]


def comparison(view: EditorView, seen: FileOverlap, uri: str, temporary: Path) -> dict[str, str]:
    """Give the object that `sidecar.compare` answers: `left` is the other side's file, `right` mine."""
    left = other_path(view, seen)
    if left is None or UNSAVED in seen.other.sources or not Path(left).is_file():
        left_uri = _copy(view, seen.other, seen.other.after, temporary)
    else:
        left_uri = view.uris(left)[0]
    right_uri = uri if seen.mine.after is not None else _copy(view, seen.mine, None, temporary)
    name = shown(Path(seen.mine.path).name)
    return {
        "left": left_uri,
        "right": right_uri,
        "title": f"{name}: {called(seen.other)} ↔ {called(seen.mine)}",
    }


def _copy(view: EditorView, side: Side, entry: Entry | None, temporary: Path) -> str:
    """Give the URI of a read-only copy of content that is in no file on disk; it keeps the file's name."""
    content = view.indexed.content(entry) if entry is not None else None
    place = temporary / (entry.oid if entry is not None else "deleted") / Path(side.path).name
    if not place.exists():
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.write_bytes(content or b"")
        place.chmod(0o400)
    return plain_uri(str(place))


def _nothing(view: EditorView, path: str, wanted: Wanted) -> str:
    """Say that nobody, or not who was named, has changed a file; or that this is not known, and why."""
    name, other = shown(Path(path).name), "trunk" if wanted.other is None else shown(wanted.other)
    reasons = [
        unknown.reason
        for key, unknown in view.indexed.unknown_at(path)
        if not wanted.named or unknown.name(key) == wanted.other
    ]
    if not reasons:
        return f"{other} has not changed {name}." if wanted.named else f"No other worktree has changed {name}."
    who = f"{other} is not" if wanted.named else "No other worktree is"
    return " ".join([f"{who} known to have changed {name}.", *dict.fromkeys(reasons)])


async def compare(state: ServerState, call: ExecuteCommandParams) -> dict[str, Any] | None:
    """Answer the command; the client shows the answer itself if it said so (`experimental.diffEditor`), else we do."""
    wanted = read_wanted(call.arguments or ())
    if wanted is None:
        say(state, f'{COMPARE} takes one object: {{"uri": a file, "worktree": a name or null}}.', MessageType.Warning)
        return None
    path = os.path.realpath(wanted.path)
    name = shown(Path(path).name)
    view = view_of(state, owner(state, repository_root(path)))
    if view is None:
        say(state, f"{name} is in no repository that is open here.")
        return None
    found = candidates(view, path, wanted)
    if not found:
        say(state, _nothing(view, path, wanted))
        return None
    if len(found) > 1 and state.client.diff_editor:
        return {"choices": choices(view, found)}
    seen: FileOverlap | None = found[0]
    if len(found) > 1:
        buttons = [
            (choice["title"] or "", one) for choice, one in zip(choices(view, found), ranking(found), strict=True)
        ]
        seen = await ask(state, MessageType.Info, "Compare with which version?", buttons)
    if seen is None:
        return None
    answer = await in_pool(state, comparison, view, seen, wanted.uri, temporary_of(state))
    if state.client.diff_editor:
        return answer
    if state.client.show_document:
        await state.server.window_show_document_async(ShowDocumentParams(answer["left"], take_focus=True))
    else:
        say(state, f"The other version is {path_of(answer['left'])}.")
    return answer
