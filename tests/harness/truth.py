"""Holds expected overlaps against git's own merge, so that a wrong expectation can't stand."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

from tests.harness import by_git
from tests.harness.by_git import Lines, Merge
from tests.harness.repository import git

Overlap = Mapping[str, Any]
_LINE_ONE: list[Lines] = [(1, 1)]
_TRUNK = ""


def disagreements(
    main: Path,
    place: Path,
    overlaps: Sequence[Overlap],
    env: Mapping[str, str],
    *,
    inherited: frozenset[str] = frozenset(),
    was: Mapping[str, str] | None = None,
) -> list[str]:
    """One sentence for each point where real merges in the scratch repository `place` contradict the expectation.

    Covers every pair of worktrees and each with trunk, the branch `main`, uncommitted work included: paths that both
    changed, verdict, kind, and the regions that git shows. Where git shows none, they are left to the comparison.
    `inherited` and `was` are as in a `Scenario`. Where git merges trunk into both of a pair, what the two come to then
    tells, too.
    """
    scratch = by_git.scratch_repository(main, place)
    tip = git(main, "rev-parse", "refs/heads/main")
    present = by_git.present_states(main, scratch, env)
    busy = [name for name, state in present.items() if _has_work(scratch, tip, state)]
    said = [
        f"{overlap['path']}: a worktree without work takes no part"
        for overlap in overlaps
        if not {*_parties(overlap)} <= {*busy, _TRUNK}
    ]
    for ours, theirs in combinations([*busy, _TRUNK], 2):
        state = present.get(theirs, tip)
        both = _changed_paths(scratch, tip, present[ours])
        both &= _changed_paths(scratch, tip, state) if theirs else _changed_paths(scratch, present[ours], tip)
        pair = [overlap for overlap in overlaps if _parties(overlap) == [ours, theirs]]
        problems = [*_once_up_to_date(scratch, present[ours], state, tip, pair, env)] if theirs else []
        tried = by_git.merge(scratch, present[ours], state, env)
        both -= {path for path in both if _is_contained(scratch, tried, path)}
        problems += _left_out(tried, both, pair, inherited, was or {})
        for overlap in pair:
            if overlap["path"] in inherited:
                continue
            old_names = [name for name in ((was or {}).get(overlap["path"]), *sorted(_names(overlap))) if name]
            before = next(filter(None, (by_git.content(scratch, tried.base, name) for name in old_names)), b"")
            problems += _contradictions(scratch, tried, overlap, before)
        said += [f"{ours} and {theirs or 'trunk'}: {problem}" for problem in problems]
    return said


def _once_up_to_date(
    scratch: Path, ours: str, theirs: str, tip: str, pair: list[Overlap], env: Mapping[str, str]
) -> Iterator[str]:
    """Whether a pair stops once trunk has been merged into both, where that is known.

    Not where trunk brings other attributes: those that count are the ones that a worktree has.
    """
    if any(path.endswith(".gitattributes") for it in (ours, theirs) for path in _changed_paths(scratch, it, tip)):
        return
    one, two = (by_git.updated(scratch, state, tip, env) for state in (ours, theirs))
    if one is None or two is None:
        return
    expected = any(overlap["verdict"] == "conflict" for overlap in pair)
    conflicts = by_git.merge(scratch, one, two, env).conflicts
    if expected != bool(conflicts):
        yield f"once both are up to date, git stops with {conflicts}"


@cache
def _has_work(scratch: Path, trunk: str, state: str) -> bool:
    """Whether a commit differs from any of the commits where it forked from `trunk`."""
    forks = git(scratch, "merge-base", "--all", trunk, state).split()
    return any(git(scratch, "diff-tree", fork, state) for fork in forks)


@cache
def _changed_paths(scratch: Path, trunk: str, state: str) -> frozenset[str]:
    """What a commit has otherwise than where it forked from `trunk`; a rename is two paths."""
    fork = git(scratch, "merge-base", trunk, state)
    told = git(scratch, "diff-tree", "-r", "-z", "--name-only", "--no-renames", fork, state)
    return frozenset(told.split("\0")) - {""}


def _is_contained(scratch: Path, tried: Merge, path: str) -> bool:
    """Whether one side has all that the other did there, as a branch that starts from the other's branch does."""
    base, ours, theirs = (by_git.entry(scratch, commit, path) for commit in (tried.base, tried.ours, tried.theirs))
    return base in (ours, theirs)


