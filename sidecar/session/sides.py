"""Make the overlap of a meeting: its two sides with the lines of each, and what is to be said beside them."""

from __future__ import annotations

from sidecar.model.changes import COMMITTED, Change
from sidecar.model.merging import Meeting, Merge
from sidecar.model.overlaps import Overlap, Side
from sidecar.model.picture import TRUNK_KEY
from sidecar.session.appends import both_append
from sidecar.session.lines import LINES_NOTE, Lines, moved_along, on_screen
from sidecar.session.participants import Participant, Present
from sidecar.session.reader import Sources
from sidecar.session.regenerate import regeneration_at


def overlap_of(
    sources: Sources,
    ours: Participant,
    theirs: Participant,
    meeting: Meeting,
    merge: Merge | None,
    lines: tuple[Lines, Lines],
) -> Overlap:
    """Make the overlap of a meeting at these lines."""
    verdict = "conflict" if meeting.conflict else "clean"
    if not meeting.conflict and meeting.ours and meeting.theirs:
        same = (meeting.ours.path, meeting.ours.after) == (meeting.theirs.path, meeting.theirs.after)
        verdict = "identical" if same else "clean"
    sides = (
        _side(sources, ours, meeting.path, meeting.ours, lines[0]),
        _side(sources, theirs, meeting.path, meeting.theirs, lines[1]),
    )
    if ours.key == TRUNK_KEY:
        sides = sides[::-1]  # git merges into trunk, people are told of their worktree first
    notes = [_note(sources, ours, theirs, meeting, merge)]
    changes = ((ours, meeting.ours), (theirs, meeting.theirs))
    if any(region.whole for side in sides for region in (*side.regions, *side.changed)) and any(
        change is not None and _is_filtered(sources, participant, change) for participant, change in changes
    ):
        notes.append(LINES_NOTE)
    note = " ".join(filter(None, notes)) or None
    made = regeneration_at(sources, meeting.path, ours.files)
    appended = made is None and both_append(sources, meeting, lines[0])
    kind, paired = meeting.kind, lines[0].paired
    return Overlap(meeting.path, verdict, kind, sides, note, paired, made, appended)  # type: ignore[arg-type]


def _note(
    sources: Sources, ours: Participant, theirs: Participant, meeting: Meeting, merge: Merge | None
) -> str | None:
    """Say what was left out that would have taken part in the merge, or in reading what is not committed."""
    programs = sources.judge.programs
    if merge is not None and (said := sources.judge.note_on(meeting.path, ours.files, merge)) is not None:
        return said
    for participant, change in ((ours, meeting.ours), (theirs, meeting.theirs)):
        own = next(filter(None, map(participant.own.named, change.names)), None) if change is not None else None
        read = own is not None and own.after is not None and own.sources != (COMMITTED,)
        if own is not None and read and (said := programs.note_on_file(own.path, participant.files)) is not None:
            return said
    return None


def _side(sources: Sources, participant: Participant, path: str, change: Change | None, lines: Lines) -> Side:
    if change is None:
        return Side(
            participant.key,
            participant.name,
            participant.ref,
            path,
            lines.regions,
            lines.changed,
            (COMMITTED,),
            None,
            None,
        )
    own = next((participant.own.named(name) for name in change.names if name in participant.own.touched), None)
    if participant.present is not None:
        own, change, lines = _as_present(sources, participant.present, own, change, lines)
    if _is_filtered(sources, participant, change) and change.after is not None:
        present = own.sources if own is not None else (COMMITTED,)
        lines = on_screen(sources, participant.key, change.path, change.after, present, lines)
    return Side(
        key=participant.key,
        name=participant.name,
        ref=participant.ref,
        path=change.path,
        regions=lines.regions,
        changed=lines.changed,
        sources=own.sources if own is not None else (COMMITTED,),
        before=change.before,
        after=change.after,
    )


def _is_filtered(sources: Sources, participant: Participant, change: Change) -> bool:
    """Tell whether the lines of a participant's file need not be those that git compares."""
    is_file = change.after is not None and change.after.is_file
    return is_file and sources.judge.programs.stands_between(change.path, participant.files)


def _as_present(
    sources: Sources, present: Present, own: Change | None, change: Change, lines: Lines
) -> tuple[Change | None, Change, Lines]:
    """Give a change as it would land, and its lines, as they are in the participant's files."""
    name = present.origins.get(change.path, change.path)
    own = present.own.named(name) or own
    now = sources.trees.entry(present.own.tree, name)
    if own is None or (name, now) == (change.path, change.after) or (now is None and change.after is not None):
        return own, change, lines
    return own, Change(name, own.before, now, own.sources), moved_along(sources, change.after, now, lines)
