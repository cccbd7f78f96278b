"""The sample repository is what it says it is: the same each time, and its truth table is git's."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import environment, git, identity, sample, state_of
from tests.harness.truth import disagreements


def test_is_built_with_the_same_commits_each_time(tmp_path: Path) -> None:
    one, other = sample.build(tmp_path / "one"), sample.build(tmp_path / "other")
    assert git(one.main, "for-each-ref") == git(other.main, "for-each-ref")


def test_refuses_a_directory_with_something_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(FileExistsError):
        sample.build(tmp_path)


def test_builds_from_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.harness.sample", str(tmp_path / "sample")]
    printed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert Path(printed["showcase_file"]).is_file()
    assert printed["worktrees"].keys() == sample.build(tmp_path / "again").worktrees.keys()


def test_truth_is_gits_own(tmp_path: Path) -> None:
    built = sample.build(tmp_path / "sample")
    table = sample.truth()
    assert disagreements(built.main, tmp_path / "scratch", table["overlaps"], {}) == []


def test_a_wrong_truth_is_noticed(tmp_path: Path) -> None:
    built = sample.build(tmp_path / "sample")
    overlaps = [overlap for overlap in sample.truth()["overlaps"] if overlap["path"] == "shop/cart.py"]
    overlaps[0]["sides"][0]["regions"][0]["end"] += 1
    overlaps[1]["verdict"] = "identical"
    said = disagreements(built.main, tmp_path / "scratch", overlaps, {})
    assert [sentence.partition(":")[0] for sentence in said if "shop/cart.py" in sentence] == [
        "discounts and tax-rules",
        "discounts and wish-lists",
        "discounts and wish-lists",
        "discounts and wish-lists",
    ]
    assert any("shop/orders.py" in sentence for sentence in said)


def test_tells_every_story(tmp_path: Path) -> None:
    """One sample for every verdict and for the kinds and sources that the documentation shows."""
    overlaps = sample.truth()["overlaps"]
    assert {(overlap["verdict"], overlap["kind"]) for overlap in overlaps} >= {
        ("conflict", "content"),
        ("conflict", "add/add"),
        ("conflict", "modify/delete"),
        ("clean", "content"),
        ("identical", "content"),
    }
    sources = {source for overlap in overlaps for side in overlap["sides"] for source in side["sources"]}
    assert sources == {"committed", "staged", "unstaged", "untracked"}
    met = {side["worktree"] for overlap in overlaps for side in overlap["sides"]}
    assert None in met
    assert "search-box" not in met


def test_showcase_conflicts_on_the_first_screen(tmp_path: Path) -> None:
    built = sample.build(tmp_path / "sample")
    path = built.showcase_file.relative_to(built.showcase).as_posix()
    conflicts = [
        side["regions"]
        for overlap in sample.truth()["overlaps"]
        for side in overlap["sides"]
        if overlap["verdict"] == "conflict" and (side["worktree"], side["path"]) == (built.showcase.name, path)
    ]
    assert conflicts
    assert conflicts[0][0]["end"] <= 25


def test_sidecar_tells_the_truth_and_leaves_no_trace(tmp_path: Path) -> None:
    built = sample.build(tmp_path / "sample")
    before = state_of(built.main)
    command = [sys.executable, "-m", "sidecar", "-C", str(built.main), "overlaps", "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert json.loads(done.stdout) == sample.truth()
    assert state_of(built.main) == before


@pytest.mark.parametrize("name", ["cleanup", "discounts", "free-shipping", "notifications", "search-box", "tax-rules"])
def test_a_merge_by_hand_stops_where_the_truth_says(tmp_path: Path, name: str) -> None:
    """What a person would see: commit everything, merge the branches one by one into a copy."""
    built = sample.build(tmp_path / "sample")
    person = environment() | identity()
    for worktree in built.worktrees.values():
        git(worktree, "add", "--all")
        git(worktree, "commit", "--quiet", "--allow-empty", "-m", "Everything", env=person)
    mine = [
        overlap for overlap in sample.truth()["overlaps"] if name in [side["worktree"] for side in overlap["sides"]]
    ]
    for other in [*(built.worktrees.keys() - {name}), "main"]:
        git(built.worktrees[name], "merge", "--quiet", "--no-commit", "--no-ff", other, check=False)
        unmerged = git(built.worktrees[name], "diff", "--name-only", "--diff-filter=U").splitlines()
        expected = [
            overlap["path"]
            for overlap in mine
            if overlap["verdict"] == "conflict"
            and (None if other == "main" else other) in [side["worktree"] for side in overlap["sides"]]
        ]
        assert unmerged == expected
        git(built.worktrees[name], "reset", "--quiet", "--hard")
        git(built.worktrees[name], "clean", "-fdq")
