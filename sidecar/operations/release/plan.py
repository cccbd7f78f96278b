"""What a release would do, and everything that speaks against it: nothing is written here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.git.inventory.fingerprint import Fingerprint, fingerprint
from sidecar.git.inventory.take import take_inventory
from sidecar.git.inventory.watching import CancelledError
from sidecar.model.finding_codes import ALLOWABLE, FINDING_CODES, finding
from sidecar.model.findings import Failure, Finding, gravest_first, is_blocked
from sidecar.model.inventory import Bytes, Inventory
from sidecar.model.inventory_findings import findings_of
from sidecar.model.messages import counted, escape, named, shown, them
from sidecar.model.picture import Trunk, Worktree
from sidecar.model.proof import Proof
from sidecar.model.settings import build_output
from sidecar.operations.control import QUIET, Control
from sidecar.operations.receipts import list_receipts
from sidecar.operations.scene import set_scene
from sidecar.operations.state import state_path
from sidecar.session.integration import prove
from sidecar.session.sources import Options, Sources, ask
from sidecar.system.processes import processes_inside


@dataclass(frozen=True, slots=True)
class World:
    """What must not change between a plan and its execution: the files, git's own of the worktree, and trunk."""

    files: Fingerprint
    administration: Fingerprint
    worktree: Worktree
    trunk: Trunk


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """A release to agree to; `findings` are all that was seen, those that were allowed no longer block.

    `inventory` is None where none could be taken, `world` None where the plan can't be carried out.
    """

    folder: Path
    common_dir: str
    options: Options
    worktree: Worktree
    trunk: Trunk
    findings: tuple[Finding, ...]
    allow: frozenset[str] = frozenset()
    unsaved: tuple[str, ...] = ()
    proof: Proof | None = None
    inventory: Inventory | None = None
    world: World | None = None

    @property
    def blocked(self) -> bool:
        """Whether a finding stands in the way."""
        return is_blocked(self.findings)

    @property
    def bytes(self) -> Bytes:
        """What the worktree takes on the disk, what of it a release frees, what is kept."""
        return self.inventory.bytes if self.inventory is not None else Bytes()


def plan_release(
    folder: Path,
    name: str,
    options: Options,
    allow: frozenset[str] = frozenset(),
    control: Control = QUIET,
    *,
    unsaved: Collection[str] = (),
) -> ReleasePlan | Failure:
    """What releasing the worktree of that name, branch or path means; `unsaved` are files with unsaved editor text."""
    unknown = sorted(allow - FINDING_CODES.keys())
    if unknown:
        return Failure("unknown-code", f"There is no finding called {escape(unknown[0])}. docs/findings.md lists them.")

    def look(sources: Sources) -> ReleasePlan | Failure:
        scene = set_scene(sources.repository, folder, name, str(sources.settings["trunk"]))
        if isinstance(scene, Failure):
            return scene
        return _plan(sources, folder, options, scene.worktree, scene.trunk, allow, tuple(unsaved), control)

    return ask(folder, options, look)


def _plan(
    sources: Sources,
    folder: Path,
    options: Options,
    worktree: Worktree,
    trunk: Trunk,
    allow: frozenset[str],
    unsaved: tuple[str, ...],
    control: Control,
) -> ReleasePlan:
    plan = ReleasePlan(folder, sources.repository.common_dir, options, worktree, trunk, (), allow, unsaved)
    never = _never(worktree, trunk)
    if never is not None:
        return replace(plan, findings=(never,))
    control.stage(f"Looking at everything in {escape(worktree.name)}")
    try:
        world = look_around(worktree, trunk, control)
    except CancelledError:
        return replace(plan, findings=(finding("cancelled", f"The proof of {escape(worktree.name)} was stopped."),))
    except OSError as error:
        what = f"{escape(worktree.name)} can't be read: {error.strerror} ({error.filename})."
        return replace(plan, findings=(finding("missing" if worktree.missing else "unreadable", what),))
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
        *_unsaved(worktree, unsaved),
        *findings_of(inventory, head_in_trunk=in_trunk),
    ]
    if control.cancelled():
        seen.append(finding("cancelled", f"The proof of {escape(worktree.name)} was stopped."))
    findings = gravest_first(_allowed(one, allow) for one in seen)
    return replace(plan, findings=findings, proof=proof, inventory=inventory, world=world)


def look_around(worktree: Worktree, trunk: Trunk, control: Control = QUIET, *, passing: Collection[str] = ()) -> World:
    """The world as it is now; OSError when the worktree can't be read, CancelledError when it was cancelled.

    Of `passing`, which is build output, only the directories are looked at (git.inventory.fingerprint).
    """
    files = fingerprint(worktree.key, control.cancelled, passing=passing)
    return World(files, fingerprint(worktree.git_dir, control.cancelled), worktree, trunk)


def _never(worktree: Worktree, trunk: Trunk) -> Finding | None:
    """Why a worktree is never released, whatever is in it."""
    if worktree.main or worktree.bare:
        return finding("main-worktree", f"{shown(worktree.name)} is the main worktree, which can't be released.")
    if worktree.branch == trunk.branch:
        return finding(
            "trunk-checkout", f"{shown(worktree.name)} has {escape(trunk.branch)} checked out, which is trunk."
        )
    return None


def _prove(sources: Sources, worktree: Worktree, trunk: Trunk, control: Control) -> Proof | None:
    """Whether trunk has the commits; None where there is none."""
    if worktree.head is None:
        return None
    receipts = [
        (str(receipt.facts.get("head")), str(receipt.facts.get("after")))
        for receipt in list_receipts(state_path(sources.repository.common_dir))
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
    """Who stands in a worktree right now, as at most one finding."""
    inside = processes_inside([worktree.key])[worktree.key]
    if not inside:
        return ()
    who = named([f"{process.name} ({process.pid})" for process in inside])
    it = them(len(inside))
    return (finding("in-use", f"In use in {shown(worktree.name)}: {who}. End {it}, or let {it} go elsewhere."),)


def _unsaved(worktree: Worktree, paths: tuple[str, ...]) -> tuple[Finding, ...]:
    if not paths:
        return ()
    what = f"The editor has unsaved text of {shown(worktree.name)}: {named(paths)}. Save it first."
    return (finding("unsaved", what, paths),)


def _allowed(one: Finding, allow: frozenset[str]) -> Finding:
    """A blocking finding that the person accepts is kept; what would not be safe can't be accepted."""
    if one.severity != "blocks" or one.code not in allow or one.code not in ALLOWABLE:
        return one
    return replace(one, severity="kept")
