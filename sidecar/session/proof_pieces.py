"""Find work that came into trunk in pieces, or squashed more than once (T4), and what trunk took and has no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sidecar.git.history import MOST_OWN, Commit, made_on, message_of, subject_of
from sidecar.git.process import GitError
from sidecar.model.changes import Change, ChangeSet
from sidecar.model.proof import lost_paths, read_takeback, taken_back
from sidecar.session.proof_steps import (
    Case,
    Found,
    automerge,
    find_whole,
    find_witness,
    steps_since,
    touched_by,
    work_since,
)

Parted = Callable[[str], Sequence[str]]
"""The points where trunk and a commit parted."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a branch's commits, what they did, and what of trunk has it."""

    commits: tuple[str, ...]
    work: ChangeSet
    found: Found


@dataclass(frozen=True, slots=True)
class Pieces:
    """A branch in pieces, newest first, and the commits that are in none."""

    pieces: tuple[Piece, ...] = ()
    unproven: tuple[Commit, ...] = ()


def find_pieces(case: Case, own: Sequence[Commit], known: Mapping[str, str]) -> Pieces:
    """Find which of these commits trunk has. `own` has each before its parents; `known` maps merges to their results.

    A piece is a commit with all of its own before it, or a commit alone, or a row of commits that are in no other
    piece. A merge that has nothing of its own needs no proof, nor does an empty commit.
    """
    if len(own) > MOST_OWN:
        case.effort.left_out = f"Only branches of up to {MOST_OWN} commits are looked at commit by commit."
        return Pieces(unproven=tuple(own))
    inside = {commit.id: commit for commit in own}
    covered = {ancestor for commit in known for ancestor in _up_to(inside, commit)}
    works = {commit.id: work_since(case, commit.parents[0], commit) for commit in own if len(commit.parents) == 1}
    since = case.sources.ancestry.common({parent for commit in own for parent in commit.parents} - inside.keys())
    if since is None:
        return Pieces(unproven=tuple(commit for commit in own if commit.id not in covered))
    steps = steps_since(case, since, works.values())
    parted = _parted(case, own, [witness for commit, witness in known.items() if commit in inside])
    pieces: list[Piece] = []
    for commit in own:
        if commit.id in covered or _is_nothing(case, commit, works):
            covered.add(commit.id)
            continue
        piece = _up_to_here(case, inside, commit, parted, steps) or _alone(case, commit, works, parted, steps)
        if piece is not None:
            pieces.append(piece)
            covered.update(piece.commits)
    for row in _rows([commit for commit in own if commit.id not in covered]):
        work = work_since(case, row[-1].parents[0], row[0])
        found = find_witness(case, work, parted(row[0].id), steps, anew=True) if work.touched else None
        if found is not None:
            pieces.append(Piece(tuple(commit.id for commit in row), work, found))
            covered.update(pieces[-1].commits)
    position = {commit.id: number for number, commit in enumerate(own)}
    pieces.sort(key=lambda piece: position[piece.commits[0]])
    out_of_order = {id(piece) for piece in _out_of_order(case, pieces)}
    kept = tuple(piece for piece in pieces if id(piece) not in out_of_order)
    covered -= {commit for piece in pieces if id(piece) in out_of_order for commit in piece.commits}
    return Pieces(kept, tuple(commit for commit in own if commit.id not in covered))


def _up_to(inside: Mapping[str, Commit], commit: str) -> list[str]:
    """Give a commit and all of these that are before it; the commit first."""
    found: dict[str, None] = {}
    ahead = [commit]
    while ahead:
        at = ahead.pop()
        if at in inside and at not in found:
            found[at] = None
            ahead += inside[at].parents
    return list(found)


def _is_nothing(case: Case, commit: Commit, works: Mapping[str, ChangeSet]) -> bool:
    if commit.id in works:
        return not works[commit.id].touched
    return len(commit.parents) > 1 and automerge(case, commit) == commit.tree


