"""Say the sentences of every door: what meets whom, and what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from sidecar.model.changes import COMMITTED, SUBMODULE, SYMLINK, is_object_id
from sidecar.model.numbered import SAME_NUMBER
from sidecar.model.overlaps import Overlap, Region, Side, Verdict
from sidecar.model.picture import TRUNK_KEY, Broken, Picture, Undone, WorktreeState
from sidecar.model.regenerate import Remake
from sidecar.model.words import agents_named, counted, escape, named, shown

_MOST_RANGES = 6
_MOST_FILES = 8
"""How many ranges of lines, and how many files that conflict, are named."""

WAY_OUT = "Run `sidecar open NAME`, and from now on work only in the directory that it prints."
"""What a person can tell an agent that edits where another one does."""


def collision_sentence(clients: Sequence[str], worktree: str) -> str:
    """Say that several agents, each named by its client, edit the worktree of that name."""
    both = " both" if len(clients) == 2 and len(set(clients)) == 2 else ""
    return f"{agents_named(clients)}{both} edit {shown(worktree)}, and may write over each other."


def short(ref: str) -> str:
    """Give a branch as it is, an object id in ten digits."""
    return ref[:10] if is_object_id(ref) else ref.removeprefix("refs/heads/")


def called(side: Side) -> str:
    """Give what a side is called in a title: its worktree's name, trunk, or the commit as it was asked for."""
    if side.name is not None:
        return shown(side.name)
    return "trunk" if side.key == TRUNK_KEY else shown(short(side.key))


def party(side: Side) -> str:
    """Give what a side is called in a sentence: `feat-1 (branch feature/one)`, `feat-2 (detached at 1a2b3c4d5e)`."""
    if side.name is None and side.key != TRUNK_KEY:
        return called(side)
    return with_branch(called(side), side.ref)


def with_branch(name: str, ref: str) -> str:
    """Give a shown name with its branch, or the commit where it is detached; a branch of the same name is left out."""
    branch = shown(short(ref))
    if is_object_id(ref):
        return f"{name} (detached at {branch})"
    return name if branch == name else f"{name} (branch {branch})"


def lines(regions: Sequence[Region]) -> str:
    """Write `line 12`, `lines 3-5, 12`; of many the first few, and how many more."""
    spans = [str(one.start) if one.start == one.end else f"{one.start}-{one.end}" for one in dict.fromkeys(regions)]
    more = f" and {len(spans) - _MOST_RANGES} more" if len(spans) > _MOST_RANGES else ""
    word = "line" if len(spans) == 1 and "-" not in spans[0] else "lines"
    return f"{word} {', '.join(spans[:_MOST_RANGES])}{more}"


def titled(name: str, ref: str) -> str:
    """Give a worktree's name, with its branch where that says more."""
    return shown(name) if ref == name else f"{shown(name)} ({shown(short(ref))})"


def where(side: Side, overlap: Overlap) -> str:
    """Say what a side has at an overlap: its lines, or what it did where there are no lines to point at."""
    words = [_content_of(side, overlap)]
    if side.path != overlap.path:
        words.append(f"in {shown(side.path)}")
    if side.sources and side.sources != (COMMITTED,):
        words.append(f"({', '.join(side.sources)})")
    return " ".join(words)


def _content_of(side: Side, overlap: Overlap) -> str:
    if side.after is None:
        return "deleted"
    if side.after.mode in (SYMLINK, SUBMODULE):
        return "symbolic link" if side.after.mode == SYMLINK else "submodule"
    regions = side.changed if overlap.verdict == "clean" else side.regions
    if not regions or overlap.kind == "binary":
        return "added" if side.before is None else "changed"
    return ranges(regions)


def ranges(regions: Sequence[Region]) -> str:
    """Say `line 12`, `lines 3-5, 12`, `after line 7` (where lines were deleted)."""
    there = [region for region in regions if region.gap is None]
    gaps = [
        f"after line {region.gap}" if region.gap else "before line 1" for region in regions if region.gap is not None
    ]
    return ", ".join(([lines(there)] if there else []) + gaps[:3] + (["and more"] if len(gaps) > 3 else []))


