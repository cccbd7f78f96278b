"""The table of codes: sound, and the page that is made from it is as it would be made now."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.generate import FINDINGS, findings_text
from sidecar.model.findings import allowable, codes_by_operation, finding, finding_codes
from sidecar.model.inventory import Administration, Bytes, Commits, Files, Inventory, Nested, Output, Surroundings
from sidecar.model.inventory_findings import findings_of, size_text

SOURCE = Path(__file__).resolve().parent.parent.parent / "sidecar"
MANY = tuple(f"path-{number}" for number in range(5))
ODD = "a\nb\u202e\udcff"


def inventory(
    files: Files | None = None,
    commits: Commits | None = None,
    administration: Administration | None = None,
    surroundings: Surroundings | None = None,
) -> Inventory:
    return Inventory(
        "/repository/feat-1",
        "feat-1",
        files or Files(),
        commits or Commits("a" * 40, "feat-1"),
        administration or Administration(),
        surroundings or Surroundings(),
        Bytes(),
    )


def test_the_table_is_sound() -> None:
    assert len(finding_codes()) == sum(len(codes) for codes in codes_by_operation().values())
    assert "untracked" in allowable()
    assert not allowable() & {"unsaved", "main-worktree", "busy", "conflict"}
    for code in finding_codes().values():
        assert code.code == code.code.lower().replace("_", "-").replace(" ", "-")
        for sentence in (code.meaning, code.kept):
            assert sentence.endswith(".")
        assert "|" not in code.meaning + code.kept + code.advice


def test_the_page_is_up_to_date() -> None:
    assert FINDINGS.read_text("utf-8") == findings_text()


MAKERS = frozenset({"Finding", "finding"})
"""The functions that make a finding, its code first."""


def codes_made(file: Path) -> Iterator[tuple[int, str]]:
    """The codes that a source file gives to findings, with their lines; of a conditional code each that it can be."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS and node.args:
            code = node.args[0]
            for one in (code.body, code.orelse) if isinstance(code, ast.IfExp) else (code,):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield node.lineno, one.value


def test_every_code_that_the_source_makes_is_in_the_table() -> None:
    made = {
        (f"{file}:{line}", code)
        for part in ("operations", "git", "model", "session", "cli", "lsp")
        for file in (SOURCE / part).rglob("*.py")
        for line, code in codes_made(file)
    }
    assert len(made) > 100
    assert [(where, code) for where, code in sorted(made) if code not in finding_codes()] == []


def test_an_unknown_code_is_none() -> None:
    with pytest.raises(KeyError):
        finding("surprise", "There is a surprise.")


def test_nothing_at_stake_is_no_finding() -> None:
    assert findings_of(inventory()) == ()


def test_every_group_is_told() -> None:
    """A group that findings_of forgets would be a loss that nobody hears of."""
    silent = inventory()
    for name in Files.__dataclass_fields__:
        one: object = ODD
        if name == "output":
            one = Output(ODD, 5)
        elif name == "nested":
            one = Nested(ODD, "repository")
        found = findings_of(inventory(files=Files(**{name: (one,)})))  # type: ignore[arg-type]
        assert len(found) == 1, name
        assert found[0].paths == (ODD,)
        assert found[0].message.isprintable(), found[0].message
    for name, value in (
        ("operations", ("rebase",)),
        ("locks", (ODD,)),
        ("locked", ODD),
        ("extras", (ODD,)),
        ("worktree_config", True),
        ("unreadable", (ODD,)),
    ):
        assert name in Administration.__dataclass_fields__
        found = findings_of(inventory(administration=Administration(**{name: value})))  # type: ignore[arg-type]
        assert len(found) == 1, name
        assert found[0].message.isprintable()
    for name, told in (
        ("pointers", ((ODD, ODD),)),
        ("stashes", (ODD,)),
        ("elsewhere", (ODD,)),
        ("submodule_commits", ((ODD, 2),)),
        ("contents", {"0" * 64: ODD}),
    ):
        found = findings_of(inventory(surroundings=Surroundings(**{name: told})))  # type: ignore[arg-type]
        assert len(found) == 1, name
        assert found[0].message.isprintable()
    assert findings_of(silent) == ()


def test_a_sentence_names_the_first_and_counts_the_rest() -> None:
    (one,) = findings_of(inventory(files=Files(untracked=MANY)))
    assert one.message == "feat-1 has 5 untracked files: path-0, path-1, path-2 and 2 more."
    (one,) = findings_of(inventory(files=Files(unique=(".env",))))
    assert one.message == "feat-1 has 1 ignored file that is only here: .env."
    (one,) = findings_of(inventory(administration=Administration(operations=("am",))))
    assert one.message == "feat-1 is in the middle of an am. Finish or abort it."


def test_commits_are_told_by_what_holds_them() -> None:
    own = ("b" * 40,)
    assert findings_of(inventory(commits=Commits("a" * 40, "feat-1", own=own))) == ()
    detached = inventory(commits=Commits("a" * 40, None, own=own))
    assert [one.code for one in findings_of(detached)] == ["unreachable-commits"]
    assert findings_of(detached, head_in_trunk=True) == ()
    refs = (("refs/worktree/x", "b" * 40),)
    by_refs = inventory(commits=Commits("a" * 40, "feat-1", by_refs=own, refs=refs))
    assert [one.code for one in findings_of(by_refs)] == ["unreachable-commits"]
    by_log = inventory(commits=Commits("a" * 40, "feat-1", by_log=own))
    assert [(one.code, one.severity) for one in findings_of(by_log)] == [("reflog-commits", "kept")]


def test_what_blocks_comes_first() -> None:
    everything = Files(unique=MANY, equal=MANY, untracked=MANY, output=(Output("x", 2_300_000_000),))
    found = findings_of(inventory(files=everything))
    assert [one.severity for one in found] == ["blocks", "kept", "info", "info"]
    assert "(2.3 GB)" in found[2].message


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (14_000, "14 kB"), (5_400_000, "5 MB"), (2_300_000_000, "2.3 GB")]
)
def test_sizes_are_for_people(count: int, text: str) -> None:
    assert size_text(count) == text
