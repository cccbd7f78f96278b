"""Prove that work is in trunk, the cheapest step first (docs/integration.md), and keep the answer up to date live.

The live proof is made beside the session, when things are quiet, so that no diagnostic waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from sidecar.git.history import Commit, made_on, subject_of, upstream_of
from sidecar.git.process import GitError
from sidecar.model.changes import COMMITTED, ChangeSet, is_object_id
from sidecar.model.findings import Failure
from sidecar.model.picture import Integration, Picture, Trunk, WorktreeState
from sidecar.model.proof import ANCESTOR, COMMIT_BY_COMMIT, RECEIPT, Proof, Unproven
from sidecar.model.settings import Options
from sidecar.session.background import BackgroundJob, Foreground
from sidecar.session.proof_pieces import Pieces, Taken, find_pieces, missing_paths, taken_at, taken_with_history
from sidecar.session.proof_steps import MOST_MERGES, Case, Effort, Presence, find_whole
from sidecar.session.reader import Sources, open_sources

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
    """Tell whether the commits of a head are in trunk, and what shows it, or what lacks a proof.

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
    """Give what `status` says of a worktree: whether its present state is in trunk, so never with uncommitted work.

    Where trunk has all commits, the branch's reflog tells work from no work, as it was read; without a reflog it was
    work if a merge brought it. Only the state is looked for, not what is missing or unproven.
    """
    if (question := _question(trunk, state)) is None:
        return state.integration
    (tip, head, tree), branch = question, state.worktree.branch
    try:
        case = _case(sources, tip, cancelled)
        if tree != case.tree(head):
            return NOT_INTEGRATED
        if state.ahead:
            return _find(case, head, ())[0]
        if branch is not None and made_on(sources.repository, branch) is not None:
            return state.integration
        return NO_WORK if sources.ancestry.bringer(tip, head) is None else Integration("integrated", ANCESTOR)
    except GitError:
        return NOT_INTEGRATED if state.ahead else state.integration


_Key = tuple[str, str, str]
"""What an answer depends on: trunk, HEAD, present tree."""


def _question(trunk: Trunk | None, state: WorktreeState) -> _Key | None:
    """Give what the answer depends on, where there is more to say of a worktree's state than reading it tells."""
    head, changes = state.worktree.head, state.changes
    if trunk is None or trunk.commit is None or head is None or changes is None or state.unread is not None:
        return None
    is_open = state.ahead or (state.integration == NO_WORK and head != trunk.commit)
    return (trunk.commit, head, changes.tree) if is_open else None


def _case(sources: Sources, tip: str, cancelled: Callable[[], bool], merges: int = MOST_MERGES) -> Case:
    effort = Effort(cancelled, merges)
    sources = sources.as_made
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
    """Find (state and how, the commit of trunk that shows it, what was found commit by commit)."""
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
    """Tell whether trunk still has the commit of a receipt; not for one that is gone, or for no id at all."""
    try:
        return is_object_id(commit) and case.sources.ancestry.contains(case.tip, commit)
    except GitError:
        return False


def _had_work(sources: Sources, branch: str | None, merge: Commit | None) -> bool:
    """Tell whether a head that trunk has was work once: by its branch's reflog, else by the merge that brought it."""
    made = made_on(sources.repository, branch) if branch is not None else None
    return bool(made) if made is not None else merge is not None


def _unproven(case: Case, head: str, commits: Sequence[Commit]) -> list[Unproven]:
    """Give these commits with their files, but for the files that trunk's tip has as the commit or the head does."""
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
    """Give the paths that trunk took and has no more: of the head's own work, and of what an earlier merge shared."""
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
    """Give the branch that trunk follows, if the work is in that one."""
    try:
        followed = upstream_of(sources.repository, trunk.ref)
    except GitError:
        return None
    if followed is None or followed[1] == trunk.commit:
        return None
    there = _prove(sources, followed[1], head, branch, receipts, cancelled)
    return followed[0] if there.integration.state == "integrated" else None


QUIET = 0.2
"""Seconds without a new Picture after which proofs are looked for."""

