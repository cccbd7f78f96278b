"""Make the commit that will be trunk's, by real git in the landing repository, with the message git itself would write.

Trunk does not move here. Hooks that act on what has landed are run by `run_late_hooks`, after it has.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from sidecar.git.process import GitError, Place, run
from sidecar.git.refs import is_ancestor
from sidecar.git.repository import Repository
from sidecar.git.user_git import CommandResult, run_user_git
from sidecar.model.changes import is_object_id
from sidecar.model.findings import Finding, finding
from sidecar.model.picture import Worktree
from sidecar.model.words import escape, named, shown
from sidecar.operations.kept_refs import keep_all
from sidecar.operations.landing_repository.layout import (
    LandingRepository,
    make_landing_repository,
    place_hooks,
    set_head,
)
from sidecar.operations.landing_repository.lent import (
    NOTHING_LENT,
    Lent,
    gitlinks,
    is_submodule,
    lend_ignored,
    made_extras,
    place_submodules,
    take_back,
)
from sidecar.operations.landing_repository.original import Moved, Original, moved_refs, place_of, read_original
from sidecar.operations.merge.blockers import LAID_OUT, LEAN, WHOLE, is_lean, unmerged_paths
from sidecar.operations.merge.run import (
    LANDING,
    WORKING,
    MergePlan,
    MergeRun,
    head_commit,
    kept_objects,
    kept_refs,
    stop_if_cancelled,
)
from sidecar.operations.run import RefusedError

LAST_LINES = 20
"""How many of a command's last lines a finding quotes."""

KEY_IS_LOCKED = "\nThere is no terminal to ask for a passphrase. Unlock the key first, for example: ssh-add"

QUIETLY = ("--no-edit", "--no-stat", "--no-autostash", "--no-log")


@dataclass(frozen=True, slots=True)
class Made:
    """The commit that trunk is to have, where it was made, and what else hooks did there."""

    original: Original
    landing_repository: LandingRepository
    commit: str
    refs: tuple[Moved, ...]
    extras: tuple[str, ...]


Regenerate = Callable[[Original, LandingRepository], None]
"""What makes the files anew that the merge has stopped at, in the landing repository of this original."""


def make_commit(running: MergeRun, plan: MergePlan, regenerate: Regenerate) -> Made:
    """Have git make it, and keep it from any clean-up; RefusedError when git, a hook or a signature said no."""
    before = running.facts.before
    making = _set_up(running, plan, regenerate)
    {"merge": _merge, "squash": _squash, "rebase": _rebase}[plan.strategy](plan, making)
    take_back(making.lent)
    where = making.landing_repository
    after = head_commit(where.repository, where.worktree)
    if after is None or after == before:
        name, branch = shown(plan.worktree.name), shown(plan.trunk.branch)
        raise RefusedError(finding("nothing-to-merge", f"{branch} has all that {name} changed."))
    if not is_ancestor(where.repository.place, before, after):
        raise RefusedError(finding("merge-failed", "What git, or a hook, made does not contain trunk."))
    branches = (running.facts.trunk, f"refs/heads/{running.facts.branch}")
    refs = moved_refs(where.place, where.common, where.refs, branches)
    _keep(running, after, refs)
    return Made(making.original, where, after, refs, made_extras(where))


def _keep(running: MergeRun, after: str, refs: tuple[Moved, ...]) -> None:
    """Have refs of ours hold what was made until it has landed, whole: anybody may run `git gc --prune=now`."""
    made = kept_objects(after, refs)
    keep_all(running.repository, kept_refs(running.journal.id), made)
    partial = ("--exclude-promisor-objects",) if running.repository.why_missing else ()
    try:
        run(running.repository.place, "rev-list", "--objects", "--quiet", *partial, *made, f"^{running.facts.before}")
    except GitError as error:
        said = f"What was made is not whole, since another git cleaned up meanwhile ({error.message}). Run it again."
        raise RefusedError(finding("merge-failed", said)) from error


