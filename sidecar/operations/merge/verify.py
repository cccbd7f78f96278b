"""Run the person's own commands on the very tree that will land, in the landing worktree, which keeps its dependencies.

It is a directory of the cache, at the same path always, which what is installed there names; a repository has one for
merges, and one for `sidecar.check`. Its tracked files become those of a tree. Of what git ignores there, marked caches
stay, and what `prepare` has made, as long as prepare has nothing new to read; all else goes.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from sidecar.git.ignore import list_ignored, list_untracked
from sidecar.git.inventory.ignored import is_cache
from sidecar.git.process import GitError, run
from sidecar.git.trees import list_tree
from sidecar.git.user_git import CommandResult, run_shell
from sidecar.model.findings import Finding, finding
from sidecar.model.words import shown
from sidecar.operations.landing_repository.layout import make_landing_repository
from sidecar.operations.landing_repository.lent import gitlinks, place_submodules
from sidecar.operations.landing_repository.original import Original
from sidecar.operations.landing_repository.place import (
    Kept,
    Step,
    expire_landing_worktrees,
    keep_landing_worktree,
    landing_index,
    link_above,
    remove_tree,
    take_landing_worktree,
)
from sidecar.operations.merge.blockers import WHOLE
from sidecar.operations.merge.landing_worktree import (
    INSTALLED,
    Command,
    LandingWorktree,
    changed_files,
    digest,
    find_commands,
    folders_of,
    how_laid_out,
    installed,
    stands,
    variables,
    what_was_read,
)
from sidecar.operations.merge.make_commit import Made, quoted
from sidecar.operations.merge.run import MergePlan, MergeRun, Work, stop_if_cancelled, work_of
from sidecar.operations.merge.verified_files import links_elsewhere, missing_findings, other_checkouts, watch_twins
from sidecar.operations.records import read_record, write_record
from sidecar.operations.run import Control, RefusedError
from sidecar.system.processes import end_marked
from sidecar.watch.openings import note_openings

EXACTLY = (
    *(*WHOLE, "-c", "core.splitIndex=false", "-c", "core.checkStat=default", "-c", "core.trustctime=true"),
    *("-c", "core.ignoreStat=false"),
)
"""Told to git where files are left from another tree: none may be taken for unchanged that is not."""


@dataclass(frozen=True, slots=True)
class Laid:
    """What is to be laid out: a commit, at which HEAD is, or the branch that `head` names in full.

    `placed` says where some refs are; `objects` is a directory that has what the repository lacks of it, None for none.
    """

    original: Original
    commit: str
    head: str
    placed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    objects: str | None = None


def lay_out(work: Work, laid: Laid) -> LandingWorktree:
    """Have the landing worktree at a commit: its files and what git ignores are there, and nothing else.

    RefusedError, GitError or OSError where that can't be.
    """
    common_dir = work.repository.common_dir
    kept = take_landing_worktree(common_dir, work.slot)
    if kept is not None:
        try:
            there = _fill(work, laid, kept)
            if not changed_files(there.where):
                return there
        except (GitError, OSError, RefusedError):
            stop_if_cancelled(work.acting)  # else: what a command has done there is in the way
        take_landing_worktree(common_dir, work.slot)
    return _fill(work, laid, None)


def _fill(work: Work, laid: Laid, kept: Kept | None) -> LandingWorktree:
    common_dir, original, commit = work.repository.common_dir, laid.original, laid.commit
    where = make_landing_repository(original, work.slot, laid.head, laid.placed, laid.objects)
    if isinstance(where, Finding):
        raise RefusedError(where)
    with open(where.common / "info" / "exclude", "ab") as exclude:
        exclude.write("".join(f"\n{folder}/" for folder in INSTALLED).encode() + b"\n")
    files = {path: entry.oid for path, entry in list_tree(where.place, commit).items()}
    laid_out, index = how_laid_out(original.config, where, files), landing_index(common_dir, work.slot)
    if kept is not None and kept.laid_out == laid_out and index.exists():
        shutil.copy2(index, where.git_dir / "index")  # with its time, by which git knows what may have changed since
    index.unlink(missing_ok=True)
    said = work.act(str(where.top), *EXACTLY, "read-tree", "--reset", "-u", "HEAD", variables=where.variables)
    stop_if_cancelled(work.acting)
    if not said.ok:
        raise RefusedError(finding("no-landing-repository", f"Trunk's files can't be laid out: {quoted(said)}"))
    shutil.copy2(where.git_dir / "index", index)
    links = gitlinks(where.place)
    for path in links:
        while (link := link_above(where.top, path)) is not None:
            link.unlink()  # a command has put it there
        remove_tree(where.top / path)
        (where.top / path).mkdir(parents=True, exist_ok=True)
    checkouts = [work.worktree.key, *([work.checkout.key] if work.checkout is not None else [])]
    missing = place_submodules(work.act, where.top, checkouts, links, fill=True) if links else ()
    steps = kept.steps if kept is not None else ()
    if links:
        steps = tuple(replace(step, read={}) for step in steps)  # what prepare does in a submodule is gone with it
    known = Kept(common_dir, os.lstat(where.top).st_ino, laid_out, work.slot, steps=steps)
    tree = run(where.place, "rev-parse", f"{commit}^{{tree}}").decode().strip()
    others = other_checkouts(work.repository, where.worktree.key)
    there = LandingWorktree(where, tree, files, known, others, missing)
    _remove(there, list_untracked(where.place, "--exclude-standard"))
    return there


def _remove(there: LandingWorktree, paths: Sequence[str]) -> None:
    """Remove what is there; what a link leads to is somewhere else."""
    for path in paths:
        full = there.top / path
        if link_above(there.top, path) is not None:
            continue
        if full.is_symlink() or not full.is_dir():
            full.unlink(missing_ok=True)
        else:
            remove_tree(full)


# ---- commands there ----

MARK = "SIDECAR_VERIFY"
"""Carried by what runs in the landing worktree, however far away it goes; ended with it."""


def run_command(
    work: Work, top: str, line: str, folder: str = "", more: Mapping[str, str] | None = None
) -> CommandResult:
    """Run a command line of the person's by the shell, in a directory of the landing worktree, or repository, at `top`.

    What it started and left running is ended; GitError where it can't be started.
    """
    told = {**variables(work, top, other_checkouts(work.repository, top)), MARK: work.acting.tag, **(more or {})}
    said = run_shell(work.acting, line, os.path.join(top, folder), work.limit or None, told)
    end_marked(work.acting.tag, MARK)
    stop_if_cancelled(work.acting)
    return said


def refuse_failed(work: Work, name: str, said: CommandResult, called: str = "") -> None:
    """Go on only after what went well; RefusedError with its last lines for another.

    `name` is what the code of a failure begins with, and what the command is `called`, unless that is given.
    """
    if said.ok:
        return
    called = called or name.capitalize()
    told = f"{called} failed (status {said.status})."
    if said.stopped == "timeout":
        told = f"{called} took longer than {work.limit:.0f} seconds and was ended."
    raise RefusedError(finding(f"{name}-failed", f"{told} Its last lines:\n{quoted(said)}", severity="blocks"))


# ---- prepare ----


def commands_there(work: Work, there: LandingWorktree) -> tuple[tuple[Command, ...], list[Finding]]:
    """Find what prepare consists of there, with the versions of its tools, and what was found missing."""
    commands, asks, findings = find_commands(work, there)
    quiet = replace(work, acting=replace(work.acting, said=lambda _line: None))
    versions = tuple(run_command(quiet, there.where.worktree.key, line).output for line in asks)
    return tuple(replace(command, versions=versions) for command in commands), findings


def prepare(work: Work, there: LandingWorktree, commands: Sequence[Command], control: Control) -> LandingWorktree:
    """Run those that were not run there or have something new to read; what else is ignored goes, caches aside.

    RefusedError when one fails, or leaves something that leads into another checkout.
    """
    known = {step.key: step for step in there.known.steps}
    if [command.key for command in commands] != list(known):
        known = {}
    left = {path for step in known.values() for path in step.left}
    others = [path for path in list_ignored(there.where.place) if path not in left]
    _remove(there, [path for path in others if not is_cache(str(there.top / path))])
    steps, ran = [], False
    for command in commands:
        step = known.get(command.key)
        if step is None or not stands(there, step):
            ran = True
            control.stage(f"Running prepare: {shown(command.line)}")
            made = step.left if step is not None else ()
            _remove(there, [path for path in made if path.rpartition("/")[2] not in command.stays])
            step = _run_command(work, there, command)
        steps.append(step)
    if ran and (elsewhere := links_elsewhere(there.others, str(there.top))) is not None:
        raise RefusedError(elsewhere)
    return replace(there, known=replace(there.known, steps=tuple(steps)))


def _run_command(work: Work, there: LandingWorktree, command: Command) -> Step:
    """Run a command of prepare, and note what it read and what it left."""
    place = there.where.place
    before = set(list_ignored(place))
    with note_openings(folders_of(there)) as found:
        said = run_command(work, there.where.worktree.key, command.line, command.folder, command.more)
    refuse_failed(work, "prepare", said)
    left = [path for path in list_ignored(place) if path not in before or path.rpartition("/")[2] in command.stays]
    others = list_untracked(place, "--exclude-standard")
    passes = others or changed_files(there.where)  # it is taken away again, and has to be made again
    return Step(command.key, {} if passes else what_was_read(there, found), tuple(left))


def keep(work: Work, there: LandingWorktree) -> None:
    """Have it kept for the next time, as long as it is no larger than the person wants."""
    if work.keeps:
        keep_landing_worktree(replace(there.known, limit=work.keeps, used=time.time()))


# ---- verify ----

MOST_PASSED = 200
"""How many trees that passed are remembered."""

LOOKED_AT = "its own files, and dependencies of its own"
"""What is made sure of for a tree that passes: a record of one for which less was counts for nothing."""


def verify_commit(running: MergeRun, plan: MergePlan, made: Made, control: Control) -> list[Finding]:
    """Run prepare and verify; RefusedError with the last lines when one fails, or works on another checkout's files.

    A tree that passed the same command before, all of it, with dependencies that came the same way, is not tried again.
    """
    if not plan.verify.strip():
        return []
    work = work_of(running, plan)
    expire_landing_worktrees(running.repository.common_dir)
    placed = {running.facts.trunk: made.commit} | {name: new for name, _, new in made.refs if new}
    there = lay_out(work, Laid(made.original, made.commit, running.facts.trunk, placed))
    top = there.where.worktree.key
    commands, findings = commands_there(work, there)
    key = f"{digest(LOOKED_AT, plan.prepare, plan.verify, [command.key for command in commands])} {there.tree}"
    if key in passed(running.sidecar_dir):
        keep(work, there)
        return [finding("verified-before", "These very files passed before, so they were not verified again.")]
    there = prepare(work, there, commands, control)
    control.stage(f"Running verify: {shown(plan.verify)}")
    before = installed(there)
    with watch_twins(there.others, there.top, plan.changes, plan.verify, (running.acting.tag, MARK)) as twins:
        said = run_command(work, top, plan.verify)
    elsewhere = links_elsewhere(there.others, top) or twins.verified_elsewhere()
    looked = list(missing_findings(there.where, there.missing))
    if said.stopped is None and elsewhere is None:
        steps = there.known.steps if installed(there) == before else ()
        laid_out = there.known.laid_out if not looked else ""  # a filter may find more the next time
        keep(work, replace(there, known=replace(there.known, steps=steps, laid_out=laid_out)))
    refuse_failed(work, "verify", said)
    if elsewhere is not None:
        raise RefusedError(elsewhere)
    if changed := changed_files(there.where):
        told = "Verify changed tracked files. What lands is what was merged, without these changes."
        looked.append(finding("verify-changed-files", told, changed))
    if not looked:
        remember(running.sidecar_dir, key)
    return [*findings, *looked]


def passed(sidecar_dir: Path) -> list[str]:
    """Read the commands and trees that passed, oldest first."""
    try:
        record = read_record(sidecar_dir / "verified")
    except ValueError:
        return []
    found = record.get("passed") if record is not None else None
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def remember(sidecar_dir: Path, key: str) -> None:
    """Note that a tree passed; a full disk only means that it is tried again."""
    try:
        write_record(sidecar_dir / "verified", {"schema": 1, "passed": [*passed(sidecar_dir), key][-MOST_PASSED:]})
    except OSError:
        return
