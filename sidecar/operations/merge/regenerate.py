"""Make files anew that a merge conflicts in, by the commands that the person has agreed to, in the landing repository.

Each begins as trunk has it, without conflict markers. A command that fails, or that writes other files than those it is
there to make, ends the merge, and trunk is as it was: what lands is what was merged, and what was agreed to.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from sidecar.git.process import run
from sidecar.model.findings import finding
from sidecar.model.words import escape, named, shown
from sidecar.operations.landing_repository.layout import LandingRepository
from sidecar.operations.landing_repository.place import link_above
from sidecar.operations.merge.blockers import WHOLE
from sidecar.operations.merge.make_commit import quoted
from sidecar.operations.merge.run import MergePlan, MergeRun
from sidecar.operations.merge.verify import refuse_failed, run_command
from sidecar.operations.run import Control, RefusedError

STATUS = ("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules=dirty")

LISTED = ("--pathspec-from-file=-", "--pathspec-file-nul")


def regenerate(running: MergeRun, plan: MergePlan, control: Control, where: LandingRepository) -> None:
    """Run the commands and stage what they made; RefusedError when one fails or does something else.

    What tools other than those of lock files need is installed first: `prepare` runs before them.
    """
    agreed = [path for remake in plan.remakes for path in remake.paths]
    _act(running, where, agreed, "checkout", "--ours")
    before, staged = _written(where), _staged(where)
    top, prepared = where.worktree.key, False
    for remake in plan.remakes:
        if not prepared and plan.prepare.strip() and any(one.kind != "lock file" for one in remake.known):
            control.stage(f"Running prepare: {shown(plan.prepare)}")
            refuse_failed(plan, "prepare", run_command(running, plan, top, plan.prepare))
            prepared = True
        control.stage(f"Making {named(remake.paths)} anew: {shown(remake.command)}")
        said = run_command(running, plan, top, remake.command, remake.folder)
        refuse_failed(plan, "regenerate", said, f"“{escape(remake.command)}”")
    made = (_written(where) - before) | {path for path, _ in _staged(where) ^ staged}
    strays = tuple(sorted(path for path in made if not any(remake.may_write(path) for remake in plan.remakes)))
    if strays:
        commands = ", ".join(f"“{escape(remake.command)}”" for remake in plan.remakes)
        told = f"{commands} wrote other files than those to be made anew: {named(strays, 5)}."
        raise RefusedError(finding("regenerated-others", f"{told} {shown(plan.trunk.branch)} is as it was.", strays))
    if missing := tuple(path for path in agreed if not _is_file(where, path)):
        told = f"{named(missing)} should have been made anew, and there is no such file now."
        told = f"{told} {shown(plan.trunk.branch)} is as it was."
        raise RefusedError(finding("regenerate-failed", told, missing, severity="blocks"))
    _act(running, where, sorted({*agreed, *made}), "add", "--all")


def _is_file(where: LandingRepository, path: str) -> bool:
    full = where.top / path
    return full.is_file() and not full.is_symlink() and link_above(where.top, path) is None


def _written(where: LandingRepository) -> set[str]:
    """List what is on the disk otherwise than in the index, but for what is unmerged; GitError when git can't tell."""
    rows = [row for row in run(where.place, *STATUS).split(b"\0") if row]
    return {os.fsdecode(row[3:]) for row in rows if row[1:2] != b" " and not _is_unmerged(row[:2])}


def _staged(where: LandingRepository) -> set[tuple[str, bytes]]:
    """List what is in the index, as (path, mode and id), since a command may stage what it wrote; GitError."""
    rows = (row.partition(b"\t") for row in run(where.place, "ls-files", "--stage", "-z").split(b"\0"))
    return {(os.fsdecode(path), said) for said, _, path in rows if path}


def _is_unmerged(state: bytes) -> bool:
    """Tell whether a path has a conflict (git-status(1), Short Format)."""
    return b"U" in state or state in (b"AA", b"DD")


def _act(running: MergeRun, where: LandingRepository, paths: Sequence[str], *how: str) -> None:
    listing = b"".join(os.fsencode(path) + b"\0" for path in paths)
    command = (*WHOLE, "--literal-pathspecs", *how, *LISTED)
    said = running.act(where.worktree.key, *command, stdin=listing, variables=where.variables)
    if not said.ok:
        raise RefusedError(finding("merge-failed", f"Git did not {how[0]} the files to be made anew: {quoted(said)}"))
