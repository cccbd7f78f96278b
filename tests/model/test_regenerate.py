"""Files that tools make are told by their names, with what makes them anew."""

import pytest

from sidecar.model.changes import how_to_make, is_made_by_tools


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("package-lock.json", "It is better made anew than merged: npm install"),
        ("web/pnpm-lock.yaml", "It is better made anew than merged: pnpm install"),
        ("go.sum", "It is better made anew than merged: go mod tidy"),
        ("web/__snapshots__/cart.test.js.snap", "It is made by a tool, and better made anew than merged."),
    ],
)
def test_a_file_that_a_tool_makes_is_told_with_the_way(path: str, said: str) -> None:
    assert is_made_by_tools(path)
    assert how_to_make(path) == said


@pytest.mark.parametrize("path", ["cart.py", "my-package-lock.json", "package-lock.json/readme", "snap", "uv.lock.md"])
def test_a_file_that_people_write_is_not(path: str) -> None:
    assert not is_made_by_tools(path)
    assert how_to_make(path) is None
