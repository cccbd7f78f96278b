"""The JSON objects of every door (schema 1): what is, and what an operation plans or did."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from sidecar.model.changes import COMMITTED, STAGED, UNSTAGED, UNTRACKED, count_by_source
from sidecar.model.findings import Finding
from sidecar.model.order import Order, Turn
from sidecar.model.overlaps import Overlap, Side
from sidecar.model.picture import Picture, WorktreeState

SCHEMA = 1

Json = dict[str, Any]


class Restorable(Protocol):
    """What a receipt says of itself."""

    @property
    def id(self) -> str:
        """How it is called in commands."""

    @property
    def what(self) -> str:
        """`merge`, `release` or `vanished`."""

    @property
    def worktree(self) -> str:
        """The worktree's name."""

    @property
    def branch(self) -> str | None:
        """Its branch (short), None when detached."""

    @property
    def time(self) -> float:
        """When it happened, in seconds since 1970."""

    @property
    def bytes(self) -> int:
        """What it keeps on the disk."""


def status_object(picture: Picture, in_use: dict[str, list[Json]] | None = None) -> Json:
    """What `status --json` prints and `sidecar/picture` carries; `in_use` maps a worktree's key to its processes."""
    return {
        "schema": SCHEMA,
        "repository": picture.repository,
        "trunk": picture.trunk and {"branch": picture.trunk.branch, "commit": picture.trunk.commit},
        "worktrees": [_worktree(state, (in_use or {}).get(state.worktree.key, [])) for state in picture.worktrees],
        "overlaps": [overlap_object(overlap) for overlap in picture.overlaps],
    }


def overlaps_object(overlaps: Iterable[Overlap]) -> Json:
    """What `overlaps --json` prints."""
    return {"schema": SCHEMA, "overlaps": [overlap_object(overlap) for overlap in overlaps]}


def check_object(files: Iterable[tuple[str, str, Iterable[Overlap]]]) -> Json:
    """What `check --json` prints, of (path, worktree's name, overlaps) per file."""
    return {
        "schema": SCHEMA,
        "files": [
            {
                "path": path,
                "worktree": worktree,
                "overlaps": [overlap_object(overlap) for overlap in overlaps],
            }
            for path, worktree, overlaps in files
        ],
    }


def plan_object(order: Order) -> Json:
    """What `plan --json` prints: PLAN.

    PLAN  {"schema": 1, "order": [TURN], "pairs": [{"worktrees": [NAME, NAME], "paths": [str]}], "conflicts": int,
           "exact": bool}
    TURN  {"worktree": NAME, "branch": str|null, "ready": bool, "conflicts": int, "why": str|null}

    `order` has those that are ready first, in the order in which to merge them, each with the number of conflicted
    paths that it meets there; then the others, with those that it meets in trunk. `conflicts` is the sum of the ready
    ones', `exact` whether no order has less, `pairs` who conflicts with whom, the worst first.
    """
    return {
        "schema": SCHEMA,
        "order": [_turn(turn) for turn in order.turns],
        "pairs": [
            {"worktrees": [worktree.name for worktree in pair.worktrees], "paths": list(pair.paths)}
            for pair in order.pairs
        ],
        "conflicts": order.conflicts,
        "exact": order.exact,
    }


def _turn(turn: Turn) -> Json:
    return {
        "worktree": turn.worktree.name,
        "branch": turn.worktree.branch,
        "ready": turn.ready,
        "conflicts": len(turn.paths),
        "why": turn.why,
    }


def overlap_object(overlap: Overlap) -> Json:
    """OVERLAP of the design."""
    return {
        "path": overlap.path,
        "verdict": overlap.verdict,
        "kind": overlap.kind,
        "sides": [_side(side) for side in overlap.sides],
    }


