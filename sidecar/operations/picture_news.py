"""Say what a Picture has for an agent: where its worktree meets others, which are open, and which edits would conflict.

Pure functions, as in `news.py`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from sidecar.model.broken_uses import broken_use_sentence
from sidecar.model.messages import lines, overlap_sentence, party
from sidecar.model.overlaps import Overlap, Side
from sidecar.model.picture import TRUNK_KEY, Picture, Worktree, WorktreeState
from sidecar.model.words import escape, named, shown
from sidecar.operations.news import News, digest
from sidecar.operations.presence import Agent

MOST_FILES = 3
"""Files that are named of one worktree."""
QUOTED = 600
"""Characters of another version that a refusal quotes."""


def overlap_news(picture: Picture, key: str, *, only_conflicts: bool = False) -> list[News]:
    """Give every overlap of the worktree of that key, as its writer sees it."""
    found = []
    for overlap in picture.overlaps:
        sides = overlap.seen_from(key)
        if sides is not None and (overlap.verdict == "conflict" or not only_conflicts):
            found.append(News(_mark(overlap, sides[1]), _meeting(overlap, *sides), overlap.verdict == "conflict"))
    return found


def broken_use_news(picture: Picture, key: str) -> list[News]:
    """Give what the worktree of that key takes away and others newly use, and the other way round."""
    found = []
    for one in picture.broken_uses:
        if (ends := one.ends(key)) is not None:  # the mark is the same for the same definition and file that uses it
            where = one.removed.key, one.removed.path, one.used.key, one.used.path
            mark = digest("broken", one.did, one.symbol, *where)
            found.append(News(mark, f"{shown(ends[0].path)}: {broken_use_sentence(one, key)}"))
    return found


def denial(picture: Picture, key: str, texts: Mapping[str, str]) -> list[News]:
    """Give the conflicts that an edit would make, with the other's version of the lines; `texts` by absolute path."""
    found = []
    for overlap in picture.overlaps:
        sides = overlap.seen_from(key)
        if overlap.verdict != "conflict" or sides is None:
            continue
        mine, other = sides
        quoted = _quoted(other, texts.get(os.path.join(other.key, other.path), "")) if other.key != TRUNK_KEY else ""
        found.append(News(f"deny {_mark(overlap, other)}", f"{_meeting(overlap, mine, other)}{quoted}", True))
    return found


def files_to_quote(picture: Picture, key: str) -> list[str]:
    """List the absolute paths of the other versions that a refusal quotes."""
    sides = [overlap.seen_from(key) for overlap in picture.overlaps if overlap.verdict == "conflict"]
    return [os.path.join(two[1].key, two[1].path) for two in sides if two is not None and two[1].key != TRUNK_KEY]


def overview_news(picture: Picture, worktree: Worktree, others: Sequence[Agent]) -> list[News]:
    """Say which other worktrees are open, which files they have changed and who is there; and this one's conflicts."""
    linked = sum(1 for state in picture.worktrees if not state.worktree.main)
    found = []
    if picture.trunk is not None and worktree.branch == picture.trunk.branch and linked:
        said = f"This directory is the checkout of trunk ({shown(worktree.branch)}). A task has a worktree of its own "
        found.append(News("trunk", f"{said}by `sidecar open NAME`."))
    found += [_open_worktree(state, others) for state in picture.worktrees if state.worktree.key != worktree.key]
    return [*found, *overlap_news(picture, worktree.key, only_conflicts=True)]


def _open_worktree(state: WorktreeState, others: Sequence[Agent]) -> News:
    worktree = state.worktree
    files = sorted(state.changes.changes) if state.changes is not None else []
    what = f"changed {named(files, MOST_FILES)}" if files else "nothing changed"
    if state.changes is None and not worktree.bare:
        what = "what it changed is not known"
    there = [agent.client for agent in others if agent.is_writer and agent.worktree == worktree.key]
    who = f"; {', '.join(dict.fromkeys(there))} is at work there" if there else ""
    on = f" (branch {shown(worktree.branch)})" if worktree.branch not in (None, worktree.name) else ""
    return News(digest("open", worktree.key), f"{shown(worktree.name)}{on}: {what}{who}")


def _meeting(overlap: Overlap, mine: Side, other: Side) -> str:
    theirs = other.changed if overlap.verdict == "clean" else other.regions
    spans = [region for region in theirs if not region.whole]
    at = [region for region in mine.regions if not region.whole]
    place = f"{shown(mine.path)}, {lines(at)}" if at else shown(mine.path)
    sentence = overlap_sentence(overlap, mine, other, spans)
    if overlap.verdict != "conflict":
        return f"{place}: {sentence}"
    if other.key == TRUNK_KEY:
        return f"{place}: {sentence} `sidecar update {shown(mine.name or '')}` merges trunk into this worktree."
    seen = f" Its file: {escape(os.path.join(other.key, other.path))}" if other.after is not None else ""
    return f"{place}: {sentence}{seen}"


def _quoted(other: Side, text: str) -> str:
    """Give the other's version of the lines that conflict, quoted; nothing where there are none to quote."""
    rows, quoted = text.splitlines(), []
    for region in other.regions:
        if not region.whole and region.gap is None:
            quoted += rows[region.start - 1 : region.end]
    said = "\n".join(map(escape, quoted))[:QUOTED]
    return f"\n  {party(other)} has there:\n{said}" if said else ""


def _mark(overlap: Overlap, other: Side) -> str:
    """Give a mark, the same for as long as the two meet there in the same way and in as many places."""
    return digest("overlap", overlap.path, other.key, overlap.verdict, overlap.kind, str(len(other.regions)))
