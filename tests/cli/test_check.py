"""`sidecar check` in real repositories."""

import json
import os
from pathlib import Path

from tests.cli.conftest import Sidecar
from tests.harness import Symlink, add_worktree, commit, git, init, write
from tests.harness.sample import Sample


def files(out: str) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """(path, worktree, [(verdict, the other side)]) of each file of `check --json`."""
    answer = json.loads(out)
    assert set(answer) == {"schema", "files", "unknown", "agents"}
    assert answer["schema"] == 1
    return [
        (
            file["path"],
            file["worktree"],
            [
                (
                    row["verdict"],
                    next(side["worktree"] for side in row["sides"] if side["worktree"] != file["worktree"]),
                )
                for row in file["overlaps"]
            ],
        )
        for file in answer["files"]
    ]


CART = ("shop/cart.py", "discounts", [("conflict", "tax-rules"), ("clean", "wish-lists")])


def test_a_file_by_every_way_to_write_its_path(sample: Sample, sidecar: Sidecar) -> None:
    here = sample.showcase
    for folder, path in (
        (here, "shop/cart.py"),
        (here / "shop", "cart.py"),
        (here / "shop", "./../shop//cart.py"),
        (sample.main, str(here / "shop" / "cart.py")),
        (sample.main, "../discounts/shop/cart.py"),
        (sample.root, "discounts/shop/cart.py"),
    ):
        ended = sidecar(folder, "check", "--json", path)
        assert (ended.status, ended.err) == (2, "")
        assert files(ended.out) == [CART], path
    assert files(sidecar(sample.main, "-C", here / "shop", "check", "cart.py", "--json").out) == [CART]


def test_people_see_this_worktree_first(sample: Sample, sidecar: Sidecar) -> None:
    ended = sidecar(sample.worktrees["tax-rules"], "check", "shop/cart.py")
    assert ended.out.splitlines()[:2] == [
        "shop/cart.py",
        "  conflict   tax-rules  lines 14-18       discounts  lines 13-18",
    ]
    assert (ended.status, ended.err) == (2, "")


def test_several_files_in_several_worktrees(sample: Sample, sidecar: Sidecar) -> None:
    ended = sidecar(
        sample.root, "check", "discounts/shop/cart.py", "search-box/shop/cart.py", "wish-lists/README.md", "--json"
    )
    assert files(ended.out) == [CART, ("shop/cart.py", "search-box", []), ("README.md", "wish-lists", [])]


def test_a_file_that_only_others_have_changed(sample: Sample, sidecar: Sidecar) -> None:
    ended = sidecar(sample.worktrees["search-box"], "check", "shop/cart.py")
    assert ended.status == 0
    assert ended.out == "No overlaps.\n\nChanged elsewhere\n  shop/cart.py   discounts, tax-rules, wish-lists\n"


def test_a_file_that_nobody_has_changed_and_one_that_is_not_there(sample: Sample, sidecar: Sidecar) -> None:
    ended = sidecar(sample.showcase, "check", "shop/inventory.py", "new/file.py")
    assert (ended.status, ended.out) == (0, "Nobody else has changed shop/inventory.py, new/file.py.\n")
    ended = sidecar(sample.showcase, "check", "new/file.py", "--json")
    assert files(ended.out) == [("new/file.py", "discounts", [])]


def test_a_file_that_this_worktree_deleted(sample: Sample, sidecar: Sidecar) -> None:
    ended = sidecar(sample.worktrees["cleanup"], "check", "shop/csv_export.py", "--json")
    assert files(ended.out) == [("shop/csv_export.py", "cleanup", [("conflict", "free-shipping")])]


def test_a_file_that_another_worktree_renamed(sample: Sample, sidecar: Sidecar) -> None:
    expected = [("clean", "notifications")]
    assert files(sidecar(sample.showcase, "check", "shop/mail.py", "--json").out) == [
        ("shop/mail.py", "discounts", expected)
    ]
    there = sample.worktrees["notifications"]
    for name in ("shop/mail.py", "shop/notifications.py"):
        assert files(sidecar(there, "check", name, "--json").out) == [(name, "notifications", [("clean", "discounts")])]


def test_a_directory_stands_for_what_is_below(sample: Sample, sidecar: Sidecar) -> None:
    everything = files(sidecar(sample.showcase, "check", ".", "--json").out)
    below = files(sidecar(sample.showcase, "check", "shop/", "--json").out)
    assert CART in below
    assert below == [file for file in everything if file[0].startswith("shop/")]
    assert "README.md" in {path for path, _, _ in everything}
    assert sidecar(sample.showcase, "check", "tests").out == "Nobody else has changed tests.\n"


