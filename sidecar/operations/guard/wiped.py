"""Notice uncommitted work that disappears in a living worktree: suspected at once, told when it is sure.

A suspicion is held for a moment, since work often comes back by itself (a branch switch and back, `rebase
--autostash`). Then it is asked whether anything else has what is gone.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sidecar.git.objects import tree_of
from sidecar.git.process import GitError, run
from sidecar.git.repository import Repository
from sidecar.model.picture import Worktree
from sidecar.model.receipts import Receipt
from sidecar.model.words import counted, named, shown
from sidecar.operations import kept_refs
from sidecar.operations.guard.losses import Elsewhere, Loss, find_losses, look_elsewhere, loss_of, stash_list
from sidecar.operations.guard.states import State, read_state, restored_at
from sidecar.operations.records import (
    list_receipts,
    new_id,
    read_receipt,
    read_record,
    remove_record,
    sidecar_path,
    write_receipt,
    write_record,
)
from sidecar.operations.run import hold
from sidecar.session.present_state import PresentState
from sidecar.session.reader import Sources

SETTLED = 2.0
"""Seconds for which nothing more must have gone before it is told."""

LONGEST = 8.0
"""Seconds after which it is told although more is going."""

LAG = 3.0
"""Seconds after a restoration, or after git, for which the session may not have read yet what was written."""

FIRST = "suspicion.json"
"""The record of what is suspected of a worktree; what is suspected besides has its state in the name."""

MOST_PATHS = 200
"""How many paths a receipt names."""


@dataclass(frozen=True, slots=True)
class Wiped:
    """Work that is gone: what brings it back, whose it was, when that was seen (seconds since 1970), and how much.

    `lines` counts different lines; `paths` are the files that had them.
    """

    receipt: str
    name: str
    branch: str | None
    path: str
    time: float
    lines: int
    paths: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Say what happened, for a person."""
        when = time.strftime("%H:%M:%S", time.localtime(self.time))
        files = counted(len(self.paths), "file", "files")
        what = f"{counted(self.lines, 'line', 'lines')} of uncommitted work in {files}" if self.lines else files
        verb = "was" if (self.lines or len(self.paths)) == 1 else "were"
        where = f"{shown(self.name)} ({named(self.paths)})"
        return f"{what} {verb} wiped in {where} at {when}. No commit or stash has this work."


@dataclass(slots=True, eq=False)
class Suspicion:
    """Work of a worktree that seems to be gone since a state; times are the monotonic clock's.

    `told` is what was told of an older one meanwhile, `file` the name of the record on the disk.
    """

    was: State
    by_git: bool
    began: float
    grew: float
    paths: frozenset[str] = frozenset()
    seen: float = 0.0
    told: tuple[Loss, ...] = ()
    file: str = FIRST

    @property
    def record(self) -> dict[str, object]:
        """Give what is kept of it on the disk, for a guard that comes after a killed one."""
        return {"schema": 1, "state": self.was.commit, "seen": self.seen, "by_git": self.by_git}


