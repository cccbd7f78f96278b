"""Put an item into JSON with comments, as people write it, and take it out again; all else stays as it was.

Nothing is written anew but what is put in; a text that is not understood is left alone (ValueError).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_INDENT = re.compile(r"^([ \t]+)[\"{\[]", re.MULTILINE)
_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Node:
    """A value in a text, from `start` to `end`; `value` without comments. `keys` has where each member's key begins."""

    start: int
    end: int
    value: Any
    children: tuple[Node, ...] = ()
    keys: tuple[tuple[str, int], ...] = ()

    def begin(self, index: int) -> int:
        """Find where a child begins, with its key if it has one."""
        return self.keys[index][1] if self.keys else self.children[index].start

    def member(self, key: str) -> int | None:
        """Give the index of the member of this key: the last, as JSON has it."""
        return next((i for i in reversed(range(len(self.keys))) if self.keys[i][0] == key), None)


def parse(text: str) -> Node:
    """Parse the one value of a text with comments and commas at the end of lists; ValueError for anything else."""
    node = _value(text, _skip(text, 0), 0)
    if _skip(text, node.end) != len(text):
        raise ValueError("something follows the value")
    return node


def put(text: str, path: Sequence[str], item: Any) -> str:
    """Put an item at the end of the list at this path of a text; objects and the list are made where missing.

    ValueError where something else stands in the way.
    """
    node, rest = parse(text), list(path)
    while rest and isinstance(node.value, dict) and (index := node.member(rest[0])) is not None:
        node = node.children[index]
        rest.pop(0)
    if not isinstance(node.value, dict if rest else list):
        raise ValueError(f"{'.'.join(path)} is something else")
    if not rest:
        return _append(text, node, None, item)
    value: Any = [item]
    for key in reversed(rest[1:]):
        value = {key: value}
    return _append(text, node, rest[0], value)


def take(text: str, path: Sequence[str], is_ours: Callable[[Any], bool], *, most_empty: int) -> str:
    """Take the items that are ours out of the list at this path of a text.

    Up to `most_empty` of the containers that are empty then go with them, from the list upwards.
    """
    while True:
        node, above = parse(text), list[tuple[Node, int]]()
        for key in path:
            found = node.member(key) if isinstance(node.value, dict) else None
            if found is None:
                return text
            above.append((node, found))
            node = node.children[found]
        children = node.children if isinstance(node.value, list) else ()
        ours = [index for index, child in enumerate(children) if is_ours(child.value)]
        if not ours:
            return text
        if len(node.children) > 1 or not most_empty:
            text = _cut(text, node, ours[-1])
            continue
        while len(above) > 1 and most_empty > 1 and len(above[-1][0].children) == 1:
            above.pop()
            most_empty -= 1
        return _cut(text, *above[-1])


def _append(text: str, node: Node, key: str | None, value: Any) -> str:
    """Add one more child at the end of an object or list."""
    end = "\r\n" if "\r\n" in text else "\n"
    unit = found[1] if (found := _INDENT.search(text)) else "  "
    outer = _indent(text, node.start)
    inner = outer + unit
    if node.children and "\n" in text[node.start : node.begin(0)]:
        inner = _indent(text, node.begin(0))
    said = json.dumps(value, indent=unit, ensure_ascii=False)
    said = (json.dumps(key, ensure_ascii=False) + ": " if key is not None else "") + said
    said = end + inner + said.replace("\n", end + inner)
    close = node.end - 1
    at = len(text[:close].rstrip(" \t\r\n"))
    if not node.children:
        is_bare = at == node.start + 1
        return text[:at] + said + (end + outer if is_bare else "") + text[close if is_bare else at :]
    last = node.children[-1].end
    comma = _skip(text, last)
    if text[comma] == ",":
        return text[:at] + said + "," + text[at:]
    return text[:last] + "," + text[last:at] + said + text[at:]


def _cut(text: str, node: Node, index: int) -> str:
    """Remove one child of an object or list, with the comma and the space that came with it."""
    begin, end = node.begin(index), node.children[index].end
    start = len(text[:begin].rstrip(" \t\r\n"))
    comma = _skip(text, end)
    if text[comma] == ",":
        return text[:start] + text[comma + 1 :]
    if index == 0:
        close = node.end - 1
        return text[:start] + text[close if text[end:close].isspace() and start == node.start + 1 else end :]
    comma = _skip(text, node.children[index - 1].end)
    return text[:comma] + text[comma + 1 : max(start, comma + 1)] + text[end:]


def _indent(text: str, at: int) -> str:
    """Give the space at the begin of the line of a place."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _skip(text: str, at: int) -> int:
    """Find where space and comments end."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _value(text: str, at: int, depth: int) -> Node:
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    if text[at : at + 1] in ("{", "["):
        return _container(text, at, depth)
    found = _STRING.match(text, at) or _PLAIN.match(text, at)
    if found is None:
        raise ValueError(f"no value at character {at}")
    return Node(at, found.end(), json.loads(found[0]))


def _container(text: str, start: int, depth: int) -> Node:
    is_object = text[start] == "{"
    children: list[Node] = []
    keys: list[tuple[str, int]] = []
    at = _skip(text, start + 1)
    while text[at : at + 1] != ("}" if is_object else "]"):
        if is_object:
            key = _STRING.match(text, at)
            if key is None:
                raise ValueError(f"no key at character {at}")
            keys.append((json.loads(key[0]), at))
            at = _skip(text, key.end())
            if text[at : at + 1] != ":":
                raise ValueError(f"no colon at character {at}")
            at = _skip(text, at + 1)
        children.append(_value(text, at, depth + 1))
        at = _skip(text, children[-1].end)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] not in ("}", "]"):
            raise ValueError(f"no comma at character {at}")
    values = [child.value for child in children]
    value = dict(zip([key for key, _ in keys], values, strict=True)) if is_object else values
    return Node(start, at + 1, value, tuple(children), tuple(keys))