def test_a_directory_that_is_gone(repo: Path, sidecar: Sidecar) -> None:
    commit(repo, {"old/a.py": "1\n", "old/b.py": "1\n", "older.py": "1\n"})
    mine, theirs = add_worktree(repo, "mine"), add_worktree(repo, "theirs")
    commit(mine, {"old/a.py": None, "old/b.py": None, "older.py": None})
    commit(theirs, {"old/a.py": "2\n", "older.py": "2\n"})
    os.rmdir(mine / "old")
    ended = sidecar(mine, "check", "old", "--json")
    assert files(ended.out) == [("old/a.py", "mine", [("conflict", "theirs")])]


def test_in_nested_worktrees_a_path_is_in_the_innermost(repo: Path, sidecar: Sidecar) -> None:
    inner = add_worktree(repo, ".claude/worktrees/inner")
    write(inner, {"README.md": "# Inner\n"})
    write(repo, {"README.md": "# Outer\n"})
    path = ".claude/worktrees/inner/README.md"
    assert files(sidecar(repo, "check", path, "--json").out) == [("README.md", "inner", [("conflict", "repo")])]
    assert files(sidecar(repo, "check", "README.md", "--json").out) == [("README.md", "repo", [("conflict", "inner")])]


def test_a_path_in_another_repository_is_asked_of_that_one(repo: Path, tmp_path: Path, sidecar: Sidecar) -> None:
    other = init(repo / "vendored")
    commit(other, {"x.py": "1\n"})
    linked = add_worktree(other, tmp_path / "linked")
    write(other, {"x.py": "2\n"})
    write(linked, {"x.py": "3\n"})
    ended = sidecar(repo, "check", "vendored/x.py", "README.md", "--json")
    assert files(ended.out) == [("x.py", "vendored", [("conflict", "linked")]), ("README.md", "repo", [])]


def test_a_link_is_the_link_and_links_above_are_followed(repo: Path, tmp_path: Path, sidecar: Sidecar) -> None:
    write(repo, {"link.py": Symlink("target.py")})
    commit(repo, {"target.py": "1\n"})
    mine, theirs = add_worktree(repo, "mine"), add_worktree(repo, "theirs")
    for worktree in (mine, theirs):
        write(worktree, {"link.py": Symlink(f"{worktree.name}.py")})
    (tmp_path / "door").symlink_to(mine)
    for path in (mine / "link.py", tmp_path / "door" / "link.py"):
        assert files(sidecar(tmp_path, "check", path, "--json").out) == [("link.py", "mine", [("conflict", "theirs")])]


def test_a_path_in_no_worktree_is_an_error(sample: Sample, tmp_path: Path, sidecar: Sidecar) -> None:
    for folder, path in ((sample.showcase, tmp_path / "x"), (tmp_path, "x"), (sample.showcase, "/x")):
        ended = sidecar(folder, "check", path, "--json")
        assert (ended.status, ended.out, len(ended.err.splitlines())) == (1, "", 1)


def test_in_a_bare_repository_a_path_is_in_no_worktree(repo: Path, tmp_path: Path, sidecar: Sidecar) -> None:
    bare = tmp_path / "shop.git"
    git(repo, "clone", "--quiet", "--bare", repo, bare)
    ended = sidecar(bare, "check", "HEAD")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err == "sidecar: HEAD is in no worktree.\n"


def test_a_worktree_that_cannot_be_read_is_no_all_clear(repo: Path, sidecar: Sidecar) -> None:
    broken, fine = add_worktree(repo, "broken"), add_worktree(repo, "fine")
    Path(git(broken, "rev-parse", "--path-format=absolute", "--git-dir"), "index").write_bytes(b"not an index")
    for worktree in (broken, fine):
        ended = sidecar(repo, "check", worktree / "README.md", "--json")
        assert (ended.status, files(ended.out)) == (1, [("README.md", worktree.name, [])])
        assert [(one["worktree"], one["path"]) for one in json.loads(ended.out)["unknown"]] == [("broken", None)]
        assert "broken" in ended.err


def test_a_path_that_is_not_utf_8(repo: Path, sidecar: Sidecar) -> None:
    name = os.fsdecode(b"caf\xe9.py")
    mine, theirs = add_worktree(repo, "mine"), add_worktree(repo, "theirs")
    for worktree in (mine, theirs):
        commit(worktree, {name: f"{worktree.name}\n"})
    ended = sidecar(mine, "check", name, "--json")
    assert '"path":"caf\\udce9.py"' in ended.out
    assert files(ended.out) == [(name, "mine", [("conflict", "theirs")])]
    assert sidecar(mine, "check", name).out.startswith("caf\\xe9.py\n")


def test_odd_paths(sample: Sample, sidecar: Sidecar) -> None:
    ended = sidecar(sample.main, "check", "")
    assert (ended.status, ended.out, ended.err) == (1, "", "sidecar: A path is empty. See sidecar check --help.\n")
    assert sidecar(sample.main, "check", ".git/config").out == "Nobody else has changed .git/config.\n"
    ended = sidecar(sample.main, "check", "\x1b[31m\u202e.py")
    assert ended.out == "Nobody else has changed \\x1b[31m\\u202e.py.\n"
