"""Is it in trunk: the proof, from the cheapest to the most thorough. docs/integration.md says what each step proves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from sidecar.git.process import GitError
from sidecar.git.witnesses import Commit, made_on, subject_of, upstream_of
from sidecar.model.object_ids import is_object_id
from sidecar.model.picture import Integration, Trunk, WorktreeState
from sidecar.model.proof import ANCESTOR, COMMIT_BY_COMMIT, RECEIPT, Proof, Unproven
from sidecar.session.dropped import Taken, missing_paths, taken_at, taken_with_history
from sidecar.session.piecewise import Pieces, find_pieces
from sidecar.session.presence import MOST_MERGES, Effort, Presence
from sidecar.session.sources import Sources
from sidecar.session.tiers import Case, find_whole

Receipts = Collection[tuple[str, str]]
"""(head, commit of trunk) of merges that were ours."""

MOST_MERGES_FOR_MISSING = 1000
"""How many merges may be asked for to tell what trunk has no more."""


NOT_INTEGRATED = Integration("not-integrated")
NO_WORK = Integration("no-work")


def prove(
    sources: Sources,
    trunk: Trunk,
    head: str,
    *,
    branch: str | None = None,
    receipts: Receipts = (),
    cancelled: Callable[[], bool] = lambda: False,
) -> Proof:
    """Whether the commits of a head are in trunk, and what shows it, or what lacks a proof.

    It is about commits only: uncommitted work is the caller's to look at. `branch` (short name) tells by its reflog
    what was made on it once trunk has it all. Nothing is raised: what git can't tell, or what was cancelled, is not
    proven, and `remark` says so.
    """
    if trunk.commit is None:
        return Proof(NOT_INTEGRATED)
    found = _prove(sources, trunk.commit, head, branch, receipts, cancelled)
    if found.integration.state == "not-integrated" and not cancelled():
        return replace(found, upstream=_upstream(sources, trunk, head, branch, receipts, cancelled))
    return found


def integrate(
    sources: Sources, trunk: Trunk, state: WorktreeState, cancelled: Callable[[], bool] = lambda: False
) -> Integration:
    """What `status` says of a worktree: whether its present state is in trunk, so never with uncommitted work.

    Where trunk has all commits, the branch's reflog tells work from no work, as it was read; without a reflog it was
    work if a merge brought it. Only the state is looked for, not what is missing or unproven.
    """
    worktree, head = state.worktree, state.worktree.head
    if trunk.commit is None or head is None or state.changes is None or not has_question(trunk, state):
        return state.integration
    try:
        case = _case(sources, trunk.commit, cancelled)
        if state.changes.tree != case.tree(head):
            return NOT_INTEGRATED
        if state.ahead:
            return _find(case, head, ())[0]
        if worktree.branch is not None and made_on(sources.repository, worktree.branch) is not None:
            return state.integration
        return NO_WORK if sources.ancestry.bringer(trunk.commit, head) is None else Integration("integrated", ANCESTOR)
    except GitError:
        return NOT_INTEGRATED if state.ahead else state.integration


def has_question(trunk: Trunk, state: WorktreeState) -> bool:
    """Whether there is more to say of a worktree's state than reading it tells."""
    if trunk.commit is None or state.worktree.head is None or state.changes is None:
        return False
    return bool(state.ahead) or (state.integration == NO_WORK and state.worktree.head != trunk.commit)


def _case(sources: Sources, tip: str, cancelled: Callable[[], bool], merges: int = MOST_MERGES) -> Case:
    effort = Effort(cancelled, merges)
    return Case(sources, tip, Presence(sources, effort), effort)


def _prove(
    sources: Sources, tip: str, head: str, branch: str | None, receipts: Receipts, cancelled: Callable[[], bool]
) -> Proof:
    case = _case(sources, tip, cancelled)
    try:
        integration, witness, pieces = _find(case, head, receipts)
        if integration.how == ANCESTOR:
            merge = sources.ancestry.bringer(tip, head)
            if not _had_work(sources, branch, merge):
                return Proof(NO_WORK)
            witness = merge.id if merge is not None else head
        unproven = () if integration.state == "integrated" else tuple(_unproven(case, head, pieces.unproven))
        left_out, case = case.effort, _case(sources, tip, cancelled, MOST_MERGES_FOR_MISSING)
        missing = _missing(case, head, branch, integration, witness, pieces) if witness is not None else set()
    except GitError as error:
        return Proof(NOT_INTEGRATED, remark=f"Git could not tell: {error.message}")
    said = [effort.left_out for effort in (left_out, case.effort)]
    said += [f"Git could not tell: {effort.failed}" for effort in (left_out, case.effort) if effort.failed]
    remark = " ".join(dict.fromkeys(filter(None, said))) or None
    return Proof(integration, witness, unproven, tuple(sorted(missing)), remark=remark)