@dataclass(frozen=True, slots=True)
class _Making:
    """A landing repository that is filled, what git is told there, and what is lent to hooks."""

    running: MergeRun
    original: Original
    landing_repository: LandingRepository
    options: tuple[str, ...]
    lent: Lent
    written: list[str]
    regenerate: Regenerate

    def lend(self) -> Lent:
        """Lend it what git ignores in trunk's checkout, where something runs there that may need it."""
        if not self.original.runs_programs:
            return NOTHING_LENT
        return lend_ignored(self.original, self.landing_repository, self.written)

    def act(self, *args: str) -> CommandResult:
        """Run git there as the person would."""
        where = self.landing_repository
        return self.running.act(where.worktree.key, *self.options, *args, variables=where.variables)


def _set_up(running: MergeRun, plan: MergePlan, regenerate: Regenerate) -> _Making:
    facts = running.facts
    original = read_original(running.repository, plan.checkout)
    lean = is_lean(original) and not plan.regenerates
    branch = f"refs/heads/{facts.branch}" if facts.branch is not None else None
    placed = {facts.trunk: facts.before} | ({branch: facts.head} if branch is not None else {})
    head = facts.trunk if plan.strategy != "rebase" else branch or facts.head
    where = make_landing_repository(original, running.acting.operation, head, placed)
    if isinstance(where, Finding):
        raise RefusedError(where)
    written = [path for path, change in plan.changes.items() if change.after is not None]
    making = _Making(running, original, where, LEAN if lean else WHOLE, NOTHING_LENT, written, regenerate)
    if lean:
        patterns = where.git_dir / "info" / "sparse-checkout"
        patterns.parent.mkdir(exist_ok=True)
        patterns.write_text(LAID_OUT)
    said = making.act("read-tree", "-m", "-u", "HEAD")
    stop_if_cancelled(running.acting)
    if not said.ok:
        raise RefusedError(finding("no-landing-repository", f"Trunk's files can't be laid out: {quoted(said)}"))
    place_hooks(original, where.top, where.common)
    _place_submodules(making, plan, fill=not lean)
    return replace(making, lent=making.lend())


def _place_submodules(making: _Making, plan: MergePlan, *, fill: bool) -> None:
    """Have submodules as trunk's checkout has them: git asks them which of two commits descends from the other."""
    moved = {path for path, change in plan.changes.items() if is_submodule(change)}
    if plan.checkout is None or not (moved or (fill and (making.landing_repository.top / ".gitmodules").exists())):
        return
    links = gitlinks(making.landing_repository.place)
    wanted = links if fill else {path: commit for path, commit in links.items() if path in moved}
    place_submodules(making.running.act, making.landing_repository.top, (plan.checkout.key,), wanted, fill=fill)


def _name(where: LandingRepository, branch: str | None, commit: str) -> str:
    """Name a branch as a person does, where that can mean nothing else: hooks read it in GIT_REFLOG_ACTION."""
    if branch is None:
        return commit
    others = {f"refs/{branch}", f"refs/tags/{branch}", f"refs/remotes/{branch}", f"refs/remotes/{branch}/HEAD"}
    plain = not branch.startswith("-") and not is_object_id(branch)
    if plain and not others & where.refs.keys() and not os.path.lexists(where.git_dir / branch):
        return branch
    return f"refs/heads/{branch}"


def _merge(plan: MergePlan, making: _Making) -> None:
    facts = making.running.facts
    fixed = ("--no-ff", "--no-squash", "--commit", *QUIETLY)
    name = _name(making.landing_repository, facts.branch, facts.head)
    said = making.act("merge", *fixed, "-m", _encoded(plan, making), name)
    if not _resolve(plan, making, said):
        _hold(plan, making, said, "merge")
        return
    _conclude(plan, making, "MERGE_MSG")


def _squash(plan: MergePlan, making: _Making) -> None:
    facts = making.running.facts
    name = _name(making.landing_repository, facts.branch, facts.head)
    said = making.act("merge", "--squash", "--ff", *QUIETLY, name)
    if not _resolve(plan, making, said):
        _hold(plan, making, said, "merge")
    _conclude(plan, making, "SQUASH_MSG")


