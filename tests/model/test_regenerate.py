"""Files that tools make are told by a person's rules, by their names and by git's attribute, with what makes them."""

import pytest

from sidecar.model.regenerate import Regeneration, read_rules, regeneration_of, without_command


@pytest.mark.parametrize(
    ("path", "kind", "command", "folder"),
    [
        ("package-lock.json", "lock file", "npm install --package-lock-only", ""),
        ("web/pnpm-lock.yaml", "lock file", "pnpm install --lockfile-only", "web"),
        ("go.sum", "lock file", "go mod tidy", ""),
        ("web/__snapshots__/cart.test.js.snap", "snapshot", None, ""),
        ("shop/cart_pb2.py", "generated", None, ""),
    ],
)
def test_a_file_that_a_tool_makes_is_known_by_its_name(path: str, kind: str, command: str | None, folder: str) -> None:
    known = regeneration_of(path)
    assert known is not None
    assert (known.kind, known.command, known.folder(path)) == (kind, command, folder)


@pytest.mark.parametrize("path", ["cart.py", "my-package-lock.json", "package-lock.json/readme", "snap", "uv.lock.md"])
def test_a_file_that_people_write_is_not(path: str) -> None:
    assert regeneration_of(path) is None


@pytest.mark.parametrize(
    ("path", "attribute", "known"),
    [
        ("api.ts", "set", True),
        ("api.ts", "true", True),
        ("api.ts", "unspecified", False),
        ("api.ts", "unset", False),
        ("cart_pb2.py", "unset", False),
        ("cart_pb2.py", "false", False),
        ("package-lock.json", "false", True),
    ],
)
def test_the_attribute_says_what_is_generated_and_takes_back_what_a_name_says_of_code(
    path: str, attribute: str, known: bool
) -> None:
    assert (regeneration_of(path, (), attribute) is not None) == known


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("src/api/cart.ts", "npm run codegen"),
        ("src/api/deep/cart.ts", "npm run codegen"),
        ("web/schema.json", "make schema"),
        ("other/schema.json", "make schema"),
        ("docs/table.md", None),
        ("src/cart.ts", "nobody's"),
    ],
)
def test_a_rule_names_files_or_their_directory_and_the_last_one_wins(path: str, command: str | None) -> None:
    values = (
        "src/api/ -> old",
        "src/api/ -> npm run codegen",
        "schema.json ->  make schema ",
        "docs/table.md",
        "* -> x",
    )
    known = regeneration_of(path, read_rules(values))
    assert (known.command if known is not None else "nobody's") == command
    assert known is None or known.folder(path) == ""


def test_a_rule_may_give_a_lock_file_another_command_and_one_without_leaves_it_the_known_one() -> None:
    assert regeneration_of("a/uv.lock", read_rules(("uv.lock",))) == regeneration_of("a/uv.lock")
    own = regeneration_of("a/uv.lock", read_rules(("uv.lock -> make lock",)))
    assert own == Regeneration("lock file", "uv.lock", "make lock")
    assert own.folder("a/uv.lock") == ""


def test_a_command_may_have_an_arrow_and_can_be_left_out() -> None:
    assert read_rules(("a.ts -> sh -c 'x -> y'",)) == (("a.ts", "sh -c 'x -> y'"),)
    assert without_command("a.ts -> sh -c 'x -> y'") == "a.ts"
    assert read_rules((" -> rm -rf /", "*", "", "a->b")) == (("a->b", None),)
