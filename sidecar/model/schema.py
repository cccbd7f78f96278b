"""Make the JSON objects of every door (schema 1): what is, and what an operation plans or did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from sidecar.model.broken_uses import broken_use_object
from sidecar.model.changes import COMMITTED, STAGED, UNSTAGED, UNTRACKED, count_by_source
from sidecar.model.findings import Finding
from sidecar.model.merge_order import Order, Turn
from sidecar.model.merging import Extent
from sidecar.model.overlaps import Overlap, Side, Unknown
from sidecar.model.picture import BrokenUse, Picture, Undone, WorktreeState
from sidecar.model.readiness import Readiness, readiness
from sidecar.model.receipts import Landing, Receipt
from sidecar.model.regenerate import Remake
from sidecar.model.sweepers import find_sweeper

SCHEMA = 1

Json = dict[str, Any]
Inside = Mapping[str, Sequence[Json]]
NOBODY: Inside = MappingProxyType({})
"""Who is in each worktree, by its key, where nobody was looked for."""


def status_object(picture: Picture, in_use: Inside = NOBODY, agents: Inside = NOBODY) -> Json:
    """Give what `status --json` prints and `sidecar/picture` carries; `in_use` are processes, `agents` edit there.

    A side whose worktree shares its name with another one has `worktree_path` too, since the name does not tell which.
    """
    names = Counter(state.worktree.name for state in picture.worktrees)
    alike = frozenset(state.worktree.key for state in picture.worktrees if names[state.worktree.name] > 1)
    ready = readiness(picture)
    return {
        "schema": SCHEMA,
        "repository": picture.repository,
        "trunk": picture.trunk and {"branch": picture.trunk.branch, "commit": picture.trunk.commit},
        "worktrees": [
            _worktree(
                state,
                ready.get(state.worktree.key),
                in_use.get(state.worktree.key, ()),
                agents.get(state.worktree.key, ()),
            )
            for state in picture.worktrees
        ],
        "overlaps": [overlap_object(overlap, alike) for overlap in picture.overlaps],
        "unknown": [unknown_object(unknown) for unknown in picture.unknown],
        **_broken(picture.broken_uses),
    }


def overlaps_object(overlaps: Iterable[Overlap], unknown: Iterable[Json], broken: Sequence[BrokenUse] = ()) -> Json:
    """Give what `overlaps --json` prints; where uses break, `broken_uses` there too, as in the others."""
    listed = [overlap_object(overlap) for overlap in overlaps]
    return {"schema": SCHEMA, "overlaps": listed, "unknown": list(unknown), **_broken(broken)}


def _broken(found: Sequence[BrokenUse]) -> Json:
    return {"broken_uses": [broken_use_object(one) for one in found]} if found else {}


def check_object(
    files: Iterable[tuple[str, str, Iterable[Overlap]]],
    unknown: Iterable[Json],
    agents: Iterable[Json],
    undone: Sequence[tuple[str, Undone]] = (),
    broken: Sequence[BrokenUse] = (),
) -> Json:
    """Give what `check --json` prints, of (path, worktree's name, overlaps) per file; `agents` edit in the others.

    Where files take back what trunk did, `undone` by (worktree's name, what), there is `undoes` too: [{"worktree",
    "path", "commit", "subject", "author", "commits"}].
    """
    named = ("path", "commit", "subject", "author")
    undoes = [
        {"worktree": worktree, **{name: getattr(one, name) for name in named}, "commits": len(one.commits)}
        for worktree, one in undone
    ]
    return {
        "schema": SCHEMA,
        "files": [
            {"path": path, "worktree": worktree, "overlaps": [overlap_object(overlap) for overlap in overlaps]}
            for path, worktree, overlaps in files
        ],
        "unknown": list(unknown),
        "agents": list(agents),
        **({"undoes": undoes} if undoes else {}),
        **_broken(broken),
    }


def plan_object(order: Order) -> Json:
    """Give what `plan --json` prints: PLAN.

    PLAN  {"schema": 1, "order": [TURN], "pairs": [{"worktrees": [NAME, NAME], "paths": [str]}], "conflicts": int,
           "exact": bool}
    TURN  {"worktree": NAME, "path": str, "branch": str|null, "ready": bool, "conflicts": int, "why": str|null,
           "files": FILES|null, "needs": [FINDING], "installs": [INSTALL]}
    INSTALL  {"folder", "command", "lock", "missing": str|null}

    `order` has those that are ready first, in the order in which to merge them, each with the number of conflicted
    paths that it meets there; then the others, with those that it meets in trunk. `needs` is what there is to be done
    or agreed to besides, `installs` what is run before it is verified. `conflicts` is the sum of the ready ones',
    `exact` whether no order has less, `pairs` who conflicts with whom, the worst first.
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
        "path": turn.worktree.key,
        "branch": turn.worktree.branch,
        "ready": turn.ready,
        "conflicts": len(turn.paths),
        "why": turn.why,
        "files": asdict(turn.extent) if turn.extent is not None else None,
        "needs": [finding_object(finding) for finding in turn.needs],
        "installs": [asdict(install) for install in turn.installs],
    }


