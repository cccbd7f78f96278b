"""What the tests of the watcher share: hearing batches, and waiting for them with a deadline."""

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sidecar.watch.events import Batch, FilesTarget, GitTarget, Target, WorktreeTarget
from sidecar.watch.watcher import Watcher
from tests.harness import environment

DEADLINE = 40.0
POLL_EVERY = 0.05


class Heard:
    """The batches so far; while `gate` is closed the watcher is kept waiting in its call."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.threads: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()
        self._news = threading.Condition()

    def __call__(self, batch: Batch) -> None:
        self.waiting.set()
        assert self.gate.wait(DEADLINE)
        with self._news:
            self.threads.add(threading.get_ident())
            self.batches.append(batch)
            self._news.notify_all()

    def until(self, happened: Callable[[Sequence[Batch]], bool], since: int = 0) -> list[Batch]:
        """Wait until the batches from number `since` on are as asked for; fails at the deadline, showing them."""
        with self._news:
            if not self._news.wait_for(lambda: happened(self.batches[since:]), DEADLINE):
                raise AssertionError(f"Not in {DEADLINE} s; heard: {self.batches[since:]}")
            return self.batches[since:]


@dataclass(frozen=True)
class Watching:
    """A watcher and what was heard of it."""

    watcher: Watcher
    heard: Heard
    followed: set[str] = field(default_factory=set)

    def follow(self, *targets: Target | FilesTarget) -> None:
        """Follow exactly these, and wait until those that are new stand."""
        since = len(self.heard.batches)
        self.watcher.follow(targets)
        keys = {target.key for target in targets}
        new = keys - self.followed
        self.heard.until(lambda batches: new <= {key for batch in batches for key in batch.rescan | batch.git}, since)
        self.followed.clear()
        self.followed.update(keys)

    def after(self, act: Callable[[], object], *paths: str, key: str | None = None) -> list[Batch]:
        """Do something, and wait until all these paths (of `key`, or of whichever) are told."""
        since = len(self.heard.batches)
        act()
        return self.heard.until(lambda batches: all(tells(batches, path, key) for path in paths), since)

    def tells_git(self, act: Callable[[], object], key: str) -> None:
        """Do something, and wait until this key is told among the git directories."""
        since = len(self.heard.batches)
        act()
        self.heard.until(lambda batches: any(key in batch.git for batch in batches), since)


def tells(batches: Sequence[Batch], path: str, key: str | None = None) -> bool:
    """Whether the batches say that this path may have changed: itself, a directory above it, or a rescan."""
    parts = path.split("/")
    above = {"/".join(parts[:depth]) for depth in range(1, len(parts) + 1)}
    return any(
        (batch.rescan if key is None else key in batch.rescan)
        or any(above & told for of, told in batch.files.items() if key in (None, of))
        for batch in batches
    )


def paths(batches: Sequence[Batch]) -> set[str]:
    """Every path that was told."""
    return {path for batch in batches for told in batch.files.values() for path in told}


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for something that no batch tells."""
    end = time.monotonic() + DEADLINE
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < end, "It did not come about."
        pause.wait(0.005)


def worktree(path: Path, *, key: str | None = None, nested: frozenset[str] = frozenset()) -> WorktreeTarget:
    """A worktree as the session follows it, with git itself to say what is ignored."""
    return WorktreeTarget(key or str(path), path, lambda directories: ignored_by_git(path, directories), nested)


def plain(path: Path, *ignored: str) -> WorktreeTarget:
    """A directory that needs no git."""
    return WorktreeTarget(str(path), path, lambda directories: frozenset(directories) & frozenset(ignored), frozenset())


def git_target(path: Path) -> GitTarget:
    """A git directory as the session follows it."""
    return GitTarget(str(path), path)


def ignored_by_git(path: Path, directories: Sequence[str]) -> frozenset[str]:
    """Which of these directories `git check-ignore` names."""
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", "-z", "--stdin"],
        cwd=path,
        env=environment() | {"GIT_OPTIONAL_LOCKS": "0"},
        input="\0".join(directories).encode(errors="surrogateescape"),
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return frozenset(done.stdout.decode(errors="surrogateescape").split("\0")) - {""}
