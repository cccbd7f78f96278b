"""What trunk took and has no more, or took in name only: merged with `-s ours`, reverted since."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sidecar.git.process import GitError
from sidecar.git.witnesses import Commit, made_on, message_of, subject_of
from sidecar.model.changes import Change, ChangeSet
from sidecar.model.proof import lost_paths, read_takeback, taken_back
from sidecar.session.tiers import Case, steps_since, touched_by, work_since

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
    """What trunk took when it got a head into its own history (T0)."""
    ancestry = case.sources.ancestry
    merge = ancestry.bringer(case.tip, head)
    if merge is None:
        return [_taken(case, commit, head, ()) for commit in made_here(case, head, branch) if len(commit.parents) == 1]
    bases = ancestry.bases(merge.parents[0], head)
    own = ancestry.own(merge.parents[0], head)[:MOST_PIECES]
    taken = [_taken(case, commit, merge.id, ()) for commit in own if len(commit.parents) == 1]
    if len(bases) == 1:
        whole = work_since(case, bases[0], ancestry.commit(head))
        taken.append(Taken(frozenset({merge.id}), whole, merge.id, _dropped(case, merge, whole, bases[0])))
    return taken


def taken_at(case: Case, head: str, witness: str) -> list[Taken]:
    """What trunk took with a commit that has all of a head's work."""
    ancestry = case.sources.ancestry
    own = ancestry.own(case.tip, head)[:MOST_PIECES]
    taken = [_taken(case, commit, witness, ()) for commit in own if len(commit.parents) == 1]
    bases = ancestry.bases(case.tip, head)
    if len(bases) == 1:
        taken.append(Taken(frozenset({witness}), work_since(case, bases[0], ancestry.commit(head)), witness))
    return taken


def made_here(case: Case, head: str, branch: str | None) -> list[Commit]:
    """The commits of a head's history that were made on its branch, as far as the reflog tells."""
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
    """The paths whose content trunk took with these pieces, and its tip does not have."""
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


def _taken(case: Case, commit: Commit, since: str, dropped: Collection[str]) -> Taken:
    return Taken(frozenset({commit.id}), work_since(case, commit.parents[0], commit), since, frozenset(dropped))


def _stand(case: Case, changes: Sequence[Change], steps: Sequence[Commit]) -> dict[str, list[tuple[str, bool | None]]]:
    """How trunk stood to each change after each step that did something to it, newest first, until it had it."""
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
    """The paths at which a merge left trunk as it was, although the work would have changed it there."""
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
    """Of the commits that stand for these pieces, those that a message on trunk says are reverted."""
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