@dataclass(slots=True)
class Suspicions:
    """What is suspected, by the worktrees' histories, also on the disk for who comes after. For one thread.

    Work that is written and wiped while something is suspected already is in no older state: then one more is held.
    """

    sidecar_dir: Path
    held: dict[str, list[Suspicion]] = field(default_factory=dict)
    _decided: dict[str, str] = field(default_factory=dict)
    _written: dict[str, tuple[tuple[int, ...] | None, float]] = field(default_factory=dict)

    def look(
        self, sources: Sources, history: str, was: State | None, now: PresentState, is_saved: Callable[[str], bool]
    ) -> None:
        """Compare a worktree with its last state, and with the one since which work is suspected to be gone.

        `is_saved` says of an absolute path whether an editor has just written it. GitError as objects and git give it.
        """
        by_git = self._is_at_work(history, now.worktree)
        restored = restored_at(self.sidecar_dir, history)
        for one in list(self.held.get(history, ())):
            if restored >= one.seen:
                self.forget(history, one)
        standing, moment = list(self.held.get(history, ())), time.monotonic()
        if time.time() < restored + LAG:
            was = None  # what a restoration takes away is not wiped
        known = {self._decided.get(history), *(one.was.commit for one in standing)}
        if was is not None and not was.facts.why and was.commit not in known:
            name = f"suspicion-{was.commit}.json" if standing else FIRST
            standing.append(Suspicion(was, by_git, moment, moment, seen=time.time(), file=name))
        seen: list[Loss] = []
        for one in standing:
            one.by_git = one.by_git or by_git
            found = _losses(sources, one, now, is_saved, seen)
            seen += found
            if not found:
                self.forget(history, one)
                continue
            paths = frozenset(loss.path for loss in found)
            if paths - one.paths:
                one.grew = moment
            one.paths = paths
            if one not in self.held.setdefault(history, []):
                self.held[history].append(one)
                (self.sidecar_dir / "guard").mkdir(mode=0o700, exist_ok=True)
                write_record(self._file(history, one), one.record)

    def _is_at_work(self, history: str, worktree: Worktree) -> bool:
        """Tell whether git writes in a worktree, or did a moment ago: what is seen of it may be from before."""
        mark, moment = _mark(worktree), time.monotonic()
        if history not in self._written:
            self._written[history] = mark, -math.inf
            return True  # whatever there was before the guard began
        known, written = self._written[history]
        if mark != known or os.path.lexists(os.path.join(worktree.git_dir, "index.lock")):
            written = moment  # the index gets its place last
        self._written[history] = mark, written
        return moment - written < LAG

    def resume(self, repository: Repository, there: Collection[str]) -> None:
        """Hold again what a guard that was killed had not told yet; `there` are the histories of worktrees there are.

        GitError where states can't be read, OSError where a record can't be removed.
        """
        told = {(one.facts.get("state"), one.time) for one in list_receipts(self.sidecar_dir) if one.what == "wiped"}
        for file in (self.sidecar_dir / "guard").glob("*/suspicion*.json"):
            history, moment = file.parent.name, time.monotonic()
            try:
                record = read_record(file) or {}
            except ValueError:
                record = {}
            commit, seen = record.get("state"), record.get("seen")
            was = read_state(repository, str(commit))
            if was is None or not isinstance(seen, float) or history not in there or (was.commit, seen) in told:
                if was is not None:
                    self._decided[history] = was.commit
                remove_record(file)
            else:
                one = Suspicion(was, record.get("by_git") is True, moment, moment, seen=seen, file=file.name)
                self.held[history] = sorted((*self.held.get(history, ()), one), key=lambda each: each.seen)

    def forget(self, history: str, one: Suspicion) -> None:
        """Suspect this of a worktree no more; OSError."""
        standing = self.held.get(history, [])
        if one in standing:
            standing.remove(one)
            if not standing:
                del self.held[history]
            remove_record(self._file(history, one))

    def _file(self, history: str, one: Suspicion) -> Path:
        return self.sidecar_dir / "guard" / history / one.file

    def settled(self) -> list[tuple[str, Suspicion]]:
        """List the suspicions that have lasted long enough, each with its history."""
        now = time.monotonic()
        return [
            (history, one)
            for history, standing in self.held.items()
            for one in standing
            if now - one.grew >= SETTLED or now - one.began >= LONGEST
        ]

    def losses(
        self,
        sources: Sources,
        history: str,
        one: Suspicion,
        now: PresentState,
        others: Iterable[PresentState],
        is_saved: Callable[[str], bool],
    ) -> tuple[Loss, ...]:
        """Tell what a settled suspicion comes to: the work that nothing else has. `forget` it when that is told."""
        self._decided[history] = one.was.commit
        standing, older = self.held[history], list[Loss]()
        for each in standing[: standing.index(one)]:
            older += _losses(sources, each, now, is_saved, older)
        found = _losses(sources, one, now, is_saved, older)
        for later in standing[standing.index(one) + 1 :]:
            later.told += found
        if not found:
            return ()
        objects, head = sources.quarantine.objects, one.was.facts.head
        base = tree_of(objects, head) if head else objects.empty_tree
        elsewhere = look_elsewhere(sources, now, others, base, one.was.facts.time)
        return what_is_left(found, elsewhere)


@dataclass(slots=True)
class Stashes:
    """The stash entries as they were seen last, to notice which are dropped; None before they were read."""

    known: tuple[str, ...] | None = None
    _mark: object = None
    dropped: dict[str, float] = field(default_factory=dict)

    def look(self, repository: Repository) -> None:
        """Note which entries are gone since the last look; git is asked when the list has changed. GitError."""
        mark = _signature(os.path.join(repository.common_dir, "logs", "refs", "stash"))
        mark = mark or _signature(os.path.join(repository.common_dir, "reftable", "tables.list"))
        if self.known is not None and mark == self._mark:
            return
        now = stash_list(repository.place) if mark is not None else ()
        for entry in set(self.known or ()) - set(now):
            self.dropped[entry] = time.monotonic()
        self.known, self._mark = now, mark

    def settled(self) -> list[str]:
        """List the entries that were dropped long enough ago, each once."""
        now = time.monotonic()
        found = [entry for entry, since in self.dropped.items() if now - since >= SETTLED]
        for entry in found:
            del self.dropped[entry]
        return found


