"""JSON with comments: what is put in can be read, and is taken out again without a trace."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.model.jsonc import parse, put, take

PATH = ("hooks", "Event")
OURS = {"ours": [1, {"a": "b"}]}
HAND_WRITTEN = [
    "{}",
    "{}\n",
    "[]",
    "{ // nothing yet\n}\n",
    '{\n  "a": 1 // one\n}\n',
    '{\n\t"a": 1, /* two\n\tlines */\n\t"b": [1, 2,],\n}\n',
    '{\r\n    "hooks": {\r\n        "Event": [\r\n            {"x": 1}\r\n        ]\r\n    }\r\n}\r\n',
    '{"hooks": {"Event": [], "Other": [3]}, "z": "// no comment, \\" nor {"}',
    '{"hooks": {}}',
    '{\n  "hooks": {\n    // mine\n    "Event": [\n      1, // first\n      2  // second\n    ]\n  },\n  "z": null\n}',
]


def is_ours(value: Any) -> bool:
    return bool(value == OURS)


@pytest.mark.parametrize("text", [text for text in HAND_WRITTEN if text != "[]"])
def test_what_was_put_in_is_taken_out_without_a_trace(text: str) -> None:
    with_ours = put(text, PATH, OURS)
    before, after = parse(text).value, parse(with_ours).value
    assert after["hooks"]["Event"] == [*before.get("hooks", {}).get("Event", []), OURS]
    assert {key: value for key, value in after.items() if key != "hooks"} == {
        key: value for key, value in before.items() if key != "hooks"
    }
    for comment in re.findall(r"//.*|/\*[\s\S]*?\*/", text):
        assert comment in with_ours
    assert text in [take(with_ours, PATH, is_ours, most_empty=number) for number in range(3)]


@pytest.mark.parametrize("text", ["[]", '{"hooks": []}', '{"hooks": {"Event": {}}}', '{"hooks": {"Event": "x"}}', "3"])
def test_something_else_in_the_way_is_left_alone(text: str) -> None:
    with pytest.raises(ValueError, match="something else"):
        put(text, PATH, OURS)
    assert take(text, PATH, is_ours, most_empty=2) == text


@pytest.mark.parametrize(
    "text", ["", "{", '{"a"}', '{"a": }', "{} {}", '{"a": 1 "b": 2}', "{'a': 1}", "[" * 1000, "/*"]
)
def test_what_is_no_json_is_not_understood(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)


@given(
    st.dictionaries(st.text(max_size=4), VALUES, max_size=4),
    st.none() | st.dictionaries(st.sampled_from(["Event", "Other"]), st.lists(VALUES, max_size=3), max_size=2),
    st.sampled_from([None, 0, 1, 2, 4, "\t"]),
    st.sampled_from(["", " // a comment", " /* a comment, too */"]),
)
def test_any_object_comes_back(before: dict[str, Any], hooks: Any, indent: Any, comment: str) -> None:
    value = before if hooks is None else {**before, "hooks": hooks}
    before.pop("hooks", None)
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    if indent is not None and comment:
        text = re.sub(r"([\[{,])\n", rf"\1{comment}\n", text)
    assert parse(text).value == value
    with_ours = put(text, PATH, OURS)
    assert parse(with_ours).value["hooks"]["Event"][-1] == OURS
    assert text in [take(with_ours, PATH, is_ours, most_empty=number) for number in range(3)]