def _find(case: Case, head: str, receipts: Receipts) -> tuple[Integration, str | None, Pieces]:
    """(state and how, the commit of trunk that shows it, what was found commit by commit)."""
    ancestry = case.sources.ancestry
    if ancestry.contains(case.tip, head):
        return Integration("integrated", ANCESTOR), head, Pieces()
    ours = {merged: commit for merged, commit in receipts if _stands(case, commit)}
    if head in ours:
        return Integration("integrated", RECEIPT), ours[head], Pieces()
    own = ancestry.own(case.tip, head)
    if len(ancestry.bases(case.tip, head)) != 1:
        return NOT_INTEGRATED, None, Pieces(unproven=own)
    whole = find_whole(case, ancestry.commit(head))
    if whole is not None:
        return Integration("integrated", whole.how), whole.commit, Pieces()
    pieces = find_pieces(case, own, ours)
    if pieces.unproven or not pieces.pieces:
        return NOT_INTEGRATED, None, pieces if pieces.unproven else Pieces(unproven=own)
    return Integration("integrated", COMMIT_BY_COMMIT), pieces.pieces[0].found.commit, pieces


def _stands(case: Case, commit: str) -> bool:
    """Whether trunk still has the commit of a receipt; one that is gone, or no id at all, is none."""
    try:
        return is_object_id(commit) and case.sources.ancestry.contains(case.tip, commit)
    except GitError:
        return False


def _had_work(sources: Sources, branch: str | None, merge: Commit | None) -> bool:
    """Whether a head that trunk has was work once: by the reflog of its branch, else by the merge that brought it."""
    made = made_on(sources.repository, branch) if branch is not None else None
    return bool(made) if made is not None else merge is not None


def _unproven(case: Case, head: str, commits: Sequence[Commit]) -> list[Unproven]:
    """These commits with their files, but for the files that trunk's tip has as the commit or the head has them."""
    trees, objects = case.sources.trees, case.sources.quarantine.objects
    tip, head_tree = case.tree(case.tip), case.tree(head)
    found = []
    for commit in commits:
        before = case.tree(commit.parents[0]) if commit.parents else objects.empty_tree
        touched = trees.touched(before, commit.tree)
        lacking = [
            path
            for path, change in touched.items()
            if trees.entry(tip, path) not in (change.after, trees.entry(head_tree, path))
        ]
        found.append(Unproven(commit.id, subject_of(objects, commit.id), tuple(sorted(lacking or touched))))
    return found


def _missing(
    case: Case, head: str, branch: str | None, integration: Integration, witness: str, pieces: Pieces
) -> set[str]:
    """What trunk took and has no more: of the head's own work, and of what it shared with trunk by an earlier merge."""
    if integration.how == ANCESTOR:
        return missing_paths(case, head, taken_with_history(case, head, branch))
    if integration.how == COMMIT_BY_COMMIT:
        taken = [
            Taken(frozenset({*piece.commits, piece.found.commit}), piece.work, piece.found.commit)
            for piece in pieces.pieces
        ]
    else:
        taken = taken_at(case, head, witness)
    lost = missing_paths(case, head, taken)
    for base in case.sources.ancestry.bases(case.tip, head):
        if case.sources.ancestry.bringer(case.tip, base) is not None:
            lost |= missing_paths(case, head, taken_with_history(case, base, None))
    return lost


def _upstream(
    sources: Sources, trunk: Trunk, head: str, branch: str | None, receipts: Receipts, cancelled: Callable[[], bool]
) -> str | None:
    """The branch that trunk follows, if the work is in that one."""
    try:
        followed = upstream_of(sources.repository, trunk.ref)
    except GitError:
        return None
    if followed is None or followed[1] == trunk.commit:
        return None
    there = _prove(sources, followed[1], head, branch, receipts, cancelled)
    return followed[0] if there.integration.state == "integrated" else None
