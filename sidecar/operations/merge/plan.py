"""What a merge of one worktree into trunk would do, and everything that stands in its way; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from sidecar.git.objects import tree_of
from sidecar.git.repository import Repository
from sidecar.model.changes import Change
from sidecar.model.findings import Failure, Finding, blocks, info
from sidecar.model.messages import counted, shown, them
from sidecar.operations.lock import who_holds
from sidecar.operations.merge.conflicts import Forecast, forecast
from sidecar.operations.merge.obstacles import checkout_findings
from sidecar.operations.merge.progress import holders_of, unfinished
from sidecar.operations.merge.surroundings import surrounding_findings
from sidecar.operations.merge.values import MergeChoices, MergePlan
from sidecar.operations.merge.wording import default_message
from sidecar.operations.scene import Scene, set_scene
from sidecar.session.reading import Reading, read_worktree, worktree_state
from sidecar.session.sources import Options, Sources, ask


def plan_merge(folder: Path, name: str, options: Options, choices: MergeChoices | None = None) -> MergePlan | Failure:
    """The plan for merging the worktree of this name, branch or path into trunk; a Failure when nothing can be said.

    Reads that worktree, trunk and trunk's checkout. Runs nothing of the repository and writes nothing into it.
    """
    return ask(folder, options, lambda sources: _plan(sources, folder, name, options, choices or MergeChoices()))


def look_again(plan: MergePlan, repository: Repository) -> MergePlan | Failure:
    """The same plan as it would be made now; what follows from the same commits and files is not asked again."""

    def look(sources: Sources) -> MergePlan | Failure:
        return _plan(sources, plan.folder, plan.worktree.key, plan.options, plan.choices, known=plan)

    return ask(repository, plan.options, look)


def _plan(
    sources: Sources,
    folder: Path,
    name: str,
    options: Options,
    choices: MergeChoices,
    known: MergePlan | None = None,
) -> MergePlan | Failure:
    scene = set_scene(sources.repository, folder, name, str(sources.settings["trunk"]))
    if isinstance(scene, Failure):
        return scene
    settings = sources.settings
    plan = MergePlan(
        folder=folder,
        common_dir=sources.repository.common_dir,
        worktree=scene.worktree,
        trunk=scene.trunk,
        checkout=scene.checkouts[0] if scene.checkouts else None,
        options=options,
        choices=choices,
        verify=str(settings["verify"]) if choices.verify is None else choices.verify,
        prepare=str(settings["prepare"]),
        limit=float(str(settings["verifyTimeout"])),
        head=scene.worktree.head,
    )
    if hopeless := tuple(_hopeless(scene)):
        return replace(plan, findings=hopeless)
    return _look_closer(sources, scene, plan, known)


def _hopeless(scene: Scene) -> Iterator[Finding]:
    """What makes every further question pointless."""
    worktree, trunk = scene.worktree, scene.trunk
    name, branch = shown(worktree.name), shown(trunk.branch)
    if not trunk.ref.startswith("refs/heads/"):
        yield blocks(
            "no-local-trunk", f"{branch} is at origin only. Make it here with: git branch {branch} {trunk.ref}"
        )
    elif trunk.commit is None:
        yield blocks("no-local-trunk", f"Trunk {branch} has no commit yet. Make its first commit by hand.")
    if worktree.branch == trunk.branch:
        yield blocks("is-trunk", f"{name} is trunk itself ({branch}). Name the worktree that is to be merged into it.")
    elif worktree.problem is not None or worktree.missing or worktree.bare:
        said = worktree.problem or f"{name} has no files."
        yield blocks("problem", f"{said} It can't be merged as it is.")
    elif worktree.head is None:
        yield blocks("nothing-to-merge", f"{name} has no commit yet.")


def _look_closer(sources: Sources, scene: Scene, plan: MergePlan, known: MergePlan | None) -> MergePlan | Failure:
    worktree, trunk, head = scene.worktree, scene.trunk, scene.worktree.head
    assert head is not None
    reading = read_worktree(sources, worktree)
    if reading.problem is not None:
        return replace(plan, findings=(blocks("problem", reading.problem),))
    whole = worktree_state(sources, trunk, reading, {})
    committed = worktree_state(sources, trunk, Reading(worktree), {})
    if whole.changes is None or committed.changes is None:
        return replace(plan, findings=(blocks("problem", whole.problem or f"{worktree.name} can't be read."),))
    state = whole if plan.commit is not None else committed
    findings = [*_beginning(scene), *_uncommitted(scene, reading, plan.commit)]
    plan = replace(plan, tree=whole.changes.tree, ahead=state.ahead)
    own = state.ahead > 0 or (plan.commit is not None and bool(reading.uncommitted.edits))
    if state.fork_point is None:
        findings.append(_unrelated(sources.repository, scene))
    elif not own:
        findings.append(blocks("nothing-to-merge", _nothing(scene, uncommitted=bool(reading.uncommitted.edits))))
    else:
        if known is not None and (known.trunk, known.head, known.tree) == (trunk, plan.head, plan.tree):
            plan = replace(plan, message=known.message, changes=known.changes)
        else:
            plan = replace(plan, message=_message(sources.repository, scene, plan))
            seen = forecast(sources, scene.trunk, state, plan.strategy)
            findings += [*seen.findings, *_same_tree(sources, scene, plan, seen)]
            findings += surrounding_findings(sources.repository, scene.worktree, scene.trunk, seen.changes, plan)
            plan = replace(plan, changes=seen.changes)
        findings += _landing(sources, scene, plan.changes)
    if (busy := who_holds(sources.repository.common_dir)) is not None:
        findings.append(busy)
    return replace(plan, findings=tuple(findings))


def _beginning(scene: Scene) -> Iterator[Finding]:
    """What is unfinished where the work is, and where trunk is."""
    worktree, trunk = scene.worktree, scene.trunk
    if (word := unfinished(worktree)) is not None:
        yield blocks("operation-in-progress", f"{word} is unfinished in {shown(worktree.name)}. Finish or abort it.")
    if worktree.branch is None and worktree.head is not None:
        said = f"{shown(worktree.name)} is on no branch: its commit {worktree.head[:10]} is merged."
        yield info("detached", said)
    for holder in holders_of(trunk.branch, scene.worktrees):
        said = f"A rebase or bisect of {shown(trunk.branch)} is unfinished in {shown(holder.name)}. Finish or abort it."
        yield blocks("trunk-in-operation", said)


def _uncommitted(scene: Scene, reading: Reading, commit: str | None) -> Iterator[Finding]:
    found = reading.uncommitted
    paths = tuple(sorted({*(edit.path for edit in found.edits), *found.skipped}))
    if not paths:
        return
    name, count = shown(scene.worktree.name), len(paths)
    files = counted(count, "file that is not committed", "files that are not committed")
    if commit is None:
        yield blocks("uncommitted", f"{name} has {files}. Commit {them(count)} first.", paths)
    else:
        yield info("will-commit", f"In {name}, {files} will be committed first.", paths)


def _nothing(scene: Scene, *, uncommitted: bool) -> str:
    name, branch = shown(scene.worktree.name), shown(scene.trunk.branch)
    return f"{name} has no {'commits' if uncommitted else 'work'} of its own that {branch} lacks."


def _unrelated(repository: Repository, scene: Scene) -> Finding:
    said = (
        f"{shown(scene.worktree.name)} shares no history with {shown(scene.trunk.branch)}, so git would not merge it."
    )
    if (Path(repository.common_dir) / "shallow").exists():
        said += " This repository is shallow; fetch the rest of it with: git fetch --unshallow"
    return blocks("unrelated", said)


def _message(repository: Repository, scene: Scene, plan: MergePlan) -> str:
    if plan.strategy == "rebase":
        return ""
    given = plan.choices.message
    if given is not None and given.strip():
        return given
    assert plan.head is not None
    return default_message(repository, scene.trunk, scene.worktree, plan.head, plan.strategy)


def _same_tree(sources: Sources, scene: Scene, plan: MergePlan, seen: Forecast) -> Iterator[Finding]:
    """A merge that changes nothing still makes a commit; a squash or a rebase of it makes none."""
    assert scene.trunk.commit is not None
    if seen.tree != tree_of(sources.quarantine.objects, scene.trunk.commit):
        return
    said = f"{shown(scene.trunk.branch)} has all that {shown(scene.worktree.name)} changed."
    yield info("no-change", said) if plan.strategy == "merge" else blocks("nothing-to-merge", said)


def _landing(sources: Sources, scene: Scene, changes: Mapping[str, Change]) -> list[Finding]:
    """Whether trunk can move where it is checked out."""
    if len(scene.checkouts) > 1:
        names = ", ".join(shown(one.name) for one in scene.checkouts)
        said = f"{shown(scene.trunk.branch)} is checked out more than once ({names}). Switch all but one to another."
        return [blocks("trunk-checkout", said)]
    if not scene.checkouts:
        return []
    return checkout_findings(sources.repository, scene.checkouts[0], changes)
