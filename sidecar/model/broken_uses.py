"""Say where one side takes away a definition that another one newly uses: git merges the two without a word."""

from __future__ import annotations

from typing import Any

from sidecar.model.messages import lines, with_branch
from sidecar.model.overlaps import Region
from sidecar.model.picture import BrokenUse, End
from sidecar.model.words import counted, shown


def broken_use_sentence(one: BrokenUse, key: str) -> str:
    """Say a broken use as it is seen by the side of that key, which has one of its ends."""
    taking, using = _owner(one.removed), _owner(one.used)
    symbol, now = shown(one.symbol), shown(one.now) if one.now is not None else ""
    at = f"{shown(one.used.path)}, {lines([Region(line, line) for line in one.lines])}"
    quoted = symbol if one.is_module else f"`{symbol}`"
    verb = {"removed": "removes", "renamed": "renames", "moved": "moves", "parameters": "changes"}[one.did]
    goes = f"to {now if one.is_module or one.did == 'moved' else f'`{now}`'}" if now else ""
    if one.did == "parameters":
        goes = f"so that it requires {counted(one.required or 0, 'argument', 'arguments')}"
    does = "imports" if one.is_module else "calls" if one.did == "parameters" else "uses"
    end = " Once both are merged, it is nowhere." if one.nowhere else ""
    if key == one.removed.key:
        sentence = " ".join(filter(None, (verb.capitalize(), quoted, goes)))
        return f"{sentence}, {'and' if goes else 'which'} {using} newly {does}{' it' if goes else ''} in {at}.{end}"
    where = (
        ""
        if one.is_module or one.did == "moved" or one.removed.path == one.used.path
        else f" of {shown(one.removed.path)}"
    )
    deed = f"{taking} {verb}{f' {goes}' if goes and one.did != 'parameters' else ''}"
    if one.did == "parameters":
        return f"Calls `{symbol}`{where}, which {deed} {goes}."
    return f"{does.capitalize()} {quoted}{where}, which {deed}.{end}"


def _owner(place: End) -> str:
    return with_branch("trunk" if place.name is None else shown(place.name), place.ref)


def broken_use_object(one: BrokenUse) -> dict[str, Any]:
    """Give BROKEN_USE {"did", "symbol", "now", "nowhere", "removed": END, "used": END, "message"}.

    `did` is "removed", "renamed", "moved" or "parameters"; `now` what it is called, or where it is; `nowhere` whether
    the merge of the two defines it nowhere, null where that is not known. END {"worktree": NAME|null, "path",
    "lines": [int]}: trunk is null, and a file that is deleted has no lines.
    """
    removed = [one.removed.line] if one.removed.after is not None else []
    return {
        "did": one.did,
        "symbol": one.symbol,
        "now": one.now,
        "nowhere": one.nowhere,
        "removed": {"worktree": one.removed.name, "path": one.removed.path, "lines": removed},
        "used": {"worktree": one.used.name, "path": one.used.path, "lines": list(one.lines)},
        "message": broken_use_sentence(one, one.used.key),
    }
