"""Bring a worktree that is gone back from a state: written beside, then moved into place, nothing overwritten."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.git.config import read_config, silenced_programs
from sidecar.git.process import GitError, Place, run
from sidecar.git.refs import is_branch_name
from sidecar.git.repository import Repository, list_worktrees
from sidecar.git.trees import list_tree
from sidecar.git.user_git import DURABLE
from sidecar.model.changes import SUBMODULE
from sidecar.model.findings import Finding, finding
from sidecar.model.picture import Worktree
from sidecar.model.receipts import Receipt
from sidecar.model.words import counted, escape, named, shown
from sidecar.operations import journal, kept_refs
from sidecar.operations.branches import create_branch, names_like
from sidecar.operations.guard.ignored import put_back
from sidecar.operations.guard.states import State, read_state
from sidecar.operations.journal import Journal
from sidecar.operations.merge.backup import index_lines
from sidecar.operations.records import aside_of, new_id, read_receipt, write_receipt
from sidecar.operations.run import Control
from sidecar.system.worktree_links import git_file, made_of

PATIENCE = 1800.0
"""Seconds that git may take to write the files of a worktree."""

YOUNGER = (
    "Git still had its HEAD and index, which are younger than its files and stay as they are. What was staged or "
    "committed last shows as changed back; git restore PATH brings it."
)
"""Said where files are as of a moment before the last thing that git was told."""


@dataclass(frozen=True, slots=True)
class Back:
    """A worktree that is there again, and what a person should know about it."""

    path: str
    findings: tuple[Finding, ...]


def bring_back(
    repository: Repository, sidecar_dir: Path, kept: State, where: str, control: Control, receipt: Receipt | None = None
) -> Back:
    """Bring a worktree back at `where`, which is not there or an empty directory. The caller holds the lock.

    GitError or OSError when it can't be done; the next operation then takes back what was begun. A receipt is marked
    as restored.
    """
    operation = new_id(sidecar_dir, "restore")
    facts = {"state": kept.commit, "path": where, "receipt": receipt.id if receipt is not None else None}
    entry = journal.begin(sidecar_dir, operation, "restore", "files", facts)
    control.stage(f"Writing the files of {escape(kept.facts.name)}")
    staging = str(aside_of(where, operation))
    os.makedirs(os.path.dirname(where), exist_ok=True)
    os.mkdir(staging)
    notes = write_files(repository, sidecar_dir, kept, staging)
    entry = journal.advance(sidecar_dir, entry, "place")
    return _place(repository, sidecar_dir, kept, entry, notes)


def recover_back(repository: Repository, sidecar_dir: Path, entry: Journal) -> tuple[Finding, ...]:
    """Settle a killed `bring_back`: before all files were written it is taken back, after that finished."""
    commit, where = str(entry.facts.get("state")), str(entry.facts.get("path"))
    kept = read_state(repository, commit)
    if kept is None or not os.path.isabs(where) or os.path.normpath(where) != where:
        return (finding("bad-journal", f"The journal of {entry.id} names no state. Look at it, move it away."),)
    name = shown(kept.facts.name)
    try:
        if entry.step != "place":
            _remove(str(aside_of(where, entry.id)))
            journal.finish(sidecar_dir)
            return (
                finding("recovered", f"The restoration of {name} was ended before anything was there. Start again."),
            )
        back = _place(repository, sidecar_dir, kept, entry, ())
    except (OSError, GitError) as error:
        return (finding("not-recovered", f"{name} is not restored as a whole: {error}"),)
    return (finding("recovered", f"{name} is restored in {escape(back.path)}."), *back.findings)


def write_files(repository: Repository, sidecar_dir: Path, kept: State, folder: str) -> tuple[Finding, ...]:
    """Write the files of a state into an empty directory, as git checks them out; GitError when git can't.

    Filters of the repository take part where they took part in the keeping; one that fails is left out.
    """
    index = str(sidecar_dir / "restore.index")
    names = {"GIT_DIR": repository.common_dir, "GIT_WORK_TREE": folder, "GIT_INDEX_FILE": index}
    place = replace(repository.place, cwd=folder, variables=names)
    silenced = place.set(silenced_programs(read_config(place), trusted=False))
    try:
        tree = _without(place, kept.tree, unfetched(repository, kept.tree))
        how = ("-c", "core.sparseCheckout=false", "read-tree", "--reset", "-u", "--no-recurse-submodules", tree)
        for attempt in (place, silenced) if kept.facts.trusted else (silenced,):
            _remove(index)
            try:
                run(attempt, *DURABLE, *how, timeout=PATIENCE)
            except GitError:
                if attempt is silenced:
                    raise
                continue
            if attempt is silenced and kept.facts.trusted:
                said = "A filter of the repository failed, so its files are as git stores them."
                return (finding("restored-otherwise", said),)
            break
    finally:
        _remove(index)
        _remove(f"{index}.lock")
    return ()


def unfetched(repository: Repository, tree: str) -> tuple[str, ...]:
    """List the paths of a tree whose content a partial clone has not fetched, sorted: no file of theirs was on disk."""
    if not repository.why_missing:
        return ()
    how = ("rev-list", "--objects", "--missing=print", "--no-object-names", tree)
    missing = {row[1:] for row in run(repository.place, *how, timeout=PATIENCE).split(b"\n") if row[:1] == b"?"}
    entries = list_tree(repository.place, tree, PATIENCE).items()
    return tuple(sorted(path for path, entry in entries if entry.oid.encode() in missing))


def _without(place: Place, tree: str, paths: Sequence[str]) -> str:
    """Give a tree without these paths; `place` has an index of its own."""
    if not paths:
        return tree
    run(place, *DURABLE, "read-tree", tree)
    gone = index_lines(dict.fromkeys(paths), "0" * len(tree))
    run(place, *DURABLE, "update-index", "-z", "--index-info", stdin=gone)
    return run(place, *DURABLE, "write-tree").decode("ascii").strip()


def _leave_out(repository: Repository, worktree: Worktree, paths: Sequence[str]) -> tuple[Finding, ...]:
    """Have git take these paths for left out, as with `git sparse-checkout`, because to git they would be deleted."""
    if not paths:
        return ()
    place = repository.inside(worktree)
    rows = run(place, "ls-files", "-v", "-z").split(b"\0")
    shown_as = {os.fsdecode(row[2:]): row[:1] for row in rows if row}
    left = [path for path in paths if shown_as.get(path, b"S") != b"S"]
    listing = b"".join(os.fsencode(path) + b"\0" for path in left)
    run(place, *DURABLE, "update-index", "--skip-worktree", "-z", "--stdin", stdin=listing)
    files = counted(len(paths), "file was", "files were")
    said = f"{files} not there, but left out (git sparse-checkout), and not fetched: {named(paths)}."
    return (finding("not-in-states", f"{said} To have all files: git sparse-checkout disable", tuple(paths)),)


def _place(repository: Repository, sidecar_dir: Path, kept: State, entry: Journal, notes: tuple[Finding, ...]) -> Back:
    """Give the files their place and git's directory; doing it again does what is missing."""
    where, receipt_id = str(entry.facts["path"]), entry.facts.get("receipt")
    worktree, found = _register(repository, kept, where)
    staging = str(aside_of(where, entry.id))
    left = _move_in(staging, where) if os.path.isdir(staging) else []
    beside = f"{where}.restored"
    if left:
        os.rename(staging, beside)
        said = f"Something else was there already, so this is in {escape(beside)}: {named(left)}."
        found += [finding("restored-beside", said, tuple(left))]
    else:
        _remove(staging)
    found += _leave_out(repository, worktree, unfetched(repository, kept.tree))
    found += put_back(sidecar_dir, kept.history, where, kept.facts.time, later=receipt_id is not None)
    if hasattr(os, "sync"):
        os.sync()
    receipt = read_receipt(sidecar_dir, str(receipt_id)) if receipt_id is not None else None
    if receipt is not None:
        facts = {**receipt.facts, "restored": where, "at": time.time()}
        kept_refs.let_go(repository, kept_refs.ref_of(receipt.id))
        write_receipt(sidecar_dir, replace(receipt, bytes=0, facts=facts))
    journal.finish(sidecar_dir)
    return Back(worktree.key, (*notes, *found, *_not_back(repository, kept)))


