"""How an inventory looks: it can be stopped, it counts bytes, runs nothing and follows no link."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sidecar.git.inventory.walk import CancelledError, changed_between, fingerprint
from sidecar.model.inventory import Inventory
from tests.git.inventory.taking import attempt, codes, take
from tests.harness import Executable, Symlink, add_worktree, commit, git, init, write
from tests.harness.states import Standing, build_standing

BLOCK = 4096


@pytest.fixture
def standing(tmp_path: Path) -> Standing:
    return build_standing(tmp_path)


def test_it_stops_when_told(standing: Standing) -> None:
    write(standing.worktree, {"data/big": b"x" * (5 << 20)})
    asked: list[int] = []
    everything = 0
    for stop in range(1, 50):
        asked.clear()

        def cancelled(stop: int = stop) -> bool:
            asked.append(1)
            return len(asked) >= stop

        taken = attempt(standing.worktree, cancelled=cancelled)
        if isinstance(taken, Inventory):
            everything = stop
            break
        assert codes(taken) == {"cancelled"}
        assert len(asked) == stop
    assert everything > 5


def test_bytes_are_those_on_the_disk(standing: Standing) -> None:
    """An inode counts once; a hole takes nothing; what has a name outside is not freed; unique files are kept."""
    before = take(standing.worktree).bytes
    assert before.kept == 0
    write(standing.worktree, {"data/unique": b"x" * (10 * BLOCK)})
    (standing.worktree / "data/again").hardlink_to(standing.worktree / "data/unique")
    write(standing.worktree, {"hole.db": ""})
    os.truncate(standing.worktree / "hole.db", 1 << 30)
    write(standing.worktree, {"node_modules/x.js": b"x" * (20 * BLOCK), "node_modules/y.js": b"y" * (5 * BLOCK)})
    (standing.outside / "y.js").hardlink_to(standing.worktree / "node_modules/y.js")
    write(standing.worktree, {"node_modules/link": Symlink("/usr")})
    after = take(standing.worktree).bytes
    made = (standing.worktree / name for name in ("data", "node_modules"))
    directories = sum(folder.stat().st_blocks * 512 for folder in made)  # none on some file systems
    assert after.kept == 10 * BLOCK
    assert after.total - before.total == (10 + 20 + 5) * BLOCK + directories
    assert after.reclaimable - before.reclaimable == 20 * BLOCK + directories


def test_bytes_agree_with_du(standing: Standing) -> None:
    write(standing.worktree, {f"node_modules/p{number % 7}/{number}.js": "x" * number for number in range(200)})
    write(standing.worktree, {f"data/{number}": "x" * 5000 for number in range(30)})
    said = subprocess.run(["du", "-s", "-B1", standing.worktree], capture_output=True, check=True, text=True).stdout
    assert take(standing.worktree).bytes.total == int(said.split()[0])


def test_it_follows_no_link(standing: Standing) -> None:
    """Links in every group lead to a directory that nobody may enter; none of its entries is told."""
    write(standing.outside, {"secret/precious": "x", "secret/.git/HEAD": "x"})
    secret = str(standing.outside / "secret")
    write(standing.worktree, {"new": Symlink(secret), "data/x": Symlink(secret), "node_modules/x": Symlink(secret)})
    taken = take(standing.worktree)
    assert taken.files.untracked == ("new",)
    assert taken.files.unique == ("data/x",)
    assert [output.path for output in taken.files.output] == ["node_modules"]
    assert taken.files.nested == ()


def test_nothing_of_the_repository_runs(standing: Standing) -> None:
    canary = standing.outside / "canary"
    script = Executable(f"#!/bin/sh\ntouch {canary}\ncat\n")
    write(standing.outside, {"program": script})
    program = str(standing.outside / "program")
    commit(standing.worktree, {".gitattributes": "*.txt filter=trap diff=trap\n"})
    git(standing.main, "merge", "--quiet", "--ff-only", "feat-1")
    for key in ("filter.trap.clean", "filter.trap.smudge", "filter.trap.process", "core.fsmonitor", "diff.external"):
        git(standing.main, "config", key, program)
    git(standing.main, "config", "filter.trap.required", "true")
    git(standing.main, "config", "core.hooksPath", str(standing.outside))
    git(standing.main, "config", "core.pager", program)
    git(standing.main, "config", "gpg.program", program)
    git(standing.main, "config", "log.showSignature", "true")
    for hook in ("post-index-change", "reference-transaction"):
        write(standing.main / ".git/hooks", {hook: script})
    write(standing.worktree, {"src/b.txt": "edited\n"})
    nested = init(standing.worktree / "node_modules/x")
    commit(nested, {"a": "a"})
    for key in ("core.fsmonitor", "filter.trap.clean", "core.pager"):
        git(nested, "config", key, program)
    canary.unlink(missing_ok=True)
    taken = take(standing.worktree)
    assert {"hidden-changes", "nested-repository"} <= codes(taken)
    assert taken.files.hidden == ("src/b.txt",)
    assert not canary.exists()


@pytest.mark.parametrize("path", [".gitignore", "src/.gitignore", "new/.gitattributes"])
def test_git_never_waits_for_a_pipe(standing: Standing, path: str) -> None:
    place = standing.worktree / path
    place.parent.mkdir(exist_ok=True)
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    write(standing.worktree, {"new/x": "x"})
    started = time.monotonic()
    assert codes(attempt(standing.worktree)) == {"unreadable"}
    assert time.monotonic() - started < 30


def test_a_pattern_of_the_setting_decides(standing: Standing) -> None:
    write(standing.worktree, {"data/cache/x": "x", "data/keep": "x", "build/data": "x"})
    taken = take(standing.worktree, disposable=("data/cache/", "build"))
    assert [output.path for output in taken.files.output] == ["build", "data/cache"]
    assert taken.files.unique == ("data/keep",)


@pytest.mark.parametrize("pattern", ["*", "**", "*/", "?*", "."])
def test_a_pattern_for_everything_is_not_obeyed(standing: Standing, pattern: str) -> None:
    write(standing.worktree, {".env": "KEY=1\n", "data/x": "x"})
    assert take(standing.worktree, disposable=(pattern,)).files.unique == (".env", "data/x")


def test_a_bare_main_repository_is_fine(tmp_path: Path) -> None:
    first = build_standing(tmp_path / "first")
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(first.main), str(bare))
    git(bare, "worktree", "add", "--quiet", str(tmp_path / "linked"), "feat-1")
    write(tmp_path / "linked", {".env": "KEY=1\n"})
    assert codes(attempt(tmp_path / "linked")) == {"ignored-unique"}


def test_sha256_is_fine(tmp_path: Path) -> None:
    main = init(tmp_path / "main", "--object-format=sha256")
    write(main, {"a": "a\n"})
    commit(main, {"link": Symlink("a")})
    linked = add_worktree(main, "linked")
    assert codes(attempt(linked)) == set()
    git(linked, "checkout", "--quiet", "--detach")
    commit(linked, {"a": "b\n"})
    git(linked, "reset", "--quiet", "--hard", "HEAD^")
    write(linked, {"link": Symlink("b")})
    assert codes(attempt(linked)) == {"reflog-commits", "uncommitted"}


def test_a_sparse_index_is_fine(standing: Standing) -> None:
    standing.git("sparse-checkout", "set", "--cone", "--sparse-index", "src/deep")
    assert codes(attempt(standing.worktree)) == {"worktree-config"}
    write(standing.worktree, {"src/deep/c.txt": "edited\n"})
    assert take(standing.worktree).files.unstaged == ("src/deep/c.txt",)


def test_a_partial_clone_is_not_filled(tmp_path: Path) -> None:
    """An id that nobody has, in a message, does not make git fetch."""
    origin = build_standing(tmp_path / "origin").main
    git(origin, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", f"file://{origin}", str(clone))
    linked = add_worktree(clone, "linked")
    commit(linked, {"x": "x"}, f"Pick\n\n(cherry picked from commit {'ab' * 20})")
    git(linked, "reset", "--quiet", "--hard", "HEAD^")
    shutil.rmtree(origin)
    assert codes(attempt(linked)) == {"reflog-commits"}


def test_an_alias_of_the_branch_holds_nothing(standing: Standing) -> None:
    """A ref that is the branch under another name goes with it."""
    git(standing.main, "symbolic-ref", "refs/heads/alias", "refs/heads/feat-1")
    commit(standing.worktree, {"x": "x"})
    assert len(take(standing.worktree).commits.own) == 1
    git(standing.main, "update-ref", "refs/remotes/origin/feat-1", "feat-1")
    assert take(standing.worktree).commits.own == ()


def test_a_branch_with_an_odd_name(standing: Standing) -> None:
    for name in ("-d", "a/b/$(id)", "x](y)"):
        git(standing.main, "update-ref", f"refs/heads/{name}", "main")
        standing.git("symbolic-ref", "HEAD", f"refs/heads/{name}")
        lost = commit(standing.worktree, {"x": name})
        taken = take(standing.worktree)
        assert taken.commits.branch == name
        assert taken.commits.own == (lost,)
        standing.git("reset", "--quiet", "--hard", "main")


AS_NOBODY_SPECIAL = """
import json, sys
from pathlib import Path
from tests.git.inventory.taking import take
taken = take(Path(sys.argv[1]))
print(json.dumps(taken.files.unreadable))
"""


def test_what_can_not_be_read_is_told(standing: Standing) -> None:
    """In a process without root's right to read everything."""
    write(standing.worktree, {"data/closed/x": "x", "node_modules/closed/x": "x", "new/closed/x": "x"})
    closed = [standing.worktree / below for below in ("data/closed", "node_modules/closed", "new/closed")]
    closed.append(standing.worktree / "src/b.txt")
    for path in closed:
        path.chmod(0)
    command = [sys.executable, "-c", AS_NOBODY_SPECIAL, str(standing.worktree)]
    if os.getuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root reads everything, and there is no setpriv")
        less = "-dac_override,-dac_read_search"
        command = ["setpriv", f"--bounding-set={less}", f"--inh-caps={less}", *command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == '["data/closed", "new/closed", "node_modules/closed", "src/b.txt"]'
    finally:
        for path in closed:
            path.chmod(0o755)


def test_a_fingerprint_is_the_same_until_somebody_writes(standing: Standing) -> None:
    before = fingerprint(str(standing.worktree))
    assert changed_between(before, fingerprint(str(standing.worktree))) == ()
    moved = standing.worktree.rename(standing.outside / "moved")
    assert changed_between(before, fingerprint(str(moved))) == ()
    path = moved / "src/deep/c.txt"
    status = path.stat()
    path.write_text("C\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert changed_between(before, fingerprint(str(moved))) == ("src/deep",)
    (moved / "new").mkdir()
    assert changed_between(before, fingerprint(str(moved))) == ("", "new", "src/deep")


def test_a_fingerprint_that_passes_through_build_output_sees_what_comes_and_goes(standing: Standing) -> None:
    """And every file of a repository in it, which may be somebody's work by then."""
    files = {"node_modules/x/i.js": "i\n", "node_modules/y/j.js": "j\n", "node_modules/own/src/k.js": "k\n"}
    write(standing.worktree, files)
    init(standing.worktree / "node_modules/own")
    root = str(standing.worktree)
    before = fingerprint(root)

    def changed() -> tuple[str, ...]:
        return changed_between(before, fingerprint(root, passing=["node_modules"]))

    assert changed() == ()
    (standing.worktree / "node_modules/x/i.js").write_text("made again\n")
    assert changed() == ()
    (standing.worktree / "node_modules/own/src/k.js").write_text("work\n")
    assert changed() == ("node_modules/own/src",)
    write(standing.worktree, {"node_modules/y/new.js": "new\n", "src/b.txt": "edited\n"})
    assert changed() == ("node_modules/own/src", "node_modules/y", "src")
    (standing.worktree / "node_modules/y").rename(standing.worktree / "node_modules/z")
    assert {"node_modules", "node_modules/y", "node_modules/z"} <= set(changed())


def test_a_fingerprint_can_be_stopped(standing: Standing) -> None:
    for number in range(300):
        write(standing.worktree, {f"data/{number}": "x"})
    with pytest.raises(CancelledError):
        fingerprint(str(standing.worktree), lambda: True)
