"""Plan a release, or that of all whose work trunk has: find everything that speaks against it. Nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.git.inventory.inventory import take_inventory
from sidecar.model.findings import Failure, Finding, allowable, as_finding, finding, finding_codes, gravest_first
from sidecar.model.inventory import Bytes, Inventory
from sidecar.model.inventory_findings import findings_of
from sidecar.model.messages import short
from sidecar.model.picture import Trunk, Worktree, WorktreeState
from sidecar.model.proof import Proof
from sidecar.model.schema import Json, release_object
from sidecar.model.settings import Options, build_output
from sidecar.model.words import counted, escape, named, shown, them
from sidecar.operations.records import list_receipts, sidecar_path
from sidecar.operations.run import QUIET, Control, Plan
from sidecar.operations.who_is_there import agents_of, sentence_of
from sidecar.session.once import resolve_worktree
from sidecar.session.proof import prove
from sidecar.session.reader import Sources, ask
from sidecar.system.processes import Process, processes_inside


@dataclass(frozen=True, slots=True)
class ReleasePlan(Plan):
    """A release to agree to; `findings` are all that was seen, those that were allowed no longer block.

    `inventory` is None where none could be taken, so that the plan can't be carried out.
    """

    worktree: Worktree
    trunk: Trunk
    allow: frozenset[str] = frozenset()
    unsaved: tuple[str, ...] = ()
    proof: Proof | None = None
    inventory: Inventory | None = None

    @property
    def allowable(self) -> tuple[str, ...]:
        """Give the codes to allow for the release to go through; none where that is not enough."""
        codes = tuple(dict.fromkeys(found.code for found in self.findings if found.severity == "blocks"))
        return codes if self.inventory is not None and allowable().issuperset(codes) else ()

    @property
    def proven(self) -> str:
        """Say in a sentence why nothing of its work gets lost; "" where that is not so."""
        if self.proof is None or self.proof.integration.state == "not-integrated":
            return ""
        if self.proof.integration.state == "no-work":
            return "It has no work of its own."
        by = f", by {short(self.proof.witness)}" if self.proof.witness is not None else ""
        return f"All its work is in {shown(self.trunk.branch)}{by}."

    @property
    def bytes(self) -> Bytes:
        """Give what the worktree takes on the disk, what of it a release frees, what is kept."""
        return self.inventory.bytes if self.inventory is not None else Bytes()

    def as_object(self, outcome: str | None = None) -> Json:
        """Give the RELEASE object of a plan that was not carried out."""
        said = outcome or ("refused" if self.blocked else "planned")
        return release_object(said, self.findings, None, self.bytes.reclaimable, self.bytes.kept)


def plan_release(
    folder: Path,
    name: str,
    options: Options,
    allow: frozenset[str] = frozenset(),
    control: Control = QUIET,
    *,
    unsaved: Collection[str] = (),
) -> ReleasePlan | Failure:
    """Plan the release of the worktree of that name, branch or path; `unsaved` are files with unsaved editor text."""
    unknown = sorted(allow - finding_codes().keys())
    if unknown:
        return Failure("unknown-code", f"There is no finding called {escape(unknown[0])}. docs/findings.md lists them.")

    def look(sources: Sources) -> ReleasePlan | Failure:
        resolved = resolve_worktree(sources.repository, folder, name, str(sources.settings["trunk"]))
        if isinstance(resolved, Failure):
            return resolved
        place = folder, sources.repository.common_dir, options
        plan = ReleasePlan(*place, resolved.worktree, resolved.trunk, allow, tuple(unsaved))
        return _look_closer(sources, plan, control)

    return ask(folder, options, look)


def _look_closer(sources: Sources, plan: ReleasePlan, control: Control) -> ReleasePlan:
    worktree, trunk = plan.worktree, plan.trunk
    if worktree.branch == trunk.branch and not worktree.main:
        said = f"{shown(worktree.name)} has {escape(trunk.branch)} checked out, which is trunk."
        return replace(plan, findings=(finding("trunk-checkout", said),))
    control.stage(f"Looking at everything in {escape(worktree.name)}")
    patterns = build_output(sources.settings)
    inventory = take_inventory(sources.repository, worktree, disposable=patterns, cancelled=control.cancelled)
    if not isinstance(inventory, Inventory):
        return replace(plan, findings=inventory)
    control.stage(f"Looking for the work of {escape(worktree.name)} in {escape(trunk.branch)}")
    proof = _prove(sources, worktree, trunk, control)
    in_trunk = proof is not None and proof.integration.state != "not-integrated"
    seen = [
        *(_of_proof(worktree, trunk, proof) if proof is not None and worktree.branch is not None else ()),
        *(_of_content(worktree, trunk, proof) if proof is not None else ()),
        *in_use(worktree),
        *_agents(sources, worktree),
        *_unsaved(worktree, plan.unsaved),
        *findings_of(inventory, head_in_trunk=in_trunk),
    ]
    if control.cancelled():
        seen.append(finding("cancelled", f"The proof of {escape(worktree.name)} was stopped."))
    findings = gravest_first(_allowed(one, plan.allow) for one in seen)
    return replace(plan, findings=findings, proof=proof, inventory=inventory)


def _prove(sources: Sources, worktree: Worktree, trunk: Trunk, control: Control) -> Proof | None:
    """Prove that trunk has the commits, or that it has not; None where there is none."""
    if worktree.head is None:
        return None
    receipts: list[tuple[str, str]] = []
    with suppress(OSError):  # the proof is harder without them; applying refuses where they can't be read
        receipts += [
            (str(receipt.facts.get("head")), str(receipt.facts.get("after")))
            for receipt in list_receipts(sidecar_path(sources.repository.common_dir))
            if receipt.what == "merge" and "restored" not in receipt.facts
        ]
    return prove(sources, trunk, worktree.head, branch=worktree.branch, receipts=receipts, cancelled=control.cancelled)


def _of_proof(worktree: Worktree, trunk: Trunk, proof: Proof) -> tuple[Finding, ...]:
    if proof.integration.state != "not-integrated":
        return ()
    lacking = [f"{one.commit[:10]} {one.subject}" for one in proof.unproven]
    paths = tuple(sorted({path for one in proof.unproven for path in one.paths}))
    which = f": {named(lacking, between='; ')}" if lacking else ""
    what = counted(len(lacking), "commit", "commits") if lacking else "Its work"
    verb = "is" if len(lacking) <= 1 else "are"
    remark = f" {proof.remark}" if proof.remark else ""
    said = f"{shown(worktree.name)}: {what} {verb} not proven to be in {escape(trunk.branch)}{which}.{remark}"
    found = [finding("not-integrated", said, paths)]
    if proof.upstream is not None:
        update = f"{escape(proof.upstream)} has this work. Update {escape(trunk.branch)}, then release."
        found.append(finding("merged-upstream", update))
    return tuple(found)


def _of_content(worktree: Worktree, trunk: Trunk, proof: Proof) -> tuple[Finding, ...]:
    if not proof.missing:
        return ()
    files = counted(len(proof.missing), "file", "files")
    said = (
        f"{escape(trunk.branch)} took the commits of {shown(worktree.name)}, but not, or no more, "
        f"what they changed in {files}: {named(proof.missing)}."
    )
    return (finding("content-not-in-trunk", said, proof.missing),)


def in_use(worktree: Worktree) -> tuple[Finding, ...]:
    """Name who is in a worktree right now: what works there by itself, and what an editor has there for itself."""
    inside = processes_inside([worktree.key])[worktree.key]
    others = [one for one in inside if not one.editor]
    found = []
    if others:
        who = named([_called(one) for one in others])
        it = them(len(others))
        found.append(finding("in-use", f"In use in {shown(worktree.name)}: {who}. End {it}, or let {it} go elsewhere."))
    for editor in dict.fromkeys(one.editor for one in inside if one.editor):
        what = " and ".join(_of_editor([one for one in inside if one.editor == editor]))
        said = f"{shown(worktree.name)} is open in {editor}, which has {what} there. Close that window, or allow it."
        found.append(finding("in-editor", said))
    return tuple(found)


def _called(process: Process) -> str:
    about = ", the shell that you are in" if process.kind == "caller" else ""
    return f"{process.name} ({process.pid}{about})"


def _of_editor(inside: Sequence[Process]) -> Iterator[str]:
    """Say what an editor has in a worktree: "a terminal (bash 4180)", "2 language servers"."""
    shells = [one for one in inside if one.kind == "terminal"]
    helpers = len(inside) - len(shells)
    if shells:
        which = named([f"{one.name} {one.pid}" for one in shells])
        yield f"a terminal ({which})" if len(shells) == 1 else f"{len(shells)} terminals ({which})"
    if helpers:
        yield counted(helpers, "language server", "language servers")


def _agents(sources: Sources, worktree: Worktree) -> tuple[Finding, ...]:
    """Name the agents in a worktree, in at most one finding: their processes may stand elsewhere."""
    there = agents_of(sources.repository, worktree, sources.settings)
    return (finding("agent-at-work", sentence_of(there, worktree.name)),) if there else ()


def _unsaved(worktree: Worktree, paths: tuple[str, ...]) -> tuple[Finding, ...]:
    if not paths:
        return ()
    what = f"The editor has unsaved text of {shown(worktree.name)}: {named(paths)}. Save it first."
    return (finding("unsaved", what, paths),)


def _allowed(one: Finding, allow: frozenset[str]) -> Finding:
    """Make a blocking finding that the person accepts a kept one; what would not be safe can't be accepted."""
    if one.severity != "blocks" or one.code not in allow or one.code not in allowable():
        return one
    return replace(one, severity="kept")


