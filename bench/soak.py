"""Minutes of turmoil in a dozen worktrees under a live session, which must be right then, and leave nothing behind.

    python -m bench.soak [--minutes N] [--worktrees N] [--seed N] [--keep DIR] [--json]

Random edits, commits, branch switches, merges, worktrees that come and go, killed git processes. Now and then all of
that pauses: the session's Picture must come to equal one that is computed afresh. At the end there must be no process,
thread, file descriptor, watch or temporary file that a new session would not have. Exit status 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import psutil

from bench import turmoil
from bench.processes import family, open_files, watched_inodes
from bench.report import Row, print_report, share
from sidecar.model.findings import Failure
from sidecar.model.picture import Picture
from sidecar.model.settings import Options
from sidecar.session.live import Session, open_session
from sidecar.session.once import look
from tests.harness import environment

OPTIONS = Options(trusted=True)
AGREE = 30.0
"""Seconds in which the session has to come to what is true."""
MOST_GITS, FILES_A_GIT = 8, 3
"""How many git processes may stay, and how many descriptors each of them has here (two pipes and their selector)."""
BETWEEN = 60.0
"""Seconds of turmoil between two pauses."""


class Wrong(Exception):  # noqa: N818 - it is what was looked for
    """The session was wrong, or left something behind."""


@dataclass
class Looker:
    """Waits for Pictures of a session."""

    seen: int = 0
    news: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, picture: Picture) -> None:
        del picture
        with self.news:
            self.seen += 1
            self.news.notify_all()

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Whether it comes true in that time; looked at with every Picture, and every half second."""
        end = time.monotonic() + seconds
        with self.news:
            while not condition():
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self.news.wait(min(left, 0.5))
        return True


@dataclass(frozen=True)
class Holdings:
    """What this process has, by name where there are names; memory in MB."""

    threads: tuple[str, ...]
    files: tuple[str, ...]
    watches: int
    children: tuple[str, ...]
    memory: float


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (10)")
    parser.add_argument("--worktrees", type=int, default=12, help="linked worktrees (12)")
    parser.add_argument("--seed", type=int, default=1, help="the same number, the same turmoil")
    parser.add_argument("--keep", type=Path, help="work in this new directory, and leave the repository there")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(given)
    with own_place(chosen.keep) as (root, temporary):
        try:
            rows = soak(root, temporary, chosen.minutes, chosen.worktrees, chosen.seed)
        except Wrong as wrong:
            print(f"soak --seed {chosen.seed}: {wrong}", file=sys.stderr)
            return 1
    setting = {"minutes": chosen.minutes, "worktrees": chosen.worktrees, "seed": chosen.seed}
    print_report("soak", setting, rows, None, as_json=chosen.json)
    return 0


