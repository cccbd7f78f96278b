"""A merge in a partial clone: a plan fetches nothing and says what is missing; who merges has it fetched, as by git."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Ended, spawn
from tests.harness import add_worktree, commit, git, init

TWENTY = "".join(f"{number}\n" for number in range(1, 21))


@pytest.fixture(autouse=True)
def _somebody(home: Path) -> None:
    (home / ".gitconfig").write_text("[user]\n\tname = Ada Harness\n\temail = ada@example.com\n")


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    path = init(tmp_path / "upstream")
    commit(path, {"f": TWENTY, "g": TWENTY})
    git(path, "config", "uploadpack.allowFilter", "true")
    git(path, "config", "uploadpack.allowAnySHA1InWant", "true")
    return path


def cloned(upstream: Path, line: str, *, filtered: str = "blob:none") -> Path:
    """A partial clone whose worktree `a` has changed line 5, where trunk has since changed this line, not fetched."""
    main = upstream.parent / "main"
    git(upstream.parent, "clone", "--quiet", f"--filter={filtered}", upstream.as_uri(), main)
    commit(add_worktree(main, "a"), {"f": TWENTY.replace("5\n", "A\n", 1)})
    commit(upstream, {"f": TWENTY.replace(f"\n{line}\n", "\nU\n"), "g": "changed\n"})
    git(main, "fetch", "--quiet", f"--filter={filtered}")
    git(main, "switch", "--quiet", "--detach")
    git(main, "branch", "--quiet", "--force", "main", "origin/main")
    return main


def codes(ended: Ended) -> list[str]:
    return [finding["code"] for finding in json.loads(ended.out)["findings"]]


def missing(main: Path) -> int:
    listed = git(main, "rev-list", "--objects", "--all", "--missing=print", env={"GIT_NO_LAZY_FETCH": "1"})
    return sum(line.startswith("?") for line in listed.splitlines())


def test_a_plan_fetches_nothing_and_says_what_does(upstream: Path) -> None:
    main = cloned(upstream, "15")
    before = missing(main)
    ended = spawn(main, "merge", "a", "--dry-run", "--json")
    assert (ended.status, codes(ended)) == (2, ["not-fetched"])
    assert "git merge-tree main a" in ended.out
    for command in (("overlaps",), ("plan",), ("status",), ("merge", "--all", "--dry-run")):
        spawn(main, *command)
    assert missing(main) == before
    plan = json.loads(spawn(main, "plan", "--json").out)
    assert [(turn["worktree"], turn["ready"]) for turn in plan["order"]] == [("a", False)]


@pytest.mark.parametrize("filtered", ["blob:none", "tree:0"])
@pytest.mark.parametrize("verify", ["", "grep -q U f && grep -q A f && grep -q changed g"])
def test_who_merges_has_it_fetched(upstream: Path, verify: str, filtered: str) -> None:
    main = cloned(upstream, "15", filtered=filtered)
    ended = spawn(main, "merge", "a", "--yes", "--json", "--verify", verify)
    assert (ended.status, json.loads(ended.out)["outcome"]) == (0, "merged"), ended
    assert {"A", "U"} <= set(git(main, "show", "main:f").split())


def test_what_conflicts_is_refused_once_it_is_fetched(upstream: Path) -> None:
    main = cloned(upstream, "5")
    before = git(main, "rev-parse", "main")
    ended = spawn(main, "merge", "a", "--yes", "--json")
    assert (ended.status, codes(ended)) == (2, ["conflict"])
    assert git(main, "rev-parse", "main") == before
    assert "conflict" in spawn(main, "overlaps").out, "what was fetched is here now"


def test_without_the_remote_it_is_refused_in_gits_words(upstream: Path) -> None:
    main = cloned(upstream, "15")
    upstream.rename(upstream.with_name("away"))
    ended = spawn(main, "merge", "a", "--yes", "--json")
    assert (ended.status, codes(ended)) == (2, ["not-fetched"])
    assert "can't be fetched: " in ended.out
    assert git(main, "log", "-1", "--format=%s", "main") == "Change"


def test_a_file_that_is_too_large_to_compare_is_committed_and_merged(repo: Path) -> None:
    """Also where trunk has changed it too: then git decides."""
    git(repo, "config", "sidecar.maxFileSize", "1")
    lines = [f"line {number}\n" for number in range(150_000)]
    commit(repo, {"big": "".join(lines)})
    topic = add_worktree(repo, "topic")
    (topic / "big").write_text("".join(["first\n", *lines[1:]]))
    (topic / "new").write_text("".join(lines))
    ended = spawn(repo, "merge", "topic", "--commit", "Larger", "--dry-run", "--json")
    assert (ended.status, codes(ended)) == (0, ["will-commit"])
    assert json.loads(ended.out)["findings"][0]["paths"] == ["big", "new"]
    commit(repo, {"big": "".join([*lines[:-1], "last\n"])})
    ended = spawn(repo, "merge", "topic", "--commit", "Larger", "--dry-run", "--json")
    assert (ended.status, codes(ended)) == (0, ["will-commit", "not-compared"])
    ended = spawn(repo, "merge", "topic", "--commit", "Larger", "--yes", "--json")
    assert (ended.status, json.loads(ended.out)["outcome"]) == (0, "merged"), ended
    assert (repo / "big").read_text() == "".join(["first\n", *lines[1:-1], "last\n"])
    assert (repo / "new").read_text() == "".join(lines)


@pytest.mark.parametrize("filtered", ["blob:none", "tree:0"])
def test_what_trunk_had_before_is_not_needed(upstream: Path, filtered: str) -> None:
    """Whether it is taken back can't be told then, and that is said; nothing else waits for it."""
    for number in "12":  # only the newest version is fetched
        commit(upstream, {"f": TWENTY.replace("5\n", f"of trunk {number}\n", 1)})
    main = upstream.parent / "main"
    git(upstream.parent, "clone", "--quiet", f"--filter={filtered}", upstream.as_uri(), main)
    work = add_worktree(main, "a")
    commit(work, {"f": (work / "f").read_text().replace("15\n", "A\n")})
    before = missing(main)
    assert spawn(work, "check", "f").status == 0
    (turn,) = json.loads(spawn(main, "plan", "--json").out)["order"]
    assert turn["ready"]
    assert missing(main) == before
    ended = spawn(main, "merge", "a", "--yes", "--json")
    assert (ended.status, codes(ended)) == (0, ["not-fetched"])
    (found,) = json.loads(ended.out)["findings"]
    assert found["severity"] == "info"
    assert found["message"].endswith("To fetch it: git log -p main -- f")
    assert {"A", "trunk"} <= set(git(main, "show", "main:f").split())
