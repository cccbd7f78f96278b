"""Bring a released worktree back: what was thinned is written, then both directories are renamed to their places.

Until the journal says `place` nothing but the trash has changed, and whoever was killed starts again. From there on it
goes forward: each step follows from the two places that the journal names, so taking it again does what lacks. The
worktree appears as a whole, by one rename, and then its administrative directory, which `git worktree prune` would
delete without it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sidecar.git.anchor import restore_tags
from sidecar.git.conversions import contents_in, link_contents, store_of
from sidecar.git.inventory.walk import CancelledError
from sidecar.git.process import GitError, run
from sidecar.git.refs import has_reftables
from sidecar.git.repository import Repository
from sidecar.model.findings import Failure, Finding, finding
from sidecar.model.receipts import Receipt
from sidecar.model.words import escape, shown
from sidecar.operations import journal, kept_refs
from sidecar.operations.branches import KeptBranches, load_branches, rename_in, restore_branches
from sidecar.operations.journal import Journal
from sidecar.operations.records import (
    RestoreResult,
    aside_of,
    new_id,
    sync_directory,
    write_new,
    write_receipt,
)
from sidecar.operations.release.relocation import copy_folder, free_names, link
from sidecar.operations.release.thinning import read_manifest, write_back
from sidecar.operations.release.trash import (
    CONTENTS,
    Facts,
    decode_release,
    delete_trash,
    trash_of,
    where_is,
)
from sidecar.operations.run import Control, RefusedError
from sidecar.system.files import free_bytes

GITS_OWN = frozenset(
    {"branches", "hooks", "info", "lfs", "logs", "modules", "objects", "refs", "rr-cache", "sidecar", "worktrees"}
)
"""What of a common directory no worktree may be put into; a bare repository may have worktrees beside these."""


def restore_release(
    repository: Repository, sidecar_dir: Path, receipt: Receipt, where: str, control: Control
) -> RestoreResult:
    """Bring the worktree of a receipt back to `where` (absolute), which the caller has found to be free.

    The caller holds the lock.
    """
    facts = decode_release(repository, receipt.facts)
    if isinstance(facts, Failure):
        said = f"The receipt {receipt.id} is not as it was written: {facts.message}."
        return RestoreResult("refused", None, (finding("bad-receipt", said),))
    try:
        entry = journal.begin(
            sidecar_dir, new_id(sidecar_dir, "restore"), "restore", "write", {"receipt": receipt.id, "path": where}
        )
        control.stage(f"Restoring {escape(receipt.worktree)}")
        try:
            branches = _write(repository, sidecar_dir, receipt, facts, where, control)
        except (RefusedError, CancelledError, GitError, OSError) as error:
            _give_up(sidecar_dir, receipt, where)
            return RestoreResult("failed", None, (_why(receipt, where, error),))
        notes = _place(repository, sidecar_dir, receipt, facts, entry, branches, where)
        _finish(repository, sidecar_dir, receipt, facts, where)
    except (RefusedError, OSError, GitError) as error:
        said = f"{shown(receipt.worktree)} could not be restored as a whole: {escape(str(error))}. Run: sidecar status"
        return RestoreResult("failed", where, (finding("not-restored", said),))
    return RestoreResult("restored", where, notes)


def _write(
    repository: Repository, sidecar_dir: Path, receipt: Receipt, facts: Facts, where: str, control: Control
) -> KeptBranches:
    """Have everything there that the worktree had, on the disk that it goes to; give the branches that it was on."""
    trash = trash_of(sidecar_dir, receipt.id)
    source = where_is(facts.path, sidecar_dir, receipt.id)
    if source is None or not (trash / "admin").is_dir():
        raise RefusedError(finding("bad-receipt", f"What {receipt.id} kept has been deleted."))

    def check() -> None:
        if control.cancelled():
            raise CancelledError

    _check_destination(repository, receipt, trash, source, where)
    try:
        branches = load_branches(trash)
    except ValueError as error:
        raise RefusedError(
            finding("bad-receipt", f"What {receipt.id} kept is not as it was written: {error}.")
        ) from error
    if not kept_refs.holds(repository, kept_refs.ref_of(receipt.id), str(facts.anchor)):
        raise RefusedError(finding("bad-receipt", f"{kept_refs.ref_of(receipt.id)}, which keeps its commits, is gone."))
    restore_tags(repository, str(facts.anchor))
    contents = str(trash / CONTENTS)
    link_contents(contents, store_of(repository.common_dir, repository.config), contents_in(contents))
    write_back(repository, trash, source, check)
    if os.lstat(source).st_dev != os.stat(os.path.dirname(where)).st_dev:
        draft = f"{aside_of(where, receipt.id)}-copy"
        shutil.rmtree(draft, ignore_errors=True)
        copy_folder(str(source), draft, check)
        os.rename(draft, aside_of(where, receipt.id))
    check()
    return branches


def _check_destination(repository: Repository, receipt: Receipt, trash: Path, source: Path, where: str) -> None:
    """Raise RefusedError or OSError where no worktree can be put; make the directory above it."""
    if _is_gits_own(repository, where):
        said = f"{escape(where)} is inside a repository's own directory. Choose another path."
        raise RefusedError(finding("bad-path", said))
    parent = os.path.dirname(where)
    os.makedirs(parent, exist_ok=True)
    manifest = read_manifest(trash)
    thinned = 0 if manifest is None else sum(one.size for one in manifest.files.values())
    moves = os.stat(parent).st_dev != os.lstat(source).st_dev
    needs = [(str(source), thinned), *([(parent, thinned + receipt.bytes)] if moves else [])]
    for disk, needed in needs:
        free = free_bytes(disk)
        if free is not None and free < needed:
            said = f"{escape(where)} needs {needed} bytes, more than its disk has free."
            raise RefusedError(finding("disk-full", said))
    if not os.path.lexists(where):
        os.mkdir(where)
        os.rmdir(where)


def _is_gits_own(repository: Repository, where: str) -> bool:
    inside = os.path.relpath(where, repository.common_dir).split(os.sep)[0]
    return where == repository.common_dir or inside in GITS_OWN


def is_taken(where: str) -> bool:
    """Tell whether something is at a path; an empty directory is nothing."""
    try:
        return os.path.lexists(where) and (os.path.islink(where) or bool(os.listdir(where)))
    except OSError:
        return True


def _why(receipt: Receipt, where: str, error: Exception) -> Finding:
    if isinstance(error, RefusedError):
        return error.finding
    if isinstance(error, CancelledError):
        return finding("cancelled", f"The restoration of {shown(receipt.worktree)} was stopped. All of it is kept.")
    said = getattr(error, "message", None) or getattr(error, "strerror", None) or str(error)
    return finding("no-restore", f"{shown(receipt.worktree)} can't be restored in {escape(where)}: {escape(said)}.")


def _give_up(sidecar_dir: Path, receipt: Receipt, where: str) -> None:
    """Take away what a restoration that moved nothing has made outside of the trash, and close its journal."""
    for place in (aside_of(where, receipt.id), Path(f"{aside_of(where, receipt.id)}-copy")):
        if str(place) != str(aside_of(str(receipt.facts.get("path")), receipt.id)) and not place.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
    journal.finish(sidecar_dir)


def _place(
    repository: Repository,
    sidecar_dir: Path,
    receipt: Receipt,
    facts: Facts,
    entry: Journal,
    branches: KeptBranches,
    where: str,
) -> tuple[Finding, ...]:
    """Put both directories where they belong, with links and branches as they are now; again is fine.

    The findings say which branch has another name. RefusedError when something is in the way.
    """
    admin = trash_of(sidecar_dir, receipt.id) / "admin"
    if not admin.is_dir():
        return ()
    source = _source(facts, sidecar_dir, receipt, where)
    if source is not None and is_taken(where):
        raise RefusedError(finding("path-taken", f"Something new is at {escape(where)}."))
    entry = _claim(repository, sidecar_dir, facts, entry, where)
    git_dir = Path(repository.common_dir) / "worktrees" / str(entry.facts["git_dir"])
    names = restore_branches(repository, branches.branches)
    _name_branches(repository, admin, branches, names)
    folder = Path(where) if source is None else source
    link(folder, admin, where, str(git_dir), repository, facts.modules)
    if hasattr(os, "sync"):
        os.sync()
    if source is not None:
        os.rename(source, where)
        sync_directory(Path(where).parent)
    os.rename(admin, git_dir)
    sync_directory(git_dir.parent)
    return tuple(
        finding("restored-otherwise", f"The branch {shown(old)} is somewhere else now; its work is on {shown(new)}.")
        for old, new in names.items()
        if old != new
    )


def _source(facts: Facts, sidecar_dir: Path, receipt: Receipt, where: str) -> Path | None:
    """Give the folder to be renamed: a copy on the disk that it goes to, or the trash's; None when it is there."""
    copy = aside_of(where, receipt.id)
    if copy.is_dir() and not copy.is_symlink():
        return copy
    source = where_is(facts.path, sidecar_dir, receipt.id)
    moves = source is not None and os.lstat(source).st_dev != os.stat(os.path.dirname(where)).st_dev
    return None if moves else source


