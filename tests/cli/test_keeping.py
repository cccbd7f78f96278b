"""`sidecar keep`, and what `status` says of worktrees that another tool will delete."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Sidecar
from tests.harness import add_worktree, commit, git, write


def worktree(sidecar: Sidecar, repo: Path, name: str) -> dict[str, Any]:
    (found,) = (one for one in json.loads(sidecar(repo, "status", "--json").out)["worktrees"] if one["name"] == name)
    return dict(found)


def test_a_worktree_is_protected_and_no_longer(repo: Path, sidecar: Sidecar) -> None:
    one = add_worktree(repo, "one")
    for _ in range(2):  # what is so already stays so
        ended = sidecar(repo, "keep", "one")
        assert (ended.status, ended.out) == (0, "one is protected.\n")
    assert worktree(sidecar, repo, "one")["protected"] is True
    assert "  one   Protected. To undo: sidecar keep --undo one\n" in sidecar(repo, "status").out
    assert "is locked" in sidecar(repo, "release", "one", "--yes").out
    git(repo, "worktree", "remove", one, check=False)
    assert one.exists()
    for _ in range(2):
        ended = sidecar(one, "keep", "--undo", "one", "--json")
        answer = json.loads(ended.out)
        assert (ended.status, answer["outcome"], answer["path"]) == (0, "unprotected", str(one))
    assert worktree(sidecar, repo, "one")["locked"] is None


@pytest.mark.parametrize("undo", [[], ["--undo"]])
def test_a_lock_of_somebody_else_stays(repo: Path, sidecar: Sidecar, undo: list[str]) -> None:
    one = add_worktree(repo, "one")
    git(repo, "worktree", "lock", "--reason", "on a stick", one)
    ended = sidecar(repo, "keep", "one", *undo)
    assert ended.status == 2 and "one is locked by somebody else: on a stick." in ended.err
    assert worktree(sidecar, repo, "one")["locked"] == "on a stick"


def test_the_main_worktree_cannot_be_locked(repo: Path, sidecar: Sidecar) -> None:
    assert "not-lockable" in sidecar(repo, "keep", "repo").err
    assert sidecar(repo, "keep", "nobody").status == 1


@pytest.mark.parametrize(
    ("place", "tool", "when"),
    [
        ("home/.cursor/worktrees/repo/one", "Cursor", "once there are 25 newer ones, of all repositories"),
        ("home/.codex/worktrees/3f2a/shop", "Codex", "once there are 15 newer ones, unless it is pinned"),
        ("repo/.claude/worktrees/one", "Claude Code", "when its session is deleted"),
        ("repo.worktrees/agents-one", "VS Code", "when its session is archived"),
    ],
)
def test_a_worktree_that_another_tool_will_delete(
    repo: Path, sidecar: Sidecar, place: str, tool: str, when: str
) -> None:
    path = repo.parent / place
    git(repo, "worktree", "add", "--quiet", "-b", "task", path)
    assert worktree(sidecar, repo, path.name)["swept_by"] is None
    write(path, {"new.py": "1\n"})
    said = f"  {path.name}   {tool} will delete this one {when}. To keep it: sidecar keep {path.name}\n"
    assert said in sidecar(repo, "status").out
    commit(path, {"new.py": "1\n"})
    assert said in sidecar(repo, "status").out
    assert sidecar(repo, "keep", path).status == 0
    assert "will delete" not in sidecar(repo, "status").out


def test_nobody_deletes_what_is_in_a_folder_of_its_own(repo: Path, sidecar: Sidecar) -> None:
    write(add_worktree(repo, "one"), {"new.py": "1\n"})
    assert worktree(sidecar, repo, "one")["swept_by"] is None
