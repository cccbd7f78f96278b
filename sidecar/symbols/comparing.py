"""Compare what one side takes away with what another newly uses; what is in doubt is no use of it.

Exact names, one language. Whether the name is the one that goes is told by an import that means its file, by the file
or the package being the same, or, for a method, by its type standing beside it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from sidecar.symbols.importing import Files, is_same_package, means
from sidecar.symbols.languages import JAVA, RUST
from sidecar.symbols.reading import Definition, Import, Mention, Outline, Text, mentions

WORD = re.compile(rb"[A-Za-z_]\w*")
SELF = ("self", "this", "cls", "Self")
MOST_MENTIONS = 60
"""A name that stands in a text more often is too common to be looked at."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What one side did to a definition of the file that was at `path`.

    `now` is the definition that it is afterwards: one of another name, one that requires more or has other words, or
    None.
    """

    path: str
    language: str
    was: Definition
    now: Definition | None
    did: Literal["removed", "renamed", "parameters", "changed"]


@dataclass(frozen=True, slots=True)
class NewUse:
    """A use that another side adds: the line, with how many arguments, and how sure it is that the name is the one."""

    line: int
    arguments: int | None
    is_certain: bool = True


def words(source: bytes) -> Counter[bytes]:
    """Count the words of a text."""
    return Counter(WORD.findall(source))


def is_package(path: str) -> bool:
    """Tell whether a file stands for its directory: what it imports, others import from it."""
    return path.rpartition("/")[2] == "__init__.py"


def exported(outline: Outline, path: str) -> dict[tuple[str, str | None], Definition]:
    """Give what a file defines for others, by (name, owner); a package's own file has what it imports."""
    found = {(one.name, one.owner): one for one in outline.definitions}
    if is_package(path):
        for one in outline.imports:
            if one.name is not None and one.bound is not None:
                found.setdefault(
                    (one.bound, None),
                    Definition(one.bound, "value", None, one.line, one.line, None, hash(("import", one.bound))),
                )
    return found


def removals(path: str, language: str, before: Outline, after: Outline) -> Iterator[Removal]:
    """Find what became of a file's definitions; nothing where one of the texts does not say all."""
    if not before.is_whole or not after.is_whole or after.is_dynamic:
        return
    was, now = exported(before, path), exported(after, path)
    added = [one for key, one in now.items() if key not in was]
    for key, one in was.items():
        same = now.get(key)
        if same is not None:
            if one.required is not None and same.required is not None and same.required > one.required:
                yield Removal(path, language, one, same, "parameters")
        elif not _is_special(one.name):
            alike = [new for new in added if new.shape == one.shape and new.owner == one.owner]
            yield Removal(path, language, one, alike[0] if len(alike) == 1 else None, "renamed" if alike else "removed")


def altered(path: str, language: str, before: Outline, after: Outline) -> Iterator[Removal]:
    """Find the definitions that a file has still, with other words: of a function also those of its body."""
    if before.is_whole and after.is_whole:
        now = exported(after, path)
        for key, one in exported(before, path).items():
            same = now.get(key)
            if same is not None and same.shape != one.shape:
                yield Removal(path, language, one, same, "changed")


def _is_special(name: str) -> bool:
    """Tell whether a language, and nobody's text, asks for a name."""
    return name.startswith("__") or name in ("main", "init", "_", "default") or len(name) < 2


def is_distinctive(name: str) -> bool:
    """Tell whether a name has several words: others hardly happen to have the same."""
    return len(name) >= 6 and ("_" in name.strip("_") or re.search(r"[a-z0-9][A-Z]", name) is not None)


@dataclass(frozen=True, slots=True)
class User:
    """A file of the side that uses: its path and text, and what it was in what both sides had, None where it is new.

    `added` are the lines (first, last) that it has and that was lacking.
    """

    path: str
    text: Text
    outline: Outline
    before: Text | None
    before_outline: Outline | None
    added: Sequence[tuple[int, int]]
    files: Files

    def is_added(self, line: int) -> bool:
        """Tell whether a line is new."""
        return any(first <= line <= last for first, last in self.added)


def new_imports(user: User, path: str, language: str) -> Iterator[Import]:
    """Give the imports that a file adds and that mean the module at a path, or a name of it."""
    known = {(one.module, one.name) for one in user.before_outline.imports} if user.before_outline else set()
    for one in user.outline.imports:
        if (one.module, one.name) not in known and means(one, user.path, path, language, user.files) is not None:
            yield one


