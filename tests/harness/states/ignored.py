"""Ignored files, in all that they can be, and entries that git never lists."""

import os
import shutil
import socket

from tests.harness.repository import Content, Symlink, git, write
from tests.harness.states.standing import Standing, State, state

CACHE_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This is a cache.\n"


def _excluded(at: Standing) -> None:
    (at.main / ".git/info/exclude").write_text("secret.txt\n")
    write(at.worktree, {"secret.txt": "secret\n"})


def _excluded_by_the_person(at: Standing) -> None:
    write(at.outside, {"excludes": "secret.txt\n"})
    at.git("config", "core.excludesFile", str(at.outside / "excludes"))
    write(at.worktree, {"secret.txt": "secret\n"})


def _odd_names(at: Standing) -> None:
    write(at.worktree, dict.fromkeys(("*.log", "x[1].log", ":(top)x.log", "-x.log", "n\nl.log", "back\\.log"), "x"))


def _copied(at: Standing) -> None:
    write(at.main, {".env": "KEY=1\n"})
    shutil.copy(at.main / ".env", at.worktree / ".env")


def _copied_and_edited(at: Standing) -> None:
    _copied(at)
    write(at.worktree, {".env": "KEY=2\n"})


def _copied_with_another_mode(at: Standing) -> None:
    _copied(at)
    (at.worktree / ".env").chmod(0o600)


def _linked_from_main(at: Standing) -> None:
    """What the main worktree has is this very directory."""
    write(at.worktree, {"data/a": "precious\n"})
    (at.main / "data").symlink_to(at.worktree / "data")


def _linked_modules(at: Standing) -> None:
    write(at.main, {"node_modules/x/index.js": "x\n"})
    (at.worktree / "node_modules").symlink_to(at.main / "node_modules")


def _shared_modules(at: Standing) -> None:
    write(at.outside, {"modules/x/index.js": "x\n"})
    (at.worktree / "node_modules").symlink_to(at.outside / "modules")


def _modules_linked_inside(at: Standing) -> None:
    """The link leads to what only this worktree has."""
    write(at.worktree, {"data/modules/x": "x\n"})
    (at.worktree / "node_modules").symlink_to("data/modules")


def _linked_env(at: Standing) -> None:
    write(at.main, {".env": "KEY=1\n"})
    (at.worktree / ".env").symlink_to(at.main / ".env")


def _venv(at: Standing) -> None:
    files: dict[str, Content] = {".venv/pyvenv.cfg": "home = /usr\n", ".venv/bin/python": Symlink("/usr/bin/python3")}
    write(at.worktree, files)


def _all_at_once(at: Standing) -> None:
    """The worktree of somebody who is done: it must go without a question."""
    _copied(at)
    _linked_modules(at)
    _venv(at)
    write(at.worktree, {"src/__pycache__/a.pyc": "x", "build/CACHEDIR.TAG": CACHE_TAG, "build/out/lib.bin": "x"})


def _tagged_top(at: Standing) -> None:
    (at.main / ".git/info/exclude").write_text("/CACHEDIR.TAG\n")
    write(at.worktree, {"CACHEDIR.TAG": CACHE_TAG, ".env": "KEY=1\n"})


def _socket(at: Standing) -> None:
    here = os.getcwd()
    os.chdir(at.worktree)
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("socket")
    finally:
        os.chdir(here)


def _attribute(at: Standing) -> None:
    os.setxattr(at.worktree / "src/a.txt", "user.note", b"mine")


def _hard_link(at: Standing) -> None:
    (at.outside / "a.txt").hardlink_to(at.worktree / "src/a.txt")


def _hole(at: Standing) -> None:
    write(at.worktree, {"big.db": ""})
    os.truncate(at.worktree / "big.db", 1 << 30)


def _pipe_in_output(at: Standing) -> None:
    write(at.worktree, {"node_modules/x/i.js": "x"})
    os.mkfifo(at.worktree / "node_modules/pipe")


def _pipe_for_a_file(at: Standing) -> None:
    (at.worktree / "src/b.txt").unlink()
    os.mkfifo(at.worktree / "src/b.txt")