def _register(repository: Repository, kept: State, where: str) -> tuple[Worktree, list[Finding]]:
    """Have git know the worktree: by its own administrative directory where that is still there, else by a new one."""
    git_dir = os.path.join(repository.common_dir, kept.facts.home)
    listed = {one.key: one for one in list_worktrees(repository)}
    there = listed.get(where)
    os.makedirs(where, exist_ok=True)
    if there is not None and there.git_dir == git_dir and made_of(git_dir) == kept.facts.made:
        link = os.path.join(where, ".git")
        if not os.path.lexists(link):
            _write(link, os.fsdecode(git_file(git_dir)))
        return there, _younger(repository, kept, there)
    if there is None:
        commit = kept.facts.head or kept.commit
        run(repository.place, *DURABLE, "worktree", "add", "--no-checkout", "--detach", "--", where, commit)
    worktree = next(one for one in list_worktrees(repository) if one.key == where)
    place = repository.inside(worktree)
    _restore_index(place, kept)
    return worktree, _attach(repository, kept, worktree, place)


def _younger(repository: Repository, kept: State, there: Worktree) -> list[Finding]:
    """Say that git's own HEAD and index are younger than the state, where they are."""
    place = repository.inside(there)
    try:
        run(place, "diff-index", "--cached", "--quiet", "--ignore-submodules", kept.index)
        same = there.head == kept.facts.head
    except GitError:
        same = False
    return [] if same or kept.stages else [finding("restored-otherwise", YOUNGER)]