def _claim(repository: Repository, sidecar_dir: Path, facts: Facts, entry: Journal, where: str) -> Journal:
    """Make an empty directory of a free name in `worktrees/`, which the journal names before it is there."""
    worktrees = Path(repository.common_dir) / "worktrees"
    worktrees.mkdir(exist_ok=True)
    known = entry.facts.get("git_dir")
    if isinstance(known, str) and known == os.path.basename(known) and known not in ("", ".", ".."):
        with contextlib.suppress(OSError):
            if not os.listdir(worktrees / known):
                return entry
    for name in free_names(repository.common_dir, facts.administrative, os.path.basename(where)):
        entry = journal.advance(sidecar_dir, entry, "place", git_dir=name)
        with contextlib.suppress(FileExistsError):
            os.mkdir(worktrees / name)
            return entry
    raise OSError(f"too many names like {facts.administrative} are taken in {worktrees}")


def _name_branches(repository: Repository, admin: Path, branches: KeptBranches, names: Mapping[str, str]) -> None:
    """Have HEAD, and an operation in progress, name the branches as they are called now."""
    for path, was in branches.files.items():
        text = os.fsencode(rename_in(was, names))
        if (admin / path).is_file() and (admin / path).read_bytes() != text:
            mode = (admin / path).stat().st_mode
            write_new(admin / path, text)
            (admin / path).chmod(mode & 0o7777)
    renamed = [new for old, new in names.items() if old != new and old == branches.branches[0].name]
    if renamed and has_reftables(repository):
        place = repository.place.plus(GIT_DIR=str(admin), GIT_COMMON_DIR=repository.common_dir)
        said = run(place, "symbolic-ref", "-q", "HEAD", accept=(0, 1)).decode("utf-8", "surrogateescape").strip()
        if said == f"refs/heads/{branches.branches[0].name}":
            run(place, "symbolic-ref", "HEAD", f"refs/heads/{renamed[0]}")