def _parted(case: Case, own: Sequence[Commit], known: Sequence[str]) -> Parted:
    """Tell where trunk and each of these commits parted, and what trunk is known to have taken of them since.

    Without merges, all of them parted from trunk where the newest did.
    """
    linear = all(len(commit.parents) == 1 for commit in own)
    return lambda commit: (*case.sources.ancestry.bases(case.tip, own[0].id if linear else commit), *known)


def _up_to_here(
    case: Case, inside: Mapping[str, Commit], commit: Commit, parted: Parted, steps: Sequence[Commit]
) -> Piece | None:
    """Give the commit with all before it; of the newest that has been tried already."""
    if next(iter(inside)) == commit.id:
        return None
    found = find_whole(case, commit, parted(commit.id), steps)
    if found is None:
        return None
    return Piece(tuple(_up_to(inside, commit.id)), work_since(case, parted(commit.id)[0], commit), found)


def _alone(
    case: Case, commit: Commit, works: Mapping[str, ChangeSet], parted: Parted, steps: Sequence[Commit]
) -> Piece | None:
    work = works.get(commit.id)
    found = find_witness(case, work, parted(commit.id), steps, anew=True) if work is not None else None
    return Piece((commit.id,), work, found) if work is not None and found is not None else None


def _rows(commits: Sequence[Commit]) -> list[list[Commit]]:
    """Give the rows of commits with one parent that follow each other, two at least, newest first."""
    rows: list[list[Commit]] = []
    for commit in commits:
        if len(commit.parents) != 1:
            continue
        row = next((row for row in rows if row[-1].parents == (commit.id,)), None)
        if row is None:
            rows.append([commit])
        else:
            row.append(commit)
    return [row for row in rows if len(row) > 1]


def _out_of_order(case: Case, pieces: Sequence[Piece]) -> list[Piece]:
    """Give the pieces that trunk had before older ones at the same paths, and no more when it had those."""
    return [
        newer
        for number, newer in enumerate(pieces)
        for older in pieces[number + 1 :]
        if newer.found.commit != older.found.commit
        and not newer.work.touched.keys().isdisjoint(older.work.touched)
        and case.sources.ancestry.contains(older.found.commit, newer.found.commit)
        and not case.presence.has(newer.work, case.tree(older.found.commit))
    ]


MOST_PIECES = 200
"""How many commits of one branch are looked for among what trunk reverted."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A piece of work that trunk took at a commit of its own, except for the paths that it `dropped` there.

    `names` are the commits whose revert takes it back.
    """

    names: frozenset[str]
    work: ChangeSet
    since: str
    dropped: frozenset[str] = frozenset()


def taken_with_history(case: Case, head: str, branch: str | None) -> list[Taken]:
    """Give what trunk took when it got a head into its own history (T0)."""
    ancestry = case.sources.ancestry
    merge = ancestry.bringer(case.tip, head)
    if merge is None:
        return _each(case, made_here(case, head, branch), head)
    bases = ancestry.bases(merge.parents[0], head)
    taken = _each(case, ancestry.own(merge.parents[0], head)[:MOST_PIECES], merge.id)
    if len(bases) == 1:
        whole = work_since(case, bases[0], ancestry.commit(head))
        taken.append(Taken(frozenset({merge.id}), whole, merge.id, _dropped(case, merge, whole, bases[0])))
    return taken


def taken_at(case: Case, head: str, witness: str) -> list[Taken]:
    """Give what trunk took with a commit that has all of a head's work."""
    ancestry = case.sources.ancestry
    taken = _each(case, ancestry.own(case.tip, head)[:MOST_PIECES], witness)
    bases = ancestry.bases(case.tip, head)
    if len(bases) == 1:
        taken.append(Taken(frozenset({witness}), work_since(case, bases[0], ancestry.commit(head)), witness))
    return taken


