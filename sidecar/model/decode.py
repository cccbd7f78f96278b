"""Decode what a journal, a receipt or a message says into a dataclass, by its annotations; nothing is believed.

Anyone can edit a file of ours, so a field that is missing or of another type, or that fails the check of its type, is
a Failure and not a default. What only git knows (whether a commit is there) is for who obeys the record to ask.
"""

from __future__ import annotations

import math
import os
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from sidecar.model.changes import is_object_id
from sidecar.model.findings import Failure

T = TypeVar("T")

_NO_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|^[./]|[./]$|\.lock(/|$)")


def is_absolute(path: str) -> bool:
    """Tell whether a path is absolute, leads nowhere by `..`, and is not the root."""
    return "\0" not in path and os.path.isabs(path) and os.path.normpath(path) == path != os.path.dirname(path)


def is_safe(path: str) -> bool:
    """Tell whether a path with `/` stays below where it is joined to, and out of git's own directory."""
    return "\0" not in path and not any(
        part in ("", ".", "..") or part.casefold() == ".git" for part in path.split("/")
    )


def is_branch(name: str) -> bool:
    """Tell whether git would take it as the short name of a branch that is there (git-check-ref-format(1))."""
    return name != "" and _NO_REF.search(name) is None


def is_name(name: str) -> bool:
    """Tell whether it is the name of a file in a directory."""
    return "\0" not in name and "/" not in name and name not in ("", ".", "..")


ObjectId = Annotated[str, is_object_id]
AbsolutePath = Annotated[str, is_absolute]
SafePath = Annotated[str, is_safe]
FileName = Annotated[str, is_name]
BranchName = Annotated[str, is_branch]
BranchRef = Annotated[str, lambda ref: ref.startswith("refs/heads/") and is_branch(ref.removeprefix("refs/heads/"))]
Text = Annotated[str, lambda text: text != "" and "\0" not in text]
Size = Annotated[int, lambda size: size >= 0]
Seconds = Annotated[float, lambda moment: math.isfinite(moment) and abs(moment) < 1e11]


class _WrongError(Exception):
    """A value is not as its annotation says; carries the names of the fields that lead to it."""


def decode(cls: type[T], record: object) -> T | Failure:
    """Give the dataclass that a record tells, or the Failure `bad-record` that names its first wrong field.

    Fields may be annotated str, int, float, bool, None, Any, Literal, a union, `tuple[X, ...]`, `tuple[X, Y]`,
    `Mapping[str, X]`, another such dataclass, or `Annotated` with checks. Fields that the class does not have are left
    out. Lists are tuples in JSON's words, and so is a whole number a float, but a bool is no number.
    """
    try:
        kind: Any = cls
        found: T = _dataclass(kind)(record)
        return found
    except _WrongError as error:
        return Failure("bad-record", f"its {'.'.join(error.args) or 'content'} is not as it was written")


Decoder: TypeAlias = "Callable[[object], Any]"


@lru_cache
def _dataclass(cls: Any) -> Decoder:
    """Make the decoder of a dataclass; its fields are looked up when the first record comes."""
    made: Callable[..., Any] = cls
    if not is_dataclass(cls):
        return _refuse  # a field that is in no record
    known: list[tuple[str, Decoder, bool]] = []

    def decoded(record: object) -> Any:
        if not isinstance(record, Mapping):
            raise _WrongError
        if not known:
            kinds = get_type_hints(cls, include_extras=True)
            for one in fields(cls):
                is_needed = one.default is MISSING and one.default_factory is MISSING
                known.append((one.name, _decoder(kinds[one.name]), is_needed))
        found = {}
        for name, inside, is_needed in known:
            if name in record:
                try:
                    found[name] = inside(record[name])
                except _WrongError as error:
                    raise _WrongError(name, *error.args) from None
            elif is_needed:
                raise _WrongError(name)

        return made(**found)

    return decoded


@lru_cache
def _decoder(kind: Any) -> Decoder:
    """Make what decodes a value of a type."""
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _union(args)
    if origin is Annotated:
        return _checked(_decoder(args[0]), args[1:])
    if origin is Literal:
        return _checked(_as_it_is, (lambda one: type(one) is str and one in args,))
    if origin is tuple:
        return _sequence(args[0]) if args[-1] is ... else _fixed(args)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(args[1])
    if kind is Any:
        return _as_it_is
    if kind is float:
        return _float
    if kind in (str, int, bool, type(None)):
        return _checked(_as_it_is, (lambda one: type(one) is kind,))
    return _dataclass(kind)


def _refuse(_value: object) -> Any:
    raise _WrongError


def _as_it_is(value: object) -> Any:
    return value


def _union(kinds: tuple[Any, ...]) -> Decoder:
    """Decode a value by the first of several types that it is of."""
    decoders = [_decoder(kind) for kind in kinds]
    may_be_none = type(None) in kinds

    def decoded(value: object) -> Any:
        if value is None and may_be_none:
            return None
        for one in decoders[:-1]:
            try:
                return one(value)
            except _WrongError:
                continue
        return decoders[-1](value)

    return decoded


def _sequence(kind: Any) -> Decoder:
    one = _decoder(kind)

    def decoded(value: object) -> Any:
        if not isinstance(value, list | tuple):
            raise _WrongError
        return tuple(map(one, value))

    return decoded


def _fixed(kinds: tuple[Any, ...]) -> Decoder:
    decoders = [_decoder(kind) for kind in kinds]

    def decoded(value: object) -> Any:
        if not isinstance(value, list | tuple) or len(value) != len(decoders):
            raise _WrongError
        return tuple(one(each) for one, each in zip(decoders, value, strict=True))

    return decoded


def _mapping(kind: Any) -> Decoder:
    inside = _decoder(kind)

    def decoded(value: object) -> Any:
        if not isinstance(value, Mapping):
            raise _WrongError
        found = {}
        for key, one in value.items():
            if not isinstance(key, str):
                raise _WrongError
            try:
                found[key] = inside(one)
            except _WrongError as error:
                raise _WrongError(key, *error.args) from None
        return found

    return decoded


def _checked(decoder: Decoder, checks: tuple[Callable[[Any], bool], ...]) -> Decoder:
    def decoded(value: object) -> Any:
        found = decoder(value)
        for check in checks:
            if not check(found):
                raise _WrongError
        return found

    return decoded


def _float(value: Any) -> float:
    if type(value) not in (int, float):
        raise _WrongError
    try:
        return float(value)
    except OverflowError:
        raise _WrongError from None
