"""Plan a merge of one worktree into trunk: what it would do, and everything that stands in its way.

Nothing is written, but for what a partial clone lacks (git-clone(1), --filter), which is fetched once a person asked.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from sidecar.git.objects import tree_of
from sidecar.git.process import GitError, Place
from sidecar.git.refs import count_files
from sidecar.git.repository import NOT_FETCHED, Repository
from sidecar.git.user_git import run_user_git
from sidecar.model.changes import Change
from sidecar.model.findings import Failure, Finding, finding
from sidecar.model.merging import extent_of
from sidecar.model.picture import TRUNK_KEY, WorktreeState
from sidecar.model.settings import Options
from sidecar.model.words import counted, shown, them
from sidecar.operations.merge.blockers import checkout_findings, surrounding_findings
from sidecar.operations.merge.conflicts import Forecast, forecast, trunk_in_operation, unfinished
from sidecar.operations.merge.make_commit import merge_message
from sidecar.operations.merge.needs import numbers_taken, participant_of, taking_back, trunk_since, uses_broken
from sidecar.operations.merge.run import MergeChoices, MergePlan
from sidecar.operations.run import QUIET, Control, who_holds
from sidecar.operations.who_is_there import agents_of, sentence_of
from sidecar.session.broken_uses import BrokenUseFinder
from sidecar.session.once import Resolved, resolve_worktree
from sidecar.session.reader import Sources, ask
from sidecar.session.reading import Reading, read_worktree, worktree_state
from sidecar.session.regenerate import all_rules


def plan_merge(folder: Path, name: str, options: Options, choices: MergeChoices | None = None) -> MergePlan | Failure:
    """Plan to merge the worktree of this name, branch or path into trunk; a Failure when nothing can be said.

    Reads that worktree, trunk and trunk's checkout. Runs nothing of the repository and writes nothing into it.
    """
    return ask(folder, options, lambda sources: _plan(sources, folder, name, options, choices or MergeChoices()))


def look_again(plan: MergePlan, repository: Repository) -> MergePlan | Failure:
    """Make the same plan as of now; what follows from the same commits and files is not asked again."""

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
    resolved = resolve_worktree(sources.repository, folder, name, str(sources.settings["trunk"]))
    if isinstance(resolved, Failure):
        return resolved
    settings = sources.settings
    plan = MergePlan(
        folder=folder,
        common_dir=sources.repository.common_dir,
        worktree=resolved.worktree,
        trunk=resolved.trunk,
        checkout=resolved.checkouts[0] if resolved.checkouts else None,
        options=options,
        choices=choices,
        verify=str(settings["verify"]) if choices.verify is None else choices.verify,
        prepare=str(settings["prepare"]),
        limit=float(str(settings["verifyTimeout"])),
        keeps=int(str(settings["landingLimit"])) << 20,
        head=resolved.worktree.head,
    )
    if hopeless := tuple(_hopeless(sources.repository, resolved)):
        return replace(plan, findings=hopeless)
    return _look_closer(sources, resolved, plan, known)


def _hopeless(repository: Repository, resolved: Resolved) -> Iterator[Finding]:
    """Find what makes every further question pointless."""
    worktree, trunk = resolved.worktree, resolved.trunk
    name, branch = shown(worktree.name), shown(trunk.branch)
    if not trunk.ref.startswith("refs/heads/"):
        yield finding(
            "no-local-trunk", f"{branch} is at origin only. Make it here with: git branch {branch} {trunk.ref}"
        )
    elif trunk.commit is None:
        yield finding("no-local-trunk", f"Trunk {branch} has no commit yet. Make its first commit by hand.")
    for checkout in resolved.checkouts:
        if not checkout.readable:  # nothing that git or a hook would do there can be foreseen
            yield from checkout_findings(repository, checkout, {})
    if worktree.branch == trunk.branch:
        yield finding("is-trunk", f"{name} is trunk itself ({branch}). Name the worktree that is to be merged into it.")
    elif worktree.problem is not None or worktree.missing or worktree.bare:
        said = worktree.problem or f"{name} has no files."
        yield finding("problem", f"{said} It can't be merged as it is.")
    elif worktree.head is None:
        yield finding("nothing-to-merge", f"{name} has no commit yet.")
    elif (word := unfinished(worktree)) is not None:  # of which all the rest that would be found is a part
        yield finding("operation-in-progress", f"{word} is unfinished in {name}. Finish or abort it.")


def _look_closer(sources: Sources, resolved: Resolved, plan: MergePlan, known: MergePlan | None) -> MergePlan | Failure:
    worktree, trunk, head = resolved.worktree, resolved.trunk, resolved.worktree.head
    assert head is not None
    reading = read_worktree(sources, worktree)
    if reading.problem is not None:
        return replace(plan, findings=(finding("problem", reading.problem),))
    whole = worktree_state(sources, trunk, reading, {})
    committed = worktree_state(sources, trunk, Reading(worktree), {})
    if whole.changes is None or committed.changes is None:
        return replace(plan, findings=(finding("problem", whole.problem or f"{worktree.name} can't be read."),))
    state = whole if plan.commit is not None else committed
    findings = [*_beginning(resolved), *_uncommitted(resolved, reading, plan.commit)]
    plan = replace(plan, tree=whole.changes.tree, ahead=state.ahead)
    own = state.ahead > 0 or (plan.commit is not None and bool(reading.uncommitted.edits))
    if state.fork_point is None:
        findings.append(_unrelated(sources.repository, resolved))
    elif not own:
        what = "commits" if reading.uncommitted.edits else "work"
        said = f"{shown(worktree.name)} has no {what} of its own that {shown(trunk.branch)} lacks."
        findings.append(finding("nothing-to-merge", said))
    else:
        if known is not None and (known.trunk, known.head, known.tree) == (trunk, plan.head, plan.tree):
            same = {name: getattr(known, name) for name in ("message", "changes", "extent", "remakes")}
            plan = replace(plan, **same)
            seen_before = [one for one in known.findings if one.severity != "blocks"]
            findings = list(dict.fromkeys((*seen_before, *findings)))
        else:
            plan = replace(plan, message=merge_message(sources.repository, plan, head))
            seen = _forecast(sources, resolved, state, plan)
            plan = replace(plan, remakes=seen.remakes)
            findings += [*seen.findings, *_same_tree(sources, resolved, plan, seen)]
            findings += surrounding_findings(sources, seen.changes, plan)
            findings += taking_back(sources, state, trunk, plan.choices)
            if all(one.code != "not-fetched" for one in seen.findings):  # else the plan is made again once it is
                since = trunk_since(sources, state, trunk, tree_of(sources.quarantine.objects, f"{trunk.commit}"))
                findings += numbers_taken(sources, participant_of(state), since)
                broken = BrokenUseFinder(sources).find(trunk, [state]) or ()
                findings += uses_broken(broken, state.worktree.key, [TRUNK_KEY])
            count = partial(count_files, sources.repository.place, f"{trunk.commit}")
            extent = extent_of(seen.changes.values(), count) if seen.tree is not None else None  # None: it stops
            plan = replace(plan, changes=seen.changes, extent=extent)
        findings += [one for one in _landing(sources, resolved, plan.changes) if one not in findings]
    if known is None and (there := agents_of(sources.repository, worktree, sources.settings)):
        findings.append(finding("agent-there", sentence_of(there, worktree.name)))
    if known is None and (busy := who_holds(sources.repository.common_dir)) is not None:
        findings.append(busy)
    return replace(plan, findings=tuple(findings))


def _forecast(sources: Sources, resolved: Resolved, state: WorktreeState, plan: MergePlan) -> Forecast:
    """Foresee what would come of it; where a partial clone lacks what git would read, that stands in the way."""
    try:
        return forecast(sources, resolved.trunk, state, plan.choices, all_rules(sources))
    except GitError as error:
        if NOT_FETCHED not in error.message:
            raise
    name, branch = shown(resolved.worktree.name), shown(resolved.trunk.branch)
    said = f"Whether {name} and {branch} conflict is not known: {NOT_FETCHED[:1].lower()}{NOT_FETCHED[1:]}"
    way = (
        f"A merge fetches it, and so does: git merge-tree {shlex.join((resolved.trunk.branch, resolved.worktree.ref))}"
    )
    return Forecast(None, {}, (finding("not-fetched", f"{said} {way}"),))


def _beginning(resolved: Resolved) -> Iterator[Finding]:
    """Find what is on no branch where the work is, and what of trunk is unfinished."""
    worktree, trunk = resolved.worktree, resolved.trunk
    if worktree.branch is None and worktree.head is not None:
        said = f"{shown(worktree.name)} is on no branch: its commit {worktree.head[:10]} is merged."
        yield finding("detached", said)
    yield from trunk_in_operation(trunk.branch, resolved.worktrees)


def _uncommitted(resolved: Resolved, reading: Reading, commit: str | None) -> Iterator[Finding]:
    found = reading.uncommitted
    paths = tuple(sorted(edit.path for edit in found.edits))
    if not paths:
        return
    name, count = shown(resolved.worktree.name), len(paths)
    files = counted(count, "file that is not committed", "files that are not committed")
    if commit is None:
        yield finding("uncommitted", f"{name} has {files}. Commit {them(count)} first.", paths)
    else:
        yield finding("will-commit", f"In {name}, {files} will be committed first.", paths)


def _unrelated(repository: Repository, resolved: Resolved) -> Finding:
    name, branch = shown(resolved.worktree.name), shown(resolved.trunk.branch)
    said = f"{name} shares no history with {branch}, so git would not merge it."
    if (Path(repository.common_dir) / "shallow").exists():
        said += " This repository is shallow; fetch the rest of it with: git fetch --unshallow"
    return finding("unrelated", said)


def _same_tree(sources: Sources, resolved: Resolved, plan: MergePlan, seen: Forecast) -> Iterator[Finding]:
    """Say that the merge changes nothing; then a merge still makes a commit, a squash or a rebase makes none."""
    assert resolved.trunk.commit is not None
    if seen.tree != tree_of(sources.quarantine.objects, resolved.trunk.commit):
        return
    said = f"{shown(resolved.trunk.branch)} has all that {shown(resolved.worktree.name)} changed."
    yield finding("no-change", said) if plan.strategy == "merge" else finding("nothing-to-merge", said)


def _landing(sources: Sources, resolved: Resolved, changes: Mapping[str, Change]) -> list[Finding]:
    """Tell whether trunk can move where it is checked out."""
    if len(resolved.checkouts) > 1:
        names = ", ".join(shown(one.name) for one in resolved.checkouts)
        said = f"{shown(resolved.trunk.branch)} is checked out more than once ({names}). Switch all but one to another."
        return [finding("trunk-checkout", said)]
    if not resolved.checkouts:
        return []
    return checkout_findings(sources.repository, resolved.checkouts[0], changes)


def fetch_for(plan: MergePlan, control: Control = QUIET) -> MergePlan | Failure:
    """Fetch what was missing for a plan and give it with that; the same plan where nothing was, or git can't.

    Git's own merge of the two commits fetches what it reads, and no more. It moves nothing: what it makes is objects
    that nobody names.
    """
    if not any(found.code == "not-fetched" and found.severity == "blocks" for found in plan.findings):
        return plan
    assert plan.trunk.commit is not None
    assert plan.head is not None
    control.stage(f"Fetching what the merge of {shown(plan.worktree.name)} needs")
    place = Place(plan.common_dir, {"GIT_DIR": plan.common_dir})
    acting = replace(control, output=QUIET.output).acting("fetching", plan.common_dir)
    ended = run_user_git(acting, place, "merge-tree", "--write-tree", plan.trunk.commit, plan.head)
    if ended.status not in (0, 1) or ended.stopped:
        last = ended.errors.strip().rpartition("\n")[2].removeprefix("fatal: ").rstrip(".")
        said = finding("not-fetched", f"What this partial clone lacks for the merge can't be fetched: {last}.")
        others = (finding for finding in plan.findings if finding.code != "not-fetched")
        return replace(plan, findings=(*others, said))
    return plan_merge(plan.folder, plan.worktree.key, plan.options, plan.choices)