def _left_out(
    tried: Merge, both: frozenset[str], pair: list[Overlap], inherited: frozenset[str], was: Mapping[str, str]
) -> Iterator[str]:
    """What git knows of this pair and nobody expects."""
    stopping = {name for overlap in pair if overlap["verdict"] == "conflict" for name in _names(overlap)}
    for conflict in tried.conflicts:
        if not {*conflict.paths} & (stopping | inherited):
            yield f"git stops with {conflict.kind} at {conflict.paths}"
    named = {name for overlap in pair for name in (*_names(overlap), was.get(overlap["path"]))}
    for path in sorted(both - named - inherited):
        yield f"{path} is changed by both"


def _contradictions(scratch: Path, tried: Merge, overlap: Overlap, before: bytes) -> Iterator[str]:
    path, verdict = overlap["path"], overlap["verdict"]
    kinds = [conflict.kind for conflict in tried.conflicts if {*conflict.paths} & _names(overlap)]
    if verdict != "conflict" and kinds:
        yield f"{path} is no {verdict} overlap, git stops with {kinds}"
        return
    if verdict == "conflict" and overlap["kind"] not in kinds:
        yield f"{path} does not stop with {overlap['kind']}, git says {kinds or 'nothing'}"
        return
    names = (overlap["sides"][0]["path"], overlap["sides"][1]["path"])
    entries = [
        by_git.entry(scratch, commit, name) for commit, name in zip((tried.ours, tried.theirs), names, strict=True)
    ]
    if verdict == "identical" and (entries[0] != entries[1] or names[0] != names[1]):
        yield f"{path} is not the same on both sides"
    if verdict == "clean" and entries[0] == entries[1] and names[0] == names[1]:
        yield f"{path} is the same on both sides"
    regions = _regions(scratch, tried, overlap, names, before)
    for side, right in zip(overlap["sides"], regions or [], strict=False):
        shown = [(region["start"], region["end"]) for region in side["regions"]]
        if shown != right:
            yield f"{path}, side {side['worktree'] or 'trunk'}: lines {shown} should be {right}"


def _regions(
    scratch: Path, tried: Merge, overlap: Overlap, names: tuple[str, str], before: bytes
) -> list[list[Lines]] | None:
    """Each side's lines; None where neither git nor its diff shows any. `before`: as it was in the merge base."""
    commits = (tried.ours, tried.theirs)
    ours, theirs = (_text(scratch, commit, name) for commit, name in zip(commits, names, strict=True))
    if overlap["verdict"] == "clean" and ours is not None and theirs is not None:
        return [
            by_git.landing_lines(scratch, before, mine, other) or _LINE_ONE
            for mine, other in ((ours, theirs), (theirs, ours))
        ]
    blocks = by_git.blocks(scratch, tried, overlap["path"], *names) if overlap["verdict"] == "conflict" else []
    if blocks:
        return [[block.ours for block in blocks], [block.theirs for block in blocks]]
    if overlap["kind"] == "file location":
        return None
    return [
        _LINE_ONE if text is None else by_git.changed_lines(scratch, before, text) or _LINE_ONE
        for text in (ours, theirs)
    ]


def _text(scratch: Path, commit: str, path: str) -> bytes | None:
    """A file's text; None where there are no lines: deleted, binary, a symbolic link, a submodule."""
    if not by_git.entry(scratch, commit, path).startswith("100"):
        return None
    text = by_git.content(scratch, commit, path)
    return None if b"\0" in text else text


def _names(overlap: Overlap) -> set[str]:
    return {overlap["path"], *(side["path"] for side in overlap["sides"])}


def _parties(overlap: Overlap) -> list[str]:
    return [side["worktree"] or _TRUNK for side in overlap["sides"]]