def overlap_sentence(overlap: Overlap, mine: Side, other: Side, theirs: Sequence[Region]) -> str:
    """Say what happens where `mine` meets the lines `theirs` of `other`; none where there are no lines to name."""
    return " ".join((_sentence(overlap, mine, other, theirs), *overlap_notes(overlap)))


def overlap_notes(overlap: Overlap) -> list[str]:
    """Give the sentences that belong to an overlap beside what happens: what was left out, and what makes the file."""
    appended = "Both add lines at the end of the same list, so both may be meant." if overlap.appended else None
    return [note for note in (overlap.note, appended, made_anew(overlap)) if note]


def made_anew(overlap: Overlap) -> str | None:
    """Say how the file of an overlap is made anew; None where people write it, and where both have the same."""
    known = overlap.regeneration if overlap.verdict != "identical" else None
    if known is None:
        return None
    if known.command is None:
        return "It is made by a tool, and better made anew than merged."
    return f"It is better made anew than merged: {shown(known.command)}"


def remakes_clause(remakes: Sequence[Remake]) -> str:
    """Say which files are made anew by which commands, all of them: a person consents to that."""
    said = ((", ".join(map(escape, one.paths)), escape(one.command), escape(one.folder)) for one in remakes)
    return "; ".join(f"{paths} by “{command}”{f' in {folder}' if folder else ''}" for paths, command, folder in said)


def gathered_sentence(verdict: Verdict, others: Sequence[Side], kind: str = "") -> str:
    """Say what happens on lines where several others are met; what each of them did is told beside."""
    names = [called(other) for other in others]
    few = names if len(names) < 4 else [*names[:2], f"{len(names) - 2} more"]
    who = f"{', '.join(few[:-1])} and {few[-1]}"
    if kind == SAME_NUMBER:
        return f"Has the same number as new files of {who}; git merges each without a word."
    if verdict == "identical":
        return f"Identical to {who}."
    return f"Conflicts with {who}." if verdict == "conflict" else f"Meets {who}; git merges each cleanly."


def deed_sentence(overlap: Overlap, mine: Side, other: Side, theirs: Sequence[Region]) -> str:
    """Say what one of several others did to the lines `theirs`; none where there are no lines to name."""
    return f"{party(other)} {_deed(overlap, mine, other, theirs)}."


def _sentence(overlap: Overlap, mine: Side, other: Side, theirs: Sequence[Region]) -> str:
    if overlap.kind == SAME_NUMBER:
        return (
            f"Has the same number as {shown(other.path)}, which {party(other)} added; git merges both without a word."
        )
    deed = _deed(overlap, mine, other, theirs)
    if overlap.verdict == "identical":
        return f"Identical to {party(other)}, which {deed} in the same way."
    if overlap.verdict == "clean":
        return f"Meets {party(other)}, which {deed}; git merges the two cleanly."
    here = ", while it is deleted here" if mine.after is None and other.after is not None else ""
    return f"Conflicts with {party(other)}, which {deed}{here}."


def _deed(overlap: Overlap, mine: Side, other: Side, theirs: Sequence[Region]) -> str:
    """Say what the other side did, as a clause without its subject."""
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
    if overlap.kind == SAME_NUMBER:
        return f"added {shown(other.path)} with the same number"
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


def no_overlaps(*, is_all: bool) -> str:
    """Say that there are none, or (not `is_all`) that there may be some all the same."""
    return "No overlaps." if is_all else "No overlaps are known."


def undone_clause(undone: Undone, branch: str) -> str:
    """Say what a worktree takes back, as a clause without its subject; `branch` is trunk's name as it is shown."""
    commit = f"{shown(undone.commit[:10])} ({shown(undone.subject)})"
    more = f", and {counted(len(undone.since), 'commit', 'commits')} since" if undone.since else ""
    return f"takes back what {shown(undone.author)} did to {branch} in {commit}{more}"


def broken_sentence(broken: Broken) -> str:
    """Say what the checking command says of a line in a merge, and of neither side alone."""
    other = shown(broken.other)
    what = f"Merged with {other}, this" if broken.own else f"What comes in below here with {other}"
    return f"{what} fails sidecar.check, and neither does alone: {shown(broken.message)}"