@dataclass(frozen=True, slots=True)
class Staying:
    """A worktree that stays, why, and the RELEASE object of that."""

    worktree: Worktree
    why: str
    answer: Json

    @property
    def said(self) -> str:
        """Say it where nothing else names the worktree."""
        return f"{shown(self.worktree.name)} stays: {self.why}"


@dataclass(frozen=True, slots=True)
class Integrated:
    """The plans of those that nothing stands in the way of, and the others."""

    ready: tuple[ReleasePlan, ...]
    others: tuple[Staying, ...]


def plan_integrated(
    folder: Path,
    states: Sequence[WorktreeState],
    options: Options,
    control: Control,
    unsaved: Collection[tuple[str, str]] = (),
) -> Integrated | Failure:
    """Plan to release the linked worktrees that are integrated; `unsaved` has (worktree's key, path) of the editor."""
    ready: list[ReleasePlan] = []
    others: list[Staying] = []
    for worktree in (one.worktree for one in states if one.integration.state == "integrated" and not one.worktree.main):
        if control.cancelled():
            return Failure("cancelled", "The planning was cancelled. Nothing was changed.")
        control.stage(f"Proving {shown(worktree.name)}")
        paths = [path for key, path in unsaved if key == worktree.key]
        plan = plan_release(folder, worktree.key, options, frozenset(), control, unsaved=paths)
        if isinstance(plan, Failure):
            others.append(Staying(worktree, plan.message, release_object("failed", [as_finding(plan)])))
        elif plan.blocked:
            why = dict.fromkeys(found.message for found in plan.findings if found.severity == "blocks")
            others.append(Staying(worktree, " ".join(why), plan.as_object()))
        else:
            ready.append(plan)
    return Integrated(tuple(ready), tuple(others))
