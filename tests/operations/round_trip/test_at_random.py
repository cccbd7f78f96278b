"""Worktrees made at random come back as they were."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.harness import add_worktree, commit, git, init
from tests.model.examples import examples
from tests.operations.round_trip.portrait import portrait, released, restored

NAME = st.one_of(
    st.sampled_from(
        [b"a", b"b", b".x", b"git~1", b".gitignore", b".gitmodules", b".git ", b"\xff", b"a\n", b"\r", b" "]
    ),
    st.binary(min_size=1, max_size=6).filter(
        lambda name: not {*name} & {0, 47} and name not in (b".", b"..") and name.lower() != b".git"
    ),
)
MODES = st.sampled_from([0o644, 0o755, 0o600, 0o400, 0o640, 0o4711])
TIMES = st.integers(0, 2**32 * 10**9)
CONTENT = st.one_of(st.sampled_from([b"", b"*.o\n", b"a\r\nb\r\n", b"$Id$\n"]), st.binary(max_size=300))
FLAGS = st.sampled_from(["", "--assume-unchanged", "--skip-worktree", "--chmod=+x"])


@dataclass(frozen=True)
class Leaf:
    """A file, link or empty directory, and what is done with it before and after."""

    path: tuple[bytes, ...]
    kind: str
    content: bytes
    mode: int
    time: int
    deed: str
    flag: str


LEAVES = st.lists(
    st.builds(
        Leaf,
        st.lists(NAME, min_size=1, max_size=3).map(tuple),
        st.sampled_from(["file", "file", "file", "link", "directory"]),
        CONTENT,
        MODES,
        TIMES,
        st.sampled_from(["leave", "stage", "stage and edit", "commit", "commit and delete", "intend"]),
        FLAGS,
    ),
    max_size=12,
)


def _put(worktree: Path, leaf: Leaf) -> bytes | None:
    """The leaf's path, if there is room for it."""
    path = b"/".join([os.fsencode(worktree), *leaf.path])
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if leaf.kind == "directory":
            os.mkdir(path)
        elif leaf.kind == "link":
            os.symlink(leaf.content.replace(b"\0", b"") or b"x", path)
        else:
            with open(path, "xb") as file:
                file.write(leaf.content)
            os.chmod(path, leaf.mode)
            os.utime(path, ns=(leaf.time, leaf.time))
    except OSError:
        return None
    return path


def _do(worktree: Path, leaf: Leaf, path: bytes) -> None:
    if leaf.kind == "directory":
        return
    literal = b":(top,literal)" + b"/".join(leaf.path)
    if leaf.deed == "intend":
        git(worktree, "add", "--force", "--intent-to-add", "--", literal, check=False)
    elif leaf.deed != "leave":
        git(worktree, "add", "--force", "--", literal, check=False)
    if leaf.deed.startswith("commit"):
        git(worktree, "commit", "--quiet", "--allow-empty", "--message=Some")
    if leaf.flag:
        git(worktree, "update-index", leaf.flag, "--", b"/".join(leaf.path), check=False)
    if leaf.deed == "stage and edit" and leaf.kind == "file":
        os.chmod(path, 0o600)
        with open(path, "ab") as file:
            file.write(b"edited")
    if leaf.deed == "commit and delete":
        os.unlink(path)


def _complaints(repo: Path) -> str:
    done = subprocess.run(["git", "fsck", "--strict", "--no-dangling"], cwd=repo, capture_output=True, text=True)
    return done.stderr


@examples(8)
@given(leaves=LEAVES, object_format=st.sampled_from(["sha1", "sha1", "sha256"]), version=st.sampled_from(["2", "4"]))
def test_comes_back(leaves: list[Leaf], object_format: str, version: str) -> None:
    root = Path(tempfile.mkdtemp())
    try:
        repo = init(root / "repo", f"--object-format={object_format}")
        commit(repo, {"first": "first\n"})
        worktree = add_worktree(repo, "feat")
        git(worktree, "update-index", f"--index-version={version}")
        for leaf in leaves:
            path = _put(worktree, leaf)
            if path is not None:
                _do(worktree, leaf, path)
        before, complaints = portrait(worktree, "feat"), _complaints(repo)
        receipt = released(repo, worktree)
        git(repo, "prune", "--expire=now")
        restored(repo, receipt)
        assert portrait(worktree, "feat") == before
        assert _complaints(repo) == complaints
    finally:
        shutil.rmtree(root)
