"""`restore(into=PATH)`: a worktree comes back whole where there is room for it, and nowhere else."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.records import RestoreResult
from sidecar.operations.release.apply import apply_release
from sidecar.operations.release.plan import plan_release
from sidecar.operations.restore import list_restorable, restore
from tests.harness import git, write
from tests.harness.repository import add_worktree
from tests.harness.states import Standing, build_standing
from tests.harness.whole import Whole, whole

Way = Callable[[Standing], Path]


@pytest.fixture
def at(tmp_path: Path) -> Standing:
    standing = build_standing(tmp_path)
    write(standing.worktree, {".env": "SECRET=1\n", "data/own.db": "mine\n"})
    return standing


def release(at: Standing) -> tuple[str, Whole]:
    before = whole(at.worktree)
    plan = plan_release(at.main, "feat-1", Options())
    assert not isinstance(plan, Failure)
    receipt = apply_release(plan).receipt
    assert receipt is not None
    return receipt, before


def put_back(at: Standing, receipt: str, into: Path) -> RestoreResult:
    back = restore(at.main, receipt, Options(), into=into)
    assert not isinstance(back, Failure), back
    return back


def everything(root: Path) -> set[str]:
    """All paths below, but what git and the sidecar keep for themselves."""
    return {str(path) for path in root.rglob("*") if ".git" not in path.relative_to(root).parts}


def _in_another(at: Standing) -> Path:
    return add_worktree(at.main, "feat-2") / "inside/deep"


def _link_to_empty(at: Standing) -> Path:
    (at.outside / "empty").mkdir()
    (at.outside / "link").symlink_to(at.outside / "empty")
    return at.outside / "link"


def _link_to_nothing(at: Standing) -> Path:
    (at.outside / "link").symlink_to(at.outside / "nowhere")
    return at.outside / "link"


def _empty(at: Standing) -> Path:
    (at.outside / "empty").mkdir()
    return at.outside / "empty"


FREE: dict[str, Way] = {
    "a new place": lambda at: at.outside / "new/deep",
    "an empty directory": _empty,
    "relative": lambda _: Path("../elsewhere"),
    "with dots": lambda at: at.outside / "a/../b",
    "inside another worktree": _in_another,
    "inside the main worktree": lambda at: at.main / "worktrees/feat-1",
    "a link to an empty directory": _link_to_empty,
    "a link to nothing": _link_to_nothing,
    "an odd name": lambda at: at.outside / "-a\n(b)'c \udcff",
}


@pytest.mark.parametrize("way", FREE.values(), ids=FREE)
def test_it_comes_back_where_there_is_room(way: Way, at: Standing) -> None:
    into = way(at)
    receipt, before = release(at)
    others = everything(at.outside) | everything(at.main)
    back = put_back(at, receipt, into)
    assert back.outcome == "restored", back.findings
    real = os.path.realpath(at.main / into)
    assert back.path == real
    assert whole(Path(real)) == before
    assert others <= everything(at.outside) | everything(at.main)
    assert git(at.main, "worktree", "list", "--porcelain", "-z").count(f"worktree {real}\0") == 1


def _full(at: Standing) -> Path:
    write(at.outside, {"full/mine": "mine\n"})
    return at.outside / "full"


def _file(at: Standing) -> Path:
    write(at.outside, {"file": "mine\n"})
    return at.outside / "file"


def _link_to_full(at: Standing) -> Path:
    (at.outside / "link").symlink_to(_full(at))
    return at.outside / "link"


def _loop(at: Standing) -> Path:
    (at.outside / "loop").symlink_to("loop")
    return at.outside / "loop"


TAKEN: dict[str, tuple[Way, str]] = {
    "a directory that is not empty": (_full, "path-taken"),
    "a file": (_file, "path-taken"),
    "below a file": (lambda at: _file(at) / "below", "no-restore"),
    "a link to a directory that is not empty": (_link_to_full, "path-taken"),
    "a link to itself": (_loop, "path-taken"),
    "another worktree": (lambda at: add_worktree(at.main, "feat-2"), "path-taken"),
    "the main worktree": (lambda at: at.main, "path-taken"),
    "the repository": (lambda at: at.main / ".git", "bad-path"),
    "inside the repository": (lambda at: at.main / ".git/mine", "bad-path"),
    "among git's own of worktrees": (lambda at: at.main / ".git/worktrees/mine", "bad-path"),
    "another repository's own": (lambda at: at.outside / "other/.git/mine", "bad-path"),
    "the root": (lambda _: Path("/"), "path-taken"),
    "a name that is too long": (lambda at: at.outside / ("a" * 300), "no-restore"),
    "where no file can be": (lambda _: Path("/proc/feat-1"), "no-restore"),
}


@pytest.mark.parametrize(("way", "code"), TAKEN.values(), ids=TAKEN)
def test_it_stays_where_it_is_kept_when_there_is_no_room(way: Way, code: str, at: Standing) -> None:
    into = way(at)
    receipt, before = release(at)
    others = everything(at.outside) | everything(at.main)
    back = put_back(at, receipt, into)
    assert back.outcome in ("refused", "failed")
    assert [one.code for one in back.findings] == [code]
    assert everything(at.outside) | everything(at.main) == others
    assert not (at.main / ".git/sidecar/journal").exists()
    listed = list_restorable(at.main, Options())
    assert not isinstance(listed, Failure)
    assert [one.id for one in listed] == [receipt]
    assert put_back(at, receipt, at.outside / "good").outcome == "restored"
    assert whole(at.outside / "good") == before


AS_NOBODY_SPECIAL = """
import sys
from pathlib import Path
from sidecar.operations.restore import restore
from sidecar.model.settings import Options
back = restore(Path(sys.argv[1]), sys.argv[2], Options(), into=Path(sys.argv[3]))
print(back.outcome, *(one.code for one in back.findings))
"""


@pytest.mark.parametrize(
    ("mode", "into", "said"), [(0o555, "new", "failed no-restore"), (0o311, "", "refused path-taken")]
)
def test_a_directory_that_is_closed(mode: int, into: str, said: str, at: Standing) -> None:
    """Below one that can't be written to, and one that can't be read."""
    receipt, before = release(at)
    closed = at.outside / "closed"
    closed.mkdir()
    closed.chmod(mode)
    command = [sys.executable, "-c", AS_NOBODY_SPECIAL, str(at.main), receipt, str(closed / into)]
    if os.getuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root writes everywhere, and there is no setpriv")
        less = "-dac_override,-dac_read_search"
        command = ["setpriv", f"--bounding-set={less}", f"--inh-caps={less}", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == said
    closed.chmod(0o755)
    assert put_back(at, receipt, closed).outcome == "restored"
    assert whole(closed) == before
