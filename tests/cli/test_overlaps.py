"""`sidecar overlaps` in real repositories."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Sidecar
from tests.harness import add_worktree, commit, git, state_of, write
from tests.harness.sample import Sample, truth


def test_the_sample_gives_its_truth_table(sample: Sample, sidecar: Sidecar) -> None:
    for folder in (sample.main, sample.showcase / "shop"):
        ended = sidecar(folder, "overlaps", "--json")
        assert (ended.status, ended.err) == (2, "")
        assert json.loads(ended.out) == truth()


def test_reading_changes_nothing(sample: Sample, sidecar: Sidecar) -> None:
    before = state_of(sample.main)
    for command in (["status"], ["overlaps"], ["overlaps", "discounts", "tax-rules"], ["check", "."]):
        sidecar(sample.showcase, *command)
    assert state_of(sample.main) == before


def test_people_see_conflicts_first_with_both_sides_and_their_lines(sample: Sample, sidecar: Sidecar) -> None:
    ended = sidecar(sample.main, "overlaps")
    lines = ended.out.splitlines()
    assert (ended.status, ended.err) == (2, "")
    assert lines[:2] == ["shop/cart.py", "  conflict    discounts  lines 13-18               tax-rules  lines 14-18"]
    assert lines[-1] == "5 conflicts, 5 clean, 1 identical."
    paths = [line for line in lines[:-1] if line and not line.startswith(" ")]
    assert paths[-1] == "README.md"


def test_of_one_worktree_by_name_branch_or_path(sample: Sample, sidecar: Sidecar) -> None:
    expected = [row for row in truth_rows() if "wish-lists" in {side["worktree"] for side in row["sides"]}]
    for name in ("wish-lists", "refs/heads/wish-lists", str(sample.worktrees["wish-lists"]), "../wish-lists"):
        ended = sidecar(sample.main, "overlaps", name, "--json")
        assert json.loads(ended.out)["overlaps"] == expected, name
    shown = sidecar(sample.main, "overlaps", "wish-lists").out
    assert all(line.split()[1] == "wish-lists" for line in shown.splitlines() if line.startswith("  "))


def truth_rows() -> list[dict[str, list[dict[str, str]]]]:
    rows = truth()["overlaps"]
    assert isinstance(rows, list)
    return rows


def test_of_two_worktrees(sample: Sample, sidecar: Sidecar) -> None:
    ended = sidecar(sample.main, "overlaps", "tax-rules", "discounts", "--json")
    found = json.loads(ended.out)["overlaps"]
    assert [(row["path"], row["verdict"]) for row in found] == [
        ("README.md", "identical"),
        ("shop/cart.py", "conflict"),
        ("shop/prices.py", "clean"),
    ]
    assert {tuple(side["worktree"] for side in row["sides"]) for row in found} == {("tax-rules", "discounts")}
    assert ended.status == 2


def test_without_a_conflict_the_status_is_0(sample: Sample, sidecar: Sidecar) -> None:
    assert sidecar(sample.main, "overlaps", "notifications").status == 0
    assert sidecar(sample.main, "overlaps", "discounts", "notifications").status == 0


def test_no_overlaps_in_plain_words(sample: Sample, sidecar: Sidecar) -> None:
    ended = sidecar(sample.main, "overlaps", "search-box")
    assert (ended.status, ended.out, ended.err) == (0, "No overlaps.\n", "")
    ended = sidecar(sample.main, "overlaps", "search-box", "--json")
    assert json.loads(ended.out) == {"schema": 1, "overlaps": [], "unknown": []}


def test_a_commit_alone_is_compared_with_trunk_as_committed(repo: Path, sidecar: Sidecar) -> None:
    base = git(repo, "rev-parse", "HEAD")
    theirs = add_worktree(repo, "theirs")
    tip = commit(theirs, {"README.md": "# Theirs\n", "new.py": "a = 1\n"})
    git(theirs, "checkout", "--quiet", "--detach", base)
    commit(repo, {"README.md": "# Trunk\n"})
    write(repo, {"new.py": "a = 2\n"})
    ended = sidecar(repo, "overlaps", tip, "--json")
    (row,) = json.loads(ended.out)["overlaps"]
    assert (row["path"], row["verdict"], ended.status) == ("README.md", "conflict", 2)
    assert [(side["worktree"], side["ref"]) for side in row["sides"]] == [(None, tip), (None, "main")]
    shown = sidecar(repo, "overlaps", "theirs~0").out
    assert "theirs~0  line 1   trunk (main)  line 1\n" in shown


def test_an_unknown_name_is_an_error_that_lists_the_names(sample: Sample, sidecar: Sidecar) -> None:
    for arguments in (["nowhere"], ["discounts", "nowhere"], ["nowhere", "--json"]):
        ended = sidecar(sample.main, "overlaps", *arguments)
        assert (ended.status, ended.out) == (1, "")
        assert len(ended.err.splitlines()) == 1
        assert "nowhere" in ended.err
        for name in ("shop", "cleanup", "discounts", "wish-lists"):
            assert name in ended.err


def test_a_name_of_two_worktrees_says_so(repo: Path, tmp_path: Path, sidecar: Sidecar) -> None:
    add_worktree(repo, tmp_path / "a" / "task", branch="one")
    add_worktree(repo, tmp_path / "b" / "task", branch="two")
    ended = sidecar(repo, "overlaps", "task", "--json")
    assert (ended.status, ended.out) == (1, "")
    assert str(tmp_path / "a" / "task") in ended.err
    assert str(tmp_path / "b" / "task") in ended.err
    assert sidecar(repo, "overlaps", "two").status == 0


@pytest.mark.parametrize(
    "names", [["--upload-pack=x"], ["--", "--all"], ["HEAD..HEAD~1"], [""], ["discounts", ""], ["x\x1b[31m"]]
)
def test_names_that_are_none_are_refused(names: list[str], sample: Sample, sidecar: Sidecar) -> None:
    ended = sidecar(sample.main, "overlaps", *names)
    assert (ended.status, ended.out) == (1, "")
    assert len(ended.err.splitlines()) == 1
    assert "\x1b" not in ended.err


def test_a_driver_of_the_repository_runs_only_when_trusted(repo: Path, tmp_path: Path, sidecar: Sidecar) -> None:
    ran = tmp_path / "ran"
    commit(repo, {".gitattributes": "data.txt merge=mine\n", "data.txt": "0\n"})
    git(repo, "config", "merge.mine.driver", f"touch {ran}; true")
    for name in ("one", "two"):
        commit(add_worktree(repo, name), {"data.txt": f"{name}\n"})
    ended = sidecar(repo, "overlaps", "--json")
    assert (ended.status, ran.exists()) == (2, False)
    assert "driver" in sidecar(repo, "overlaps").out
    ended = sidecar(repo, "overlaps", "--trust", "--json")
    assert (ended.status, ran.exists()) == (0, True)
    assert [row["verdict"] for row in json.loads(ended.out)["overlaps"]] == ["clean"]


def test_a_lock_file_that_two_have_changed_is_better_made_anew(repo: Path, sidecar: Sidecar) -> None:
    lock = "".join(f'"p{number}": "1.0.{number}",\n' for number in range(30))
    commit(repo, {"package-lock.json": lock})
    for name, number in (("one", 3), ("two", 20)):
        commit(add_worktree(repo, name), {"package-lock.json": lock.replace(f"1.0.{number}", f"2.0.{number}")})
    ended = sidecar(repo, "overlaps")
    assert ended.status == 0
    assert "clean" in ended.out
    assert "It is better made anew than merged: npm install" in ended.out
