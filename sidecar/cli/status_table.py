"""Print the status on a terminal or into a pipe, by rich: every worktree, who is in it, and what else is to know.

Import it only to print: rich takes longer than many an answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from sidecar.cli.render import (
    GAP,
    VERDICT_STYLES,
    agent_text,
    console,
    joined,
    listing,
    show,
    table,
    total,
    verdict_counts,
)
from sidecar.model.broken_uses import broken_use_sentence
from sidecar.model.changes import COMMITTED, STAGED, UNSTAGED, UNTRACKED, count_by_source
from sidecar.model.inventory_findings import size_text
from sidecar.model.messages import WAY_OUT, collision_sentence, short, titled
from sidecar.model.picture import Picture, WorktreeState, has_trunk, problems
from sidecar.model.sweepers import find_sweeper, sweep_sentence
from sidecar.model.words import escape, shown
from sidecar.operations.presence import Agent, colliding
from sidecar.operations.who_is_there import InUse
from sidecar.system.processes import Process

_WIDE = 100
_STATES = {"integrated": "integrated", "not-integrated": "not integrated", "no-work": "no work"}


def print_status(picture: Picture, in_use: InUse) -> None:
    """Print the picture to standard output."""
    to = console()
    show(to, status_blocks(picture, in_use, to.width))


def status_blocks(picture: Picture, in_use: InUse, width: int) -> list[RenderableType]:
    """Give trunk, the worktrees, the sum of their overlaps, who is in them, and what else is to know.

    From a hundred columns on a worktree takes one line, below that as many as it needs.
    """
    narrow = width < _WIDE
    sized = not narrow and any(state.bytes for state in picture.worktrees)
    headings = ("WORKTREE", "CHANGES", "TRUNK", "STATE", "OVERLAPS", *(["SIZE"] if sized else []))
    rows = table(headings, 2 if narrow else GAP)
    for column in rows.columns[1:]:
        column.no_wrap = True
    for state in picture.worktrees:
        cells = _cells(state, picture, narrow=narrow, changes_width=max(25, width - (84 if sized else 75)))
        rows.add_row(*cells, *([Text(size_text(state.bytes.total) if state.bytes else "")] if sized else []))
    more = " See sidecar overlaps." if picture.overlaps else ""
    blocks: list[RenderableType] = [
        Text(_trunk(picture), style="dim"),
        rows,
        Text(total(picture.overlaps, is_all=not picture.unknown) + more, style="dim"),
    ]
    users = [(state.worktree, inside) for state in picture.worktrees if (inside := in_use.get(state.worktree.key))]
    if users:
        blocks.append(listing("In use", [(titled(who.name, who.ref), _users(inside)) for who, inside in users]))
    if narrow and any(state.bytes for state in picture.worktrees):
        blocks.append(Text(f"The column SIZE is left out: it takes {_WIDE} columns, here are {width}.", style="dim"))
    if disk := _disk(picture):
        blocks.append(Text(disk, style="dim"))
    for worktree, inside in users:
        agents = [one for one in inside if isinstance(one, Agent)]
        if several := colliding(agents):
            said = collision_sentence([one.client for one in several], worktree.name)
            blocks.append(Text(f"{said} Tell one of them: {WAY_OUT}", style="bold red"))
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
    if worktree.bare:
        return name, Text("bare", style="dim")
    away = [f"{sign}{number}" for sign, number in (("+", state.ahead), ("-", state.behind)) if number]
    verdicts = [overlap.verdict for overlap in picture.overlaps if overlap.seen_from(worktree.key)]
    meetings = Text(joined(verdict_counts(verdicts), 12 if narrow else 100))
    meetings.highlight_regex(r"\d+ conflicts?", VERDICT_STYLES["conflict"])
    return name, _changes(state, changes_width), Text(" ".join(away)), _state(state, picture), meetings


def _changes(state: WorktreeState, width: int) -> Text:
    counts = count_by_source(state.changes) if state.changes is not None else {}
    words = [f"{counts[source]} {source}" for source in (COMMITTED, STAGED, UNSTAGED, UNTRACKED) if counts.get(source)]
    if state.unread is not None:
        words.append("missing" if state.worktree.missing else "not read")
    return Text(joined(words, width)) if words else Text("none", style="dim")


def _state(state: WorktreeState, picture: Picture) -> Text:
    if state.changes is None or (state.unread is not None and not state.ahead):
        return Text()
    if picture.trunk and state.worktree.branch == picture.trunk.branch and state.integration.state != "not-integrated":
        return Text("trunk", style="dim")
    return Text(_STATES[state.integration.state])


def _disk(picture: Picture) -> str:
    """Say what linked worktrees take on the disk, and what releasing the integrated ones would free."""
    linked = [(state, state.bytes) for state in picture.worktrees if state.bytes and not state.worktree.main]
    if not linked:
        return ""
    total = f"Linked worktrees take {size_text(sum(size.total for _, size in linked))}"
    done = [
        size
        for state, size in linked
        if state.integration.state == "integrated" and not has_trunk(picture, state.worktree)
    ]
    which = "the integrated one" if len(done) == 1 else f"the {len(done)} integrated ones"
    return f"{total}. Releasing {which} frees {size_text(sum(s.reclaimable for s in done))}." if done else f"{total}."


def _users(inside: Sequence[Agent | Process]) -> str:
    """Give `Claude Code (last edit 14:05), VS Code (terminal), bash 4180, 2 node`: each name once, its id or how many.

    The process of an agent that was found by it is named with the agent.
    """
    agents = [agent_text(one.client, one.edited, one.pid) for one in inside if isinstance(one, Agent)]
    known = {one.pid for one in inside if isinstance(one, Agent)}
    by_name: dict[str, list[int]] = {}
    by_editor: dict[str, dict[str, None]] = {}
    for process in inside:
        if isinstance(process, Agent) or process.pid in known:
            continue
        if process.editor:
            kind = "terminal" if process.kind == "terminal" else "language servers"
            by_editor.setdefault(process.editor, {})[kind] = None
        else:
            by_name.setdefault(process.name, []).append(process.pid)
    names = ((escape(name), pids) for name, pids in by_name.items())
    return ", ".join(
        [
            *agents,
            *(f"{editor} ({', '.join(kinds)})" for editor, kinds in by_editor.items()),
            *(f"{name} {pids[0]}" if len(pids) == 1 else f"{len(pids)} {name}" for name, pids in names),
        ]
    )


def _remarks(picture: Picture) -> list[tuple[str, str]]:
    wrong = [(shown(name or "repository"), escape(problem)) for name, problem in problems(picture)]
    for one in picture.broken_uses:
        said = f"{escape(one.used.path)}: {broken_use_sentence(one, one.used.key)}"
        wrong.append((shown(one.used.name or "trunk"), said))
    return wrong + [
        (shown(state.worktree.name), said) for state in picture.worktrees if (said := _lock(state) or _sweep(state))
    ]


def _lock(state: WorktreeState) -> str:
    reason = state.worktree.locked
    if state.worktree.protected:
        return f"Protected. To undo: sidecar keep --undo {shown(state.worktree.name)}"
    return "" if reason is None else f"Locked: {escape(reason)}" if reason else "Locked."


def _sweep(state: WorktreeState) -> str:
    sweeper = find_sweeper(state)
    return sweep_sentence(sweeper, state.worktree.name) if sweeper is not None else ""
