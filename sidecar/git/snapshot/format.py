"""The text that a snapshot carries about itself, written and read; what is read is believed in nothing."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sidecar.git.snapshot.names import is_safe
from sidecar.git.snapshot.values import (
    DIRECTORY_KIND,
    KINDS,
    LINK_KIND,
    Branch,
    Header,
    IndexFile,
    Item,
    Lock,
    Unheld,
)
from sidecar.model.object_ids import is_object_id

FORMAT = 1
ITEMS_IN_LIST = 128
"""About how many files one list has: an edit writes one list anew."""

MOST_TIME = 2**70
MOST_IN_LINK = 64 * 1024
MOST_IN_ATTRIBUTE = 64 * 1024
ATTRIBUTE = re.compile(r"(?s)user\..{1,250}|system\.posix_acl_(access|default)")
FORBIDDEN_IN_ADMIN = frozenset({"index", "gitdir", "commondir", "locked", "modules", "objects", "config", "hooks"})


class MalformedError(ValueError):
    """A text that no version of this module wrote."""


def encode_lists(items: Iterable[Item]) -> list[bytes]:
    """The files of a worktree as lists, each with the files of some directories; always in the same order."""
    items = sorted(items, key=lambda item: item.path)
    number = 1
    while number * ITEMS_IN_LIST < len(items):
        number *= 2
    lists: list[list[Item]] = [[] for _ in range(number)]
    for item in items:
        directory = item.path if item.kind == DIRECTORY_KIND else item.path.rpartition("/")[0]
        lists[zlib.crc32(directory.encode("utf-8", "surrogatepass")) % number].append(item)
    return [_json([_encode_item(item) for item in part]) for part in lists if part]


def decode_list(text: bytes) -> list[Item]:
    """The items of one list; MalformedError."""
    return [_decode_item(row) for row in _list(_parse(text))]


def encode_header(header: Header) -> bytes:
    """The header as JSON."""
    record = {
        "format": FORMAT,
        "name": header.name,
        "path": header.path,
        "administrative": header.administrative,
        "head": header.head,
        "branch": header.branch,
        "branches": [[b.name, b.tip, b.log, [list(pair) for pair in b.config]] for b in header.branches],
        "locked": None if header.locked is None else [header.locked.text, header.locked.mode, header.locked.mtime],
        "index": None if header.index is None else [header.index.oid, header.index.mode, header.index.mtime],
        "link": list(header.link),
        "relative": header.relative,
        "admin": [_encode_item(item) for item in header.admin],
        "tags": [list(pair) for pair in header.tags],
        "lists": list(header.lists),
        "files": header.files,
        "bytes": header.bytes,
        "unheld": [[unheld.code, unheld.path] for unheld in header.unheld],
    }
    return _json(record, indent=1)


def decode_header(text: bytes) -> Header:
    """The header, every field of it checked; MalformedError."""
    record = _parse(text)
    if not isinstance(record, dict):
        raise MalformedError("its header is not an object")
    if type(record.get("format")) is not int or record["format"] != FORMAT:
        raise MalformedError(f"it is of format {record.get('format')!r}; this version knows {FORMAT}")
    header = Header(
        name=_text(record.get("name")),
        path=_text(record.get("path")),
        administrative=_text(record.get("administrative")),
        head=_optional(record.get("head"), _oid),
        branch=_optional(record.get("branch"), _text),
        branches=tuple(_branch(row) for row in _list(record.get("branches"))),
        locked=_optional(record.get("locked"), _lock),
        index=_optional(record.get("index"), _index),
        link=_pair(record.get("link")),
        relative=_flag(record.get("relative")),
        admin=tuple(_decode_item(row) for row in _list(record.get("admin"))),
        tags=tuple((_oid(row[0]), _oid(row[1])) for row in _rows(record.get("tags"), 2)),
        lists=tuple(_oid(oid) for oid in _list(record.get("lists"))),
        files=_number(record.get("files"), 0, 2**63),
        bytes=_number(record.get("bytes"), 0, 2**63),
        unheld=tuple(Unheld(_text(row[0]), _text(row[1])) for row in _rows(record.get("unheld"), 2)),
    )
    if header.branch is not None and header.branch not in {branch.name for branch in header.branches}:
        raise MalformedError("its branch is not among its branches")
    if not header.path.startswith("/") and not re.match(r"[A-Za-z]:[\\/]", header.path):
        raise MalformedError("its path is not absolute")
    if not is_safe(header.administrative) or "/" in header.administrative:
        raise MalformedError("the name of its administrative directory is none")
    check_items(header.admin)
    for item in header.admin:
        if item.path.partition("/")[0] in FORBIDDEN_IN_ADMIN or item.kind == LINK_KIND or item.path.endswith(".lock"):
            raise MalformedError(f"{item.path!r} has no place in an administrative directory")
    return header


def check_items(items: Sequence[Item]) -> Mapping[str, Item]:
    """Items by path; MalformedError unless each is below directories that are items too, and the root is one."""
    found = {item.path: item for item in items}
    if len(found) != len(items):
        raise MalformedError("a path is there twice")
    if "" not in found:
        raise MalformedError("its root is missing")
    for item in items:
        if item.path:
            above = found.get(item.path.rpartition("/")[0])
            if above is None or above.kind != DIRECTORY_KIND:
                raise MalformedError(f"{item.path!r} is not in a directory")
        elif item.kind != DIRECTORY_KIND:
            raise MalformedError("its root is no directory")
    return found


def _encode_item(item: Item) -> list[Any]:
    row: list[Any] = [item.kind, item.path, item.mode, item.mtime, item.oid, item.size]
    if item.xattrs:
        row.append([[name, base64.b64encode(value).decode("ascii")] for name, value in item.xattrs])
    return row


def _decode_item(row: Any) -> Item:
    fields = _list(row)
    if len(fields) not in (6, 7):
        raise MalformedError("an item has not its fields")
    kind, path, mode, mtime, oid, size = fields[:6]
    if kind not in KINDS:
        raise MalformedError("an item is of no known kind")
    if not isinstance(path, str) or (path and not is_safe(path)):
        raise MalformedError(f"{path!r} is a path that leads elsewhere")
    if (kind == DIRECTORY_KIND) != (oid is None):
        raise MalformedError(f"{path!r} has no content, or is a directory with one")
    item = Item(
        kind,
        path,
        _number(mode, 0, 0o7777),
        _number(mtime, -MOST_TIME, MOST_TIME),
        _optional(oid, _oid),
        _number(size, 0, MOST_IN_LINK if kind == LINK_KIND else 2**63),
        tuple(_attribute(pair) for pair in _rows(fields[6], 2)) if len(fields) == 7 else (),
    )
    if item.xattrs and kind == LINK_KIND:
        raise MalformedError(f"{path!r} is a link with attributes")
    return item


def _attribute(pair: Sequence[Any]) -> tuple[str, bytes]:
    name, value = _text(pair[0]), _text(pair[1], empty=True)
    if not ATTRIBUTE.fullmatch(name) or len(value) > MOST_IN_ATTRIBUTE * 4 // 3 + 4:
        raise MalformedError(f"{name!r} is not an attribute that is held")
    try:
        return name, base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise MalformedError(f"the attribute {name!r} is not base64") from error


def _branch(row: Any) -> Branch:
    fields = _list(row)
    if len(fields) != 4:
        raise MalformedError("a branch has not its fields")
    config = tuple((_text(key), _any_text(value)) for key, value in _rows(fields[3], 2))
    for key, _ in config:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", key):
            raise MalformedError(f"{key!r} is no configuration key")
    return Branch(_text(fields[0]), _optional(fields[1], _oid), _optional(fields[2], _oid), config)


def _lock(row: Any) -> Lock:
    fields = _list(row)
    if len(fields) != 3:
        raise MalformedError("its lock has not its fields")
    return Lock(_any_text(fields[0]), _number(fields[1], 0, 0o7777), _number(fields[2], -MOST_TIME, MOST_TIME))


def _index(row: Any) -> IndexFile:
    fields = _list(row)
    if len(fields) != 3:
        raise MalformedError("its index has not its fields")
    return IndexFile(_oid(fields[0]), _number(fields[1], 0, 0o7777), _number(fields[2], -MOST_TIME, MOST_TIME))


def _json(value: Any, indent: int | None = None) -> bytes:
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(value, ensure_ascii=True, indent=indent, separators=separators).encode("ascii") + b"\n"


def _parse(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError("a part of it is not JSON") from error


def _optional(value: Any, read: Any) -> Any:
    return None if value is None else read(value)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise MalformedError("a list is none")
    return value


def _rows(value: Any, width: int) -> list[list[Any]]:
    rows = [_list(row) for row in _list(value)]
    if any(len(row) != width for row in rows):
        raise MalformedError("a row has not its fields")
    return rows


def _any_text(value: Any) -> str:
    """Text of any length that can stand on a disk."""
    if not isinstance(value, str):
        raise MalformedError("a text is none")
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise MalformedError("a text can't be written") from error
    return value


def _text(value: Any, *, empty: bool = False) -> str:
    if (not value and not empty) or "\0" in _any_text(value):
        raise MalformedError("a name is none")
    return str(value)


def _oid(value: Any) -> str:
    if not isinstance(value, str) or not is_object_id(value):
        raise MalformedError("an id is none")
    return value


def _number(value: Any, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise MalformedError("a number is none, or too large")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise MalformedError("a flag is none")
    return value


def _pair(value: Any) -> tuple[int, int]:
    fields = _list(value)
    if len(fields) != 2:
        raise MalformedError("a pair is none")
    return _number(fields[0], 0, 0o7777), _number(fields[1], -MOST_TIME, MOST_TIME)