PATIENCE = 3.0
"""Seconds after which they are looked for anyway."""


class Integrating:
    """Says of each worktree whether it is integrated, as soon as that is known; `on_proved` is called when more is.

    It has sources of its own while it works, and a thread, on which `on_proved` is called. `prove` is for one thread.
    """

    def __init__(self, folder: Path, options: Options, foreground: Foreground, on_proved: Callable[[], None]) -> None:
        self._folder = folder
        self._options = options
        self._on_proved = on_proved
        self._answers: dict[str, tuple[_Key, Integration]] = {}
        self._lock = threading.Lock()
        self._committed: dict[str, tuple[ChangeSet, bool]] = {}
        self._job = BackgroundJob(
            "sidecar-integration",
            self._prove,
            quiet=QUIET,
            patience=PATIENCE,
            foreground=foreground,
            is_due=self._missing,
        )

    def known(self, picture: Picture) -> Picture:
        """Give the Picture with what is proved; till then a worktree that has not changed keeps its last answer."""
        if picture.trunk is None or picture.trunk.commit is None:
            return picture
        with self._lock:
            states = tuple(self._known(picture.trunk, state) for state in picture.worktrees)
        return replace(picture, worktrees=states)

    def _known(self, trunk: Trunk, state: WorktreeState) -> WorktreeState:
        key = self._key(trunk, state)
        known, answer = self._answers.get(state.worktree.key, (None, state.integration))
        if key is None or known is None or known[1:] != key[1:] or answer == state.integration:
            return state
        return replace(state, integration=answer)

    def proved(self, picture: Picture) -> Picture | None:
        """Give the Picture with all that is to be proved of it; None while something is not known. Any thread."""
        return None if self._missing(picture) else self.known(picture)

    def prove(self, picture: Picture) -> None:
        """Look for proofs of what this Picture shows; returns at once."""
        self._job.tell(picture)

    def close(self) -> None:
        """End it; closing twice is fine."""
        self._job.close()

    def _missing(self, picture: Picture) -> list[tuple[_Key, WorktreeState]]:
        with self._lock:
            keyed = [(self._key(picture.trunk, state), state) for state in picture.worktrees]
            known = {worktree: key for worktree, (key, _) in self._answers.items()}
            return [(key, state) for key, state in keyed if key is not None and known.get(state.worktree.key) != key]

    def _prove(self, picture: Picture) -> None:
        """Prove what is missing; what could not be proved is tried again with the next Picture."""
        sources = open_sources(self._folder, self._options)
        if isinstance(sources, Failure):
            return
        try:
            changed = self._prove_with(sources, picture)
        finally:
            sources.close()
        if changed and not self._job.closed:
            self._on_proved()

    def _prove_with(self, sources: Sources, picture: Picture) -> bool:
        """Answer what is not known of a Picture; tell whether that changes it."""
        trunk, changed = picture.trunk, False
        for key, state in self._missing(picture):
            if trunk is None or self._is_old(picture):
                break
            answer = integrate(sources, trunk, state, lambda: self._is_old(picture))
            if self._is_old(picture):
                break
            with self._lock:
                self._answers[state.worktree.key] = (key, answer)
            changed = changed or answer != state.integration
        return changed

    def _is_old(self, picture: Picture) -> bool:
        """Make way for who waits, then tell whether what is being proved is of no interest any more."""
        newest = self._job.newest
        return not self._job.go_on() or (newest is not None and newest.trunk != picture.trunk)

    def _key(self, trunk: Trunk | None, state: WorktreeState) -> _Key | None:
        """Give what the answer depends on; None where there is no question, or work that is not committed."""
        question, changes = _question(trunk, state), state.changes
        if question is None or changes is None:
            return None
        return question if self._is_committed(state.worktree.key, changes) else None

    def _is_committed(self, key: str, changes: ChangeSet) -> bool:
        """Tell whether a change set shows nothing uncommitted; the same one is not looked through again."""
        known = self._committed.get(key)
        if known is None or known[0] is not changes:
            known = (changes, all(change.sources == (COMMITTED,) for change in changes.touched.values()))
            self._committed[key] = known
        return known[1]
