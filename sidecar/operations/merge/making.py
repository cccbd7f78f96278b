"""Making the commit that will be trunk's, by real git in the temporary worktree."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sidecar.git.acting import Ended
from sidecar.git.refs import is_ancestor
from sidecar.model.findings import blocks, info
from sidecar.model.messages import escape, named, shown
from sidecar.model.picture import Worktree
from sidecar.operations.merge.desk import WORKING, Desk, head_commit
from sidecar.operations.merge.hooks import hook_options
from sidecar.operations.merge.lean import ASIDE, LAID_OUT, LEAN, is_lean
from sidecar.operations.merge.obstacles import unmerged_paths
from sidecar.operations.merge.values import MergePlan, RefusedError
from sidecar.operations.merge.wording import merge_options
from sidecar.operations.temporary import add_temporary

LAST_LINES = 20
"""How many of a command's last lines a finding quotes."""

QUIETLY = ("--no-edit", "--no-stat", "--no-autostash", "--no-log")


def make_commit(desk: Desk, plan: MergePlan) -> tuple[Worktree, str]:
    """(the temporary worktree, the commit made in it); RefusedError when git, a hook or a signature said no."""
    before = desk.facts.before
    aside = _set_up(desk, plan, desk.facts.head if plan.strategy == "rebase" else before)
    {"merge": _merge, "squash": _squash, "rebase": _rebase}[plan.strategy](desk, plan, aside)
    after = head_commit(desk.repository, aside.place)
    if after is None or after == before:
        name, branch = shown(plan.worktree.name), shown(plan.trunk.branch)
        raise RefusedError(blocks("nothing-to-merge", f"{branch} has all that {name} changed."))
    if not is_ancestor(desk.repository.place, before, after):
        raise RefusedError(blocks("merge-failed", "What git, or a hook, made does not contain trunk."))
    return aside.place, after


@dataclass(frozen=True, slots=True)
class _Aside:
    """The temporary worktree, and what git is told there: that most files are not laid out, where nobody needs them."""

    desk: Desk
    place: Worktree
    options: tuple[str, ...]

    def act(self, *args: str, stdin: bytes = b"") -> Ended:
        return self.desk.act(self.place.key, *self.options, *args, stdin=stdin)


def _set_up(desk: Desk, plan: MergePlan, commit: str) -> _Aside:
    lean = is_lean(desk.repository, plan.verify)
    place = add_temporary(desk.repository, desk.acting, commit, checkout=not lean)
    if not isinstance(place, Worktree):
        stop_if_cancelled(desk)
        raise RefusedError(place)
    if not lean:
        return _Aside(desk, place, (*ASIDE, *hook_options(desk.repository, plan.checkout, place)))
    aside = _Aside(desk, place, LEAN)
    patterns = Path(place.git_dir) / "info" / "sparse-checkout"
    patterns.parent.mkdir(exist_ok=True)
    patterns.write_text(LAID_OUT)
    said = aside.act("read-tree", "-m", "-u", "HEAD")
    stop_if_cancelled(desk)
    if not said.ok:
        raise RefusedError(blocks("no-temporary-worktree", f"A temporary worktree can't be filled: {quoted(said)}"))
    return aside


def _merge(desk: Desk, plan: MergePlan, aside: _Aside) -> None:
    options = merge_options(desk.repository, plan.trunk)
    fixed = ("--no-ff", "--no-squash", "--commit", *QUIETLY)
    _hold(desk, plan, aside.place, aside.act("merge", *options, *fixed, "-m", plan.message, desk.facts.head), "merge")


def _squash(desk: Desk, plan: MergePlan, aside: _Aside) -> None:
    _hold(desk, plan, aside.place, aside.act("merge", "--squash", *QUIETLY, desk.facts.head), "merge")
    said = aside.act("commit", "--no-status", "-F", "-", stdin=_encoded(plan.message))
    _hold(desk, plan, aside.place, said, "commit")


def _rebase(desk: Desk, plan: MergePlan, aside: _Aside) -> None:
    fixed = ("--no-autostash", "--no-update-refs", "--no-autosquash", "--no-stat")
    _hold(desk, plan, aside.place, aside.act("rebase", *fixed, desk.facts.before), "rebase")


def commit_work(desk: Desk, plan: MergePlan, worktree: Worktree, paths: tuple[str, ...]) -> Desk:
    """Commit what is not committed in the worktree, as agreed; its index is put back when that is refused."""
    gone = [path for path in paths if _is_plain_directory(worktree, path)]
    said = _stage(desk, worktree, gone, "--force-remove")
    if said.ok:
        said = _stage(desk, worktree, [path for path in paths if path not in gone], "--add", "--remove", "--replace")
    if said.ok:
        said = desk.act(worktree.key, "commit", "--no-status", "--quiet", "-F", "-", stdin=_encoded(plan.commit or ""))
    stop_if_cancelled(desk)
    head = head_commit(desk.repository, worktree)
    if not said.ok or head is None or head == desk.facts.head:
        raise RefusedError(
            blocks("commit-refused", f"{shown(worktree.name)} can't be committed: {quoted(said)}", paths)
        )
    return desk.step(WORKING, head=head)


def _stage(desk: Desk, worktree: Worktree, paths: list[str], *how: str) -> Ended:
    """Put exactly these paths into the index as they are on disk; one that is nowhere any more is fine."""
    listing = b"".join(os.fsencode(path) + b"\0" for path in paths)
    return desk.act(worktree.key, "update-index", *how, "-z", "--stdin", stdin=listing)


def _is_plain_directory(worktree: Worktree, path: str) -> bool:
    """Whether a directory stands where a file was, and not a submodule."""
    full = os.path.join(worktree.key, path)
    return os.path.isdir(full) and not os.path.islink(full) and not os.path.lexists(os.path.join(full, ".git"))


def _hold(desk: Desk, plan: MergePlan, place: Worktree, said: Ended, what: str) -> None:
    """Go on only after what went well; else say whether it was a conflict or a refusal."""
    stop_if_cancelled(desk)
    if said.ok:
        return
    paths = unmerged_paths(desk.repository, place)
    name, branch = shown(plan.worktree.name), shown(plan.trunk.branch)
    if paths:
        told = f"{name} conflicts with {branch}: {named(paths, 5)}. Merge {branch} into {name} and resolve it there."
        raise RefusedError(blocks("conflict", told, paths))
    raise RefusedError(blocks("merge-failed", f"Git did not {what} {name}: {quoted(said)}"))


def stop_if_cancelled(desk: Desk) -> None:
    """Go no further when the person has had enough."""
    if desk.acting.cancelled():
        raise RefusedError(info("cancelled", "Cancelled. Trunk is as it was."))


def quoted(said: Ended) -> str:
    """The last lines of what a command said, for a person; never nothing."""
    words = [escape(line) for line in said.last_words.splitlines() if line.strip()]
    if said.stopped == "timeout":
        words.append("(its time was up)")
    if words:
        return "\n".join(words[-LAST_LINES:])
    return f"it said nothing and ended with status {said.status}."


def _encoded(message: str) -> bytes:
    return message.encode("utf-8", "surrogateescape") + b"\n"
