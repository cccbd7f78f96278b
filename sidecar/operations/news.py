"""Say what an agent is told: facts in plain sentences, the shortest first, bounded; no orders.

Pure functions of what is known; they look at nothing and remember nothing. An agent's hook waits for what this imports;
what needs a Picture is in `picture_news.py`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import NamedTuple

from sidecar.model.words import agents_named, ago, escape, shown
from sidecar.operations.presence import Agent

MOST = 1500
"""Characters of one answer."""

WAYS = (
    "A conflict stops the later merge, not this work. Possible are: to fit the edit to the other version, to leave it "
    "to the merge, or to ask the person."
)
ONCE = "This edit was not made. It is refused once: the same edit goes through the next time."


class News(NamedTuple):
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


def stray_news(path: str, top: str, own: str) -> News:
    """Say that an edit went into another worktree of the repository than the one that its writer stands in."""
    there, here = os.path.basename(top), os.path.basename(own)
    text = (
        f"{shown(os.path.relpath(path, top))} was written in worktree {shown(there)} ({escape(top)}), while this "
        f"session stands in worktree {shown(here)} ({escape(own)}). Relative paths stay in the latter."
    )
    return News(digest("stray", top, own), text)


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
    return [News(digest("company", there[0].session, worktree), text)]


def digest(*parts: str) -> str:
    """Give the mark of a piece of news that these parts tell from others."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