def overlap_object(overlap: Overlap, alike: Collection[str] = ()) -> Json:
    """Give the OVERLAP of the design; of a file that a tool makes `regenerate` says how it is made anew.

    `appended` is there, and true, where both sides only add lines at the end of the same list. `alike` are the keys of
    the worktrees whose names are not theirs alone.
    """
    made = overlap.regeneration
    return {
        "path": overlap.path,
        "verdict": overlap.verdict,
        "kind": overlap.kind,
        "sides": [_side(side, alike) for side in overlap.sides],
        **({"appended": True} if overlap.appended else {}),
        **({} if made is None else {"regenerate": {"kind": made.kind, "command": made.command}}),
    }


def unknown_object(unknown: Unknown, seen_from: str | None = None) -> Json:
    """Give UNKNOWN {"worktree": NAME|null, "path": str|null, "reason": str}: an overlap may be there that is not shown.

    `worktree` could not be read, or compared with the one that was asked about (`seen_from`, its key); null is trunk.
    Where nobody asked, and only two could not be compared, `with` is the other one.
    """
    name = unknown.name(seen_from)
    said = {"worktree": name, "path": unknown.path, "reason": unknown.reason}
    if seen_from is None and len(unknown.parties) > 1:
        others = [other for _, other in unknown.parties]
        others.remove(name)
        said["with"] = others[0]
    return said


def merge_object(
    outcome: str,
    branch: str | None,
    before: str | None,
    after: str | None,
    findings: Iterable[Finding],
    receipt: str | None = None,
    extent: Extent | None = None,
) -> Json:
    """Give what `merge --json` prints: `branch` is trunk's, `before` and `after` its commits.

    `files` is null where the merge stops or was not looked at: FILES {"edited", "added",
    "moved", "deleted", "total"}, the total null where nothing is deleted. A plan whose conflicts can be made anew has
    `regenerate`, too (`remakes_object`).
    """
    return {
        "schema": SCHEMA,
        "outcome": outcome,
        "trunk": {"branch": branch, "before": before, "after": after},
        "findings": [finding_object(finding) for finding in findings],
        "receipt": receipt,
        "files": asdict(extent) if extent is not None else None,
    }


def remakes_object(remakes: Iterable[Remake]) -> list[Json]:
    """Give [{"command", "folder", "paths"}] of the commands that can make anew all that a merge conflicts in."""
    return [{"command": one.command, "folder": one.folder, "paths": list(one.paths)} for one in remakes]


