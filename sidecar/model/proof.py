"""Define what a proof says of work in trunk, and tell how trunk's later commits take it back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sidecar.model.changes import Change
from sidecar.model.picture import Integration

ANCESTOR, RECEIPT, ADDS_NOTHING, SAME_CONTENT, REPLAYED, COMMIT_BY_COMMIT = (
    "ancestor",
    "receipt",
    "merge-adds-nothing",
    "same-content",
    "replayed",
    "commit-by-commit",
)
"""What can prove it, in the order in which it is tried: T0, T0', T1, T2, T3, T4 of docs/integration.md."""


@dataclass(frozen=True, slots=True)
class Unproven:
    """A commit that nothing proves to be in trunk; `paths` are those of its files that trunk's tip lacks."""

    commit: str
    subject: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a commit's work is in trunk.

    `witness` is the commit of trunk that proves it; `unproven` has the newest commit first. `missing` are paths whose
    content trunk once took, or says that it took, and does not have: merged with `-s ours`, or reverted since.
    `upstream` names the ref that has the work where local trunk has not. `remark` is one sentence about what was not
    looked at, or None.
    """

    integration: Integration
    witness: str | None = None
    unproven: tuple[Unproven, ...] = ()
    missing: tuple[str, ...] = ()
    upstream: str | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Takeback:
    """A commit whose message says that it reverts or reapplies others: by their ids, else by their subjects."""

    commit: str
    subject: str
    ids: tuple[str, ...]
    subjects: tuple[str, ...]


REVERTS_ID = re.compile(r"This reverts commit ([0-9a-f]{7,64})")
REVERTS_SUBJECT = re.compile(r'^(Revert|Reapply) "(.*)"', re.MULTILINE)
NUMBER = re.compile(r" \(#\d+\)$")


def read_takeback(commit: str, message: str) -> Takeback:
    """Give what a commit message takes back, in the words of git-revert(1) and of the forges' buttons."""
    subjects = (
        match[2] if match[1] == "Revert" else f'Revert "{match[2]}"' for match in REVERTS_SUBJECT.finditer(message)
    )
    return Takeback(commit, message.strip().partition("\n")[0], tuple(REVERTS_ID.findall(message)), tuple(subjects))


def taken_back(known: Mapping[str, str], takebacks: Iterable[Takeback]) -> set[str]:
    """Find which of these commits (id -> subject) are reverted, and not by a commit that was reverted in turn.

    `takebacks` come oldest first.
    """
    subjects = dict(known)
    means = {commit: (commit, True) for commit in known}  # what has been done to which, by a commit that speaks of it
    reverted: set[str] = set()
    for takeback in takebacks:
        for name in _named(takeback, subjects):
            target, applies = means[name]
            means[takeback.commit] = (target, not applies)
            (reverted.add if applies else reverted.discard)(target)
        subjects[takeback.commit] = takeback.subject
        means.setdefault(takeback.commit, (takeback.commit, True))
    return reverted & known.keys()


def _named(takeback: Takeback, subjects: Mapping[str, str]) -> list[str]:
    if takeback.ids:
        return [commit for commit in subjects if commit.startswith(takeback.ids)]
    by_subject = {NUMBER.sub("", subject): commit for commit, subject in subjects.items()}
    names = (NUMBER.sub("", name) for name in takeback.subjects)
    return [by_subject[name] for name in names if name in by_subject]


def lost_paths(
    changes: Iterable[Change],
    stands: Mapping[str, Sequence[tuple[str, bool | None]]],
    start: Callable[[str], bool],
) -> set[str]:
    """Give the paths whose change trunk had and has no more, told from how trunk stood to each since, newest first.

    `stands` has, by path, (commit, whether trunk had the change then; None: neither it nor what was before); a path
    that is not in it stands as trunk has it now. `start` says whether trunk had it at first. A file that the change
    added and trunk deleted later is lost only where the same commit took back another of the changes.
    """
    lost: dict[str, str | None] = {}
    deleted: dict[str, str | None] = {}
    for change in changes:
        path = change.path
        if path not in stands:
            continue
        settled = next(((commit, has) for commit, has in stands[path] if has is not None), (None, start(path)))
        if settled[1]:
            continue
        taker = _taker(stands[path])
        only_deleted = change.before is None and settled[0] is not None
        (deleted if only_deleted else lost)[path] = taker
    takers = {taker for taker in lost.values() if taker is not None}
    return {*lost, *(path for path, taker in deleted.items() if taker in takers)}


def _taker(stands: Sequence[tuple[str, bool | None]]) -> str | None:
    """Give the commit that took a change back: the oldest of those since which trunk has been without it."""
    taker = None
    for commit, has in stands:
        if has:
            break
        if has is False:
            taker = commit
    return taker
