"""Find by two states which uncommitted work of a worktree is gone, and was not only continued.

Work is lines that a state has at a path and its HEAD has not. It is lost, not edited, where the file is gone or empty,
or where the lines' place is again what it was before they were written. Whether something else has them is asked later.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sidecar.git.inventory.ignored import is_named_output, usable_patterns
from sidecar.git.objects import read_blob, tree_of
from sidecar.git.trees import TreeReader
from sidecar.model.changes import SUBMODULE, SYMLINK, Change, Entry, ancestors
from sidecar.model.hunks import Hunk
from sidecar.operations.guard.states import State, parse_state
from sidecar.session.live import Present
from sidecar.session.reader import Sources

LARGE = 1 << 20
"""Bytes of a file above which only the whole of it can be lost."""

AT_A_TIME = 3
"""Lines that have to go at once from one place, or two places, where no git did it: fewer are taken back by hand."""

AMONG_OTHERS = 5
"""Lines that have to go at once, from two places, while other work in the file stays."""

OLDER = 8
"""How many states before the last one are looked at for what a file was before somebody wrote over it."""

MARKERS = (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>")


@dataclass(frozen=True, slots=True)
class Loss:
    """A path at which work is gone: its content as it was, and the lines of it that are nowhere in the file now.

    `lines` is None for what is not text, of which the whole is gone. `base` is what it was before the work (None: not
    there). One that is not `sure` is a loss only if what is there now is an older commit's.
    """

    path: str
    was: Entry
    base: Entry | None
    lines: frozenset[bytes] | None
    sure: bool = True

    @property
    def count(self) -> int:
        """Count how many different lines are gone; 0 where there are none to count."""
        return len(self.lines or ())


def find_losses(sources: Sources, was: State, now: Present, *, by_git: bool) -> tuple[Loss, ...]:
    """Find where a worktree has lost work since a state. GitError as objects and git give it.

    `by_git`: the index was written since, so git may have done it.
    """
    if was.tree == now.tree:
        return ()
    trees, objects = sources.trees, sources.quarantine.objects
    base = tree_of(objects, was.facts.head) if was.facts.head else objects.empty_tree
    touched = trees.touched(was.tree, now.tree)
    work = trees.changes(base, was.tree).touched
    patterns = sources.settings["disposable"]
    assert isinstance(patterns, tuple)
    found = []
    for path in touched.keys() & work.keys():
        change, after = work[path], touched[path].after
        if path in now.left_out or any(above in now.left_out for above in ancestors(path)):
            continue  # it can't be read now, or is too large to be
        if change.after is None or change.after.mode == SUBMODULE or _is_output(path, usable_patterns(patterns)):
            continue
        if after is None and os.path.lexists(os.path.join(now.worktree.key, path)):
            continue  # only git does not see it any more: it is ignored now, or in a repository of its own
        if after is None or after.oid != change.after.oid:  # else its mode is another
            found.append(_look_at(sources, was, now, change, after, by_git=by_git))
    return tuple(sorted((loss for loss in found if loss is not None), key=lambda loss: loss.path))


def loss_of(sources: Sources, work: Change) -> Loss | None:
    """Give all that a change has written, as if the whole of it were gone; None for one that has written nothing."""
    if work.after is None or work.after.mode == SUBMODULE:
        return None
    written = _written(sources, work.after, work.before)
    return None if written is not None and not written else Loss(work.path, work.after, work.before, written)


def _look_at(
    sources: Sources, was: State, now: Present, work: Change, after: Entry | None, *, by_git: bool
) -> Loss | None:
    """Find what is lost at one path, at which there is something else now; None when nothing is."""
    assert work.after is not None
    before, loss = work.before, Loss(work.path, work.after, work.before, None)
    put = by_git and after in (sources.trees.entry(tree, work.path) for tree in (now.head_tree, now.index))
    written = _written(sources, work.after, before)
    if written is None:
        return loss if after in (None, before) else replace(loss, sure=False) if put else None
    present = text_lines(sources, after) if after is not None else None
    missing = written - (present or frozenset())
    loss = replace(loss, lines=missing)
    if not missing or not present or after is None:
        return loss if missing and not present else None
    undone, kept = _undone(sources.trees, before, work.after, after)
    if after == before:
        return loss if by_git or len(missing) >= AT_A_TIME or len(undone) > 1 else None
    lines = _lines_of(sources.trees, work.after, undone) & missing
    if undone and not kept and (len(lines) >= AT_A_TIME - 1 or len(undone) > 1):
        return replace(loss, lines=lines)
    if len(undone) > 1 and len(lines) >= AMONG_OTHERS:
        return replace(loss, lines=lines)
    return _since_older(sources, was, loss, after) or (replace(loss, sure=False) if put else None)


def _since_older(sources: Sources, was: State, loss: Loss, after: Entry) -> Loss | None:
    """Find what is lost of the work since an earlier state, all of whose places are as then (an old buffer)."""
    assert loss.lines is not None
    known = {loss.was, loss.base}
    for state in _before(sources, was):
        before = sources.trees.entry(state.tree, loss.path)
        if before is None or before in known or not before.is_file:
            continue
        known.add(before)
        undone, kept = _undone(sources.trees, before, loss.was, after)
        lines = _lines_of(sources.trees, loss.was, undone) & loss.lines
        if undone and not kept and len(lines) >= AMONG_OTHERS and (len(undone) > 1 or after != before):
            return replace(loss, lines=lines, base=before)
    return None


def _before(sources: Sources, state: State) -> Iterator[State]:
    """Read the states before one, the newest first, as far as they are in its segment."""
    for _ in range(OLDER):
        if state.before is None:
            return
        found = parse_state(state.before, sources.quarantine.objects.read(state.before)[1])
        if found is None:
            return
        state = found
        yield state


def _undone(trees: TreeReader, before: Entry | None, was: Entry, after: Entry) -> tuple[list[Hunk], list[Hunk]]:
    """Tell the places of work apart: where the file is again what it was before, and where it is not."""
    if before is None or not (before.is_file and after.is_file):
        return [], []
    since = trees.hunks(before.oid, after.oid)
    work = trees.hunks(before.oid, was.oid)
    kept = [hunk for hunk in work if any(_touch(hunk, other) for other in since)]
    return [hunk for hunk in work if hunk not in kept], kept


def _touch(one: Hunk, two: Hunk) -> bool:
    return one.base <= two.base_end and two.base <= one.base_end


def _lines_of(trees: TreeReader, entry: Entry, hunks: Iterable[Hunk]) -> frozenset[bytes]:
    """Give the lines that a text has in these hunks."""
    lines = trees.lines(entry.oid)
    return _telling(line for hunk in hunks for line in lines[hunk.start : hunk.end])


def _written(sources: Sources, now: Entry, before: Entry | None) -> frozenset[bytes] | None:
    """Give the lines of a content that were not there before; None where it is no text of a usual size."""
    lines = text_lines(sources, now)
    if lines is None:
        return None
    return lines - ((text_lines(sources, before) if before is not None else None) or frozenset())


def text_lines(sources: Sources, entry: Entry) -> frozenset[bytes] | None:
    """Give the lines of a text that tell something, without white space around them; None where it is no text."""
    if entry.mode == SYMLINK or not entry.is_file:
        return None
    if len(read_blob(sources.quarantine.objects, entry.oid)) > LARGE or sources.trees.is_binary(entry.oid):
        return None
    return _telling(sources.trees.lines(entry.oid))


def _telling(lines: Iterable[bytes]) -> frozenset[bytes]:
    stripped = (line.strip() for line in lines)
    return frozenset(line for line in stripped if line and not line.startswith(MARKERS))


def _is_output(path: str, patterns: Sequence[str]) -> bool:
    """Tell whether a build makes it again, as its name or that of a directory above it tells."""
    if is_named_output(path, patterns, directory=False):
        return True
    return any(is_named_output(directory, patterns, directory=True) for directory in ancestors(path))
