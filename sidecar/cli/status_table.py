"""How the whole picture looks to people: a line or two for each worktree, and below what needs more words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sidecar.cli.asking import problems
from sidecar.cli.overlap_table import total
from sidecar.cli.show import GAP, VERDICT_STYLES, console, joined, listing, show
from sidecar.cli.text import counted, titled
from sidecar.model.changes import COMMITTED, STAGED, UNSTAGED, UNTRACKED, count_by_source
from sidecar.model.inventory_findings import size_text
from sidecar.model.messages import escape, short, shown
from sidecar.model.picture import Picture, WorktreeState
from sidecar.model.watch_note import WatchNote, watch_sentence
from sidecar.system.processes import Process

InUse = Mapping[str, Sequence[Process]]
"""The processes in each worktree, by the worktree's key."""

_WIDE = 100
_STATES = {"integrated": "integrated", "not-integrated": "not integrated", "no-work": "no work"}


def print_status(picture: Picture, in_use: InUse, watching: Sequence[WatchNote] = ()) -> None:
    """Print the picture to standard output, and who watches the repository."""
    to = console()
    notes = [Text(watch_sentence(note), style="dim") for note in watching]
    show(to, [*status_blocks(picture, in_use, to.width), *notes])


def status_blocks(picture: Picture, in_use: InUse, width: int) -> list[RenderableType]:
    """Trunk, the worktrees, the sum of their overlaps, who is in them, and what else is to know.

    From a hundred columns on a worktree takes one line, below that as many as it needs.
    """
    narrow = width < _WIDE
    table = Table(box=None, pad_edge=False, padding=(0, 2 if narrow else GAP, 0, 0), header_style="dim")
    sized = not narrow and any(state.bytes for state in picture.worktrees)
    for heading in ("WORKTREE", "CHANGES", "TRUNK", "STATE", "OVERLAPS", *(["SIZE"] if sized else [])):
        table.add_column(heading, overflow="fold", no_wrap=heading != "WORKTREE")
    for state in picture.worktrees:
        cells = _cells(state, picture, narrow=narrow, changes_width=max(25, width - (84 if sized else 75)))
        table.add_row(*cells, *([Text(size_text(state.bytes.total) if state.bytes else "")] if sized else []))
    more = " See sidecar overlaps." if picture.overlaps else ""
    blocks: list[RenderableType] = [
        Text(_trunk(picture), style="dim"),
        table,
        Text(total(picture.overlaps) + more, style="dim"),
    ]
    users = [(state.worktree, inside) for state in picture.worktrees if (inside := in_use.get(state.worktree.key))]
    if users:
        blocks.append(listing("In use", [(titled(who.name, who.ref), _users(inside)) for who, inside in users]))
    if disk := _disk(picture):
        blocks.append(Text(disk, style="dim"))
    if remarks := _remarks(picture):
        blocks.append(listing("Notes", remarks))
    return blocks


def _trunk(picture: Picture) -> str:
    if picture.trunk is None:
        return "There is no trunk."
    at = short(picture.trunk.commit) if picture.trunk.commit else "no commits yet"
    return f"Trunk is {escape(picture.trunk.branch)} ({at})."


def _cells(state: WorktreeState, picture: Picture, *, narrow: bool, changes_width: int) -> tuple[Text, ...]:
    worktree = state.worktree
    name = Text(shown(worktree.name), style="bold")
    if worktree.ref != worktree.name and not worktree.bare:
        name.append(("\n" if narrow else " ") + f"({shown(short(worktree.ref))})", style="not bold dim")
    if not worktree.readable:
        return name, Text("bare" if worktree.bare else "missing" if worktree.missing else "not read", style="dim")
    away = [f"{sign}{number}" for sign, number in (("+", state.ahead), ("-", state.behind)) if number]
    verdicts = [overlap.verdict for overlap in picture.overlaps if overlap.seen_from(worktree.key)]
    meetings = Text(joined(counted(verdicts), 12 if narrow else 100))
    meetings.highlight_regex(r"\d+ conflicts?", VERDICT_STYLES["conflict"])
    return name, _changes(state, changes_width), Text(" ".join(away)), _state(state, picture), meetings


def _changes(state: WorktreeState, width: int) -> Text:
    if state.changes is None:
        return Text("not read", style="dim")
    counts = count_by_source(state.changes)
    words = [f"{counts[source]} {source}" for source in (COMMITTED, STAGED, UNSTAGED, UNTRACKED) if counts[source]]
    return Text(joined(words, width)) if words else Text("none", style="dim")


def _state(state: WorktreeState, picture: Picture) -> Text:
    if state.changes is None:
        return Text()
    if picture.trunk and state.worktree.branch == picture.trunk.branch and state.integration.state != "not-integrated":
        return Text("trunk", style="dim")
    return Text(_STATES[state.integration.state])


def _disk(picture: Picture) -> str:
    """What linked worktrees take on the disk, and what releasing the integrated ones would free."""
    linked = [(state, state.bytes) for state in picture.worktrees if state.bytes and not state.worktree.main]
    if not linked:
        return ""
    total = f"Linked worktrees take {size_text(sum(size.total for _, size in linked))}"
    done = [size for state, size in linked if state.integration.state == "integrated"]
    which = "the integrated one" if len(done) == 1 else f"the {len(done)} integrated ones"
    return f"{total}. Releasing {which} frees {size_text(sum(s.reclaimable for s in done))}." if done else f"{total}."


def _users(inside: Sequence[Process]) -> str:
    """`bash 4180, 2 node`: each name once, with its process id or how many there are."""
    by_name: dict[str, list[int]] = {}
    for process in inside:
        by_name.setdefault(process.name, []).append(process.pid)
    return ", ".join(
        f"{escape(name)} {pids[0]}" if len(pids) == 1 else f"{len(pids)} {escape(name)}"
        for name, pids in by_name.items()
    )


def _remarks(picture: Picture) -> list[tuple[str, str]]:
    wrong = [(shown(name or "repository"), escape(problem)) for name, problem in problems(picture)]
    return wrong + [
        (shown(state.worktree.name), f"Locked: {escape(state.worktree.locked)}" if state.worktree.locked else "Locked.")
        for state in picture.worktrees
        if state.worktree.locked is not None
    ]