def merge_all_object(outcome: str, merges: Iterable[tuple[str, Json | None]]) -> Json:
    """Give what `merge --all --json` prints: {"schema": 1, "outcome", "merges": [{"worktree", "merge": MERGE|null}]}.

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
    """Give what merging trunk into a worktree answers: `conflicts` are to be resolved in the worktree at `path`."""
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
    """Give what `release --json` prints; `reclaimed` and `kept` in bytes."""
    return {
        "schema": SCHEMA,
        "outcome": outcome,
        "findings": [finding_object(finding) for finding in findings],
        "receipt": receipt,
        "bytes": {"reclaimed": reclaimed, "kept": kept},
    }


def release_all_object(outcome: str, releases: Iterable[tuple[str, Json]]) -> Json:
    """Give what `release --all --json` prints, of (worktree, RELEASE object) in order; "planned": nobody agreed.

    Those that stay come last, "refused" or "failed" with why; they don't decide the outcome.
    """
    said = [{"worktree": worktree, "release": release} for worktree, release in releases]
    return {"schema": SCHEMA, "outcome": outcome, "releases": said}


def intended_object(
    outcome: str, worktree: str | None, commits: Mapping[str, frozenset[str]], findings: Iterable[Finding]
) -> Json:
    """Give what `intended --json` prints: `outcome` is "intended", "not-intended", "refused" or "failed".

    `files` are the commits of trunk, by path, that are taken back on purpose, or, undone, not any more.
    """
    return {
        "schema": SCHEMA,
        "outcome": outcome,
        "worktree": worktree,
        "files": [{"path": path, "commits": sorted(ids)} for path, ids in sorted(commits.items())],
        "findings": [finding_object(finding) for finding in findings],
    }


def receipts_object(receipts: Iterable[Receipt]) -> Json:
    """Give what `restore --json` prints; `time` in seconds since 1970, `bytes` those that the receipt keeps on disk."""
    named = ("id", "what", "worktree", "branch", "time", "bytes")
    return {"schema": SCHEMA, "receipts": [{name: getattr(one, name) for name in named} for one in receipts]}


def history_object(repository: str, landings: Iterable[Landing], restorable: Iterable[Receipt]) -> Json:
    """Give what `sidecar/history` carries: {"schema": 1, "repository", "landings": [LANDING], "receipts": [RECEIPT]}.

    LANDING  {"id", "worktree", "branch": str|null, "time", "before", "after", "strategy", "taken_back": bool}

    The newest come first; `receipts` are what can be restored now, as `restore --json` has them.
    """
    return {
        "schema": SCHEMA,
        "repository": repository,
        "landings": [asdict(landing) for landing in landings],
        "receipts": receipts_object(restorable)["receipts"],
    }


def restore_object(outcome: str, path: str | None, findings: Iterable[Finding]) -> Json:
    """Give what `restore ID --json`, `open --json` and `keep --json` print: `path` is the worktree.

    `outcome` is "restored", "opened", "protected", "unprotected", "refused" or "failed"; with `--empty` "emptied",
    "planned" or "refused".
    """
    return {
        "schema": SCHEMA,
        "outcome": outcome,
        "path": path,
        "findings": [finding_object(finding) for finding in findings],
    }


def finding_object(finding: Finding) -> Json:
    """Give the FINDING of the design."""
    return {**asdict(finding), "paths": list(finding.paths)}


def _side(side: Side, alike: Collection[str]) -> Json:
    return {
        "worktree": side.name,
        **({"worktree_path": side.key} if side.key in alike else {}),
        "ref": side.ref,
        "path": side.path,
        "regions": [{"start": region.start, "end": region.end} for region in side.regions],
        "sources": list(side.sources),
    }


def _worktree(state: WorktreeState, ready: Readiness | None, in_use: Sequence[Json], agents: Sequence[Json]) -> Json:
    worktree = state.worktree
    counts = count_by_source(state.changes) if state.changes else {}
    return {
        "name": worktree.name,
        "path": worktree.key,
        "main": worktree.main,
        "branch": worktree.branch,
        **({} if worktree.unfinished is None else {"unfinished": asdict(worktree.unfinished)}),
        "head": worktree.head,
        "tip": asdict(state.tip) if state.tip is not None else None,
        "locked": worktree.locked,
        "protected": worktree.protected,
        "missing": worktree.missing,
        "changes": {source: counts.get(source, 0) for source in (COMMITTED, STAGED, UNSTAGED, UNTRACKED)},
        "merging": {"unresolved": list(state.unresolved)} if worktree.merging else None,
        "ahead": state.ahead,
        "behind": state.behind,
        "integration": {"state": state.integration.state, "how": state.integration.how},
        "merge": asdict(ready) if ready is not None else None,
        "swept_by": sweeper.tool if (sweeper := find_sweeper(state)) is not None else None,
        "in_use": list(in_use),
        "agents": list(agents),
        "bytes": state.bytes and {"total": state.bytes.total, "reclaimable": state.bytes.reclaimable},
        "problem": worktree.problem or state.problem,
    }
