"""Take out of a repository all that the sidecar has put there, and agents' hooks: `sidecar uninstall`.

What is kept to be restored goes with it, for good, so the plan names it first. What is killed in between is finished by
the next command, because half of what was kept is of no use to anybody.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sidecar.git.process import GitError, run
from sidecar.git.refs import ref_names
from sidecar.git.repository import Repository, list_worktrees
from sidecar.model.findings import Failure, Finding, finding
from sidecar.model.picture import Worktree
from sidecar.model.receipts import Receipt
from sidecar.model.schema import SCHEMA, Json, finding_object, receipts_object
from sidecar.model.settings import Options
from sidecar.model.words import escape, named
from sidecar.operations import kept_refs
from sidecar.operations.agent_hooks import (
    CLIENTS,
    HookPlan,
    Scope,
    apply_hooks,
    has_entries,
    hook_file,
    plan_hooks,
)
from sidecar.operations.guard.browse import last_states
from sidecar.operations.journal import Journal, finish
from sidecar.operations.landing_repository.original import OURS
from sidecar.operations.landing_repository.place import landing_repository_path, remove_tree
from sidecar.operations.records import list_receipts, sidecar_path, why_unreadable
from sidecar.operations.restore import is_emptied, let_go
from sidecar.operations.run import QUIET, Agreed, Control, Plan, run_plan, who_holds
from sidecar.session.reader import ask_repository
from sidecar.session.watch_notes import watch_notes
from sidecar.system.mounts import mounted_in

LAST = ("journal", "holder", "lock")
"""What stands in the sidecar directory until all else is gone."""


@dataclass(frozen=True, slots=True)
class UninstallPlan(Plan):
    """All that would go; `receipts` and the states of the worktrees in `states` can't be restored after that.

    `settings` are (key, value) of the repository's own configuration, `folders` directories of the sidecar's own.
    """

    refs: tuple[str, ...]
    receipts: tuple[Receipt, ...]
    states: tuple[str, ...]
    protected: tuple[Worktree, ...]
    settings: tuple[tuple[str, str], ...]
    folders: tuple[str, ...]
    hooks: tuple[HookPlan, ...]

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing of the sidecar here."""
        return not (self.refs or self.protected or self.settings or self.folders or self.hooks)

    def as_object(self, result: UninstallResult | None = None) -> Json:
        """Give what `uninstall --json` prints: all that goes, or went; of the plan unless something came of it.

        `outcome` is "planned", "uninstalled", "refused" or "failed".
        """
        outcome = result.outcome if result is not None else "refused" if self.blocked else "planned"
        return {
            "schema": SCHEMA,
            "outcome": outcome,
            "refs": list(self.refs),
            "restorable": receipts_object(self.receipts)["receipts"],
            "states": list(self.states),
            "protected": [one.name for one in self.protected],
            "settings": [list(pair) for pair in self.settings],
            "folders": list(self.folders),
            "hooks": [str(one.path) for one in self.hooks],
            "findings": [finding_object(one) for one in (self if result is None else result).findings],
        }


@dataclass(frozen=True, slots=True)
class UninstallResult:
    """What became of it: after `failed` what is left is found by the next try."""

    outcome: Literal["uninstalled", "refused", "failed"]
    findings: tuple[Finding, ...] = ()


def plan_uninstall(folder: Path, options: Options, *, hooks: bool = True) -> UninstallPlan | Failure:
    """Plan to take out all of the sidecar; without `hooks` agents' clients go on calling it."""
    return ask_repository(folder, options, lambda repository: _plan(repository, folder, options, hooks=hooks))


def _plan(repository: Repository, folder: Path, options: Options, *, hooks: bool) -> UninstallPlan | Failure:
    if (why := why_unreadable(repository.common_dir)) is not None:
        return Failure("bad-state", why)
    worktrees = list_worktrees(repository)
    states = last_states(folder, options)
    if isinstance(states, Failure):
        return states
    receipts = list_receipts(sidecar_path(repository.common_dir))
    plan = UninstallPlan(
        folder,
        repository.common_dir,
        options,
        refs=tuple(ref_names(repository.place, OURS)),
        receipts=tuple(one for one in receipts if "restored" not in one.facts and not is_emptied(one)),
        states=tuple(one.worktree for one in states),
        protected=tuple(one for one in worktrees if one.protected),
        settings=_settings(repository),
        folders=tuple(_folders(repository, worktrees)),
        hooks=(),
    )
    planned = list(_hooks(folder, worktrees)) if hooks else []
    found = [finding("hook-left", one.message) for one in planned if isinstance(one, Failure)]
    return replace(
        plan,
        hooks=tuple(one for one in planned if isinstance(one, HookPlan)),
        findings=(*_in_the_way(plan), *found),
    )


def _in_the_way(plan: UninstallPlan) -> Iterator[Finding]:
    """Find who would write anew what is taken out, and what must not be deleted."""
    notes = watch_notes(plan.common_dir)
    if notes:
        who = named([f"process {note.pid}" for note in notes], between=" and ")
        verb = "watches" if len(notes) == 1 else "watch"
        said = f"{who[0].upper()}{who[1:]} {verb} this repository, and would keep new states at once."
        how = "Close the editors that have it open, or disable the extension there, and wait for ten seconds."
        yield finding("still-watched", f"{said} {how}")
    if (busy := who_holds(plan.common_dir)) is not None:
        yield busy
    for folder in plan.folders:
        if mounts := mounted_in(folder):
            yield finding("mounted", f"Another file system is mounted at {escape(mounts[0])}. Unmount it first.")


