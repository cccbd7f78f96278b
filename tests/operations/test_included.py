"""`.worktreeinclude` and `.worktreelink`: what comes into a new worktree, what does not, and what a kill leaves."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.model.findings import Failure, Finding
from sidecar.model.settings import Options
from sidecar.operations import included
from sidecar.operations.move import apply_move, plan_move
from sidecar.operations.open import apply_open, plan_open
from sidecar.operations.recovery import recover_all
from tests.harness import add_worktree, commit, git, write
from tests.harness.states import allows

HOUSE = Path(__file__).parent.parent.parent

IGNORE = ".env*\nconfig/*.local\nbuild/\nnode_modules\n"


@pytest.fixture
def shop(repo: Path) -> Path:
    commit(repo, {".gitignore": IGNORE, "config/tracked.txt": "t\n"})
    write(repo, {".env": "SECRET=1\n", "config/db.local": "db\n", "config/new.txt": "untracked\n", "build/a.o": "a"})
    write(repo, {"node_modules/a/index.js": "a\n"})
    return repo


def opened(folder: Path, name: str = "one", start: str | None = None) -> tuple[Path, list[Finding]]:
    plan = plan_open(folder, name, start, Options(trusted=True))
    assert not isinstance(plan, Failure)
    result = apply_open(plan)
    assert result.outcome == "opened" and result.path is not None, result
    return Path(result.path), list(result.findings)


def said(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(one.code, one.message) for one in findings]


def files_of(folder: Path) -> set[str]:
    return set(git(folder, "ls-files", "--others").splitlines())


def test_what_matches_and_is_ignored_is_copied_and_told(shop: Path) -> None:
    (shop / ".env").chmod(0o600)
    os.utime(shop / ".env", ns=(1_000, 2_000))
    write(shop, {".worktreeinclude": "# what a task needs\n.env\nconfig/\nREADME.md\n"})
    where, findings = opened(shop)
    assert files_of(where) == {".env", "config/db.local"}
    assert (where / ".env").read_text() == "SECRET=1\n"
    status = (where / ".env").stat()
    assert (status.st_mode & 0o777, status.st_mtime_ns, status.st_nlink) == (0o600, 2_000, 1)
    assert said(findings) == [("copied", "Copied 2 files of repo, as .worktreeinclude says: .env, config/db.local.")]
    assert findings[0].paths == (".env", "config/db.local")
    assert git(where, "status", "--porcelain") == ""


def test_it_comes_from_trunks_checkout_wherever_one_is(shop: Path) -> None:
    write(shop, {".worktreeinclude": ".env\n"})
    linked = add_worktree(shop, "linked")
    assert files_of(opened(linked)[0]) == {".env"}
    git(shop, "checkout", "--quiet", "-b", "aside")
    git(linked, "checkout", "--quiet", "main")
    write(linked, {".worktreeinclude": ".env2\n", ".env2": "2\n"})
    assert files_of(opened(shop, "two")[0]) == {".env2"}


def test_patterns_are_those_of_git(shop: Path) -> None:
    write(shop, {".env.a": "a\n", ".env.b": "b\n", "build/deep/x.o": "x\n", ":odd": "o\n", "sp ace.local": "s\n"})
    write(shop, {".gitignore": f"{IGNORE}:odd\n*.local\n", "a\nb.local": "n\n"})
    commit(shop)
    write(shop, {".worktreeinclude": "/.env.*\n!.env.b\nbuild/**/x.o\n:odd\n*.local\n"})
    where, _ = opened(shop)
    found = subprocess.run(["git", "ls-files", "-oz"], cwd=where, capture_output=True, check=True).stdout
    names = set(found.decode().split("\0")) - {""}
    assert names == {".env.a", "build/deep/x.o", ":odd", "sp ace.local", "a\nb.local", "config/db.local"}


def test_what_the_new_worktree_would_not_ignore_stays_out(shop: Path) -> None:
    """Else `git add --all` there would commit it."""
    write(shop, {".worktreeinclude": ".env\nconfig/\n"})
    where, findings = opened(shop, start="main~1")
    assert files_of(where) == set()
    assert said(findings) == [("not-copied", "Not copied, since git would not ignore it there: .env, config/db.local.")]


def test_nothing_is_written_over_or_through_a_link(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    git(shop, "checkout", "--quiet", "-b", "other")
    shutil.rmtree(shop / "config")
    (shop / "config").symlink_to(tmp_path / "elsewhere")
    write(shop, {"build/a.o": "tracked"})
    git(shop, "add", "--force", "config", "build/a.o")
    commit(shop)
    git(shop, "checkout", "--quiet", "main")
    hook = shop / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho MINE=1 > .env\n")
    hook.chmod(0o755)
    write(shop, {".worktreeinclude": ".env\nconfig/\nbuild/\n", "config/db.local": "db\n", "build/a.o": "a"})
    where, findings = opened(shop, start="other")
    assert (where / ".env").read_text() == "MINE=1\n"
    assert (where / "build/a.o").read_text() == "tracked"
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert said(findings) == [
        ("not-copied", "Not copied, since something else is above it: config/db.local."),
        ("not-copied", "Not copied, since git would not ignore it there: build/a.o."),
        ("not-copied", "Not copied, since something is there already: .env."),
    ]


def test_no_link_is_followed(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of somebody\n")
    modules = shop / "node_modules"
    (modules / "inside").symlink_to("a/index.js")
    (modules / "out").symlink_to("../../secret")
    (modules / "system").symlink_to("/usr/bin/env")
    (modules / "back").symlink_to(shop / ".env")
    (shop / "build").rename(tmp_path / "outside")
    (shop / "build").symlink_to(tmp_path / "outside")
    os.mkfifo(modules / "pipe")
    write(shop, {".worktreeinclude": "node_modules\nbuild\n"})
    where, findings = opened(shop)
    there = where / "node_modules"
    assert os.readlink(there / "inside") == "a/index.js" and os.readlink(there / "system") == "/usr/bin/env"
    assert (there / "inside").read_text() == "a\n"
    assert {one.name for one in there.iterdir()} == {"a", "inside", "system"}
    assert not os.path.lexists(where / "build")
    lost = [one for one in findings if one.code == "not-copied"]
    assert {path for one in lost for path in one.paths} >= {"node_modules/out", "node_modules/back"}


@pytest.mark.parametrize("kind", ["a link", "a directory", "a pipe"])
def test_a_list_that_is_no_file_is_none(shop: Path, tmp_path: Path, kind: str) -> None:
    (tmp_path / "list").write_text(".env\n")
    name = shop / ".worktreeinclude"
    if kind == "a link":
        name.symlink_to(tmp_path / "list")
    elif kind == "a directory":
        name.mkdir()
    else:
        os.mkfifo(name)
    where, findings = opened(shop)
    assert (files_of(where), findings) == (set(), [])


def test_other_repositories_and_worktrees_inside_are_left_alone(shop: Path) -> None:
    git(shop, "worktree", "add", "--quiet", "build/inner")
    write(shop, {"build/inner/.env": "inner\n", ".worktreeinclude": ".env\nbuild/\n"})
    where, _ = opened(shop)
    assert files_of(where) == {".env", "build/a.o"}


def test_too_much_is_named_and_not_copied(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(shop, {".worktreeinclude": ".env\nconfig/\n"})
    monkeypatch.setattr(included, "MOST_FILES", 1)
    where, findings = opened(shop)
    assert files_of(where) == set()
    assert findings[0].code == "not-copied"
    assert ".worktreeinclude matches 2 files of 12 B in repo; copied are at most 1 files" in findings[0].message


def test_links_lead_to_trunks_checkout(shop: Path) -> None:
    write(shop, {".worktreelink": "node_modules\n.env\n", ".worktreeinclude": "node_modules\n.env\nbuild/\n"})
    where, findings = opened(shop)
    assert os.readlink(where / "node_modules") == str(shop / "node_modules")
    assert os.readlink(where / ".env") == str(shop / ".env")
    assert said(findings) == [
        ("linked", "Linked to what is in repo, as .worktreelink says: .env, node_modules."),
        ("copied", "Copied 1 file of repo, as .worktreeinclude says: build/a.o."),
    ]
    assert git(where, "status", "--porcelain") == ""


def test_a_link_that_git_would_not_ignore_is_not_made(shop: Path, tmp_path: Path) -> None:
    (shop / "config/link.local").symlink_to(tmp_path)
    write(shop, {".worktreelink": "build/\nconfig/link.local\n"})
    where, findings = opened(shop)
    assert files_of(where) == set()
    assert [one.code for one in findings] == ["not-copied", "not-copied"]
    assert "(a pattern with a slash at its end ignores directories only): build." in findings[0].message
    assert "repo has a link there: config/link.local." in findings[1].message


def test_moved_edits_bring_them_too(shop: Path) -> None:
    write(shop, {".worktreeinclude": ".env\n"})
    plan = plan_move(shop, "one", Options(trusted=True))
    assert not isinstance(plan, Failure)
    result = apply_move(plan)
    assert result.outcome == "opened" and "copied" in [one.code for one in result.findings]
    assert (Path(str(result.path)) / ".env").exists() and (shop / ".env").exists()


DYING = """
import os, signal, sys
from pathlib import Path
from sidecar.operations import included
from sidecar.operations.open import apply_open, plan_open
from sidecar.model.settings import Options
place, left = included._place, int(sys.argv[2])
def dying(draft, new):
    global left
    left -= 1
    if left < 0:
        if sys.argv[3] == "after":
            place(draft, new)
        os.kill(os.getpid(), signal.SIGKILL)
    place(draft, new)
