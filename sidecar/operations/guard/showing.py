"""Show what was wiped, and what going back would change, as a diff that a person reads before anything is done."""

from __future__ import annotations

import os
from pathlib import Path

from sidecar.git.objects import tree_of
from sidecar.git.process import Place, run
from sidecar.git.repository import open_repository
from sidecar.model.changes import is_object_id
from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.model.words import escape
from sidecar.operations.guard.keep_now import with_present
from sidecar.operations.guard.rewind import RewindPlan
from sidecar.operations.records import read_receipt, sidecar_path
from sidecar.session.live import Present
from sidecar.session.reader import Sources, ask

HOW = ("diff-tree", "-r", "-p", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")


def wiped_diff(folder: Path, receipt_id: str, options: Options) -> str | Failure:
    """Show the work that a receipt says was wiped, as a diff from what it was done on."""
    repository = open_repository(folder, trust=options.trusted)
    if isinstance(repository, Failure):
        return repository
    receipt = read_receipt(sidecar_path(repository.common_dir), receipt_id)
    commit = str(receipt.facts.get("state")) if receipt is not None else ""
    if receipt is None or not is_object_id(commit):
        return Failure("unknown-id", f"There is nothing to restore called {escape(receipt_id)}. See: sidecar restore")
    rows = receipt.facts.get("files")
    paths = [str(row[0]) for row in rows if row] if isinstance(rows, list) else []

    def use(sources: Sources) -> str:
        place, objects = sources.quarantine.plumbing, sources.quarantine.objects
        parents = run(place, "rev-list", "--no-walk", "--parents", commit).decode("ascii").split()[1:]
        base = tree_of(objects, parents[0]) if parents else objects.empty_tree
        return _diff(place, base, tree_of(objects, commit), paths)

    return ask(repository, options, use)


def rewind_diff(plan: RewindPlan) -> str | Failure:
    """Show what going back would change, as a diff; of a worktree that is gone, what it had besides its HEAD."""
    if plan.worktree is None:

        def all_of_it(sources: Sources) -> str:
            objects, head = sources.quarantine.objects, plan.state.facts.head
            base = tree_of(objects, head) if head else objects.empty_tree
            return _diff(sources.quarantine.plumbing, base, plan.state.tree)

        return ask(plan.repository, plan.options, all_of_it)

    def use(sources: Sources, present: Present) -> str:
        return _diff(sources.quarantine.plumbing, present.tree, plan.state.tree)

    return with_present(plan.repository, plan.worktree, plan.options, use)


def _diff(place: Place, before: str, after: str, paths: list[str] | None = None) -> str:
    chosen = ("--", *paths) if paths else ()
    return run(place, "--literal-pathspecs", *HOW, before, after, *chosen).decode("utf-8", "replace")


def write_diff(folder: Path, name: str, text: str) -> Path:
    """Put a diff into a file that only its reader can read; gives its path."""
    place = folder / f"{name}.diff"
    place.unlink(missing_ok=True)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return place
