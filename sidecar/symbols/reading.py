"""Read a source text: what it defines, what it imports, and where it mentions a name.

A text that a parser can't make sense of gives less, never an error; what is half typed defines nothing new and takes
nothing away (`Outline.is_whole`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from sys import intern
from typing import TYPE_CHECKING, Literal

from sidecar.symbols.languages import PYTHON, RUST, parser, query

if TYPE_CHECKING:
    from tree_sitter import Node

Kind = Literal["function", "method", "type", "value"]
KINDS: tuple[Kind, ...] = ("function", "method", "type", "value")
Role = Literal["use", "binding", "imported", "exported", "label"]
ROLES: tuple[Role, ...] = ("imported", "label", "exported", "binding", "use")
"""What a name may be where it is mentioned; the first that fits counts."""

_PARTS = re.compile(rb"[\w$\x80-\xff]+|[^\w$\x80-\xff]+")
"""Names and what stands between them. A pattern of each name's own would take longer to compile than to parse it."""
_IN_NAME = re.compile(rb"[\w$\x80-\xff]")

LONGEST = 1 << 19
"""Bytes of a text that is read; longer ones are bundles, or made by tools."""
LONGEST_OBJECT = 120
"""Characters of what stands before a dot that are of interest."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition of a module, or (`owner`) of a type in it; lines are 1-based.

    `required` is how many arguments a call has to give, None where that can't be told. `shape` is the same for two
    definitions that differ in their names only, in this process.
    """

    name: str
    kind: Kind
    owner: str | None
    line: int
    end: int
    required: int | None
    shape: int


@dataclass(frozen=True, slots=True)
class Import:
    """One name that is imported: from `module`, as it is written there, `name` (None: the module itself) as `alias`."""

    module: str
    name: str | None
    alias: str | None
    line: int
    star: bool = False

    @property
    def bound(self) -> str | None:
        """Give the name by which the text has it; None where that is no single one."""
        return None if self.star else self.alias or self.name


