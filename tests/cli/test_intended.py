"""`sidecar intended` and what `check`, `plan` and a merge say before and after it."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Sidecar
from tests.harness import add_worktree, commit, git, init

OLD = "".join(f"price_{number} = {number}\n" for number in range(9))


@pytest.fixture
def stale(tmp_path: Path, home: Path) -> Path:
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n")
    main = init(tmp_path / "shop")
    commit(main, {"in/prices.py": OLD}, "Begin prices")
    commit(main, {"in/prices.py": OLD.replace("= 4", "= 44")}, "Raise a price")
    worktree = add_worktree(main, "stale")
    commit(worktree, {"in/prices.py": OLD, "own.py": "own = 1\n"}, "Work")
    return worktree


def test_check_says_what_is_taken_back_until_it_is_intended(stale: Path, sidecar: Sidecar) -> None:
    taken = git(stale, "log", "-1", "--format=%H", "main")
    said = json.loads(sidecar(stale, "check", "in/prices.py", "--json").out)
    assert said["undoes"] == [{
        "worktree": "stale", "path": "in/prices.py", "commit": taken, "subject": "Raise a price",
        "author": "Ada Harness", "commits": 1,
    }]  # fmt: skip
    ended = sidecar(stale, "check", "in/prices.py")
    assert f"takes back what Ada Harness did to main in {taken[:10]} (Raise a price)" in ended.out
    assert sidecar(stale, "check", "own.py").out == "Nobody else has changed own.py.\n"
    ended = sidecar(stale / "in", "intended", "prices.py")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == "What stale takes back of trunk in in/prices.py is intended, and no longer told.\n"
    assert sidecar(stale, "check", "in/prices.py").out == "Nobody else has changed in/prices.py.\n"
    assert "undoes" not in json.loads(sidecar(stale, "check", "in/prices.py", "--json").out)


def test_a_merge_needs_no_more_to_be_allowed_and_undo_takes_it_back(stale: Path, sidecar: Sidecar) -> None:
    main = stale.parent / "shop"
    assert sidecar(main, "merge", "stale", "--dry-run").status == 2
    answer = json.loads(sidecar(main, "intended", str(stale / "in/prices.py"), "--json").out)
    assert (answer["outcome"], answer["worktree"]) == ("intended", "stale")
    assert [one["path"] for one in answer["files"]] == ["in/prices.py"]
    assert sidecar(main, "merge", "stale", "--dry-run").status == 0
    assert sidecar(main, "intended", str(stale / "in/prices.py"), "--undo").status == 0
    assert sidecar(main, "merge", "stale", "--dry-run").status == 2


def test_what_is_not_taken_back_is_refused_and_a_path_of_nowhere_is_an_error(stale: Path, sidecar: Sidecar) -> None:
    refused = sidecar(stale, "intended", "own.py")
    assert (refused.status, "not-taken-back" in refused.err) == (2, True)
    assert sidecar(stale, "intended", "/").status == 1
    assert sidecar(stale, "intended", "own.py", str(stale.parent / "shop/in/prices.py")).status == 1
