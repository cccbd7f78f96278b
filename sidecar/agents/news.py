"""Say what an agent is told: facts in plain sentences, the shortest first, bounded; no orders.

Pure functions of what is known; they look at nothing and remember nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sidecar.model.messages import lines, overlap_sentence, party
from sidecar.model.overlaps import Overlap, Side
from sidecar.model.picture import TRUNK_KEY, Picture, Worktree, WorktreeState
from sidecar.model.words import agents_named, ago, escape, named, shown
from sidecar.operations.presence import Agent

MOST = 1500
"""Characters of one answer."""
MOST_FILES = 3
"""Files that are named of one worktree."""
QUOTED = 600
"""Characters of another version that a refusal quotes."""

WAYS = (
    "A conflict stops the later merge, not this work. Possible are: to fit the edit to the other version, to leave it "
    "to the merge, or to ask the person."
)
ONCE = "This edit was not made. It is refused once: the same edit goes through the next time."


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell; the mark is the same as long as there is nothing new about it."""

    mark: str
    text: str
    conflict: bool = False


def joined(heading: str, news: Sequence[News], *, denied: bool = False) -> str:
    """Make one text of at most `MOST` characters: the heading, the news from the shortest on, and what one can do.

    News that have no room are counted. `denied` says that it refuses an edit.
    """
    ending = WAYS if any(one.conflict for one in news) else ""
    ending = f"{ONCE} {ending}" if denied else ending
    rest = sorted(dict.fromkeys(one.text for one in news), key=len)
    more = "- {} more: `sidecar overlaps` lists them."
    room = MOST - len(heading) - len(ending) - len(more) - 8
    told: list[str] = []
    while rest and len(rest[0]) + 3 <= room:
        room -= len(rest[0]) + 3
        told.append(f"- {rest.pop(0)}")
    left = [more.format(len(rest))] if rest else []
    return "\n".join(filter(None, (heading, *told, *left, ending)))[:MOST]


def overlap_news(picture: Picture, key: str, *, only_conflicts: bool = False) -> list[News]:
    """Give every overlap of the worktree of that key, as its writer sees it."""
    found = []
    for overlap in picture.overlaps:
        sides = overlap.seen_from(key)
        if sides is not None and (overlap.verdict == "conflict" or not only_conflicts):
            found.append(News(_mark(overlap, sides[1]), _meeting(overlap, *sides), overlap.verdict == "conflict"))
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


def stray_news(path: str, top: str, own: str) -> News:
    """Say that an edit went into another worktree of the repository than the one that its writer stands in."""
    there, here = os.path.basename(top), os.path.basename(own)
    text = (
        f"{shown(os.path.relpath(path, top))} was written in worktree {shown(there)} ({escape(top)}), while this "
        f"session stands in worktree {shown(here)} ({escape(own)}). Relative paths stay in the latter."
    )
    return News(_digest("stray", top, own), text)


def company(worktree: str, others: Sequence[Agent], now: float) -> list[News]:
    """Name the writers of other sessions whose last edit was in this very worktree, as one piece of news.

    It stays the same as long as the first of them is there.
    """
    sessions = {one.session: one for one in reversed(others) if one.is_writer and one.worktree == worktree}
    there = sorted(sessions.values(), key=lambda one: one.since)
    if not there:
        return []
    who, several = agents_named([one.client for one in there]), len(there) > 1
    last = ago(now - max(one.edited for one in there))
    text = (
        f"{who} {'are' if several else 'is'} at work in this directory: {'the' if several else 'its'} "
        f"last edit was {last}. "
        "`sidecar open NAME` makes a worktree with a branch NAME for another task, and prints its path to work in."
    )
    return [News(_digest("company", there[0].session, worktree), text)]


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
    return News(_digest("open", worktree.key), f"{shown(worktree.name)}{on}: {what}{who}")


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
    return _digest("overlap", overlap.path, other.key, overlap.verdict, overlap.kind, str(len(other.regions)))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