def _conclude(plan: MergePlan, making: _Making, message: str) -> None:
    """Commit what is merged, with the message in the file from which git takes it."""
    git_dir = making.landing_repository.git_dir
    (git_dir / "MERGE_MSG").unlink(missing_ok=True)  # in which git lists the conflicts
    (git_dir / message).write_bytes(os.fsencode(_encoded(plan, making)) + b"\n")
    _hold(plan, making, making.act("commit", "--no-status", "--no-edit"), "commit")


def _resolve(plan: MergePlan, making: _Making, said: CommandResult) -> bool:
    """Have files made anew, where it was agreed to and the merge has stopped at these very files; tell whether it did.

    Nothing is lent meanwhile: what the commands install would be written into trunk's own checkout.
    """
    where = making.landing_repository
    agreed = tuple(sorted(path for remake in plan.remakes for path in remake.paths)) if plan.regenerates else ()
    if said.ok or said.stopped or not agreed or unmerged_paths(where.repository, where.worktree) != agreed:
        return False
    take_back(making.lent)
    making.regenerate(making.original, where)
    making.lend()
    return True


def _rebase(plan: MergePlan, making: _Making) -> None:
    facts, where = making.running.facts, making.landing_repository
    fixed = ("--no-autostash", "--no-update-refs", "--no-autosquash", "--no-stat")
    _hold(plan, making, making.act("rebase", *fixed, _name(where, plan.trunk.branch, facts.before)), "rebase")
    if (after := head_commit(where.repository, where.worktree)) is not None:
        _hold(plan, making, making.act("update-ref", facts.trunk, after), "move")
        set_head(where, facts.trunk)


def _encoded(plan: MergePlan, making: _Making) -> str:
    """Encode the message as an argument whose bytes are in the encoding of the commit (i18n.commitEncoding)."""
    encoding = making.original.config.get("i18n.commitencoding") or "utf-8"
    try:
        return os.fsdecode(plan.message.encode(encoding))
    except (LookupError, UnicodeError):
        return plan.message


def commit_work(running: MergeRun, plan: MergePlan, worktree: Worktree, paths: tuple[str, ...]) -> MergeRun:
    """Commit what is not committed in the worktree, as agreed; its index is put back when that is refused."""
    gone = [path for path in paths if _is_plain_directory(worktree, path)]
    said = _stage(running, worktree, gone, "--force-remove")
    if said.ok:
        said = _stage(running, worktree, [path for path in paths if path not in gone], "--add", "--remove", "--replace")
    if said.ok:
        message = (plan.commit or "").encode("utf-8", "surrogateescape") + b"\n"
        said = running.act(worktree.key, "commit", "--no-status", "--quiet", "-F", "-", stdin=message)
    stop_if_cancelled(running.acting)
    head = head_commit(running.repository, worktree)
    if not said.ok or head is None or head == running.facts.head:
        raise RefusedError(
            finding("commit-refused", f"{shown(worktree.name)} can't be committed: {quoted(said)}", paths)
        )
    return running.step(WORKING, head=head)


def _stage(running: MergeRun, worktree: Worktree, paths: list[str], *how: str) -> CommandResult:
    """Put exactly these paths into the index as they are on disk; one that is nowhere any more is fine."""
    listing = b"".join(os.fsencode(path) + b"\0" for path in paths)
    return running.act(worktree.key, "update-index", *how, "-z", "--stdin", stdin=listing)


def _is_plain_directory(worktree: Worktree, path: str) -> bool:
    """Tell whether a directory stands where a file was, and not a submodule."""
    full = os.path.join(worktree.key, path)
    return os.path.isdir(full) and not os.path.islink(full) and not os.path.lexists(os.path.join(full, ".git"))


