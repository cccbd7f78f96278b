"""Recovery obeys no journal that we would not have written, and leaves alone what a person did since the kill."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sidecar.operations.records import sidecar_path
from sidecar.operations.recovery import recover_all
from tests.harness import add_worktree, commit, git, write
from tests.harness.killing import run_and_kill
from tests.operations.merge.deeds import assert_nothing_left, hook, only, seen, tip


@pytest.fixture
def half(main: Path, feat: Path) -> Path:
    """Killed when files and index were new and the ref still old: a hook says when."""
    ended = 'kill -9 "$(ps -o ppid= $PPID | tr -d " ")"; kill -9 $PPID'
    hook(main, "reference-transaction", f'[ "$1" = prepared ] && grep -q refs/heads/main && {{ {ended}; }}\nexit 0')
    assert run_and_kill("merge", main, "feat").died
    assert git(main, "show", ":a.txt") == "one\n2\nthree"
    assert git(main, "rev-parse", "main") == git(feat, "rev-parse", "feat~1")
    (main / ".git/hooks/reference-transaction").unlink()
    return main


def test_where_nothing_was_left_nothing_is_loaded(main: Path) -> None:
    """Every start of the server, and of a command, asks first."""
    code = (
        "import sys; from pathlib import Path; from sidecar.operations.recovery import recover_all\n"
        "assert recover_all(Path(sys.argv[1])) == ()\n"
        "print([name for name in sys.modules if name.startswith(('sidecar.operations.', 'pygit2', 'psutil'))])"
    )
    done = subprocess.run([sys.executable, "-c", code, main], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == ["sidecar.operations.records", "sidecar.operations.recovery"]


def test_files_and_index_go_back(half: Path) -> None:
    found = recover_all(half)
    assert [one.code for one in found] == ["recovered"]
    assert git(half, "status", "--porcelain").splitlines() == [" M b.txt", "?? notes.md"]
    assert (half / "dir/c.txt").read_text() == "c\n"
    assert not (half / "new").exists()
    assert_nothing_left(half)


@pytest.mark.parametrize(
    ("path", "content"), [("a.txt", "edited since\n"), ("new/d.txt", "d\nand more\n"), ("dir/c.txt", "made again\n")]
)
def test_what_was_edited_since_is_left_alone_and_named(half: Path, path: str, content: str) -> None:
    write(half, {path: content})
    found = recover_all(half)
    assert only(found).code == "left-alone"
    assert only(found).paths == (path,)
    assert (half / path).read_text() == content
    others = {"a.txt": "one\ntwo\nthree\n", "dir/c.txt": "c\n"}
    for other in others.keys() - {path}:
        assert (half / other).read_text() == others[other]
    assert git(half, "diff", "--cached") == ""
    assert_nothing_left(half)


def test_a_checkout_that_was_worked_in_since_is_left_alone(half: Path) -> None:
    for lock in (half / ".git").rglob("*.lock"):
        lock.unlink()  # as git tells one to do
    write(half, {"b.txt": "b\n"})
    git(half, "add", "b.txt", "notes.md")
    git(half, "reset", "-q", "--hard", "feat")
    files = seen(half)[2:]
    found = recover_all(half)
    assert {one.code for one in found} <= {"recovered", "left-alone"}
    assert seen(half)[2:] == files
    assert_nothing_left(half)


def test_recovering_from_another_worktree_and_by_any_command(half: Path, feat: Path) -> None:
    assert only(recover_all(feat), "info").code == "recovered"
    assert git(half, "status", "--porcelain").splitlines() == [" M b.txt", "?? notes.md"]


def test_a_lock_that_a_living_git_holds_is_not_removed(half: Path) -> None:
    """A lock that was there long before the merge is somebody else's."""
    import os

    lock = half / ".git/index.lock"
    lock.touch()
    os.utime(lock, (1, 1))
    found = recover_all(half)
    assert only(found).code == "not-recovered"
    assert lock.exists()
    lock.unlink()
    assert [one.code for one in recover_all(half)] == ["recovered"]
    assert_nothing_left(half)


FORGED: dict[str, Any] = {
    "trunk": "refs/heads/main",
    "branch": "feat",
    "worktree": "/x",
    "checkout": None,
    "before": "",
    "head": "",
    "since": 1.0,
    "strategy": "merge",
    "after": None,
    "directories": [],
    "receipt": None,
}


@pytest.mark.parametrize(
    "change",
    [
        {"trunk": "refs/remotes/origin/main"},
        {"trunk": "refs/heads/../../x"},
        {"trunk": "refs/heads/a..b"},
        {"trunk": 3},
        {"before": "main"},
        {"before": "0" * 40},
        {"before": "--all"},
        {"after": "1" * 40},
        {"since": "now"},
        {"since": True},
        {"directories": ["../x"]},
        {"directories": [".git/hooks"]},
        {"directories": "x"},
        {"checkout": []},
        {"step": "explode"},
    ],
)
def test_a_forged_journal_is_not_obeyed(main: Path, feat: Path, change: dict[str, Any]) -> None:
    sidecar_dir = sidecar_path(str(main / ".git"))
    sidecar_dir.mkdir(mode=0o700)
    real = {"before": tip(main), "head": tip(main, "feat"), "after": tip(main, "feat"), "checkout": str(main)}
    facts = {**FORGED, **real, **change}
    step = facts.pop("step", "land")
    record = {"schema": 1, "id": "merge-20260101-000000", "what": "merge", "step": step, "facts": facts}
    (sidecar_dir / "journal").write_text(json.dumps(record))
    before = seen(main, feat)
    found = recover_all(main)
    assert only(found).code == "bad-journal"
    assert seen(main, feat) == before
    assert (sidecar_dir / "journal").exists()


def test_recovery_runs_nothing_of_the_repository(half: Path, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    for name in ("filter.x.clean", "filter.x.smudge", "core.fsmonitor", "diff.external"):
        git(half, "config", name, f"touch {proof}")
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        hook(half, name, f"touch {proof}")
    (half / ".git/info/attributes").write_text("* filter=x\n")
    assert [one.code for one in recover_all(half)] == ["recovered"]
    assert not proof.exists()
    assert (half / "a.txt").read_text() == "one\ntwo\nthree\n"


def test_a_forged_landing_can_not_leave_the_checkout(main: Path, tmp_path: Path) -> None:
    """A link that stands where the landing would go through it is not followed."""
    feat = add_worktree(main, "feat")
    commit(feat, {"out/secret.txt": "new\n"}, "Into a directory")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("new\n")
    sidecar_dir = sidecar_path(str(main / ".git"))
    (sidecar_dir / "landing").mkdir(parents=True, mode=0o700)
    (sidecar_dir / "landing/index").write_bytes((main / ".git/index").read_bytes())
    (main / "out").symlink_to(outside)
    real = {"before": tip(main), "head": tip(main, "feat"), "after": tip(main, "feat"), "checkout": str(main)}
    record = {"id": "merge-20260101-000000", "what": "merge", "step": "land", "facts": {**FORGED, **real}}
    (sidecar_dir / "journal").write_text(json.dumps({"schema": 1, **record}))
    recover_all(main)
    assert (outside / "secret.txt").read_text() == "new\n"
    assert (main / "out").is_symlink()
