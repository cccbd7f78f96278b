"""Whatever lies in a worktree, every entry is explained, and as git explains it."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.model.inventory import Inventory
from tests.git.inventory.taking import attempt
from tests.harness import git, git_bytes
from tests.harness.states import build_standing
from tests.model.examples import examples

NAMES = st.sampled_from(["a", "b.log", "node_modules", ".env", "src", "c.pyc", "data", ":x", "é", "-d", "n\nl", "*"])
KINDS = st.sampled_from(["file", "file", "file", "link", "pipe", "directory"])
PLACES = st.lists(st.tuples(st.lists(NAMES, min_size=1, max_size=4), KINDS, st.booleans()), max_size=12)
RULES = st.lists(
    st.sampled_from(["*.log", "/data/", "!a", "src/*", "**/b.log", "node_modules", "*", "!src/"]), max_size=3
)


def put(worktree: Path, parts: list[str], kind: str) -> None:
    """Make an entry, unless something is in its way."""
    path = worktree.joinpath(*parts)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "directory":
            path.mkdir()
        elif kind == "link":
            path.symlink_to("nowhere")
        elif kind == "pipe":
            os.mkfifo(path)
        elif not path.exists():
            path.write_text("content")
    except (FileExistsError, NotADirectoryError):
        return


def listed(worktree: Path, *options: str) -> set[str]:
    """What `git ls-files` names."""
    return {os.fsdecode(path) for path in git_bytes(worktree, "ls-files", "-z", *options).split(b"\0") if path}


def entries(worktree: Path) -> dict[str, str]:
    """Every entry by its path and kind, as the system lists them."""
    found = {}
    for folder, directories, files in os.walk(worktree):
        here = Path(folder)
        for name in directories + files:
            path = here / name
            empty = path.is_dir() and not path.is_symlink() and not any(path.iterdir())
            plain = path.is_symlink() or path.is_file()
            kind = "file" if plain else "empty" if empty else "directory" if path.is_dir() else "special"
            found[str(path.relative_to(worktree))] = kind
    return found


@examples(30)
@given(places=PLACES, rules=RULES)
def test_every_entry_is_explained_as_git_does(
    places: list[tuple[list[str], str, bool]], rules: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("root")
    worktree = build_standing(root).worktree
    for parts, kind, _ in places:
        put(worktree, parts, kind)
    for parts, kind, added in places:
        if added and kind in ("file", "link"):
            git(worktree, "--literal-pathspecs", "add", "--force", "--", "/".join(parts), check=False)
    (worktree / ".gitignore").write_text("\n".join(rules) + "\n")
    taken = attempt(worktree)
    assert isinstance(taken, Inventory), taken
    files = taken.files
    untracked = listed(worktree, "--others", "--exclude-standard")
    tracked = listed(worktree)
    assert set(files.untracked) == untracked
    output = [found.path for found in files.output]
    in_groups = {*files.unique, *files.equal, *files.special, *files.empty_directories}
    for path, kind in entries(worktree).items():
        inside_output = any(path == top or path.startswith(top + "/") for top in output)
        if path == ".git" or kind == "directory" or path in tracked or path in untracked:
            assert not inside_output or kind == "directory" or path == ".git"
        else:
            assert inside_output != (path in in_groups), (path, kind, taken)
    committed = {path for path in listed(worktree) if git(worktree, "status", "--porcelain", "--", f":(literal){path}")}
    assert committed <= {*files.staged, *files.unstaged}