def _hold(plan: MergePlan, making: _Making, said: CommandResult, what: str) -> None:
    """Go on only after what went well; else say whether it was a conflict or a refusal."""
    stop_if_cancelled(making.running.acting)
    if said.ok:
        return
    paths = unmerged_paths(making.landing_repository.repository, making.landing_repository.worktree)
    name, branch = shown(plan.worktree.name), shown(plan.trunk.branch)
    if paths:
        told = f"{name} conflicts with {branch}: {named(paths, 5)}. Merge {branch} into {name} and resolve it there."
        raise RefusedError(finding("conflict", told, paths))
    hint = KEY_IS_LOCKED if "passphrase" in said.last_words or "pinentry" in said.last_words else ""
    raise RefusedError(finding("merge-failed", f"Git did not {what} {name}: {quoted(said)}{hint}"))


def quoted(said: CommandResult) -> str:
    """Give the last lines of what a command said, for a person; never nothing."""
    words = [escape(line) for line in said.last_words.splitlines() if line.strip()]
    if said.stopped == "timeout":
        words.append("(its time was up)")
    if words:
        return "\n".join(words[-LAST_LINES:])
    return f"it said nothing and ended with status {said.status}."


SQUASHED = "Squashed commit of the following:\n\n"
"""How git's own message for a squash begins (git-merge(1), --squash)."""


UTF8 = ("-c", "i18n.logOutputEncoding=UTF-8", "-c", "i18n.commitEncoding=UTF-8")
"""Told to git wherever a message is asked for: here it is text, whatever commits are written in."""

MARK = "\x01"
MARKED = ("-c", f"core.commentChar={MARK}")
"""Told to `git fmt-merge-msg`, which says in comments who wrote what; `git merge` leaves that out, unless one edits."""


def merge_message(repository: Repository, plan: MergePlan, head: str) -> str:
    """Give the message that a person has chosen, else git's own, as configured in trunk's checkout; '' for a rebase."""
    place, worktree, trunk, given = place_of(repository, plan.checkout), plan.worktree, plan.trunk, plan.choices.message
    if plan.strategy == "rebase":
        return ""
    if given is not None and given.strip():
        return given
    if plan.strategy == "squash":
        said = run(place, *UTF8, "log", "--no-decorate", "--no-show-signature", f"{trunk.commit}..{head}", "--")
        return SQUASHED + said.decode("utf-8", "replace")
    what = f"branch '{worktree.branch}' of ." if worktree.branch is not None else f"commit '{head}'"
    line = os.fsencode(f"{head}\t\t{what}\n")
    how = (*UTF8, *MARKED, "fmt-merge-msg", "--into-name", trunk.branch)
    try:
        said = run(place, *how, stdin=line)
    except GitError:  # git refuses where HEAD has no commit, as in a bare repository whose HEAD names no branch
        if plan.checkout is not None:
            raise
        said = run(repository.inside(worktree), *how, stdin=line)
    kept = [text for text in said.decode("utf-8", "surrogateescape").split("\n") if not text.startswith(MARK)]
    return "\n".join(kept).strip("\n")


def run_late_hooks(running: MergeRun, plan: MergePlan, made: Made) -> None:
    """Run `post-commit` where `git commit` made it, as for a squash; where trunk is checked out nowhere, in the
    landing repository, and `post-merge` too (githooks(5)). What they say changes nothing any more.
    """
    by_commit = plan.strategy == "squash" or plan.regenerates
    hooks: dict[str, tuple[str, ...]] = {"post-commit": ()} if by_commit else {}
    if plan.checkout is None:
        hooks["post-merge"] = ("0",)
    where = made.landing_repository
    there = (plan.checkout.key, {}) if plan.checkout is not None else (where.worktree.key, where.variables)
    for hook, arguments in hooks.items():
        if made.original.runs(hook):
            place = Place(there[0], {"SIDECAR_STAGE": LANDING, **there[1]})
            run_user_git(
                running.acting, place, *_found(made, plan), "hook", "run", "--ignore-missing", hook, "--", *arguments
            )


def _found(made: Made, plan: MergePlan) -> tuple[str, ...]:
    """Tell git where these hooks are, because the landing repository lacks them."""
    if plan.checkout is not None or made.original.hooks is None:
        return ()
    return ("-c", f"core.hooksPath={made.landing_repository.top.joinpath(made.original.hooks)}")