def intended_sentence(worktree: str, paths: Sequence[str], *, undo: bool) -> str:
    """Say that what a worktree takes back in these files is, or is no longer, taken for intended."""
    now = "is told again" if undo else "is intended, and no longer told"
    return f"What {shown(worktree)} takes back of trunk in {named(paths)} {now}."


def trunk_edit_sentence(branch: str, linked: int) -> str:
    """Say what an edit on trunk itself means, where `linked` linked worktrees exist."""
    others = "another worktree exists" if linked == 1 else f"{linked} other worktrees exist"
    return f"Edited directly on {with_branch('trunk', branch)}, while {others} to work in."


def lens_title(verdicts: Sequence[tuple[str, str]]) -> str:
    """Say one line about a file, by (what the other side is called, the verdict) of each; conflicts are marked."""
    ranked = sorted(verdicts, key=lambda pair: pair[1] != "conflict")
    if len(ranked) == 1:
        return f"{ranked[0][0]} changed this file too{' (conflict)' if ranked[0][1] == 'conflict' else ''}"
    named = [f"{name} (conflict)" if verdict == "conflict" else name for name, verdict in ranked]
    kept = named[:_MOST_RANGES]
    more = f" and {len(named) - len(kept)} more" if len(named) > len(kept) else ""
    what = "worktrees" if all(name != "trunk" for name, _ in ranked) else "others"
    return f"{len(named)} {what} changed this file: {', '.join(kept)}{more}"


def agent_sentence(picture: Picture, state: WorktreeState) -> str:
    """Say what a person can tell an agent that works in a worktree: where, and what to fit in with.

    Facts, no orders; one paragraph to be pasted.
    """
    worktree = state.worktree
    on = f", on the branch {shown(worktree.branch)}" if worktree.branch is not None else ""
    said = [f"Your worktree is {escape(worktree.key)}{on}. Work only there."]
    met: dict[str, list[str]] = {}
    for overlap in picture.overlaps:
        for mine, other in (overlap.sides, overlap.sides[::-1]):
            if overlap.verdict == "conflict" and mine.key == worktree.key:
                at = f" in {lines(mine.regions)}" if mine.regions else ""
                met.setdefault(mine.path, []).append(f"with {called(other)}{at}")
    if met:
        files = [f"{shown(path)} ({', '.join(others)})" for path, others in sorted(met.items())]
        left = len(files) - _MOST_FILES
        more = f"; and {counted(left, 'more file', 'more files')}" if left > 0 else ""
        said.append(f"These files conflict with what others have changed: {'; '.join(files[:_MOST_FILES])}{more}.")
    said.append("`sidecar check PATH` says who else has changed a file, and `sidecar overlaps` shows all.")
    return " ".join(said)


UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
SHORT = {"s": "second", "sec": "second", "m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week"}
AGO = re.compile(r"(\d{1,6}|an?|one)[ ]?([a-z]+?)s?(?: ago)?")
CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?")


def parse_moment(text: str, now: datetime) -> datetime | None:
    """Parse a moment: ISO 8601, `14:05` (the last time it was so late), `10 minutes ago`, `yesterday`; else None.

    `now` has a time zone, in which a text without one is read.
    """
    said = " ".join(text.strip().lower().split())
    if said in ("now", "yesterday"):
        return now if said == "now" else now - timedelta(days=1)
    if (clock := CLOCK.fullmatch(said)) is not None:
        hour, minute, second = (int(part or 0) for part in clock.groups())
        if hour > 23 or minute > 59 or second > 59:
            return None
        whole = 0 if clock[3] else 59  # `14:05` is until its end
        moment = now.replace(hour=hour, minute=minute, second=second or whole, microsecond=999_999)
        return moment if moment - timedelta(minutes=1) <= now else moment - timedelta(days=1)
    if (ago := AGO.fullmatch(said)) is not None:
        number, word = ago.groups()
        seconds = UNITS.get(SHORT.get(word, word))
        if seconds is not None:
            try:
                return now - timedelta(seconds=(int(number) if number.isdigit() else 1) * seconds)
            except (OverflowError, ValueError):
                return None  # before there were any
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=now.tzinfo)
