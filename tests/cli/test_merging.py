"""`sidecar merge`, for one worktree and for all, and `sidecar plan`, in real repositories."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Sidecar, own_environment, spawn
from tests.cli.terminal import terminal
from tests.harness import add_worktree, commit, git, state_of, write
from tests.operations.test_order import LINES, branch_off, edited

MERGE_KEYS = ["schema", "outcome", "trunk", "findings", "receipt", "files"]


@pytest.fixture
def shop(repo: Path, home: Path) -> Path:
    """A repository whose person has a name, with two worktrees that merge and one that would conflict with them."""
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n")
    commit(repo, {"a.txt": LINES, "b.txt": LINES})
    branch_off(repo, "one", {"a.txt": edited(5, to="one")})
    branch_off(repo, "two", {"b.txt": edited(5, to="two")})
    return repo


def tip(repo: Path) -> str:
    return git(repo, "rev-parse", "main")


def test_a_dry_run_shows_the_plan_and_does_nothing(shop: Path, sidecar: Sidecar) -> None:
    before = state_of(shop)
    ended = sidecar(shop, "merge", "one", "--dry-run")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines()[:4] == [
        "merge      one, 1 commit, into main",
        "files      Changes 1 file.",
        "strategy   merge",
        "message    Merge branch 'one'",
    ]
    said = json.loads(sidecar(shop, "merge", "one", "--dry-run", "--json").out)
    assert list(said) == MERGE_KEYS
    assert (said["outcome"], said["receipt"]) == ("planned", None)
    assert said["files"] == {"edited": 1, "added": 0, "moved": 0, "deleted": 0, "total": None}
    assert said["trunk"] == {"branch": "main", "before": tip(shop), "after": None}
    assert state_of(shop) == before


def test_without_consent_nothing_is_done_and_how_to_consent_is_said(shop: Path, sidecar: Sidecar) -> None:
    before = state_of(shop)
    ended = sidecar(shop, "merge", "one")
    assert ended.status == 2
    assert ended.err == "sidecar: Nothing was done. Add --yes to agree to this plan, or --dry-run to only look.\n"
    ended = sidecar(shop, "merge", "one", "--json")
    assert (ended.status, json.loads(ended.out)["outcome"]) == (2, "planned")
    assert state_of(shop) == before


def test_yes_merges_and_says_how_to_take_it_back(shop: Path, sidecar: Sidecar) -> None:
    before = tip(shop)
    ended = sidecar(shop, "merge", "one", "--yes", "--message", "Take one\n\nAll of it.")
    assert ended.status == 0
    receipt = ended.out.rstrip("\n").rpartition("sidecar restore ")[2]
    assert ended.out.splitlines()[-1] == (
        f"Merged one into main ({tip(shop)[:10]}). Take it back with: sidecar restore {receipt}"
    )
    assert git(shop, "log", "-1", "--format=%B") == "Take one\n\nAll of it."
    assert (shop / "a.txt").read_text() == edited(5, to="one")
    assert sidecar(shop, "restore", receipt).status == 0
    assert (tip(shop), (shop / "a.txt").read_text()) == (before, LINES)


def test_json_of_a_merge_is_one_object_and_the_rest_goes_to_standard_error(shop: Path) -> None:
    before = tip(shop)
    ended = spawn(shop, "merge", "one", "--yes", "--json", "--verify", "echo verified; echo aside >&2")
    assert ended.status == 0
    said = json.loads(ended.out)
    assert list(said) == MERGE_KEYS
    assert said["trunk"] == {"branch": "main", "before": before, "after": tip(shop)}
    assert (said["outcome"], said["receipt"][:6]) == ("merged", "merge-")
    assert {"verified", "aside"} <= set(ended.err.splitlines())


@pytest.mark.parametrize(("strategy", "parents"), [("merge", 2), ("squash", 1), ("rebase", 1)])
def test_each_strategy(shop: Path, sidecar: Sidecar, strategy: str, parents: int) -> None:
    assert sidecar(shop, "merge", "one", "--yes", "--strategy", strategy).status == 0
    assert len(git(shop, "rev-parse", "main^@").splitlines()) == parents
    assert (shop / "a.txt").read_text() == edited(5, to="one")


def test_what_is_in_the_way_comes_first_and_nothing_is_done(shop: Path, sidecar: Sidecar) -> None:
    write(shop.parent / "one", {"new\x1b[31m.txt": "x\n"})
    before = tip(shop)
    ended = sidecar(shop, "merge", "one", "--yes")
    assert ended.status == 2
    lines = ended.out.splitlines()
    at = lines.index("In the way")
    assert lines[at + 1].startswith("  uncommitted   one has 1 file")
    assert lines[at + 2].strip() == "new\\x1b[31m.txt"
    said = json.loads(sidecar(shop, "merge", "one", "--yes", "--json").out)
    assert said["outcome"] == "refused"
    assert [finding["code"] for finding in said["findings"] if finding["severity"] == "blocks"] == ["uncommitted"]
    assert tip(shop) == before


def test_uncommitted_work_is_committed_first_when_that_is_asked_for(shop: Path, sidecar: Sidecar) -> None:
    write(shop.parent / "one", {"new.txt": "x\n"})
    assert sidecar(shop, "merge", "one", "--yes", "--commit", "Add new").status == 0
    assert git(shop, "log", "-1", "--format=%s", "one") == "Add new"
    assert (shop / "new.txt").read_text() == "x\n"


def test_a_conflict_is_refused(shop: Path, sidecar: Sidecar) -> None:
    commit(shop, {"a.txt": edited(5, to="trunk")})
    ended = sidecar(shop, "merge", "one", "--yes", "--json")
    said = json.loads(ended.out)
    assert (ended.status, said["outcome"]) == (2, "refused")
    assert [(finding["code"], finding["paths"]) for finding in said["findings"]] == [("conflict", ["a.txt"])]


def test_a_failing_verify_leaves_trunk_and_says_its_last_words(shop: Path, sidecar: Sidecar) -> None:
    before = git(shop, "for-each-ref")
    ended = sidecar(shop, "merge", "one", "--yes", "--verify", "echo three tests failed; exit 3")
    assert ended.status == 1
    assert "three tests failed" in ended.err
    assert ended.err.endswith("Not merged: main is as it was.\n")
    assert git(shop, "for-each-ref") == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_during_verify_ends_all_that_it_started(shop: Path, tmp_path: Path, number: int) -> None:
    before = tip(shop)
    left = tmp_path / "left"
    line = f"echo $$ > '{left}'; echo $((6 * 7)) at work; while :; do sleep 60; done"
    with terminal(shop, "merge", "one", "--yes", "--verify", line) as shown:
        shown.read_until("42 at work")
        shown.interrupt(number)
        assert shown.wait() == 130
        assert "Not merged: main is as it was." in shown.shown
    with pytest.raises(ProcessLookupError):
        os.kill(int(left.read_text()), 0)
    assert tip(shop) == before
    assert len(git(shop, "worktree", "list").splitlines()) == 3
    assert not (shop / ".git" / "sidecar" / "journal").exists()


def test_a_person_is_asked_and_may_say_no(shop: Path) -> None:
    before = tip(shop)
    for answer, status in (("n\n", 2), (None, 130), ("y\n", 0)):
        with terminal(shop, "merge", "one") as shown:
            assert "Merge branch 'one'" in shown.read_until("Merge into main? [y/N]")
            if answer is None:
                assert shown.interrupt_the_question() == status
            else:
                shown.press(answer)
                assert shown.wait() == status
        assert (tip(shop) == before) == bool(status)


def test_ctrl_c_ends_a_verify_that_has_closed_its_output(shop: Path) -> None:
    line = "echo $((6 * 7)) at work; exec sleep 600 > /dev/null 2>&1"
    with terminal(shop, "merge", "one", "--yes", "--verify", line) as shown:
        shown.read_until("42 at work")
        shown.interrupt()
        assert shown.wait() == 130
        assert "Not merged: main is as it was." in shown.shown


def test_whoever_closes_the_pipe_does_not_stop_a_merge_half_way(shop: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = spawn_with_errors_to(shop, writer, "merge", "one", "--yes", "--verify", "seq 100000")
    os.close(writer)
    assert ended == 0
    assert (shop / "a.txt").read_text() == edited(5, to="one")


def spawn_with_errors_to(folder: Path, descriptor: int, *arguments: str) -> int:
    command = [sys.executable, "-m", "sidecar", *arguments]
    return subprocess.run(
        command, cwd=folder, env=own_environment(), stdout=subprocess.PIPE, stderr=descriptor, timeout=60, check=False
    ).returncode


@pytest.mark.parametrize(
    "arguments",
    [[], ["one", "--all"], ["--all", "--message", "x"], ["--all", "--commit", "x"], ["one", "--strategy", "octopus"]],
    ids=" ".join,
)
def test_wrong_usage(shop: Path, sidecar: Sidecar, arguments: list[str]) -> None:
    ended = sidecar(shop, "merge", *arguments)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.endswith("See sidecar merge --help.\n")


def test_plan_shows_the_order_and_who_is_not_ready(shop: Path, sidecar: Sidecar) -> None:
    branch_off(shop, "three", {"a.txt": edited(5, to="three")})
    write(branch_off(shop, "four", {"c.txt": "c\n"}), {"c.txt": "d\n"})
    ended = sidecar(shop, "plan")
    assert (ended.status, ended.err) == (0, "")
    assert (
        ended.out
        == """\
