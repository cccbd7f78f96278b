"""Make files anew that a merge conflicts in, by the commands that the person has agreed to, in the landing worktree.

Each begins as trunk has it, without conflict markers. A command that fails, or that writes other files than those it is
there to make, ends the merge, and trunk is as it was: what lands is what was merged, and what was agreed to.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sidecar.git.process import run
from sidecar.git.status import changed_paths
from sidecar.model.findings import finding
from sidecar.model.words import escape, named, shown
from sidecar.operations.landing_repository.layout import LandingRepository
from sidecar.operations.landing_repository.original import Original
from sidecar.operations.landing_repository.place import link_above, remove_tree
from sidecar.operations.merge.blockers import WHOLE
from sidecar.operations.merge.landing_worktree import LandingWorktree, installed
from sidecar.operations.merge.make_commit import quoted
from sidecar.operations.merge.run import MergePlan, MergeRun, Work, work_of
from sidecar.operations.merge.verify import Laid, commands_there, keep, lay_out, prepare, refuse_failed, run_command
from sidecar.operations.run import Control, RefusedError

LISTED = ("--pathspec-from-file=-", "--pathspec-file-nul")


def regenerate(
    running: MergeRun, plan: MergePlan, control: Control, original: Original, where: LandingRepository
) -> None:
    """Run the commands and stage what they made; RefusedError when one fails or does something else.

    What tools other than those of lock files need is installed first, by the lock files as they are by then.
    """
    work = work_of(running, plan)
    agreed = [path for remake in plan.remakes for path in remake.paths]
    _act(running, where, agreed, "checkout", "--ours")
    _act(running, where, agreed, "add", "--all")
    tree = run(where.place, "write-tree").decode().strip()
    said = b"Merged, but for files that are made anew\n"
    made = running.act(
        where.worktree.key, "commit-tree", tree, "-p", running.facts.before, stdin=said, variables=where.variables
    )
    if not made.ok:
        raise RefusedError(finding("merge-failed", f"Git did not commit what is merged: {quoted(made)}"))
    commit = made.output.strip()
    there = lay_out(work, Laid(original, commit, running.facts.trunk, {running.facts.trunk: commit}))
    there, written = _run_all(work, plan, control, there)
    strays = tuple(sorted(path for path in written if not any(remake.may_write(path) for remake in plan.remakes)))
    if strays:
        commands = ", ".join(f"“{escape(remake.command)}”" for remake in plan.remakes)
        told = f"{commands} wrote other files than those to be made anew: {named(strays, 5)}."
        raise RefusedError(finding("regenerated-others", f"{told} {shown(plan.trunk.branch)} is as it was.", strays))
    if missing := tuple(path for path in agreed if not _is_file(there.where, path)):
        told = f"{named(missing)} should have been made anew, and there is no such file now."
        told = f"{told} {shown(plan.trunk.branch)} is as it was."
        raise RefusedError(finding("regenerate-failed", told, missing, severity="blocks"))
    for path in sorted({*agreed, *written}):
        _bring(there.top / path, where, path)
    _act(running, where, sorted({*agreed, *written}), "add", "--all")
    keep(work, there)


def _run_all(work: Work, plan: MergePlan, control: Control, there: LandingWorktree) -> tuple[LandingWorktree, set[str]]:
    """Run those of lock files, then install by what these have made, then run the others; gives what these wrote."""
    before, prepared, by_prepare = installed(there), False, set[str]()
    for remake in plan.remakes:
        if not prepared and any(one.kind != "lock file" for one in remake.known):
            written = _written(there.where)
            there, prepared = prepare(work, there, commands_there(work, there)[0], control), True
            before, by_prepare = installed(there), _written(there.where) - written
        control.stage(f"Making {named(remake.paths)} anew: {shown(remake.command)}")
        said = run_command(work, there.where.worktree.key, remake.command, remake.folder)
        refuse_failed(work, "regenerate", said, f"“{escape(remake.command)}”")
    steps = there.known.steps if installed(there) == before else ()  # else others would be verified with more
    return replace(there, known=replace(there.known, steps=steps)), _written(there.where) - by_prepare


def _bring(source: Path, where: LandingRepository, path: str) -> None:
    """Have a file, or what is there instead of one, where the merge is made as it is where the command ran; OSError."""
    target = where.top / path
    while (link := link_above(where.top, path)) is not None:
        link.unlink()
    if target.is_dir() and not target.is_symlink():
        remove_tree(target)
    target.unlink(missing_ok=True)
    if os.path.lexists(source):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)


def _is_file(where: LandingRepository, path: str) -> bool:
    full = where.top / path
    return full.is_file() and not full.is_symlink() and link_above(where.top, path) is None


def _written(where: LandingRepository) -> set[str]:
    """List what is on the disk, or in the index, otherwise than in the commit; GitError when git can't tell."""
    return set(changed_paths(where.place, untracked=True))


def _act(running: MergeRun, where: LandingRepository, paths: Sequence[str], *how: str) -> None:
    listing = b"".join(os.fsencode(path) + b"\0" for path in paths)
    command = (*WHOLE, "--literal-pathspecs", *how, *LISTED)
    said = running.act(where.worktree.key, *command, stdin=listing, variables=where.variables)
    if not said.ok:
        raise RefusedError(finding("merge-failed", f"Git did not {how[0]} the files to be made anew: {quoted(said)}"))
