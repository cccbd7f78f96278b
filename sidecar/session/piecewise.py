"""Work that came into trunk in pieces: cherry-picked, rebased, or squashed more than once (T4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sidecar.git.witnesses import MOST_OWN, Commit
from sidecar.model.changes import ChangeSet
from sidecar.session.tiers import Case, Found, automerge, find_whole, find_witness, steps_since, work_since

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
    """Which of these commits trunk has; `own` has each before its parents. `known` maps merges of ours to their result.

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
    """A commit and all of these before it; the commit first."""
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
    """Where trunk and each of these commits parted, and what trunk is known to have taken of them since.

    Without merges, all of them parted from trunk where the newest did.
    """
    linear = all(len(commit.parents) == 1 for commit in own)
    return lambda commit: (*case.sources.ancestry.bases(case.tip, own[0].id if linear else commit), *known)


def _up_to_here(
    case: Case, inside: Mapping[str, Commit], commit: Commit, parted: Parted, steps: Sequence[Commit]
) -> Piece | None:
    """The commit with all before it; of the newest that has been tried already."""
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
    """Commits of one parent that follow each other, two at least, newest first."""
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
    """Pieces that trunk had before older ones at the same paths, and no more when it had those."""
    return [
        newer
        for number, newer in enumerate(pieces)
        for older in pieces[number + 1 :]
        if newer.found.commit != older.found.commit
        and not newer.work.touched.keys().isdisjoint(older.work.touched)
        and case.sources.ancestry.contains(older.found.commit, newer.found.commit)
        and not case.presence.has(newer.work, case.tree(older.found.commit))
    ]
