"""Holds expected overlaps against git's own merge, so that a wrong expectation can't stand."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from tests.harness import by_git
from tests.harness.by_git import Lines, Merge
from tests.harness.repository import git

Overlap = Mapping[str, Any]
_LINE_ONE: list[Lines] = [(1, 1)]
_TRUNK = ""
_SAID_BY_CONVENTION = {"file/directory", "file location", "distinct types", "rename/rename"}


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
    `inherited` and `was` are as in a `Scenario`.
    """
    scratch = by_git.scratch_repository(main, place)
    tip = git(main, "rev-parse", "refs/heads/main")
    present = by_git.present_states(main, scratch, env)
    busy = [name for name, state in present.items() if _changed_paths(scratch, tip, state)]
    said = [
        f"{overlap['path']}: a worktree without work takes no part"
        for overlap in overlaps
        if not {*_parties(overlap)} <= {*busy, _TRUNK}
    ]
    for ours, theirs in combinations([*busy, _TRUNK], 2):
        state = present.get(theirs, tip)
        both = _changed_paths(scratch, tip, present[ours])
        both &= _changed_paths(scratch, tip, state) if theirs else _changed_paths(scratch, present[ours], tip)
        tried = by_git.merge(scratch, present[ours], state, env)
        pair = [overlap for overlap in overlaps if _parties(overlap) == [ours, theirs]]
        problems = [*_left_out(tried, both, pair, inherited, was or {})]
        fork = git(scratch, "merge-base", tip, tried.base)
        for overlap in pair:
            before = by_git.content(scratch, fork, (was or {}).get(overlap["path"], overlap["path"]))
            problems += _contradictions(scratch, tried, overlap, before)
        said += [f"{ours} and {theirs or 'trunk'}: {problem}" for problem in problems]
    return said


def _changed_paths(scratch: Path, trunk: str, state: str) -> set[str]:
    """What a commit has otherwise than where it forked from `trunk`; a rename is two paths."""
    fork = git(scratch, "merge-base", trunk, state)
    return {*git(scratch, "diff-tree", "-r", "-z", "--name-only", "--no-renames", fork, state).split("\0")} - {""}


def _left_out(
    tried: Merge, both: set[str], pair: list[Overlap], inherited: frozenset[str], was: Mapping[str, str]
) -> Iterator[str]:
    """What git knows of this pair and nobody expects."""
    stopping = {name for overlap in pair if overlap["verdict"] == "conflict" for name in _names(overlap)}
    for conflict in tried.conflicts:
        if not {*conflict.paths} & (stopping | inherited):
            yield f"git stops with {conflict.kind} at {conflict.paths}"
    named = {name for overlap in pair for name in (*_names(overlap), was.get(overlap["path"]))}
    for path in sorted(both - named):
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
    """Each side's lines as git shows them; None where it shows none. `before`: as it was where they left trunk."""
    commits = (tried.ours, tried.theirs)
    contents = [by_git.content(scratch, commit, name) for commit, name in zip(commits, names, strict=True)]
    if overlap["verdict"] == "clean":
        merged = by_git.content(scratch, tried.tree, overlap["path"])
        return [by_git.replaced_lines(scratch, text, merged) or _LINE_ONE for text in contents]
    if overlap["verdict"] == "identical":
        return [by_git.changed_lines(scratch, before, text) or _LINE_ONE for text in contents]
    blocks = by_git.blocks(scratch, tried, overlap["path"], *names)
    if blocks:
        return [[block.ours for block in blocks], [block.theirs for block in blocks]]
    if overlap["kind"] in ("modify/delete", "rename/delete"):
        return [_kept_side(scratch, tried, commit, names, index) for index, commit in enumerate(commits)]
    return None if overlap["kind"] in _SAID_BY_CONVENTION else [_LINE_ONE, _LINE_ONE]


def _kept_side(scratch: Path, tried: Merge, commit: str, names: tuple[str, str], index: int) -> list[Lines]:
    """The changed lines of the side that still has the file; the one that deleted it knows the old name."""
    if not by_git.entry(scratch, commit, names[index]):
        return _LINE_ONE
    before = by_git.content(scratch, tried.base, names[1 - index])
    return by_git.changed_lines(scratch, before, by_git.content(scratch, commit, names[index])) or _LINE_ONE


def _names(overlap: Overlap) -> set[str]:
    return {overlap["path"], *(side["path"] for side in overlap["sides"])}


def _parties(overlap: Overlap) -> list[str]:
    return [side["worktree"] or _TRUNK for side in overlap["sides"]]