@contextmanager
def own_place(keep: Path | None) -> Iterator[tuple[Path, Path]]:
    """A directory for the repository and one for temporary files; this process's own environment points at them."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="sidecar-bench-") as passing:
        place = (keep or Path(passing)).resolve()
        root, temporary = place / "soak", place / "temporary"
        root.mkdir(parents=True)
        temporary.mkdir()
        os.environ.clear()
        os.environ.update(environment() | {"TMPDIR": str(temporary)})
        tempfile.tempdir = None
        try:
            yield root, temporary
        finally:
            os.environ.clear()
            os.environ.update(before)
            tempfile.tempdir = None


def soak(root: Path, temporary: Path, minutes: float, worktrees: int, seed: int) -> list[Row]:
    """Do it; raises Wrong."""
    chance = random.Random(seed)
    repository = turmoil.found(root, worktrees)
    look(repository, OPTIONS)  # so that what libraries keep for good is there before anything is counted
    bare = holdings()
    looker = Looker()
    session = _opened(repository, looker)
    world = turmoil.World(repository, session, chance, worktrees)
    end = time.monotonic() + minutes * 60
    waits = [_agree(world, session, looker)]
    grown = [holdings()]
    while time.monotonic() < end:
        pause = min(end, time.monotonic() + BETWEEN)
        while time.monotonic() < pause:
            turmoil.act(world)
            time.sleep(chance.choice([0.0, 0.0, 0.02, 0.1]))
        waits.append(_agree(world, session, looker))
        grown.append(holdings())
    kept = _settled(session)
    session.close()
    done, refused = sum(world.done.values()), world.refused
    del session, world
    _same("after closing", holdings(), bare)
    _nothing_in(temporary)
    fresh = _opened(repository, anew := Looker())
    anew.until(lambda: fresh.picture is not None, AGREE)
    _same("compared with a new session", kept, _settled(fresh))
    fresh.close()
    _nothing_in(temporary)
    return [
        Row("deeds", done, "", note=f"{refused} were refused"),
        Row("Pictures", looker.seen, ""),
        Row("pauses, in all of which the Picture was right", len(waits), ""),
        Row("seconds until it was, median", share(waits, 50), "s"),
        Row("seconds until it was, most", max(waits), "s"),
        Row("left behind", 0, "", note="no process, thread, descriptor, watch or temporary file"),
        Row("memory at the first pause", grown[0].memory, "MB"),
        Row("memory at the last pause", grown[-1].memory, "MB"),
    ]


def holdings() -> Holdings:
    """What this process has now, apart from what Python would give back in a moment."""
    gc.collect()
    pid = os.getpid()
    memory = psutil.Process(pid).memory_info().rss / 2**20
    threads = sorted(thread.name for thread in threading.enumerate())
    children = tuple(_called(child) for child in family(pid)[1:])
    return Holdings(tuple(threads), tuple(open_files(pid)), len(watched_inodes(pid)), children, memory)


def _called(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error as error:
        return str(error)


def _opened(repository: Path, looker: Looker) -> Session:
    session = open_session(repository, OPTIONS, looker)
    if isinstance(session, Failure):
        raise Wrong(session.message)
    return session


def _settled(session: Session) -> Holdings:
    """What there is when the session has nothing to do any more: the number of watches stands still."""
    session.refresh()
    before = -1
    for _ in range(100):
        now = session.watch_report()[1]
        if now == before:
            break
        before = now
        time.sleep(1.5)
    return holdings()


def _agree(world: turmoil.World, session: Session, looker: Looker) -> float:
    """Seconds until the session's Picture is the one computed afresh; raises Wrong when it never is."""
    turmoil.close_documents(world)
    begun = time.monotonic()
    fresh = look(world.main, OPTIONS)
    if isinstance(fresh, Failure):
        raise Wrong(fresh.message)

    def agrees() -> bool:
        return session.picture is not None and plain(session.picture) == plain(fresh)

    if not looker.until(agrees, AGREE):
        raise Wrong(
            f"After {sum(world.done.values())} deeds the Picture is wrong for {AGREE:.0f} s.\n"
            f"{difference(session.picture, fresh)}\nThe last deeds: {' '.join(world.last)}"
        )
    return time.monotonic() - begun


def plain(picture: Picture) -> Picture:
    """A Picture without what only its session knows."""
    return replace(picture, number=0, documents={})


def difference(live: Picture | None, fresh: Picture) -> str:
    """Where two Pictures differ, a line each."""
    if live is None:
        return "There is no Picture."
    lines = [
        f"{one.name}: live {getattr(live, one.name)}, afresh {getattr(fresh, one.name)}"
        for one in fields(Picture)
        if one.name in ("trunk", "problem") and getattr(live, one.name) != getattr(fresh, one.name)
    ]
    for name in ("worktrees", "overlaps"):
        ours, theirs = getattr(live, name), getattr(fresh, name)
        lines += [f"only live: {item}" for item in ours if item not in theirs]
        lines += [f"only afresh: {item}" for item in theirs if item not in ours]
        if not lines and ours != theirs:
            lines.append(f"the order of {name}")
    return "\n".join(lines)


def _same(when: str, found: Holdings, wanted: Holdings) -> None:
    """What is held must be no more than what is wanted; git processes may stay, but only a few, each with its pipes.

    An open session starts a thread of each kind when it has something to do for it, and never two.
    """
    doubled = len(found.threads) > len(set(found.threads))
    if doubled if wanted.children else len(found.threads) > len(wanted.threads):
        raise Wrong(f"{when} there are these threads: {found.threads} instead of {wanted.threads}.")
    if len(found.children) > (MOST_GITS if wanted.children else 0):
        raise Wrong(f"{when} there are these processes: {found.children}.")
    files, others = (len(held.files) - FILES_A_GIT * len(held.children) for held in (found, wanted))
    if files > others:
        raise Wrong(f"{when} there are {files} descriptors that belong to no process instead of {others}: {found}.")
    if found.watches > wanted.watches:
        raise Wrong(f"{when} there are {found.watches} watches instead of {wanted.watches}.")


def _nothing_in(temporary: Path) -> None:
    left = [str(path.relative_to(temporary)) for path in temporary.rglob("*") if path.name != "open.lock"]
    left = [name for name in left if "/" in name]
    if left:
        raise Wrong(f"Left in the temporary directory: {', '.join(left[:10])}")


if __name__ == "__main__":
    sys.exit(main())
