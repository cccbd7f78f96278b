"""`sidecar uninstall`: afterwards the repository is as if the sidecar had never been there, whatever was killed."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.landing_repository.place import landing_repository_path
from sidecar.operations.recovery import recover_all
from sidecar.operations.run import hold
from sidecar.operations.uninstall import UninstallPlan, apply_uninstall, plan_uninstall
from sidecar.session.live import open_session
from tests.cli.conftest import Sidecar, sidecar
from tests.harness import add_worktree, git, write
from tests.harness.ending import keep_present, run_and_end
from tests.harness.repository import git_bytes

__all__ = ["sidecar"]

STRIDE = 1 if os.environ.get("SIDECAR_THOROUGH") == "1" else 9
"""How many changes are made between two kills."""


def there(main: Path) -> tuple[str, bytes, list[str]]:
    """All refs, the configuration, and every name in git's directory but those of its objects and logs."""
    top = main / ".git"
    names = [path.relative_to(top).as_posix() for path in top.rglob("*")]
    kept = [name for name in names if not name.startswith(("objects/", "logs/", "refs/", "gc.", "packed-refs"))]
    return git(main, "for-each-ref"), git_bytes(main, "config", "--local", "--list"), sorted(kept)


def use(main: Path, call: Sidecar) -> None:
    """Have something of every kind kept: a release, states, a lock, a setting, ports of a worktree, a landing place."""
    write(add_worktree(main, "gone"), {"note.txt": "only here\n"})
    allowed = ("--allow", "untracked", "--allow", "not-integrated")
    assert call(main, "release", "gone", "--yes", *allowed).status == 0
    write(add_worktree(main, "stays"), {"draft.txt": "draft\n"})
    assert not isinstance(keep_present(main, "stays"), Failure)
    assert call(main, "keep", "stays").status == 0
    git(main, "config", "sidecar.verify", "make test")
    git(main, "config", "--add", "sidecar.disposable", "one")
    git(main, "config", "--add", "sidecar.disposable", "two")
    write(main / ".git/worktrees/stays", {"sidecar/env": "SIDECAR_PORT=20000\n"})
    landing_repository_path(str(main / ".git"), "merge-20260101-000000").mkdir(parents=True)


def planned(main: Path, *, hooks: bool = True) -> UninstallPlan:
    plan = plan_uninstall(main, Options(), hooks=hooks)
    assert isinstance(plan, UninstallPlan), plan
    return plan


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_nothing_of_the_sidecar_is_left(repo: Path, home: Path, sidecar: Sidecar) -> None:
    before = there(repo)
    write(home, {".claude/settings.json": '{\n  // mine\n  "model": "x"\n}\n'})
    mine = (home / ".claude/settings.json").read_bytes()
    use(repo, sidecar)
    assert sidecar(repo, "hook", "--install", "claude", "--yes").status == 0
    assert sidecar(repo.parent / "stays", "hook", "--install", "qwen", "--project", "--yes").status == 0
    ended = sidecar(repo, "uninstall", "--dry-run")
    assert ended.status == 0
    for said in ("gone", "released", "No earlier state can be gone back to, of: stays.", "sidecar.verify = make test"):
        assert said in ended.out, ended.out
    for said in (str(repo / ".git/sidecar"), "of stays", str(home / ".claude/settings.json"), "stays/.qwen"):
        assert said in ended.out, ended.out
    assert "refs/sidecar/release" in git(repo, "for-each-ref")
    ended = sidecar(repo, "uninstall", "--yes", "--json")
    answer = json.loads(ended.out)
    assert (ended.status, answer["outcome"]) == (0, "uninstalled"), ended
    assert [one["worktree"] for one in answer["restorable"]] == ["gone"]
    assert (home / ".claude/settings.json").read_bytes() == mine
    assert not (repo.parent / "stays/.qwen/settings.json").exists()
    assert (repo.parent / "stays/draft.txt").read_text() == "draft\n"
    assert not landing_repository_path(str(repo / ".git"), "").parent.exists()
    git(repo, "worktree", "remove", "--force", repo.parent / "stays")  # it is not locked any more
    git(repo, "branch", "-D", "stays")
    assert there(repo) == before
    assert sidecar(repo, "uninstall").out == "There is nothing of the sidecar here.\n"