def new_uses(user: User, removal: Removal, language: str) -> list[NewUse]:
    """Find where a file newly uses a definition; nothing where the name may be another one."""
    was = removal.was
    if was.owner is not None:
        return _method_uses(user, removal, language)
    found: list[NewUse] = []
    fresh = set(new_imports(user, removal.path, language))
    for one in user.outline.imports:
        meant = means(one, user.path, removal.path, language, user.files)
        if meant == "name" and one.name == was.name:
            if one in fresh and removal.did not in ("parameters", "changed"):
                found.append(NewUse(one.line, None))
            elif (local := one.bound) is not None:
                found += _grown(user, local, lambda mention: mention.object is None, may_bind=0)
        elif meant == "module" and language == JAVA:
            if one in fresh and was.kind == "type" and one.module.rpartition(".")[2] == was.name:
                found.append(NewUse(one.line, None))
        elif meant == "module":
            qualifiers = _qualifiers(one, language)
            found += _grown(user, was.name, partial(_is_after, qualifiers), may_bind=None)
    if language == RUST:
        found += _grown(user, was.name, lambda mention: _is_path(user, mention, removal), may_bind=None)
    if user.path == removal.path or is_same_package(user.path, removal.path, language):
        own = 1 if user.path == removal.path else 0
        if not any(was.name in (one.bound, one.module.rpartition(".")[2]) for one in user.outline.imports):
            found += _grown(user, was.name, lambda mention: mention.object is None, may_bind=own)
    return sorted(set(found), key=lambda use: use.line)


def uses_on_added_lines(user: User, removal: Removal, language: str) -> list[NewUse]:
    """Find where lines that a file adds use a definition, also where a line with such a use was there before."""
    return new_uses(replace(user, before=None, before_outline=None), replace(removal, did="changed"), language)


def _qualifiers(one: Import, language: str) -> tuple[str, ...]:
    """Give what stands before the dot where an imported module is used."""
    if one.alias is not None:
        return (one.alias,)
    if one.name is not None:
        return (one.name,)
    if language == "go":
        last = re.sub(r"/v\d+$", "", one.module).rpartition("/")[2]
        return (last, last.removeprefix("go-").replace("-", "_"))
    return (one.module,)


def _is_after(qualifiers: Sequence[str], mention: Mention) -> bool:
    return mention.object in qualifiers


def _is_path(user: User, mention: Mention, removal: Removal) -> bool:
    """Tell whether a path of Rust leads to the module."""
    if mention.object is None or "::" not in f"{mention.object}::":
        return False
    one = Import(mention.object, mention.name, None, mention.line)
    return means(one, user.path, removal.path, RUST, user.files) == "name"


def _method_uses(user: User, removal: Removal, language: str) -> list[NewUse]:
    """Find where a file newly calls a method: on its own type, or by a distinctive name beside the type's."""
    was = removal.was
    assert was.owner is not None
    owner = was.owner
    same_file = user.path == removal.path
    if not same_file and not is_same_package(user.path, removal.path, language):
        meant = [one for one in user.outline.imports if means(one, user.path, removal.path, language, user.files)]
        if not meant:
            return []
    modules = {one.bound or one.module for one in user.outline.imports} - {owner}
    own = (owner, *SELF) if same_file and _has_one_type(user, owner) else (owner,)
    certain = _grown(user, was.name, lambda mention: mention.object in own, may_bind=None)
    if certain or removal.did == "parameters" or not is_distinctive(was.name) or not mentions(user.text, owner):
        return certain
    rest = _grown(user, was.name, lambda mention: _is_value(mention.object, modules), may_bind=1 if same_file else 0)
    return [NewUse(one.line, one.arguments, is_certain=False) for one in rest]


def _has_one_type(user: User, owner: str) -> bool:
    """Tell whether `self` can only be that type here."""
    return {one.owner for one in user.outline.definitions if one.owner is not None} == {owner}


def _is_value(before: str | None, modules: Iterable[str]) -> bool:
    return before is not None and re.split(r"\W", before)[0] not in modules and before not in SELF


def _grown(user: User, name: str, is_meant: Callable[[Mention], bool], *, may_bind: int | None) -> list[NewUse]:
    """Give the uses of a name on added lines, where there are more than before and nothing else binds the name.

    `may_bind` is how many bindings of it there may be: that of the definition itself; None where it does not matter.
    """
    there = mentions(user.text, name)
    if len(there) > MOST_MENTIONS:
        return []
    if may_bind is not None and sum(one.role == "binding" for one in there) > may_bind:
        return []
    used = [one for one in there if one.role == "use" and is_meant(one)]
    was = mentions(user.before, name) if user.before is not None else ()
    if len(used) <= sum(one.role == "use" and is_meant(one) for one in was):
        return []
    return [NewUse(one.line, one.arguments) for one in used if user.is_added(one.line)]


def calls_with_too_few(uses: Iterable[NewUse], removal: Removal) -> list[NewUse]:
    """Give the calls that were enough for the definition before, and are not for what it is now."""
    assert removal.now is not None
    assert removal.now.required is not None
    assert removal.was.required is not None
    least, most = removal.was.required, removal.now.required
    return [one for one in uses if one.arguments is not None and least <= one.arguments < most]