def merge_object(
    outcome: str,
    branch: str | None,
    before: str | None,
    after: str | None,
    findings: Iterable[Finding],
    receipt: str | None = None,
) -> Json:
    """What `merge --json` prints: `branch` is trunk's, `before` and `after` its commits."""
    return {
        "schema": SCHEMA,
        "outcome": outcome,
        "trunk": {"branch": branch, "before": before, "after": after},
        "findings": [finding_object(finding) for finding in findings],
        "receipt": receipt,
    }


def merge_all_object(outcome: str, merges: Iterable[tuple[str, Json | None]]) -> Json:
    """What `merge --all --json` prints: {"schema": 1, "outcome", "merges": [{"worktree": NAME, "merge": MERGE|null}]}.

    The merges are in their order; null for one that was not tried, since it was only planned, or another stopped before
    it. `outcome` is "planned", or that of the last one tried.
    """
    return {
        "schema": SCHEMA,
        "outcome": outcome,
        "merges": [{"worktree": worktree, "merge": merge} for worktree, merge in merges],
    }


def update_object(
    outcome: str, worktree: str | None, path: str | None, conflicts: Iterable[str], findings: Iterable[Finding]
) -> Json:
    """What merging trunk into a worktree answers: `conflicts` are to be resolved in the worktree at `path`."""
    return {
        "schema": SCHEMA,
        "outcome": outcome,
        "worktree": worktree,
        "path": path,
        "conflicts": list(conflicts),
        "findings": [finding_object(finding) for finding in findings],
    }


def release_object(
    outcome: str, findings: Iterable[Finding], receipt: str | None = None, reclaimed: int = 0, kept: int = 0
) -> Json:
    """What `release --json` prints; `reclaimed` and `kept` in bytes."""
    return {
        "schema": SCHEMA,
        "outcome": outcome,
        "findings": [finding_object(finding) for finding in findings],
        "receipt": receipt,
        "bytes": {"reclaimed": reclaimed, "kept": kept},
    }


def receipts_object(receipts: Iterable[Restorable]) -> Json:
    """What `restore --json` prints; `time` in seconds since 1970, `bytes` those that the receipt keeps on the disk."""
    return {
        "schema": SCHEMA,
        "receipts": [
            {
                "id": receipt.id,
                "what": receipt.what,
                "worktree": receipt.worktree,
                "branch": receipt.branch,
                "time": receipt.time,
                "bytes": receipt.bytes,
            }
            for receipt in receipts
        ],
    }


def restore_object(outcome: str, path: str | None, findings: Iterable[Finding]) -> Json:
    """What `restore ID --json` and `open --json` print: `path` is the worktree that is there now.

    `outcome` is "restored" or "opened", "refused" or "failed"; with `--empty` "emptied", "planned" or "refused".
    """
    return {
        "schema": SCHEMA,
        "outcome": outcome,
        "path": path,
        "findings": [finding_object(finding) for finding in findings],
    }


def finding_object(finding: Finding) -> Json:
    """FINDING of the design."""
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "paths": list(finding.paths),
    }


def _side(side: Side) -> Json:
    return {
        "worktree": side.name,
        "ref": side.ref,
        "path": side.path,
        "regions": [{"start": region.start, "end": region.end} for region in side.regions],
        "sources": list(side.sources),
    }


def _worktree(state: WorktreeState, in_use: list[Json]) -> Json:
    worktree = state.worktree
    counts = count_by_source(state.changes) if state.changes else {}
    return {
        "name": worktree.name,
        "path": worktree.key,
        "main": worktree.main,
        "branch": worktree.branch,
        "head": worktree.head,
        "locked": worktree.locked,
        "missing": worktree.missing,
        "changes": {source: counts.get(source, 0) for source in (COMMITTED, STAGED, UNSTAGED, UNTRACKED)},
        "ahead": state.ahead,
        "behind": state.behind,
        "integration": {"state": state.integration.state, "how": state.integration.how},
        "in_use": in_use,
        "bytes": state.bytes and {"total": state.bytes.total, "reclaimable": state.bytes.reclaimable},
        "problem": worktree.problem or state.problem,
    }