def test_hooks_stay_where_that_is_asked_for(repo: Path, home: Path, sidecar: Sidecar) -> None:
    assert sidecar(repo, "hook", "--install", "claude", "--yes").status == 0
    git(repo, "config", "sidecar.trunk", "main")
    hooks = (home / ".claude/settings.json").read_bytes()
    assert sidecar(repo, "uninstall", "--keep-hooks", "--yes").status == 0
    assert (home / ".claude/settings.json").read_bytes() == hooks
    assert git(repo, "config", "--get-regexp", "^sidecar", check=False) == ""


def test_a_setting_that_is_included_and_a_file_that_is_not_understood_are_left(
    repo: Path, home: Path, sidecar: Sidecar
) -> None:
    write(home, {"mine.inc": "[sidecar]\n\tverify = mine\n", ".qwen/settings.json": "{ sidecar hook --client qwen"})
    git(repo, "config", "include.path", home / "mine.inc")
    git(repo, "config", "sidecar.trunk", "main")
    ended = sidecar(repo, "uninstall", "--yes")
    assert ended.status == 0 and "qwen/settings.json has an entry of ours" in ended.out
    assert (home / "mine.inc").exists() and git(repo, "config", "sidecar.verify") == "mine"


def test_nothing_goes_while_somebody_watches_or_an_operation_runs(repo: Path, sidecar: Sidecar) -> None:
    git(repo, "config", "sidecar.trunk", "main")
    session = open_session(repo, Options(), lambda _picture: None)
    assert not isinstance(session, Failure)
    try:
        ended = sidecar(repo, "uninstall", "--yes")
        assert ended.status == 2 and f"Process {os.getpid()} watches this repository" in ended.err + ended.out
    finally:
        session.close()
    with hold(str(repo / ".git"), "merging feat into main"):
        ended = sidecar(repo, "uninstall", "--yes")
    assert ended.status == 2 and "is merging feat into main" in ended.err + ended.out
    assert git(repo, "config", "sidecar.trunk") == "main"


def test_what_was_kept_since_the_plan_stops_it(repo: Path, sidecar: Sidecar) -> None:
    use(repo, sidecar)
    plan = planned(repo)
    write(add_worktree(repo, "later"), {"later.txt": "later\n"})
    assert sidecar(repo, "release", "later", "--yes", "--allow", "untracked", "--allow", "not-integrated").status == 0
    result = apply_uninstall(plan)
    assert [one.code for one in result.findings] == ["changed-since"]
    assert "later" in sidecar(repo, "restore").out


@pytest.mark.skipif(sys.platform == "win32", reason="a process that is killed by SIGKILL")
@pytest.mark.timeout(300)
def test_killed_at_every_change_it_is_finished_by_the_next_command(
    tmp_path_factory: pytest.TempPathFactory, sidecar: Sidecar, repo: Path
) -> None:
    use(repo, sidecar)
    landing = landing_repository_path(str(repo / ".git"), "").parent
    as_it_was = tmp_path_factory.mktemp("place") / "copy"
    shutil.copytree(repo.parent, as_it_was, symlinks=True)
    refs, point = git(repo, "for-each-ref"), 0
    while run_and_end("uninstall", repo, "", point, changes=True):
        recover_all(repo)
        left = planned(repo)
        if [one.worktree for one in left.receipts] == ["gone"]:
            assert git(repo, "for-each-ref") == refs, point
        else:
            assert not (left.refs or left.settings or left.protected or left.states), (point, left)
            assert set(left.folders) <= {str(repo / ".git/sidecar")}, (point, left)
            assert not (repo / ".git/sidecar/journal").exists()
        for name in os.listdir(repo.parent):
            shutil.rmtree(repo.parent / name)
        shutil.copytree(as_it_was, repo.parent, symlinks=True, dirs_exist_ok=True)
        point += STRIDE
    assert point > 10
    assert planned(repo).is_empty and not landing.exists()