included._place = dying
apply_open(plan_open(Path(sys.argv[1]), "one", None, Options(trusted=True)))
"""


@pytest.mark.parametrize(("point", "when"), [(0, "before"), (0, "after"), (1, "before"), (1, "after")])
def test_killed_while_copying_it_goes_on(shop: Path, point: int, when: str) -> None:
    write(shop, {".worktreeinclude": ".env\nconfig/\n"})
    done = subprocess.run([sys.executable, "-c", DYING, str(shop), str(point), when], cwd=HOUSE, check=False)
    assert done.returncode == -signal.SIGKILL
    findings = recover_all(shop)
    where = shop.parent / "repo.worktrees" / "one"
    assert findings[0].message == f"The opening of one was ended half-way; it is finished at {where}."
    assert files_of(where) == {".env", "config/db.local"}
    assert recover_all(shop) == ()


@pytest.fixture
def copy_on_write(tmp_path: Path) -> Iterator[Path]:
    """A file system on which files can share blocks."""
    make = shutil.which("mkfs.btrfs")
    if make is None or not allows("mount"):
        pytest.skip("needs mkfs.btrfs, and to be allowed to mount")
    image, at = tmp_path / "image", tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(256 << 20)
    subprocess.run([make, "-q", image], check=True)
    at.mkdir()
    subprocess.run(["mount", "-o", "loop", image, at], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", at], check=True)


def test_copies_share_their_blocks_where_the_file_system_can(shop: Path, copy_on_write: Path) -> None:
    there = copy_on_write / "repo"
    shutil.copytree(shop, there)
    (there / "build/large.o").write_bytes(os.urandom(64 << 20))
    write(there, {".worktreeinclude": "build/\n"})
    os.sync()
    before = shutil.disk_usage(copy_on_write).used
    where, _ = opened(there)
    os.sync()
    assert (where / "build/large.o").stat().st_size == 64 << 20
    assert shutil.disk_usage(copy_on_write).used - before < 16 << 20
