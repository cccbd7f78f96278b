"""What happens to a release while others are at work: writers, collections, prunings, full and read-only stores."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.recovery import recover_all
from sidecar.operations.release import apply, trash
from sidecar.operations.release.apply import ReleaseResult, apply_release
from sidecar.operations.release.plan import ReleasePlan, plan_release
from sidecar.operations.restore import list_restorable, restore
from tests.harness import git, write
from tests.harness.states import Standing, build_at_work
from tests.harness.whole import whole

ALLOWED = frozenset({"uncommitted", "untracked", "not-integrated"})
STEPS = ("write_manifest", "write_anchor", "check_anchor", "put_away", "_check_moved", "_delete_branch", "thin")


@pytest.fixture
def at(tmp_path: Path) -> Standing:
    return build_at_work(tmp_path)


def planned(at: Standing) -> ReleasePlan:
    plan = plan_release(at.main, "feat-1", Options(), ALLOWED)
    assert not isinstance(plan, Failure)
    assert not plan.blocked, plan.findings
    return plan


def check_back(at: Standing, before: dict[str, object]) -> None:
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    if not at.worktree.exists():
        (one,) = listed
        back = restore(at.main, one.id, Options())
        assert not isinstance(back, Failure)
        assert back.outcome == "restored", back.findings
    assert whole(at.worktree) == before
    assert not (at.main / ".git/sidecar/trash").exists()
    assert git(at.main, "for-each-ref", "refs/sidecar") == ""


def before_step(monkeypatch: pytest.MonkeyPatch, step: str, deed: Any) -> None:
    """Have a deed done right before a step of the release."""
    taken = getattr(apply, step)

    def after_the_deed(*given: Any, **named: Any) -> Any:
        deed()
        return taken(*given, **named)

    monkeypatch.setattr(apply, step, after_the_deed)


@pytest.mark.parametrize("step", STEPS)
def test_a_collection_at_any_moment_takes_nothing(step: str, at: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = at.git("rev-parse", "HEAD")
    at.git("config", "gc.reflogExpire", "never")
    at.git("config", "gc.reflogExpireUnreachable", "never")
    at.git("reset", "--quiet", "--soft", "HEAD^")
    before = whole(at.worktree)

    def collect() -> None:
        git(at.main, "worktree", "prune")
        git(at.main, "gc", "--quiet", "--prune=now")

    plan = planned(at)
    before_step(monkeypatch, step, collect)
    assert apply_release(plan).outcome in ("released", "refused")  # git rewrites reflogs, which looks like a change
    collect()
    check_back(at, before)
    assert git(at.main, "cat-file", "-t", lost) == "commit"


def test_what_a_collection_took_before_it_was_held_ends_the_release(
    at: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that only a pseudo ref names is nothing to git."""
    commit = at.git("commit-tree", "-m", "Only here", "-p", "HEAD", at.git("write-tree"))
    write(at.administrative, {"SAVED_HEAD": f"{commit}\n"})
    plan = planned(at)
    before = whole(at.worktree)
    before_step(monkeypatch, "check_anchor", lambda: (at.main / f".git/objects/{commit[:2]}/{commit[2:]}").unlink())
    refused = apply_release(plan)
    assert refused.outcome == "failed"
    assert [one.code for one in refused.findings] == ["not-kept"]
    check_back(at, before)


@pytest.mark.parametrize("step", ["write_manifest", "write_anchor", "check_anchor", "put_away", "_check_moved"])
@pytest.mark.parametrize("path", ["src/late.txt", "src/a.txt", ".env", "new/untracked.txt"])
def test_what_is_written_meanwhile_is_there_afterwards(
    step: str, path: str, at: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through an open directory, as a process has it that does not notice the renaming."""
    (at.worktree / path).parent.mkdir(exist_ok=True)
    folder = os.open((at.worktree / path).parent, os.O_RDONLY)
    plan = planned(at)

    def write_late() -> None:
        file = os.open(Path(path).name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644, dir_fd=folder)
        os.write(file, b"late\n")
        os.close(file)

    before_step(monkeypatch, step, write_late)
    refused = apply_release(plan)
    os.close(folder)
    assert refused.outcome == "refused"
    assert [one.code for one in refused.findings] == ["changed-meanwhile"]
    assert (at.worktree / path).read_text() == "late\n"
    assert at.git("rev-parse", "--show-toplevel") == str(at.worktree)
    assert git(at.main, "for-each-ref", "refs/sidecar") == ""


def test_a_writer_after_the_last_look_loses_nothing(at: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(at)
    (trashed,) = [at.main / ".git/sidecar/trash"]

    def write_late() -> None:
        (file,) = trashed.glob("*/files/run.sh")
        file.write_text("late\n")

    before_step(monkeypatch, "thin", write_late)
    assert apply_release(plan).outcome == "released"
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    back = restore(at.main, listed[0].id, Options())
    assert not isinstance(back, Failure)
    assert (at.worktree / "run.sh").read_text() == "late\n"


def test_what_git_stages_meanwhile_takes_both_directories_back(at: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(at)
    before_step(monkeypatch, "put_away", lambda: at.git("add", "new"))
    refused = apply_release(plan)
    assert [one.code for one in refused.findings] == ["changed-meanwhile"]
    assert ".git" in refused.findings[0].paths
    assert "A  new/untracked.txt" in at.git("status", "--porcelain")


READ_ONLY = """
import sys
from pathlib import Path
from tests.operations.test_release_races import planned
from tests.harness.states import Standing
from sidecar.operations.release.apply import apply_release
at = Standing(*map(Path, sys.argv[1:4]))
result = apply_release(planned(at))
print(result.outcome, *(one.code for one in result.findings))
"""


def test_a_read_only_object_store_refuses_and_leaves_all_as_it_was(at: Standing) -> None:
    """In a process without root's right to write everywhere."""
    before = whole(at.worktree)
    objects = at.main / ".git/objects"
    folders = [objects, *(path for path in objects.rglob("*") if path.is_dir())]
    command = [sys.executable, "-c", READ_ONLY, str(at.main), str(at.worktree), str(at.outside)]
    if os.getuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root writes everywhere, and there is no setpriv")
        command = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override", *command]
    for folder in folders:
        folder.chmod(0o555)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert done.stdout.split() == ["failed", "not-kept"], done.stderr
    check_back(at, before)


def test_of_two_that_release_at_once_one_does(at: Standing) -> None:
    before = whole(at.worktree)
    plans = [planned(at) for _ in range(2)]
    results: list[ReleaseResult] = []
    threads = [threading.Thread(target=lambda plan=plan: results.append(apply_release(plan))) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.outcome for one in results) in (["refused", "released"], ["failed", "released"])
    check_back(at, before)


def test_a_name_that_is_taken_while_it_moves_does_not_stop_it(at: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody adds a worktree of the same name when git's own directory has left, and the folder can't follow."""
    before = whole(at.worktree)
    plan = planned(at)
    move = trash._put_folder_away

    def fail(*given: Any) -> Path:
        git(at.main, "worktree", "add", "--quiet", "--detach", str(at.outside / "feat-1"))
        monkeypatch.setattr(trash, "_put_folder_away", move)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(trash, "_put_folder_away", fail)
    assert apply_release(plan).outcome == "failed"
    assert [one.code for one in recover_all(at.main)] == ["recovered"]
    assert git(at.outside / "feat-1", "status", "--porcelain") == ""
    check_back(at, before)