def _restore_index(place: Place, kept: State) -> None:
    """Put the state's index into a worktree that has none."""
    run(place, *DURABLE, "read-tree", kept.index)
    null = "0" * len(kept.commit)
    removed, lines = [], []
    for number, stage in enumerate(kept.stages, 1):
        for path, entry in list_tree(place, stage).items():
            removed.append(f"0 {null}\t{path}\0")
            lines.append(f"{entry.mode:06o} {entry.oid} {number}\t{path}\0")
    if lines:
        run(place, *DURABLE, "update-index", "-z", "--index-info", stdin=os.fsencode("".join(removed + lines)))


def _attach(repository: Repository, kept: State, worktree: Worktree, place: Place) -> list[Finding]:
    """Put the worktree on its branch; one that is somewhere else now keeps its name, and this one gets another."""
    branch, head = kept.facts.branch, kept.facts.head
    if branch is None or not is_branch_name(repository.place, branch):
        return []
    taken = {one.branch for one in list_worktrees(repository) if one.key != worktree.key}
    for name in names_like(branch):
        if name in taken or not create_branch(repository, name, head, logged=True):
            continue
        run(place, *DURABLE, "symbolic-ref", "HEAD", f"refs/heads/{name}")
        if name == branch:
            return []
        said = f"The branch {shown(branch)} is somewhere else now; its work is on {shown(name)}."
        return [finding("restored-otherwise", said)]
    return [finding("restored-otherwise", f"The branch {shown(branch)} is taken, so it is on no branch.")]


def _move_in(staging: str, where: str, below: str = "") -> list[str]:
    """Move everything into its place, by a rename each; gives what stays behind, since something is there already."""
    left = []
    for name in sorted(os.listdir(os.path.join(staging, below))):
        path = os.path.join(below, name)
        source, target = os.path.join(staging, path), os.path.join(where, path)
        if not os.path.lexists(target):
            os.rename(source, target)
        elif os.path.isdir(source) and os.path.isdir(target) and not os.path.islink(target):
            left += _move_in(staging, where, path)
        else:
            left.append(path)
    if below and not os.listdir(os.path.join(staging, below)):
        os.rmdir(os.path.join(staging, below))
    return left


def _not_back(repository: Repository, kept: State) -> tuple[Finding, ...]:
    """Say what a person should know about a worktree that was brought back from a state."""
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(kept.facts.time))
    said = f"It is as it was at {when}. Times and attributes of files were not kept."
    found = [finding("restored-as-of", said)]
    tree = list_tree(repository.place, kept.tree, PATIENCE)
    modules = tuple(path for path, entry in tree.items() if entry.mode == SUBMODULE)
    if modules:
        inside = f"What was inside of submodules was not kept: {named(modules)}."
        found.append(finding("not-in-states", f"{inside} Run git submodule update --init there.", modules))
    if kept.facts.left_out:
        out = f"Too large, unreadable, or a repository of its own, so not kept: {named(kept.facts.left_out)}."
        found.append(finding("not-in-states", out, kept.facts.left_out))
    return tuple(found)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
