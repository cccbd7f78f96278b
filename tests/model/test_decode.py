"""What a record says is taken only where every field is of its type; anything else is a Failure, never an exception."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.model.decode import (
    AbsolutePath,
    BranchName,
    BranchRef,
    FileName,
    ObjectId,
    SafePath,
    Seconds,
    Size,
    Text,
    decode,
    is_branch,
)
from sidecar.model.findings import Failure


@dataclass(frozen=True)
class Part:
    path: SafePath
    old: ObjectId | None


@dataclass(frozen=True)
class Record:
    """One field of every type that a record of ours has."""

    path: AbsolutePath
    branch: BranchName | None
    trunk: BranchRef
    head: ObjectId
    name: Text
    home: FileName
    how: Literal["merge", "rebase"]
    since: Seconds
    size: Size
    done: bool
    parts: tuple[Part, ...]
    pairs: tuple[tuple[str, str], ...] = ()
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)


GOOD: dict[str, Any] = {
    "path": "/home/wt",
    "branch": "feat/one",
    "trunk": "refs/heads/main",
    "head": "0" * 40,
    "name": "wt",
    "home": "wt1",
    "how": "merge",
    "since": 1.5,
    "size": 3,
    "done": False,
    "parts": [{"path": "a/b", "old": None}],
    "pairs": [["a", "b"]],
    "facts": {"any": [1]},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_a_record_is_read_as_it_was_written() -> None:
    found = decode(Record, json.loads(json.dumps(GOOD)))
    assert found == Record(**{**GOOD, "parts": (Part("a/b", None),), "pairs": (("a", "b"),)})


def test_fields_with_a_default_may_be_missing_and_unknown_ones_are_left_out() -> None:
    found = decode(Record, {key: value for key, value in GOOD.items() if key not in ("pairs", "facts")} | {"new": 1})
    assert isinstance(found, Record)
    assert (found.pairs, found.facts) == ((), {})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("path", "wt"),
        ("path", "/home/../wt"),
        ("path", "/"),
        ("path", "/a\0b"),
        ("branch", "a..b"),
        ("branch", "a.lock"),
        ("trunk", "refs/tags/v1"),
        ("trunk", "refs/heads/"),
        ("head", "HEAD"),
        ("head", "0" * 39),
        ("name", ""),
        ("home", "../x"),
        ("home", ".."),
        ("how", "squash"),
        ("how", ["merge"]),
        ("since", True),
        ("since", float("nan")),
        ("since", 10**400),
        ("size", -1),
        ("size", 1.0),
        ("size", True),
        ("done", 1),
        ("parts", [{"path": "../a", "old": None}]),
        ("parts", [{"path": "a/.GIT/config", "old": None}]),
        ("parts", [{"path": "a"}]),
        ("parts", {"path": "a", "old": None}),
        ("pairs", [["a"]]),
        ("facts", []),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(field: str, value: object) -> None:
    found = decode(Record, GOOD | {field: value})
    assert isinstance(found, Failure)
    assert (found.code, field in found.message) == ("bad-record", True)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), JSON))
def test_hostile_fields_are_refused_or_of_their_types(hostile: dict[str, Any]) -> None:
    found = decode(Record, GOOD | hostile)
    if isinstance(found, Record):
        again = json.loads(json.dumps(dataclasses.asdict(found)))
        assert decode(Record, again) == found


@given(JSON)
def test_a_record_that_is_no_object_is_refused(record: object) -> None:
    assert isinstance(decode(Record, record), Failure)


@given(st.text(st.characters(codec="utf-8"), max_size=12).filter(lambda name: "\0" not in name))
def test_a_branch_is_what_git_takes_for_one(name: str) -> None:
    import subprocess

    said = subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False)
    assert is_branch(name) == (said.returncode == 0)


@dataclass(frozen=True)
class _WithMore:
    name: str
    content: bytes | None = None


def test_a_field_that_no_record_can_tell_is_left_at_its_default() -> None:
    assert decode(_WithMore, {"name": "a"}) == _WithMore("a")
    assert decode(_WithMore, {"name": "a", "content": None}) == _WithMore("a")
    assert isinstance(decode(_WithMore, {"name": "a", "content": "text"}), Failure)
