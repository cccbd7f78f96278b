"""Tell where both sides add lines at the end of the same list: whatever git makes of it, both may be meant."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sidecar.model.hunks import Hunk
from sidecar.model.merging import Meeting
from sidecar.session.lines import Lines, text_hunks
from sidecar.session.reader import Sources

CLOSING = (b")", b"]", b"}", b"</")
"""How a line begins that ends a list."""

LOGS = re.compile(r"(?:^|/)(?:change|history|news|release|contributors|authors|\.git)[^/]*$", re.IGNORECASE)
"""Files in which everybody adds lines at one end, as a matter of course."""


def both_append(sources: Sources, meeting: Meeting, lines: Lines) -> bool:
    """Tell whether both sides only add lines where they meet, each time at the end of a list or of the file.

    Where git stops, that has to be all that it stops at. Where it merges (`merge=union`), logs are left out. GitError.
    """
    ours, theirs = meeting.ours, meeting.theirs
    if meeting.kind != "content" or ours is None or theirs is None or ours.before is None or not ours.before.is_file:
        return False
    if ours.before != theirs.before or ours.after is None or theirs.after is None or ours.after == theirs.after:
        return False
    mine, other = (text_hunks(sources, change) for change in (ours, theirs))
    if not mine or not other:
        return False
    inserted = [{hunk.base: hunk for hunk in hunks if not hunk.base_count} for hunks in (mine, other)]
    together = inserted[0].keys() & inserted[1].keys()
    if not together:
        return False
    texts = [sources.trees.lines(entry.oid) for entry in (ours.before, ours.after, theirs.after)]
    ends = [
        at
        for at in together
        if _is_end(texts[0], at) and _lines(texts[1], inserted[0][at]) != _lines(texts[2], inserted[1][at])
    ]
    if meeting.conflict:
        return bool(ends) and len(ends) == len(lines.regions)
    return bool(ends) and LOGS.search(meeting.path) is None


def _is_end(base: Sequence[bytes], at: int) -> bool:
    """Tell whether what is added after so many lines is at the end of the file, or right before a list is closed."""
    return at == len(base) or (at < len(base) and base[at].lstrip().startswith(CLOSING))


def _lines(text: Sequence[bytes], hunk: Hunk) -> Sequence[bytes]:
    return text[hunk.start : hunk.end]