@dataclass(frozen=True, slots=True)
class Outline:
    """What a text defines and imports.

    `is_dynamic`: it may have names that can't be read off it. `is_whole`: all of it could be parsed.
    """

    definitions: tuple[Definition, ...] = ()
    imports: tuple[Import, ...] = ()
    is_dynamic: bool = False
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Mention:
    """One place where a name stands: what stands before its dot, and with how many arguments it is called.

    `arguments` is None where it is not called, or where they can't be counted.
    """

    name: str
    role: Role
    line: int
    object: str | None = None
    arguments: int | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A source text, parsed."""

    source: bytes
    language: str
    root: Node


def parse(source: bytes, language: str) -> Text | None:
    """Parse a text; None for one that is too long or no text."""
    if len(source) > LONGEST or b"\0" in source:
        return None
    return Text(source, language, parser(language).parse(source).root_node)


def defined_names(text: Text) -> frozenset[bytes]:
    """Give the names that a text defines, of which `outline_of` says more."""
    return frozenset(_source(text, name) for captures in _defining(text) for name in captures["name"])


def outline_of(text: Text) -> Outline:
    """Give what a text defines and imports."""
    found: dict[tuple[str, str | None], Definition] = {}
    for captures in _defining(text):
        kind = next(kind for kind in KINDS if kind in captures)
        node, owner = captures[kind][0], captures.get("owner")
        for name in captures["name"]:
            of = intern(_text(owner[0])) if owner else None
            one = _definition(text, name, kind, node, of, captures)
            known = found.get((one.name, one.owner))
            found[one.name, one.owner] = one if known is None else replace(known, required=None)
    dynamic, imports = False, dict[Import, None]()
    for captures in _matches(text.language, text.root, "imports", "dynamic"):
        if "dynamic" in captures:
            dynamic = True
        else:
            imports |= dict.fromkeys(_imports(captures))
    return Outline(tuple(found.values()), tuple(imports), dynamic, not text.root.has_error)


def _defining(text: Text) -> Iterator[Mapping[str, list[Node]]]:
    """Give the definitions of a text but for those of a class that inherits, or has to have, what is not known."""
    for captures in _matches(text.language, text.root, "definitions", deep=False):
        if "class" not in captures or all(one.type != "class_heritage" for one in captures["class"][0].children):
            yield captures


def _definition(
    text: Text, name: Node, kind: Kind, node: Node, owner: str | None, captures: Mapping[str, Sequence[Node]]
) -> Definition:
    named = _source(text, name)
    required = None
    if "parameters" in captures and "decorated" not in captures and (owner is None or text.language != RUST):
        required = _required(text.language, captures["parameters"][0], is_method=owner is not None)
    line, end = node.start_point.row + 1, node.end_point.row + 1
    shape = hash(_without(_source(text, node), named))
    return Definition(intern(named.decode("utf-8", "replace")), kind, owner, line, end, required, shape)


def _source(text: Text, node: Node) -> bytes:
    return text.source[node.start_byte : node.end_byte]


def _without(source: bytes, name: bytes) -> bytes:
    """Leave a name out of a text, wherever it is a whole one."""
    head, _, tail = source.partition(name)
    if name in tail or _IN_NAME.match(head[-1:]) or _IN_NAME.match(tail):
        return b"".join(part for part in _PARTS.findall(source) if part != name)
    return head + tail


def _required(language: str, parameters: Node, *, is_method: bool) -> int | None:
    """Count the arguments that a call has to give; None where the language lets every one be left out."""
    if query(language, "parameters") is None:
        return None
    matches = list(_matches(language, parameters, "parameters", deep=False))
    count = sum("required" in captures for captures in matches)
    return count - 1 if is_method and language == PYTHON else count


def _imports(captures: Mapping[str, Sequence[Node]]) -> Iterator[Import]:
    """Give the names that one match imports."""
    if "tree" in captures:
        yield from _use_tree(captures["tree"][0])
        return
    module = captures["module"][0]
    line = module.start_point.row + 1
    name, alias, static = (captures.get(part) for part in ("imported", "alias", "static"))
    if "default" in captures:
        yield Import(_text(module), "default", _text(captures["default"][0]), line)
    elif name is not None or static is not None:
        named = (name or static or [module])[0]
        bound = _text(alias[0]) if alias is not None else None
        yield Import(_text(module), _text(named), bound, named.start_point.row + 1)
    else:
        yield Import(_text(module), None, _text(alias[0]) if alias is not None else None, line, "star" in captures)


def _use_tree(node: Node) -> Iterator[Import]:
    """Give what a `use` of Rust brings, list by list."""
    line = node.start_point.row + 1
    for words in _expand("".join(_text(node).split("\n")), ""):
        path, _, alias = (part.strip() for part in words.partition(" as "))
        module, _, name = path.rpartition("::")
        if name == "self":
            module, _, name = module.rpartition("::")
        if module and name:
            yield Import(module, None if name == "*" else name, alias or None, line, name == "*")


def _expand(tree: str, before: str) -> Iterator[str]:
    """Give the paths that a tree of `use` stands for."""
    head, brace, rest = tree.partition("{")
    if not brace:
        yield before + tree.strip()
        return
    depth, part = 0, ""
    for letter in rest[: rest.rfind("}")]:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "," and not depth:
            yield from _expand(part.strip(), before + head.strip())
            part = ""
        else:
            part += letter
    if part.strip():
        yield from _expand(part.strip(), before + head.strip())


def mentions(text: Text, name: str) -> tuple[Mention, ...]:
    """Give each place where a text has a name, comments and strings left out."""
    found = []
    for place in re.finditer(rb"(?<![\w$])%s(?![\w$])" % re.escape(name.encode()), text.source):
        one = _mention(text, name, *place.span())
        if one is not None:
            found.append(one)
    return tuple(found)


def _mention(text: Text, name: str, start: int, end: int) -> Mention | None:
    best: Mention | None = None
    for captures in _matches(text.language, text.root, "bindings", "uses", within=(start, end)):
        role = next((role for role in ROLES if role in captures and _is_at(captures[role], role, start, end)), None)
        if role is None:
            continue
        objects, arguments = captures.get("object"), captures.get("arguments")
        before = _text(objects[0])[:LONGEST_OBJECT] if objects is not None else None
        count = _count(text.language, arguments[0]) if arguments is not None else None
        line = text.source.count(b"\n", 0, start) + 1
        one = Mention(name, role, line, before, count)
        if best is None or _rank(one) < _rank(best):
            best = one
    return best


def _rank(one: Mention) -> tuple[int, bool, bool]:
    return ROLES.index(one.role), one.object is None, one.arguments is None


def _is_at(nodes: Sequence[Node], role: Role, start: int, end: int) -> bool:
    """Tell whether one of these is the place; an import is all of its path."""
    if role == "imported":
        return any(node.start_byte <= start and end <= node.end_byte for node in nodes)
    return any((node.start_byte, node.end_byte) == (start, end) for node in nodes)


def _count(language: str, arguments: Node) -> int | None:
    """Count the arguments of a call; None where one stands for several."""
    if any("rest" in captures for captures in _matches(language, arguments, "arguments", deep=False)):
        return None
    if arguments.type == "generator_expression":
        return 1
    return sum(child.type not in ("comment", "line_comment", "block_comment") for child in arguments.named_children)


def _matches(
    language: str, node: Node, *sections: str, within: tuple[int, int] | None = None, deep: bool = True
) -> Iterator[Mapping[str, list[Node]]]:
    from tree_sitter import QueryCursor

    asked = query(language, *sections)
    if asked is None:
        return
    cursor = QueryCursor(asked)
    if within is not None:
        cursor.set_byte_range(*within)
    if not deep:
        cursor.set_max_start_depth(0)
    for _, captures in cursor.matches(node):
        yield captures


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")
