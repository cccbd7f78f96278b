"""Bring wiped work back into the worktree as it is now: merged where git merges it, else beside."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sidecar.git.blobs import hash_text
from sidecar.git.objects import read_blob, tree_of
from sidecar.git.process import GitError, run, run_for_status
from sidecar.git.repository import Repository, open_repository
from sidecar.git.user_git import DURABLE
from sidecar.model.changes import SUBMODULE, SYMLINK, Entry, is_object_id
from sidecar.model.decode import is_safe
from sidecar.model.findings import Failure, Finding, as_finding, finding
from sidecar.model.receipts import Receipt
from sidecar.model.settings import Options
from sidecar.model.words import counted, escape, named, shown
from sidecar.operations import kept_refs
from sidecar.operations.guard.placing import Target, is_as, put, put_beside, set_mode, write_beside
from sidecar.operations.guard.rewind import change_files, diff_of, with_present
from sidecar.operations.guard.states import State, read_state
from sidecar.operations.merge.run import worktree_at
from sidecar.operations.records import RestoreResult, read_receipt, sidecar_path, write_receipt
from sidecar.operations.run import Control
from sidecar.session.present_state import PresentState
from sidecar.session.reader import Sources, ask


@dataclass(slots=True)
class _Done:
    """What became of the files: by path; those beside by the names that they have there."""

    back: list[str] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)


def mend(
    repository: Repository, sidecar_dir: Path, receipt: Receipt, options: Options, control: Control
) -> RestoreResult:
    """Bring back what a receipt says was wiped. The caller holds the lock. What is there now is kept first."""
    where = str(receipt.facts.get("path"))
    worktree = worktree_at(repository, where)
    if worktree is None:
        said = (
            f"{escape(where)} is not there any more. See what is kept of it: sidecar restore {receipt.worktree} --list"
        )
        return RestoreResult("refused", None, (finding("wiped-elsewhere", said),))
    commit, files = str(receipt.facts.get("state")), _files(receipt)
    if not is_object_id(commit) or not files:
        said = f"The receipt {receipt.id} is not as it was written."
        return RestoreResult("refused", None, (finding("bad-receipt", said),))
    control.stage(f"Keeping what {escape(worktree.name)} has now")

    def use(sources: Sources, present: PresentState) -> _Done | Failure:
        wanted = _wanted(sources, commit, files)
        done = change_files(
            sources, present, sidecar_dir, lambda target: _mend_files(sources, target, present, wanted, files)
        )
        if isinstance(done, Failure):
            return done
        _mend_index(repository, present, read_state(repository, commit))
        return done[1]

    try:
        done = with_present(repository, worktree, options, use)
    except OSError as error:
        said = f"{error.strerror} ({error.filename})" if error.filename else str(error)
        done = Failure("no-restore", f"{shown(worktree.name)} could not be written: {escape(said)}.")
    if isinstance(done, Failure):
        return RestoreResult("failed", where, (as_finding(done),))
    kept_refs.let_go(repository, kept_refs.ref_of(receipt.id))
    facts = {**receipt.facts, "restored": where, "at": time.time()}
    write_receipt(sidecar_dir, replace(receipt, facts=facts))
    return RestoreResult("restored", where, _findings(done))


def _files(receipt: Receipt) -> dict[str, str | None]:
    """Give the paths of a receipt, each with the blob that the work was done on."""
    rows = receipt.facts.get("files")
    found: dict[str, str | None] = {}
    for row in rows if isinstance(rows, list) else ():
        if not (isinstance(row, list) and len(row) == 3 and isinstance(row[0], str)):
            return {}
        path, base = row[0], row[2]
        if not is_safe(path) or not (base is None or (isinstance(base, str) and is_object_id(base))):
            return {}
        found[path] = base
    return found


def _wanted(sources: Sources, commit: str, files: Mapping[str, str | None]) -> dict[str, Entry]:
    """Give what the commit has at these paths; a stash has untracked files in its third parent (git-stash(1))."""
    objects = sources.quarantine.objects
    parents = sources.ancestry.commit(commit).parents
    trees = [tree_of(objects, commit)]
    if read_state(sources.repository, commit) is None and len(parents) > 2:
        trees.append(tree_of(objects, parents[2]))
    found = {}
    for path in files:
        entry = next((one for tree in trees if (one := sources.trees.entry(tree, path)) is not None), None)
        if entry is not None and entry.mode != SUBMODULE:
            found[path] = entry
    return found


def _mend_files(
    sources: Sources,
    target: Target,
    present: PresentState,
    wanted: Mapping[str, Entry],
    bases: Mapping[str, str | None],
) -> _Done:
    folder, done = write_beside(target, wanted), _Done()
    for path, entry in wanted.items():
        new, full = str(folder / path), target.full(path)
        now = sources.trees.entry(present.tree, path)
        if is_as(target, full, path, entry):
            done.back.append(path)
        elif now is None or now.oid == bases[path]:  # nothing, or just what it was before the work
            done.back.append(path) if put(target, new, path, now) else done.beside.append(put_beside(target, new, path))
        elif _merge(sources, target, path, entry, bases[path], now, new):
            done.merged.append(path)
        else:
            done.beside.append(put_beside(target, new, path))
    return done


def _merge(sources: Sources, target: Target, path: str, entry: Entry, base: str | None, now: Entry, new: str) -> bool:
    """Tell whether git merges what is there with what was wiped, and the result took its place."""
    if SYMLINK in (entry.mode, now.mode) or base is None:
        return False
    objects, names = sources.quarantine.objects, []
    for name, oid in (("now", now.oid), ("base", base), ("wiped", entry.oid)):
        names.append(str(target.beside / name))
        Path(names[-1]).write_bytes(read_blob(objects, oid))
    how = ("merge-file", "-p", "--quiet", *names)
    status, merged = run_for_status(sources.quarantine.plumbing, *how, accept=range(256))
    if status != 0:
        return False
    oid = objects.write("blob", merged)
    content = run(target.place, "cat-file", "--filters", f"--path={path}", oid)
    if hash_text(target.place, path, content) != oid:
        return False
    draft = str(target.beside / "merged")
    Path(draft).write_bytes(content)
    os.chmod(draft, os.lstat(new).st_mode)
    set_mode(draft, now)
    return put(target, draft, path, now)


def _mend_index(repository: Repository, present: PresentState, kept: State | None) -> None:
    """Give back what was staged, where nothing has been staged or committed since; else it comes back unstaged."""
    if kept is None or kept.stages or present.stages:
        return
    if kept.facts.head != present.worktree.head or present.index != present.head_tree:
        return
    place = repository.inside(present.worktree)
    with contextlib.suppress(GitError):
        if run(repository.place, "rev-parse", f"{kept.index}^{{tree}}").decode("ascii").strip() != present.index:
            run(place, *DURABLE, "read-tree", kept.index)
        run(place, *DURABLE, "update-index", "-q", "--refresh", accept=(0, 1))


def _findings(done: _Done) -> tuple[Finding, ...]:
    found = []
    if done.merged:
        files = counted(len(done.merged), "file has", "files have")
        said = f"{files} been written to since, and got back what was wiped besides: {named(done.merged)}."
        found.append(finding("restored-merged", said, tuple(done.merged)))
    if done.beside:
        files = counted(len(done.beside), "file does", "files do")
        said = f"{files} not go with what is there now, and was put beside it: {named(done.beside)}."
        found.append(finding("restored-beside", said, tuple(done.beside)))
    return tuple(found)


def wiped_diff(folder: Path, receipt_id: str, options: Options) -> str | Failure:
    """Show the work that a receipt says was wiped, as a diff from what it was done on."""
    repository = open_repository(folder, trust=options.trusted)
    if isinstance(repository, Failure):
        return repository
    receipt = read_receipt(sidecar_path(repository.common_dir), receipt_id)
    commit = str(receipt.facts.get("state")) if receipt is not None else ""
    if receipt is None or not is_object_id(commit):
        return Failure("unknown-id", f"There is nothing to restore called {escape(receipt_id)}. See: sidecar restore")

    def use(sources: Sources) -> str:
        parents = sources.ancestry.commit(commit).parents
        return diff_of(sources, parents[0] if parents else None, commit, [*_files(receipt)])

    return ask(repository, options, use)
