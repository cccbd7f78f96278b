"""`sidecar status` in real repositories."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.conftest import Sidecar
from tests.harness import add_worktree, commit, git, init, write
from tests.harness.sample import Sample, truth


def asked(sidecar: Sidecar, folder: Path) -> dict[str, Any]:
    ended = sidecar(folder, "status", "--json")
    assert (ended.status, ended.err) == (0, "")
    answer: dict[str, Any] = json.loads(ended.out)
    return answer


def named(answer: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (worktree for worktree in answer["worktrees"] if worktree["name"] == name)
    assert isinstance(found, dict)
    return found


def test_the_object_of_the_design(sample: Sample, sidecar: Sidecar) -> None:
    answer = asked(sidecar, sample.showcase)
    assert list(answer) == ["schema", "repository", "trunk", "worktrees", "overlaps", "unknown"]
    assert (answer["schema"], answer["repository"]) == (1, str(sample.main / ".git"))
    assert answer["trunk"] == {"branch": "main", "commit": git(sample.main, "rev-parse", "main")}
    assert answer["overlaps"] == truth()["overlaps"]
    assert [worktree["name"] for worktree in answer["worktrees"]] == ["shop", *sorted(sample.worktrees)]
    shipping = named(answer, "free-shipping")
    size = shipping.pop("bytes")
    assert 0 < size["reclaimable"] <= size["total"]
    assert shipping.pop("tip")["subject"] == git(sample.worktrees["free-shipping"], "log", "-1", "--format=%s")
    assert shipping == {
        "name": "free-shipping",
        "path": str(sample.worktrees["free-shipping"]),
        "main": False,
        "branch": "free-shipping",
        "head": git(sample.worktrees["free-shipping"], "rev-parse", "HEAD"),
        "locked": None,
        "protected": False,
        "missing": False,
        "changes": {"committed": 1, "staged": 1, "unstaged": 1, "untracked": 0},
        "merging": None,
        "merge": {"ready": False, "why": "It has 2 uncommitted changes.", "next": None},
        "ahead": 1,
        "behind": 2,
        "integration": {"state": "not-integrated", "how": None},
        "swept_by": None,
        "in_use": [],
        "agents": [],
        "problem": None,
    }


def test_people_see_a_line_for_each_worktree(sample: Sample, sidecar: Sidecar) -> None:
    ended = sidecar(sample.main, "status")
    assert (ended.status, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == f"Trunk is main ({git(sample.main, 'rev-parse', 'main')[:10]})."
    assert lines[2].split() == ["WORKTREE", "CHANGES", "TRUNK", "STATE", "OVERLAPS", "SIZE"]
    rows = {line.split()[0]: line.split(None, 1)[1] for line in lines[3:11]}
    assert list(rows) == ["shop", *sorted(sample.worktrees)]
    cells = [cell.strip() for cell in rows["free-shipping"].split("   ") if cell.strip()]
    assert cells[:-1] == ["1 committed, 1 staged, 1 unstaged", "+1 -2", "not integrated", "3 conflicts"]
    assert cells[-1].endswith(" kB")
    assert "5 conflicts, 5 clean, 1 identical. See sidecar overlaps." in lines
    assert not any(line.endswith(" ") for line in lines)


def test_who_is_in_a_worktree(repo: Path, sidecar: Sidecar) -> None:
    used = add_worktree(repo, "used")
    wait = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(wait, cwd=used, stdin=subprocess.PIPE) as process:
        answer = asked(sidecar, repo)
        shown = sidecar(repo, "status").out
    assert [inside["pid"] for inside in named(answer, "used")["in_use"]] == [process.pid]
    assert named(answer, "repo")["in_use"] == []
    assert f"In use\n  used   {named(answer, 'used')['in_use'][0]['name']} {process.pid}\n" in shown
    assert "In use" not in sidecar(repo, "status").out


def test_missing_locked_and_broken_worktrees_are_told_of_and_take_nothing_down(repo: Path, sidecar: Sidecar) -> None:
    gone, locked, broken = (add_worktree(repo, name) for name in ("gone", "locked", "broken"))
    git(repo, "worktree", "lock", "--reason", "on a \x1b[31mstick", locked)
    shutil.rmtree(gone)
    Path(git(broken, "rev-parse", "--path-format=absolute", "--git-dir"), "index").write_bytes(b"not an index")
    write(repo, {"README.md": "# Changed\n"})
    write(locked, {"README.md": "# Changed too\n"})
    answer = asked(sidecar, repo)
    assert named(answer, "gone")["missing"] is True
    assert named(answer, "locked")["locked"] == "on a \x1b[31mstick"
    assert named(answer, "broken")["problem"]
    assert [row["verdict"] for row in answer["overlaps"]] == ["conflict"]
    shown = sidecar(repo, "status").out
    rows = {line.split()[0]: line.split()[1:] for line in shown.splitlines() if line and not line.startswith(" ")}
    assert rows["gone"] == ["missing"]
    assert rows["broken"][:2] == ["not", "read"]
    assert "  locked   Locked: on a \\x1b[31mstick\n" in shown
    assert "Traceback" not in shown


def test_a_repository_without_commits(tmp_path: Path, sidecar: Sidecar) -> None:
    empty = init(tmp_path / "empty")
    write(empty, {"first.py": "1\n"})
    answer = asked(sidecar, empty)
    assert answer["trunk"] == {"branch": "main", "commit": None}
    assert named(answer, "empty")["head"] is None
    shown = sidecar(empty, "status")
    assert (shown.status, shown.err) == (0, "")
    assert shown.out.startswith("Trunk is main (no commits yet).\n")
    assert shown.out.endswith("\nNo overlaps.\n")
    assert sidecar(empty, "overlaps").out == "No overlaps.\n"


def test_a_bare_repository_and_its_worktrees(repo: Path, tmp_path: Path, sidecar: Sidecar) -> None:
    bare = tmp_path / "shop.git"
    git(repo, "clone", "--quiet", "--bare", repo, bare)
    git(bare, "worktree", "add", "--quiet", "-b", "task", tmp_path / "task")
    commit(tmp_path / "task", {"new.py": "1\n"})
    for folder in (bare, tmp_path / "task"):
        answer = asked(sidecar, folder)
        assert answer["repository"] == str(bare)
        assert named(answer, "task")["changes"]["committed"] == 1
    rows = [line.split() for line in sidecar(bare, "status").out.splitlines()]
    assert ["shop.git", "bare"] in rows


def test_a_worktree_that_is_detached_and_one_on_another_branch(repo: Path, sidecar: Sidecar) -> None:
    add_worktree(repo, "look", detach=True)
    add_worktree(repo, "task", branch="ada/fix")
    head = git(repo, "rev-parse", "HEAD")
    answer = asked(sidecar, repo)
    assert (named(answer, "look")["branch"], named(answer, "look")["head"]) == (None, head)
    shown = sidecar(repo, "status").out
    assert f"look ({head[:10]}) " in shown
    assert "task (ada/fix) " in shown


def test_a_branch_in_the_middle_of_a_rebase_is_shown(repo: Path, sidecar: Sidecar) -> None:
    feat = add_worktree(repo, "wt", branch="my-feature")
    commit(feat, {"README.md": "mine\n"})
    commit(repo, {"README.md": "trunk\n"})
    git(feat, "rebase", "main", check=False)
    assert "my-feature (rebasing)" in sidecar(repo, "status").out
    worktree = named(asked(sidecar, repo), "wt")
    assert (worktree["branch"], worktree["unfinished"]) == (None, {"operation": "rebase", "branch": "my-feature"})
    git(feat, "rebase", "--abort")
    assert "rebasing" not in sidecar(repo, "status").out
    assert "unfinished" not in named(asked(sidecar, repo), "wt")


def test_no_release_is_offered_of_what_has_trunk_checked_out(repo: Path, sidecar: Sidecar) -> None:
    commit(repo, {"a.txt": "one\n"})
    for name in ("again", "done"):
        add_worktree(repo, name)
    commit(repo.parent / "done", {"b.txt": "b\n"})
    git(repo, "merge", "-q", "done")
    git(repo.parent / "again", "switch", "-q", "--ignore-other-worktrees", "main")
    commit(repo.parent / "again", {"c.txt": "c\n"})
    assert "Releasing the integrated one frees" in sidecar(repo, "status").out
