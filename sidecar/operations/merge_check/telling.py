"""Tell in a plan what the checking command has said of each merge, as far as that was tried; it runs nothing."""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.git.objects import tree_of
from sidecar.model.findings import Finding, finding
from sidecar.model.picture import TRUNK_KEY, Trunk, Worktree
from sidecar.model.words import counted, shown
from sidecar.operations.merge_check.cases import Case, CaseSide, verdict
from sidecar.operations.merge_check.running import command_in, last_said, remembered
from sidecar.session.reader import Sources

MOST_NAMED = 3


def failing_together(sources: Sources, trunk: Trunk, worktree: Worktree, merged: str) -> Iterator[Finding]:
    """Name what is said of a worktree merged with trunk and of neither alone, or that it is not known. GitError.

    Where its last commit is that merge, only what fails is named: it is nobody's merge to come that could be tried.
    """
    command = command_in(sources.settings)
    if command is None or trunk.commit is None or worktree.head is None:
        return
    objects = sources.quarantine.objects
    head, base = tree_of(objects, worktree.head), tree_of(objects, trunk.commit)
    if merged == base:
        return
    is_made = merged == head
    if is_made:
        parents = sources.ancestry.commit(worktree.head).parents
        if len(parents) != 2 or tree_of(objects, parents[1]) != base:
            return
        head = tree_of(objects, parents[0])
    sides = CaseSide(worktree.key, worktree.name, head), CaseSide(TRUNK_KEY, trunk.branch, base)
    known, branch = remembered(sources.repository.common_dir), shown(trunk.branch)
    found = verdict(sources, Case(merged, sides, trunk.commit), lambda tree: last_said(known, command, tree))
    if is_made and (found is None or found.state == "unknown"):
        return
    if found is None:
        said = f"Whether it passes sidecar.check together with {branch} was not tried yet."
        yield finding("check-unknown", f"{said} The sidecar tries it beside an open editor.")
    elif found.state == "unknown":
        said = f"Whether it passes sidecar.check together with {branch} is not known."
        yield finding("check-unknown", f"{said} {found.why}")
    elif found.state == "fails":
        lines = [f"{shown(one.path)}:{one.line}: {shown(one.message)}" for one in found.complaints]
        told = "; ".join(lines[:MOST_NAMED]) if lines else found.why
        more = f"; and {counted(len(lines) - MOST_NAMED, 'more line', 'more lines')}" if len(lines) > MOST_NAMED else ""
        said = f"Together with {branch} it fails sidecar.check, and neither does alone: {told}{more}"
        yield finding("fails-together", said, tuple(dict.fromkeys(one.path for one in found.complaints)))
