"""The sentences that every door says, and how names are written in them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from sidecar.model.changes import SUBMODULE, SYMLINK
from sidecar.model.object_ids import is_object_id
from sidecar.model.overlaps import Overlap, Region, Side
from sidecar.model.picture import TRUNK_KEY

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_LONGEST_NAME = 100
_MOST_RANGES = 6


def escape(text: str) -> str:
    """The text with all that a screen would obey or hide (controls, bidirectional marks, odd bytes) spelled out."""
    return "".join(_spell(char) if unicodedata.category(char) in _UNSEEN else char for char in text)


def escape_lines(text: str) -> str:
    """The text escaped, but for the ends of its lines: for what has several, like the last words of a command."""
    return "\n".join(map(escape, text.split("\n")))


def _spell(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as os.fsdecode gives it
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shown(name: str) -> str:
    """A name from a repository, escaped and no longer than a line can bear."""
    escaped = escape(name)
    return escaped if len(escaped) <= _LONGEST_NAME else escaped[: _LONGEST_NAME - 1] + "…"


def named(names: Sequence[str], most: int = 3, between: str = ", ") -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(map(shown, names[:most])) + more


def counted(count: int, one: str, many: str) -> str:
    """A number with its noun, and with what has to agree with it."""
    return f"1 {one}" if count == 1 else f"{count} {many}"


def them(count: int) -> str:
    """What was counted, when it is spoken of again."""
    return "it" if count == 1 else "them"


def some(operation: str) -> str:
    """An operation of git with its article: `a rebase`, `an am`."""
    return f"{'an' if operation == 'am' else 'a'} {operation}"


def short(ref: str) -> str:
    """A branch as it is, an object id in ten digits."""
    return ref[:10] if is_object_id(ref) else ref.removeprefix("refs/heads/")


def called(side: Side) -> str:
    """What a side is called in a title: its worktree's name, trunk, or the commit as it was asked for."""
    if side.name is not None:
        return shown(side.name)
    return "trunk" if side.key == TRUNK_KEY else shown(short(side.key))


def party(side: Side) -> str:
    """What a side is called in a sentence: `feat-1 (branch feature/one)`, `feat-2 (detached at 1a2b3c4d5e)`."""
    if side.name is None and side.key != TRUNK_KEY:
        return called(side)
    state = "detached at" if is_object_id(side.ref) else "branch"
    return f"{called(side)} ({state} {shown(short(side.ref))})"


def lines(regions: Sequence[Region]) -> str:
    """`line 12`, `lines 3-5, 12`; many are cut short, and how many is said."""
    spans = [str(one.start) if one.start == one.end else f"{one.start}-{one.end}" for one in dict.fromkeys(regions)]
    more = f" and {len(spans) - _MOST_RANGES} more" if len(spans) > _MOST_RANGES else ""
    word = "line" if len(spans) == 1 and "-" not in spans[0] else "lines"
    return f"{word} {', '.join(spans[:_MOST_RANGES])}{more}"


def overlap_sentence(overlap: Overlap, mine: Side, other: Side, theirs: Sequence[Region]) -> str:
    """What happens where `mine` meets the lines `theirs` of `other`; none where there are no lines to name."""
    words = _sentence(overlap, mine, other, theirs)
    return f"{words} {overlap.note}" if overlap.note else words


def _sentence(overlap: Overlap, mine: Side, other: Side, theirs: Sequence[Region]) -> str:
    deed = _deed(overlap, mine, other, theirs)
    if overlap.verdict == "identical":
        return f"Identical to {party(other)}, which {deed} in the same way."
    if overlap.verdict == "clean":
        return f"Meets {party(other)}, which {deed}; git merges the two cleanly."
    here = ", while it is deleted here" if mine.after is None and other.after is not None else ""
    return f"Conflicts with {party(other)}, which {deed}{here}."


def _deed(overlap: Overlap, mine: Side, other: Side, theirs: Sequence[Region]) -> str:
    """What the other side did, as a clause without its subject."""
    if other.after is None:
        known = other.before is not None
        return "deleted this file" if known else f"changed something that does not go with it ({shown(overlap.kind)})"
    if overlap.kind == "file/directory":
        if other.path.startswith(f"{mine.path}/"):
            return "made a directory of this name"
        return f"made a file of the name {shown(other.path)}, which is a directory here"
    if other.after.mode in (SYMLINK, SUBMODULE):
        thing = "symbolic link" if other.after.mode == SYMLINK else "submodule"
        if mine.after is not None and mine.after.mode != other.after.mode:
            return f"made this a {thing}"
        return f"points this {thing} elsewhere" if overlap.verdict != "identical" else f"changed this {thing}"
    place = _place(mine, other)
    named = f" of {place}" if place else ""
    verb = "added" if other.before is None else "changed"
    if not theirs:
        if other.before is not None and other.before.oid == other.after.oid:
            return f"renamed this file to {place}" if place else "changed the mode of this file"
        return f"renamed this file to {place} and changed it" if place and verb == "changed" else f"{verb} this file"
    gap = theirs[0].gap if len(theirs) == 1 else None
    if gap is not None:
        return f"deleted lines {f'after line {gap}' if gap else 'before line 1'}{named}"
    return f"{verb} {lines(theirs)}{named}"


def _place(mine: Side, other: Side) -> str:
    return shown(other.path) if other.path != mine.path else ""


def trunk_edit_sentence(branch: str, linked: int) -> str:
    """What an edit on trunk itself means, where `linked` linked worktrees exist."""
    others = "another worktree exists" if linked == 1 else f"{linked} other worktrees exist"
    return f"Edited directly on trunk (branch {shown(branch)}), while {others} to work in."


def lens_title(verdicts: Sequence[tuple[str, str]]) -> str:
    """One line about a file, from (what the other side is called, the verdict) of each; conflicts are marked."""
    ranked = sorted(verdicts, key=lambda pair: pair[1] != "conflict")
    if len(ranked) == 1:
        return f"{ranked[0][0]} changed this file too{' (conflict)' if ranked[0][1] == 'conflict' else ''}"
    named = [f"{name} (conflict)" if verdict == "conflict" else name for name, verdict in ranked]
    kept = named[:_MOST_RANGES]
    more = f" and {len(named) - len(kept)} more" if len(named) > len(kept) else ""
    what = "worktrees" if all(name != "trunk" for name, _ in ranked) else "others"
    return f"{len(named)} {what} changed this file: {', '.join(kept)}{more}"