def stash_losses(
    sources: Sources, entry: str, presents: Mapping[str, PresentState]
) -> tuple[PresentState, tuple[Loss, ...]] | None:
    """Find whose a dropped stash entry was, and what of it nothing else has; None when it can't be read any more."""
    trees, objects = sources.trees, sources.quarantine.objects
    try:
        parents = sources.ancestry.commit(entry).parents
        subject = run(sources.repository.place, "log", "-1", "--format=%s%n%ct", entry).decode("utf-8", "replace")
    except GitError:
        return None
    title, _, made = subject.strip().rpartition("\n")
    branch = title.partition(": ")[0].rpartition(" ")[2]
    whose = next((one for one in presents.values() if one.worktree.branch == branch), None)
    whose = whose or next((one for one in presents.values() if one.worktree.main), None)
    if whose is None or not parents:
        return None
    base = tree_of(objects, parents[0])
    work = list(trees.changes(base, tree_of(objects, entry)).touched.values())
    if len(parents) > 2:
        work += trees.changes(objects.empty_tree, tree_of(objects, parents[2])).touched.values()
    found = tuple(loss for change in work if (loss := loss_of(sources, change)) is not None)
    elsewhere = look_elsewhere(sources, whose, presents.values(), base, float(made))
    return whose, what_is_left(found, elsewhere)


def what_is_left(found: Iterable[Loss], elsewhere: Elsewhere) -> tuple[Loss, ...]:
    """Give the losses without what something else has."""
    return tuple(left for loss in found if (left := elsewhere.without(loss)) is not None)


def write_wiped(
    repository: Repository, sidecar_dir: Path, worktree: Worktree, commit: str, losses: Collection[Loss], seen: float
) -> Receipt:
    """Keep and tell work that was wiped: a ref on the commit that has it, and a receipt. The caller holds the lock."""
    receipt_id = new_id(sidecar_dir, "wiped")
    kept_refs.keep(repository, kept_refs.ref_of(receipt_id), commit)
    chosen = list(losses)[:MOST_PATHS]
    files = [[loss.path, loss.count, loss.base.oid if loss.base is not None else None] for loss in chosen]
    facts = {"state": commit, "path": worktree.key, "files": files, "lines": sum(loss.count for loss in losses)}
    receipt = Receipt(receipt_id, "wiped", worktree.name, worktree.branch, seen, 0, facts)
    write_receipt(sidecar_dir, receipt)
    return receipt


def dismiss(common_dir: str, receipt_id: str) -> None:
    """Note that a person has heard of it and wants nothing done; it stays in the list of what can be restored."""
    with hold(common_dir, "noting an answer", wait=1.0, brief=True) as held:
        receipt = read_receipt(held, receipt_id) if isinstance(held, Path) else None
        if receipt is not None and isinstance(held, Path):
            write_receipt(held, replace(receipt, facts={**receipt.facts, "dismissed": time.time()}))


def unanswered(common_dir: str) -> tuple[Wiped, ...]:
    """List what was wiped and is neither restored nor dismissed, the newest first."""
    done = {"restored", "dismissed", "emptied"}
    try:
        receipts = list_receipts(sidecar_path(common_dir))
    except OSError:  # the guard has said why
        return ()
    return tuple(wiped_of(one) for one in receipts if one.what == "wiped" and not done & one.facts.keys())


def wiped_of(receipt: Receipt) -> Wiped:
    """Read from a receipt what it tells of work that was wiped."""
    facts: Mapping[str, object] = receipt.facts
    files, lines = facts.get("files"), facts.get("lines")
    rows = [row for row in files if isinstance(row, list) and row] if isinstance(files, list) else []
    count = lines if isinstance(lines, int) else 0
    path, paths = str(facts.get("path")), tuple(str(row[0]) for row in rows)
    return Wiped(receipt.id, receipt.worktree, receipt.branch, path, receipt.time, count, paths)


def _losses(
    sources: Sources, one: Suspicion, now: PresentState, is_saved: Callable[[str], bool], older: Iterable[Loss]
) -> tuple[Loss, ...]:
    """Find what a suspicion has that neither an older one has nor has been told of one."""
    found = find_losses(sources, one.was, now, by_git=one.by_git)
    known = (*one.told, *older)
    return tuple(
        loss
        for loss in found
        if not is_saved(os.path.join(now.worktree.key, loss.path)) and not any(_has_all(each, loss) for each in known)
    )


def _has_all(one: Loss, other: Loss) -> bool:
    """Tell whether one loss has all of another."""
    if one.path != other.path:
        return False
    return one.was == other.was or (one.lines is not None and other.lines is not None and other.lines <= one.lines)


def _mark(worktree: Worktree) -> tuple[int, ...] | None:
    """Give a value that changes when the index is written."""
    return _signature(os.path.join(worktree.git_dir, "index"))


def _signature(path: str) -> tuple[int, ...] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