def made_here(case: Case, head: str, branch: str | None) -> list[Commit]:
    """Give the commits of a head's history that were made on its branch, as far as the reflog tells."""
    ancestry = case.sources.ancestry
    made = made_on(case.sources.repository, branch) if branch is not None else None
    found: dict[str, Commit] = {}
    for after, tip in made or ():
        try:
            commits = ancestry.own(after, tip) if after is not None else (ancestry.commit(tip),)
            found |= {commit.id: commit for commit in commits if ancestry.contains(head, commit.id)}
        except GitError:
            continue  # amended away, and pruned since
    return list(found.values())[-MOST_PIECES:]


def missing_paths(case: Case, head: str, taken: Sequence[Taken]) -> set[str]:
    """Give the paths whose content trunk took with these pieces, and its tip does not have."""
    if not taken:
        return set()
    head_tree, tip = case.tree(head), case.tree(case.tip)
    reverted = _reverted(case, taken)
    lost: set[str] = set()
    for piece in taken:
        changes = [
            change
            for path, change in piece.work.touched.items()
            if case.sources.trees.entry(tip, path) != change.after
            and case.presence.stands(change, case.sources.trees.entry(head_tree, path))
        ]
        merge = case.sources.ancestry.bringer(case.tip, piece.since)
        since = merge.id if merge is not None else piece.since
        steps = steps_since(case, since, [piece.work]) if changes else ()
        stands = _stand(case, changes, steps)
        lost |= lost_paths(changes, stands, lambda path, piece=piece: path not in piece.dropped)  # type: ignore[misc]
        if piece.names & reverted:
            lost.update(
                change.path
                for change in changes
                if case.presence.stands(change, case.sources.trees.entry(tip, change.path)) is not True
            )
    return lost


def _each(case: Case, commits: Sequence[Commit], since: str) -> list[Taken]:
    """Give the work of each of these commits that has one parent."""
    single = (commit for commit in commits if len(commit.parents) == 1)
    return [Taken(frozenset({one.id}), work_since(case, one.parents[0], one), since) for one in single]


def _stand(case: Case, changes: Sequence[Change], steps: Sequence[Commit]) -> dict[str, list[tuple[str, bool | None]]]:
    """Tell how trunk stood to each change after each step that did something to it, newest first, until it had it."""
    found: dict[str, list[tuple[str, bool | None]]] = {change.path: [] for change in changes}
    open_changes = {change.path: change for change in changes}
    for step in steps:
        for path in touched_by(case, step, open_changes.keys()):
            stands = case.presence.stands(open_changes[path], case.sources.trees.entry(step.tree, path))
            found[path].append((step.id, stands))
            if stands:
                del open_changes[path]
    return found


def _dropped(case: Case, merge: Commit, work: ChangeSet, base: str) -> frozenset[str]:
    """Give the paths at which a merge left trunk as it was, although the work would have changed it there."""
    trees, presence = case.sources.trees, case.presence
    before, base_tree = case.tree(merge.parents[0]), case.tree(base)
    gone = any(trees.entry(before, path) is None and change.before for path, change in work.touched.items())
    moved = {change.old_path: change.path for change in trees.renames(base_tree, before)} if gone else {}
    replay = presence.merge(before, work.tree, base_tree)
    brought = trees.touched(before, replay.tree) if replay is not None and replay.clean else None

    def is_dropped(path: str, change: Change) -> bool:
        there = moved.get(path, path)
        if trees.entry(merge.tree, there) != trees.entry(before, there):
            return False
        return there in brought if brought is not None else not presence.stands(change, trees.entry(before, there))

    return frozenset(path for path, change in work.touched.items() if is_dropped(path, change))


def _reverted(case: Case, taken: Sequence[Taken]) -> set[str]:
    """Give those of the commits that stand for these pieces that a message on trunk says are reverted."""
    objects = case.sources.quarantine.objects
    since = case.sources.ancestry.common({piece.since for piece in taken})
    if since is None:
        return set()
    names = {name for piece in taken for name in piece.names}
    takebacks = [
        read_takeback(commit, message_of(objects, commit))
        for commit in case.sources.ancestry.takebacks(case.tip, since)
    ]
    return taken_back({name: subject_of(objects, name) for name in names}, takebacks) if takebacks else set()