def _self_ignored(at: Standing) -> None:
    """As pytest and ruff make their caches: not ignored itself, but all that is in it is."""
    write(at.worktree, {".pytest_cache/.gitignore": "*\n", ".pytest_cache/v/x": "x"})


def _newly_ignored(at: Standing) -> None:
    """Ignored files in a directory that git tracks something in."""
    write(at.worktree, {"build/kept.txt": "kept\n", "build/CACHEDIR.TAG": CACHE_TAG, "build/mine": "mine\n"})
    at.git("add", "--force", "build/kept.txt")
    at.git("commit", "--quiet", "--message=Keep")
    git(at.main, "merge", "--quiet", "--ff-only", "feat-1")


IGNORED: tuple[State, ...] = (
    state("ignored file", lambda at: write(at.worktree, {".env": "KEY=1\n"}), "ignored-unique"),
    state("ignored directory", lambda at: write(at.worktree, {"data/a/b": "x", "data/c": "y"}), "ignored-unique"),
    state("ignored by info/exclude", _excluded, "ignored-unique"),
    state("ignored by the person's excludes", _excluded_by_the_person, "ignored-unique"),
    state("ignored with odd names", _odd_names, "ignored-unique"),
    state("ignored link", lambda at: write(at.worktree, {".env.link": Symlink("../x")}), "ignored-unique"),
    state("ignored file with a hole", _hole, "ignored-unique"),
    state("ignored copy", _copied, "ignored-equal"),
    state("ignored copy that was edited", _copied_and_edited, "ignored-unique"),
    state("ignored copy with another mode", _copied_with_another_mode, "ignored-unique"),
    state("ignored directory that main links to", _linked_from_main, "ignored-unique"),
    state("node_modules linked from main", _linked_modules, "ignored-equal"),
    state("node_modules linked from elsewhere", _shared_modules, "build-output"),
    state("node_modules linked to something inside", _modules_linked_inside, "untracked", "ignored-unique"),
    state(".env linked from main", _linked_env, "ignored-equal"),
    state("node_modules", lambda at: write(at.worktree, {"node_modules/x/i.js": "x"}), "build-output"),
    state("__pycache__", lambda at: write(at.worktree, {"src/__pycache__/a.pyc": "x"}), "build-output"),
    state("a cache with its tag", lambda at: write(at.worktree, {"build/CACHEDIR.TAG": CACHE_TAG}), "build-output"),
    state("a tag without its signature", lambda at: write(at.worktree, {"build/CACHEDIR.TAG": "x"}), "ignored-unique"),
    state(
        "a tag that is a link", lambda at: write(at.worktree, {"build/CACHEDIR.TAG": Symlink("/x")}), "ignored-unique"
    ),
    state("a tag in the worktree itself", _tagged_top, "ignored-unique"),
    state("a tag beside tracked files", _newly_ignored, "ignored-unique"),
    state("virtual environment", _venv, "build-output"),
    state("a cache that ignores itself", _self_ignored, "build-output"),
    state("all that one who is done has", _all_at_once, "build-output", "ignored-equal"),
    state("pipe", lambda at: os.mkfifo(at.worktree / "pipe"), "special-file"),
    state("ignored pipe", lambda at: os.mkfifo(at.worktree / "pipe.log"), "special-file"),
    state("pipe in build output", _pipe_in_output, "build-output"),
    state("pipe in place of a tracked file", _pipe_for_a_file, "uncommitted", "special-file"),
    state("socket", _socket, "special-file"),
    state("empty directory", lambda at: (at.worktree / "empty").mkdir(), "empty-directories"),
    state(
        "empty directories in each other",
        lambda at: (at.worktree / "e/m/p/t/y").mkdir(parents=True),
        "empty-directories",
    ),
    state("ignored empty directory", lambda at: (at.worktree / "data").mkdir(), "empty-directories"),
    state("extended attribute", _attribute, "xattrs"),
    state("hard link to outside", _hard_link, "hard-links"),
)