def _finish(repository: Repository, sidecar_dir: Path, receipt: Receipt, facts: Facts, where: str) -> None:
    """Remember that it was restored, and let go of what is left of it in the trash."""
    record = {"restored": where, "path": receipt.facts.get("path"), "at": time.time()}
    write_receipt(sidecar_dir, replace(receipt, bytes=0, facts=record))
    kept_refs.let_go(repository, kept_refs.ref_of(receipt.id))
    delete_trash(sidecar_dir, receipt.id, facts.path)
    journal.finish(sidecar_dir)


def recover_release_restore(
    repository: Repository, sidecar_dir: Path, receipt: Receipt, entry: Journal
) -> tuple[Finding, ...]:
    """Finish a restoration that was killed, or give it up where it had moved nothing yet."""
    where = str(entry.facts.get("path"))
    again = f"Everything is still kept. Start again: sidecar restore {receipt.id}"
    if isinstance(receipt.facts.get("restored"), str):
        kept_refs.let_go(repository, kept_refs.ref_of(receipt.id))
        delete_trash(sidecar_dir, receipt.id, str(receipt.facts.get("path")))
        journal.finish(sidecar_dir)
        return (finding("recovered", f"{shown(receipt.worktree)} is restored in {escape(where)}."),)
    try:
        if not os.path.isabs(where) or os.path.normpath(where) != where or _is_gits_own(repository, where):
            raise ValueError("its path is not a worktree's")
        facts = decode_release(repository, receipt.facts)
        if isinstance(facts, Failure):
            raise ValueError(facts.message)
        if entry.step != "place":
            _give_up(sidecar_dir, receipt, where)
            return (finding("recovered", f"The restoration of {shown(receipt.worktree)} was ended. {again}"),)
        branches = load_branches(trash_of(sidecar_dir, receipt.id))
        notes = _place(repository, sidecar_dir, receipt, facts, entry, branches, where)
        _finish(repository, sidecar_dir, receipt, facts, where)
    except RefusedError as stopped:
        _give_up(sidecar_dir, receipt, where)
        return (finding("recovered", f"{stopped} {again} --into PATH"),)
    except ValueError as error:
        return (finding("bad-journal", f"The journal of {entry.id} is not as we wrote it: {escape(str(error))}."),)
    except (OSError, GitError) as error:
        said = f"{shown(receipt.worktree)} is not restored as a whole: {escape(str(error))}"
        return (finding("not-recovered", said),)
    return (finding("recovered", f"{shown(receipt.worktree)} is restored in {escape(where)}."), *notes)
