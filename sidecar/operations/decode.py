"""Decode what a journal, a receipt or a record says into a dataclass, by its annotations; nothing is believed.

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
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

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
        return _dataclass(cls, record)
    except _WrongError as error:
        return Failure("bad-record", f"its {'.'.join(error.args) or 'content'} is not as it was written")


@lru_cache
def _hints(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)


def _dataclass(cls: type[T], record: object) -> T:
    if not isinstance(record, Mapping) or not is_dataclass(cls):
        raise _WrongError
    found, kinds = {}, _hints(cls)
    for one in fields(cls):
        if one.name in record:
            found[one.name] = _inside(one.name, kinds[one.name], record[one.name])
        elif one.default is MISSING and one.default_factory is MISSING:
            raise _WrongError(one.name)
    return cls(**found)


def _inside(name: str, kind: Any, value: object) -> Any:
    try:
        return _value(kind, value)
    except _WrongError as error:
        raise _WrongError(name, *error.args) from None


def _value(kind: Any, value: object) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _first(args, value)
    if origin is Annotated:
        return _checked(_value(args[0], value), args[1:])
    if origin is Literal:
        return _checked(value, (lambda one: type(one) is str and one in args,))
    if origin is tuple:
        if not isinstance(value, list | tuple) or (args[-1] is not ... and len(args) != len(value)):
            raise _WrongError
        kinds = (args[0],) * len(value) if args[-1] is ... else args
        return tuple(_value(one, each) for one, each in zip(kinds, value, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise _WrongError
        return {key: _inside(key, args[1], one) for key, one in value.items()}
    if kind is Any:
        return value
    if kind is float and type(value) in (int, float):
        return _float(value)
    if kind in (str, int, bool, float, type(None)):
        return _checked(value, (lambda one: type(one) is kind,))
    return _dataclass(kind, value)


def _first(kinds: tuple[Any, ...], value: object) -> Any:
    """Decode a value by the first of several types that it is of."""
    for kind in kinds[:-1]:
        try:
            return _value(kind, value)
        except _WrongError:
            continue
    return _value(kinds[-1], value)


def _checked(value: Any, checks: tuple[Callable[[Any], bool], ...]) -> Any:
    if not all(check(value) for check in checks):
        raise _WrongError
    return value


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        raise _WrongError from None
