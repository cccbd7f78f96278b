"""The private place for a reading's objects: nobody's store is written to, and nothing is left behind."""

import os
import stat
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

import sidecar.git.quarantine as quarantine_module
from sidecar.git.handing import hand_over, missing_objects, open_store
from sidecar.git.objects import read_blob
from sidecar.git.process import GitError, run
from sidecar.git.quarantine import open_quarantine
from tests.git.leaving import quarantines
from tests.git.opening import opened, quarantined
from tests.harness import commit, git, init

HOUSE = Path(__file__).parents[2]


def _home(temporary: Path) -> Path:
    return temporary / f"worktree-sidecar-{os.getuid()}"


def test_objects_of_both_stores_are_read_and_new_ones_go_here(repo: Path, temporary: Path) -> None:
    before = git(repo, "count-objects", "-v")
    with quarantined(opened(repo)) as quarantine:
        assert read_blob(quarantine.objects, git(repo, "rev-parse", "HEAD:README.md")) == b"# Repository\n"
        oid = quarantine.objects.write("blob", b"new\n")
        assert read_blob(quarantine.objects, oid) == b"new\n"
        assert run(quarantine.plumbing, "cat-file", "-p", oid) == b"new\n"
        fresh = quarantine.repository("test", b"* -text\n")
        assert run(fresh, "cat-file", "-p", oid) == b"new\n"
        assert run(fresh, "check-attr", "text", "x").strip().endswith(b"unset")
        assert git(repo, "cat-file", "-e", oid, check=False) == ""
        assert _home(temporary).is_dir()
    assert git(repo, "count-objects", "-v") == before
    assert git(repo, "fsck") == ""


def test_what_git_writes_through_a_worktrees_place_goes_here_too(repo: Path) -> None:
    repository = opened(repo)
    before = git(repo, "count-objects", "-v")
    with quarantined(repository) as quarantine:
        place = quarantine.writing(repository.place)
        oid = run(place, "hash-object", "-w", "--stdin", stdin=b"written\n").decode().strip()
        assert read_blob(quarantine.objects, oid) == b"written\n"
    assert git(repo, "count-objects", "-v") == before


def test_objects_that_the_user_makes_later_are_seen(repo: Path) -> None:
    with quarantined(opened(repo)) as quarantine:
        assert read_blob(quarantine.objects, git(repo, "rev-parse", "HEAD:README.md"))
        later = commit(repo, {"later.txt": "later\n"})
        assert quarantine.objects.read(later)[0] == "commit"
        git(repo, "gc", "--quiet", "--prune=now")
        assert read_blob(quarantine.objects, git(repo, "rev-parse", "HEAD:later.txt")) == b"later\n"


def test_only_its_owner_can_look_inside(repo: Path, temporary: Path) -> None:
    with quarantined(opened(repo)) as quarantine:
        for directory in (_home(temporary), quarantine.root):
            assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_nothing_of_the_users_configuration_reaches_a_repository_of_ours(repo: Path) -> None:
    git(repo, "config", "merge.conflictStyle", "diff3")
    git(repo, "config", "core.attributesFile", "/nowhere")
    with quarantined(opened(repo)) as quarantine:
        assert run(quarantine.repository("test"), "config", "merge.conflictStyle", accept=(1,)) == b""
        assert run(quarantine.plumbing, "config", "core.attributesFile", accept=(1,)) == b""


def test_a_shallow_clone(repo: Path, tmp_path: Path) -> None:
    for number in range(3):
        commit(repo, {"a.txt": f"{number}\n"})
    git(tmp_path, "clone", "--quiet", "--depth=2", f"file://{repo}", "shallow")
    with quarantined(opened(tmp_path / "shallow")) as quarantine:
        head = git(tmp_path / "shallow", "rev-parse", "HEAD")
        for place in (quarantine.plumbing, quarantine.repository("test")):
            assert len(run(place, "rev-list", head).split()) == 2


def test_closing_twice(repo: Path, temporary: Path) -> None:
    quarantine = open_quarantine(opened(repo))
    quarantine.close()
    quarantine.close()
    assert quarantines(temporary) == []


def test_several_at_a_time(repo: Path, temporary: Path) -> None:
    with quarantined(opened(repo)) as one, quarantined(opened(repo)) as two:
        assert one.root != two.root
        oid = one.objects.write("blob", b"mine\n")
        with pytest.raises(GitError):
            two.objects.read(oid)
    assert quarantines(temporary) == []


def _owner(repo: Path) -> subprocess.Popen[bytes]:
    """Another process that holds a quarantine; it says so when it does."""
    code = (
        "import sys; from pathlib import Path\n"
        "from sidecar.git.repository import open_repository\n"
        "from sidecar.git.quarantine import open_quarantine\n"
        f"held = open_quarantine(open_repository(Path({str(repo)!r})))\n"
        "print(held.root, flush=True); sys.stdin.read(); held.close()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HOUSE, env=os.environ
    )


def test_what_a_killed_predecessor_left_is_swept_and_a_live_ones_is_not(repo: Path, temporary: Path) -> None:
    with _owner(repo) as killed, _owner(repo) as living:
        assert killed.stdout and living.stdout and living.stdin
        left, held = (
            Path(os.fsdecode(process.stdout.readline().rstrip(b"\n"))) for process in (killed, living) if process.stdout
        )
        assert left.is_dir() and held.is_dir()
        with quarantined(opened(repo)):
            assert left.is_dir(), "its owner lives"
        killed.kill()
        killed.wait()
        assert left.is_dir()
        with quarantined(opened(repo)) as quarantine:
            assert not left.exists()
            assert held.is_dir()
            assert quarantine.root.is_dir()
        living.stdin.close()
        assert living.wait() == 0
    assert not held.exists()
    assert quarantines(temporary) == []


