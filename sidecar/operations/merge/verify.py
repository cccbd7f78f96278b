"""Run the person's own commands on the very tree that will land, and remember which trees have passed before.

What would make verify read other files than those that land (links into another checkout, submodules or LFS files that
are not there) is a finding.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sidecar.git.conversions import find_pointers
from sidecar.git.process import GitError, run
from sidecar.git.repository import Repository, list_worktrees
from sidecar.git.user_git import run_shell
from sidecar.model.findings import Finding, finding
from sidecar.model.messages import counted, named, shown
from sidecar.operations.landing_repository.layout import LandingRepository
from sidecar.operations.landing_repository.lent import gitlinks, place_submodules
from sidecar.operations.merge.make_commit import Made, quoted, stop_if_cancelled
from sidecar.operations.merge.run import MergePlan, MergeRun
from sidecar.operations.records import read_record, write_record
from sidecar.operations.run import Control, RefusedError
from sidecar.system.files import read_regular
from sidecar.system.processes import end_marked

MOST_NAMED = 3

MOST_BYTES = 1 << 20
"""Bytes of a file that is searched for paths."""

FIRST_LINE = 4096
"""Bytes in which the first line of a script ends."""


def links_elsewhere(repository: Repository, top: str) -> Finding | None:
    """Find what leads from the landing repository into another checkout of the repository, or None; GitError.

    Links, and what Python keeps in an environment instead: `.pth` files, finders of editable packages, and the first
    lines of its scripts. What leads into git's own directory is no checkout's.
    """
    top = os.path.realpath(top)
    checkouts = [os.path.realpath(one.key) for one in list_worktrees(repository) if not one.bare]
    others = [one for one in checkouts if not _is_in(top, one)]
    common = os.path.realpath(repository.common_dir)
    found: dict[str, str] = {}
    for path, target in _leads(top, others):
        if not _is_in(target, common) and not _is_in(target, top) and any(_is_in(target, one) for one in others):
            found[os.path.relpath(path, top)] = target
    if not found:
        return None
    named = "; ".join(f"{shown(path)} leads to {shown(target)}" for path, target in list(found.items())[:MOST_NAMED])
    more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    said = f"Verify would test files of another checkout, not those that land: {named}{more}."
    advice = "Have sidecar.prepare install there instead of linking, for example: npm ci"
    return finding("links-elsewhere", f"{said} {advice}", tuple(found))


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _leads(top: str, others: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give (a path below, a path that it leads to), links resolved; git directories are left out."""
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        scripts = any(entry.name == "pyvenv.cfg" for entry in entries)
        for entry in entries:
            if entry.name == ".git":
                continue
            if entry.is_symlink():
                yield entry.path, os.path.realpath(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
                if scripts and entry.name in ("bin", "Scripts"):
                    yield from _first_lines(entry.path, others)
            elif _names_paths(entry.name):
                yield from ((entry.path, path) for path in _named(entry.path, others, MOST_BYTES))


def _names_paths(name: str) -> bool:
    return name.endswith((".pth", ".egg-link")) or (name.startswith("__editable__") and name.endswith(".py"))


def _first_lines(folder: str, others: Sequence[str]) -> Iterator[tuple[str, str]]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        if not os.path.islink(path):
            yield from ((path, said) for said in _named(path, others, FIRST_LINE, first_line=True))


def _named(path: str, others: Sequence[str], limit: int, *, first_line: bool = False) -> Iterator[str]:
    """Find the checkouts that a text names, where nothing of a longer name follows."""
    try:
        if first_line:
            with open(path, "rb") as file:
                text = file.readline(limit)
            if not text.startswith(b"#!"):
                return
        else:
            text = read_regular(path, limit)
    except OSError:
        return
    for other in others:
        at = text.find(os.fsencode(other))
        after = text[at + len(os.fsencode(other)) :][:1]
        if at >= 0 and after in (b"", b"/", b"\n", b"\r", b"'", b'"'):
            yield other


def lay_out_submodules(running: MergeRun, plan: MergePlan, made: Made) -> tuple[str, ...]:
    """Have submodules at the commits that land, from the branch's worktree or trunk's checkout; gives the others."""
    links = gitlinks(made.landing_repository.place)
    checkouts = [plan.worktree.key, *([plan.checkout.key] if plan.checkout is not None else [])]
    return place_submodules(running.act, made.landing_repository.top, checkouts, links, fill=True) if links else ()


def missing_findings(made: Made, submodules: tuple[str, ...]) -> Iterator[Finding]:
    """Find what of the files that land is not there after all was prepared; GitError when that can't be told."""
    empty = tuple(path for path in submodules if not os.path.lexists(made.landing_repository.top / path / ".git"))
    if empty:
        what = counted(len(empty), "submodule", "submodules")
        said = f"Verify ran without {what} at the commit that lands, which is nowhere here: {named(empty, 5)}."
        yield finding("submodule-missing", f"{said} Fetch it first: git submodule update --init", empty)
    where = made.landing_repository
    for filtered, paths in find_pointers(where.place, str(where.top)).items():
        what = counted(len(paths), "file", "files")
        said = f"Verify had only what stands for the content ({filtered}) of {what}: {named(paths, 5)}."
        yield finding("pointers", f"{said} Have sidecar.prepare fetch it, for example: git lfs pull", paths)


MOST_PASSED = 200
"""How many trees that passed are remembered."""

LOOKED_AT = "its own files"
"""What is made sure of for a tree that passes: a record of one for which less was counts for nothing."""

MARK = "SIDECAR_VERIFY"
"""Carried by what prepare and verify start, however far away it goes; ended with them when they fail."""


def verify_commit(running: MergeRun, plan: MergePlan, made: Made, control: Control) -> list[Finding]:
    """Run prepare and verify; RefusedError with the last lines when one fails, or works on another checkout's files.

    A tree that passed the same commands before, all of it, is not tried again.
    """
    if not plan.verify.strip():
        return []
    tree = run(running.repository.place, "rev-parse", f"{made.commit}^{{tree}}").decode().strip()
    key = _key(plan, tree)
    if key in passed(running.sidecar_dir):
        return [finding("verified-before", "These very files passed before, so they were not verified again.")]
    missing = lay_out_submodules(running, plan, made)
    for name, line in (("prepare", plan.prepare), ("verify", plan.verify)):
        if line.strip():
            control.stage(f"Running {name}: {shown(line)}")
            run_command(running, plan, made.landing_repository.worktree.key, name, line)
        if (elsewhere := links_elsewhere(running.repository, made.landing_repository.worktree.key)) is not None:
            raise RefusedError(elsewhere)
    findings = list(missing_findings(made, missing))
    if changed := _changed_files(made.landing_repository):
        said = "Verify changed tracked files. What lands is what was merged, without these changes."
        findings.append(finding("verify-changed-files", said, changed))
    if not findings:
        remember(running.sidecar_dir, key)
    return findings


def run_command(running: MergeRun, plan: MergePlan, folder: str, name: str, line: str, called: str = "") -> None:
    """Run a command of the person's in a folder of the landing repository; RefusedError with its last lines.

    `name` is what the code of a failure begins with, and what the command is `called`, unless that is given.
    """
    said = run_shell(running.acting, line, folder, plan.limit or None, _variables(running, plan))
    if said.ok and not running.acting.cancelled():
        return
    end_marked(running.acting.tag, MARK)
    stop_if_cancelled(running)
    trunk, called = shown(plan.trunk.branch), called or name.capitalize()
    if said.stopped == "timeout":
        told = f"{called} took longer than {plan.limit:.0f} seconds and was ended. {trunk} is as it was."
    else:
        told = f"{called} failed (status {said.status}). {trunk} is as it was."
    raise RefusedError(finding(f"{name}-failed", f"{told} Its last lines:\n{quoted(said)}", severity="blocks"))


def _variables(running: MergeRun, plan: MergePlan) -> Mapping[str, str]:
    """Give what the commands can build on: where the work is, where trunk is checked out, and their names."""
    return {
        MARK: running.acting.tag,
        "SIDECAR_WORKTREE": plan.worktree.key,
        "SIDECAR_CHECKOUT": plan.checkout.key if plan.checkout is not None else "",
        "SIDECAR_BRANCH": plan.worktree.branch or "",
        "SIDECAR_TRUNK": plan.trunk.branch,
    }


def _changed_files(where: LandingRepository) -> tuple[str, ...]:
    try:
        status = ("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=no", "--ignore-submodules=dirty")
        said = run(where.place, *status)
    except GitError:
        return (".",)
    return tuple(os.fsdecode(row[3:]) for row in said.split(b"\0") if row)


def _key(plan: MergePlan, tree: str) -> str:
    commands = f"{LOOKED_AT}\0{plan.prepare}\0{plan.verify}".encode("utf-8", "surrogateescape")
    return f"{hashlib.sha256(commands).hexdigest()} {tree}"


def passed(sidecar_dir: Path) -> list[str]:
    """Read the commands and trees that passed, oldest first."""
    try:
        record = read_record(sidecar_dir / "verified")
    except ValueError:
        return []
    found = record.get("passed") if record is not None else None
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def remember(sidecar_dir: Path, key: str) -> None:
    """Note that a tree passed; a full disk only means that it is tried again."""
    try:
        write_record(sidecar_dir / "verified", {"schema": 1, "passed": [*passed(sidecar_dir), key][-MOST_PASSED:]})
    except OSError:
        return