Ready, in this order
  1.   one     merges, changes 1 file
  2.   two     merges, changes 1 file
  3.   three   Conflicts with one in a.txt.

Not ready
  four   It has 1 uncommitted change.

Conflict with each other: merge one into the other by hand first
  one and three   a.txt

In this order 1 file conflicts on the way into main; no other order has fewer.
"""
    )
    one = {"edited": 1, "added": 0, "moved": 0, "deleted": 0, "total": None}
    path = {name: str(shop.parent / name) for name in ("one", "two", "three", "four")}
    said = json.loads(sidecar(shop, "plan", "--json").out)
    assert said == {
        "schema": 1,
        "order": [
            {
                "worktree": "one",
                "path": path["one"],
                "branch": "one",
                "ready": True,
                "conflicts": 0,
                "why": None,
                "files": one,
                "needs": [],
                "installs": [],
            },
            {
                "worktree": "two",
                "path": path["two"],
                "branch": "two",
                "ready": True,
                "conflicts": 0,
                "why": None,
                "files": one,
                "needs": [],
                "installs": [],
            },
            {
                "worktree": "three",
                "path": path["three"],
                "branch": "three",
                "ready": True,
                "conflicts": 1,
                "why": "Conflicts with one in a.txt.",
                "files": one,
                "needs": [],
                "installs": [],
            },
            {
                "worktree": "four",
                "path": path["four"],
                "branch": "four",
                "ready": False,
                "conflicts": 0,
                "why": "It has 1 uncommitted change.",
                "files": None,
                "needs": [],
                "installs": [],
            },
        ],
        "pairs": [{"worktrees": ["one", "three"], "paths": ["a.txt"]}],
        "conflicts": 1,
        "exact": True,
    }


def test_plan_with_nothing_to_merge(repo: Path, sidecar: Sidecar) -> None:
    assert sidecar(repo, "plan").out == "There are no worktrees to merge into main.\n"
    add_worktree(repo, "idle")
    assert sidecar(repo, "plan").out.splitlines()[-1] == "Nothing is ready to be merged into main."
    ended = sidecar(repo, "merge", "--all", "--yes", "--json")
    assert (ended.status, json.loads(ended.out)) == (0, {"schema": 1, "outcome": "planned", "merges": []})


def test_all_that_is_ready_is_merged_in_order(shop: Path, sidecar: Sidecar) -> None:
    ended = sidecar(shop, "merge", "--all", "--yes")
    assert ended.status == 0
    assert [line.split(" (")[0] for line in ended.out.splitlines() if line.startswith("Merged")] == [
        "Merged one into main",
        "Merged two into main",
    ]
    assert (shop / "a.txt").read_text() == edited(5, to="one")
    assert (shop / "b.txt").read_text() == edited(5, to="two")


def test_all_stops_at_the_first_that_fails_with_what_came_before_it_landed(shop: Path, sidecar: Sidecar) -> None:
    branch_off(shop, "zero", {"z.txt": "z\n"})
    line = "test ! -e z.txt || { echo no z here; exit 1; }"
    order = [turn["worktree"] for turn in json.loads(sidecar(shop, "plan", "--json").out)["order"]]
    ended = sidecar(shop, "merge", "--all", "--yes", "--json", "--verify", line)
    said = json.loads(ended.out)
    assert (ended.status, said["outcome"]) == (1, "failed")
    at = order.index("zero")
    assert [merge["worktree"] for merge in said["merges"]] == order
    assert [merge["merge"] and merge["merge"]["outcome"] for merge in said["merges"]] == [
        *["merged"] * at,
        "failed",
        *[None] * (len(order) - at - 1),
    ]
    assert not (shop / "z.txt").exists()
    assert len(git(shop, "rev-list", "--merges", "main").splitlines()) == at


def test_all_stops_before_a_conflict(shop: Path, sidecar: Sidecar) -> None:
    branch_off(shop, "three", {"a.txt": edited(5, to="three")})
    ended = sidecar(shop, "merge", "--all", "--yes")
    assert ended.status == 2
    assert "three conflicts with main: a.txt" in ended.err
    assert ended.err.endswith("Stopped there: 2 of 3 are merged into main.\n")


def test_all_needs_consent_and_can_be_looked_at(shop: Path, sidecar: Sidecar) -> None:
    before = tip(shop)
    assert sidecar(shop, "merge", "--all").status == 2
    ended = sidecar(shop, "merge", "--all", "--dry-run", "--json")
    assert (ended.status, json.loads(ended.out)) == (
        0,
        {
            "schema": 1,
            "outcome": "planned",
            "merges": [{"worktree": "one", "merge": None}, {"worktree": "two", "merge": None}],
        },
    )
    assert tip(shop) == before


@pytest.mark.parametrize("options", [["--commit", "Work"], []])
def test_what_would_be_deleted_is_shown_by_every_way_to_consent(
    shop: Path, sidecar: Sidecar, options: list[str]
) -> None:
    git(shop, "worktree", "add", "-q", "-b", "empty", str(shop.parent / "empty"))
    git(shop.parent / "empty", "rm", "-rq", ".")
    if not options:
        git(shop.parent / "empty", "commit", "-q", "-m", "Small fix")
    total = len(git(shop, "ls-files").splitlines())
    ended = sidecar(shop, "merge", "empty", "--dry-run", *options)
    assert f"Deletes {total} of {total} files." in ended.out
    files = json.loads(sidecar(shop, "merge", "empty", "--dry-run", "--json", *options).out)["files"]
    assert (files["deleted"], files["total"]) == (total, total)
    if not options:
        assert f"deletes {total} of {total} files" in sidecar(shop, "plan").out.lower()
        assert f"deletes {total} of {total} files" in sidecar(shop, "merge", "--all", "--dry-run").out.lower()


def test_a_merge_that_takes_trunk_back_needs_to_be_allowed_by_name(shop: Path, sidecar: Sidecar) -> None:
    old = "".join(f"price_{number} = {number}\n" for number in range(9))
    commit(shop, {"prices.py": old}, "Begin prices")
    before = commit(shop, {"prices.py": old.replace("= 4", "= 44")}, "Raise a price")
    commit(add_worktree(shop, "stale"), {"prices.py": old, "own.py": "own = 1\n"}, "Work")
    ended = sidecar(shop, "merge", "stale", "--yes", "--json")
    said = json.loads(ended.out)
    assert (ended.status, said["outcome"], tip(shop)) == (2, "refused", before)
    assert [one["code"] for one in said["findings"]] == ["undoes-trunk"]
    ended = sidecar(shop, "merge", "stale", "--yes", "--json", "--allow", "undoes-trunk")
    assert (ended.status, json.loads(ended.out)["outcome"]) == (0, "merged")


def test_files_that_tools_make_are_made_anew_when_a_person_says_so(shop: Path, sidecar: Sidecar) -> None:
    git(shop, "config", "sidecar.generated", "parts.lock -> cat *.part > parts.lock")
    feat = add_worktree(shop, "parts")
    commit(feat, {"t.part": "t\n", "parts.lock": "t\n"}, "Theirs")
    before = commit(shop, {"b.part": "b\n", "parts.lock": "b\n"}, "Trunk's")
    refused = sidecar(shop, "merge", "parts", "--yes")
    assert (refused.status, tip(shop)) == (2, before)
    assert "(--regenerate): parts.lock by “cat *.part > parts.lock”." in refused.out
    shown = sidecar(shop, "merge", "parts", "--dry-run", "--json", "--regenerate")
    said = json.loads(shown.out)
    assert (said["outcome"], tip(shop)) == ("planned", before)
    assert said["regenerate"] == [{"command": "cat *.part > parts.lock", "folder": "", "paths": ["parts.lock"]}]
    ended = sidecar(shop, "merge", "parts", "--yes", "--regenerate")
    assert ended.status == 0, ended.err
    assert "They are made anew: parts.lock by “cat *.part > parts.lock”." in ended.out
    assert (shop / "parts.lock").read_text() == "b\nt\n"