def test_many_at_once_never_sweep_each_other(repo: Path, temporary: Path) -> None:
    owners = [_owner(repo) for _ in range(4)]
    roots = [Path(os.fsdecode(owner.stdout.readline().rstrip(b"\n"))) for owner in owners if owner.stdout]
    assert len({root for root in roots if root.is_dir()}) == 4
    for owner in owners:
        with owner:
            assert owner.stdin
            owner.stdin.close()
            assert owner.wait() == 0
    assert quarantines(temporary) == []


def test_a_temporary_directory_that_is_not_there(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(GitError, match=f"The temporary directory {tmp_path}/gone can't be written"):
        open_quarantine(opened(repo))


def test_something_else_of_that_name(repo: Path, temporary: Path, tmp_path: Path) -> None:
    """A file, a link, or a directory that others can write to is passed over: it may be somebody's trap."""
    (tmp_path / "trap").mkdir(mode=0o700)
    _home(temporary).symlink_to(tmp_path / "trap")
    with quarantined(opened(repo)):
        assert list((tmp_path / "trap").iterdir()) == []
    _home(temporary).unlink()
    _home(temporary).mkdir(mode=0o777)
    _home(temporary).chmod(0o777)
    for _ in range(3):
        with quarantined(opened(repo)):
            assert list(_home(temporary).iterdir()) == []
    assert len(list(temporary.glob("worktree-sidecar-*"))) == 2, "one other directory, not one each time"


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_disk_that_is_full(tmp_path: Path, object_format: str) -> None:
    """As for a directory that was taken away: an error of git's, not a crash."""
    repository = init(tmp_path / "r", f"--object-format={object_format}")
    with quarantined(opened(repository)) as quarantine:
        objects = quarantine.root / "objects"
        objects.rename(quarantine.root / "elsewhere")
        objects.write_text("a file in its place")
        with pytest.raises(GitError, match="can't be written"):
            quarantine.objects.write("blob", b"lost\n")


def test_sha256(tmp_path: Path) -> None:
    repository = init(tmp_path / "r", "--object-format=sha256")
    commit(repository, {"a.txt": "a\n"})
    before = git(repository, "count-objects", "-v")
    with quarantined(opened(repository)) as quarantine:
        oid = quarantine.objects.write("blob", b"new\n")
        assert len(oid) == 64
        assert run(quarantine.repository("test"), "cat-file", "-p", oid) == b"new\n"
    assert git(repository, "count-objects", "-v") == before


def test_its_objects_are_in_memory_where_that_has_room_and_contents_on_the_disk(
    repo: Path, memory: Path, temporary: Path
) -> None:
    repository = opened(repo)
    with quarantined(repository) as quarantine:
        assert quarantine.root.parent == _home(temporary)
        assert (quarantine.root / "objects").resolve().parent == _home(memory)
        assert quarantine.is_usable()
        made = quarantine.objects.write("blob", b"made\n")
        said = run(quarantine.writing(repository.place), "hash-object", "-w", "--stdin", stdin=b"content\n")
        content = said.decode().strip()
        assert list(memory.rglob(made[2:])) and not list(memory.rglob(content[2:]))
        for oid, text in ((made, b"made\n"), (content, b"content\n")):
            assert read_blob(quarantine.objects, oid) == text
            assert run(quarantine.repository("test"), "cat-file", "-p", oid) == text
            assert run(quarantine.plumbing, "cat-file", "-p", oid) == text
        store = open_store(quarantine, repository)
        assert missing_objects(repository, (made, content)) == [made, content]
        assert hand_over(store, made) > 0 and hand_over(store, content) > 0
        assert missing_objects(repository, (made, content)) == []
    assert quarantines(memory) == quarantines(temporary) == []
    assert git(repo, "cat-file", "-p", content) == "content"


def test_beside_a_directory_that_somebody_chose_memory_is_not_taken(
    repo: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine_module, "UNLESS_SET", "/another")
    with quarantined(opened(repo)) as quarantine:
        assert quarantine.memory is None and quarantine.is_usable()
    assert list(memory.iterdir()) == []


def test_memory_without_room_is_left_alone(repo: Path, memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine_module, "SHARE", 1 << 60)
    with quarantined(opened(repo)) as quarantine:
        assert quarantine.memory is None and quarantine.is_usable()
        assert quarantines(memory) == []


@pytest.mark.parametrize(("minutes", "is_in_memory"), [(1, False), (11, True)])
def test_what_follows_one_that_has_used_up_its_share_is_on_disk_where_that_was_soon(
    repo: Path, memory: Path, minutes: int, is_in_memory: bool
) -> None:
    with quarantined(opened(repo)) as quarantine:
        assert not replace(quarantine, least_free=1 << 60, opened=time.monotonic() - minutes * 60).is_usable()
    for _ in range(2):
        with quarantined(opened(repo)) as following:
            assert (following.memory is not None) == is_in_memory
            assert following.is_usable()
    assert quarantines(memory) == []


def test_memory_that_somebody_cleans_away_makes_it_unusable(repo: Path, memory: Path) -> None:
    with quarantined(opened(repo)) as quarantine:
        for path in quarantines(memory):
            path.rename(memory / path.name)
        assert not quarantine.is_usable()


def test_what_a_killed_predecessor_left_is_swept_from_memory_and_disk(repo: Path, memory: Path) -> None:
    killed = open_quarantine(opened(repo))
    assert killed.memory is not None
    killed.objects.close()
    for held in (killed.held, killed.memory):
        held.lock.release()  # as the system does
    with quarantined(opened(repo)) as quarantine:
        assert quarantine.memory is not None
        assert not killed.root.exists() and not killed.memory.path.exists()