def _settings(repository: Repository) -> tuple[tuple[str, str], ...]:
    """Read `sidecar.*` of the repository's own file: what it includes is somebody's own."""
    said = run(
        repository.place, "config", "--local", "--no-includes", "-z", "--get-regexp", r"^sidecar\.[^.]*$", accept=(0, 1)
    )
    pairs = (os.fsdecode(one).partition("\n") for one in said.split(b"\0") if one)
    return tuple((key, value) for key, _, value in pairs)


def _folders(repository: Repository, worktrees: Sequence[Worktree]) -> Iterator[str]:
    landing = landing_repository_path(repository.common_dir, "").parent
    ours = (sidecar_path(repository.common_dir), *_of_worktrees(worktrees), landing)
    return (str(one) for one in dict.fromkeys(ours) if os.path.lexists(one))


def _of_worktrees(worktrees: Sequence[Worktree]) -> list[Path]:
    """Give where the setup and the ports of linked worktrees are noted."""
    return [Path(one.git_dir) / "sidecar" for one in worktrees if one.git_dir and not one.main]


def _hooks(folder: Path, worktrees: Sequence[Worktree]) -> Iterator[HookPlan | Failure]:
    """Plan for each client's settings that have an entry of ours: the person's own, and those of each worktree."""
    places: list[tuple[Scope, Path]] = [("user", folder)]
    places += [("project", Path(one.key)) for one in worktrees if one.readable and not one.bare]
    seen: set[Path] = set()
    for name in CLIENTS:
        for scope, place in places:
            path = hook_file(name, scope, place)
            if path not in seen and has_entries(path):
                seen.add(path)
                plan = plan_hooks(name, scope, place, blocks=False, remove=True)
                if isinstance(plan, HookPlan) and not plan.changes:
                    said = f"{path} has an entry of ours that is not as it was written. It is left as it is."
                    plan = Failure("hook-file", said)
                yield plan


def apply_uninstall(plan: UninstallPlan, control: Control = QUIET) -> UninstallResult:
    """Take out what the plan names, and what of the sidecar's own has been added since by nobody but itself."""
    return run_plan(
        plan,
        control,
        doing="taking the sidecar out of this repository",
        again=lambda repository: _plan(repository, plan.folder, plan.options, hooks=bool(plan.hooks)),
        essence=lambda one: (one.refs, [receipt.id for receipt in one.receipts], one.settings, one.hooks),
        refused=lambda findings: UninstallResult("refused", findings),
        steps=_uninstall,
    )


def _uninstall(agreed: Agreed[UninstallPlan]) -> UninstallResult:
    for hook in agreed.plan.hooks:  # first: an agent that calls us would have its record written anew
        if (failure := apply_hooks(hook)) is not None:
            return UninstallResult("failed", (finding("hook-left", failure.message),))
    agreed.begin("uninstall", "remove", {})
    agreed.control.stage("Taking out what the sidecar keeps")
    left = _remove(agreed.repository, agreed.sidecar_dir)
    return UninstallResult("failed" if left else "uninstalled", left)


def recover_uninstall(repository: Repository, sidecar_dir: Path, _entry: Journal) -> tuple[Finding, ...]:
    """Finish what was ended half-way."""
    left = _remove(repository, sidecar_dir)
    return left or (finding("recovered", "Taking the sidecar out of this repository was ended; now it is done."),)


def _remove(repository: Repository, sidecar_dir: Path) -> tuple[Finding, ...]:
    """Remove everything, each thing whatever came of the others; give what is left, which the next try finds again."""
    left: list[Finding] = []

    def attempt(do: Callable[..., object], *arguments: object) -> None:
        try:
            do(*arguments)
        except (GitError, OSError) as error:
            left.append(finding("not-removed", f"Something is left: {escape(str(error))}."))

    worktrees = list_worktrees(repository)
    for worktree in worktrees:
        if worktree.protected:
            attempt(run, repository.place, "worktree", "unlock", "--end-of-options", worktree.key)
    for key in dict.fromkeys(key for key, _ in _settings(repository)):
        attempt(run, repository.place, "config", "--local", "--unset-all", key)
    for receipt in list_receipts(sidecar_dir):
        attempt(let_go, repository, sidecar_dir, receipt)
    attempt(kept_refs.let_go_all, repository, OURS.rstrip("/"))
    for folder in (*_of_worktrees(worktrees), landing_repository_path(repository.common_dir, "").parent):
        attempt(_delete, folder)
    for one in list(sidecar_dir.iterdir()):
        if one.name not in LAST:
            attempt(_delete, one)
    finish(sidecar_dir)
    if not left:
        for name in LAST[1:]:
            attempt(_delete, sidecar_dir / name)
    return tuple(left)


def _delete(place: Path) -> None:
    """Delete a file or directory of ours; OSError when it stays. A link is deleted itself."""
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif place.is_dir():
        remove_tree(place)
        if os.path.lexists(place):
            raise OSError(f"{place} could not be deleted")
    with contextlib.suppress(OSError):
        place.parent.rmdir()  # where it was the last one
