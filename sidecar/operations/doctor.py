"""Look at all that the sidecar depends on: versions, its traces in the repository, agents' hooks, the watching.

Only reads: what is to be mended is said, with how, and left to the person.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sidecar import __version__
from sidecar.git.objects import library_versions
from sidecar.git.process import GitError, git_version, run
from sidecar.git.refs import ref_names
from sidecar.git.repository import Repository, list_worktrees, open_repository
from sidecar.model.findings import Failure, finding_codes
from sidecar.model.inventory_findings import size_text
from sidecar.model.picture import watch_sentence
from sidecar.model.words import counted, escape
from sidecar.operations.agent_hooks import (
    CLIENTS,
    COMMAND,
    MARK,
    Scope,
    found_clients,
    has_edits_refused,
    plan_hooks,
    project_of,
)
from sidecar.operations.journal import left_over
from sidecar.operations.landing_repository.original import read_original
from sidecar.operations.landing_repository.place import CHECK, LANDING, bytes_below, landing_repository_path, read_kept
from sidecar.operations.merge_check.running import remembered
from sidecar.operations.presence import last_heard, log_path
from sidecar.operations.records import list_receipts, sidecar_path, why_unreadable
from sidecar.operations.run import who_holds
from sidecar.session.address import directory, is_off, log_file, notes
from sidecar.session.asking import ask_report
from sidecar.session.watch_notes import watch_notes
from sidecar.symbols.languages import is_available
from sidecar.system.files import read_regular, why_not_ours
from sidecar.system.processes import memory_of
from sidecar.watch.inotify_backend import most_watches

MOST_LOG = 1 << 20
CALLED = re.compile(r"command -v (.+?) >/dev/null")
"""The program in an entry of ours."""
SYMBOLS = 'pip install "worktree-sidecar[symbols]"'
"""What brings the grammars without which definitions and their uses are not looked at."""
MORE_WATCHES = "Allow more: sudo sysctl fs.inotify.max_user_watches=524288"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what it is, how it is, and what mends it where it is not as it should be."""

    area: str
    name: str
    said: str
    mend: str | None = None


def examine(folder: Path) -> tuple[Check, ...]:
    """Look at everything, and at the repository that a folder lies in, if it lies in one."""
    repository = open_repository(folder)
    return (
        *_versions(),
        *_of_repository(repository),
        *_of_agents(folder, repository),
        *_of_sessions(),
        *_of_watching(repository),
    )


def _versions() -> Iterator[Check]:
    yield Check("versions", "sidecar", __version__)
    yield Check("versions", "Python", platform.python_version())
    version = git_version()
    if isinstance(version, Failure):
        yield Check("versions", "git", "can't be used", version.message)
    else:
        yield Check("versions", "git", ".".join(map(str, version)))
    pygit2, libgit2 = library_versions()
    yield Check("versions", "pygit2", f"{pygit2}, with libgit2 {libgit2}")
    yield Check("versions", "symbols", "understood" if is_available() else f"not understood. To have it: {SYMBOLS}")


def _of_repository(repository: Repository | Failure) -> Iterator[Check]:
    if isinstance(repository, Failure):
        if repository.code == "not-a-repository":
            yield Check("repository", "repository", "none here")
        else:
            yield Check("repository", "repository", "can't be read", repository.message)
        return
    directory = sidecar_path(repository.common_dir)
    yield Check("repository", "repository", escape(repository.common_dir))
    yield _directory(directory)
    try:
        yield _refs(repository)
    except GitError as error:
        yield Check("repository", "refs", "can't be read", error.message)
    yield from _hooks_of_git(repository)
    if (why_not := why_unreadable(repository.common_dir)) is not None:
        yield Check("repository", "restorable", "can't be read", escape(why_not))
        return
    receipts = list_receipts(directory)
    kept = size_text(sum(receipt.bytes for receipt in receipts))
    said = f"{counted(len(receipts), 'receipt', 'receipts')}, {kept} in the trash" if receipts else "nothing kept"
    yield Check("repository", "restorable", said)
    for slot, name in ((LANDING, "landing worktree"), (CHECK, "landing worktree of sidecar.check")):
        if (known := read_kept(repository.common_dir, slot)) is not None:
            place = str(landing_repository_path(repository.common_dir, slot))
            last = time.strftime("%Y-%m-%d %H:%M", time.localtime(known.used))
            said = f"{size_text(bytes_below(place))} in {escape(place)}, last used {last}"
            yield Check("repository", name, said)
    if tried := remembered(repository.common_dir):
        counts = Counter(one.state for one in tried.values())
        unknown = [one.why for one in tried.values() if one.state == "unknown"]
        told = f"{counts['fine']} trees fine, {counts['fails']} with faults, {counts['unknown']} not known"
        yield Check("repository", "sidecar.check", told, escape(unknown[-1]) if unknown else None)
    if (busy := who_holds(repository.common_dir)) is not None:
        yield Check("repository", "operation", escape(busy.message))
    elif directory.is_dir() and (left := left_over(directory)) is not None:
        yield Check("repository", "operation", left.message, finding_codes()[left.code].advice)
    else:
        yield Check("repository", "operation", "none running, nothing left over")


def _directory(directory: Path) -> Check:
    try:
        why = why_not_ours(directory)
    except FileNotFoundError:
        return Check("repository", "sidecar directory", "none yet")
    except OSError as error:
        why = f"It can't be read: {error.strerror}."
    return Check("repository", "sidecar directory", escape(str(directory)), why and escape(why))


def _refs(repository: Repository) -> Check:
    kinds = Counter(name.split("/")[2] for name in ref_names(repository.place, "refs/sidecar/"))
    if not kinds:
        return Check("repository", "refs", "none of ours")
    ours = ("--glob=refs/sidecar/*", "--not", "--exclude=refs/sidecar/*", "--all")
    size = size_text(int(run(repository.place, "rev-list", "--disk-usage", "--objects", *ours)))
    counts = ", ".join(f"{number} {escape(kind)}" for kind, number in sorted(kinds.items()))
    return Check("repository", "refs", f"{counts} below refs/sidecar; {size} that only they keep")


def _hooks_of_git(repository: Repository) -> Iterator[Check]:
    """Tell in which worktrees git finds no hooks, because a tool made their folder in another one only (husky does)."""
    try:
        there = [worktree for worktree in list_worktrees(repository) if worktree.readable]
        hooks = {worktree.name: read_original(repository, worktree).hooks for worktree in there}
    except GitError as error:
        yield Check("repository", "hooks of git", "can't be found", error.message)
        return
    usual = os.path.join(repository.common_dir, "hooks")
    if lacking := [name for name, path in hooks.items() if path not in (None, usual) and not os.path.lexists(path)]:
        said = f"core.hooksPath leads to nothing in {', '.join(map(escape, lacking))}"
        mend = "Git runs no hooks there, and does not say so. Have what makes their folder do so there: npm install"
        yield Check("repository", "hooks of git", said, mend)


def _of_agents(folder: Path, repository: Repository | Failure) -> Iterator[Check]:
    common_dir = None if isinstance(repository, Failure) else repository.common_dir
    heard = last_heard(common_dir) if common_dir is not None else {}
    blocks = has_edits_refused(folder)
    for name in found_clients():
        yield _hook(name, folder, heard, blocks=blocks)
    if common_dir is not None and os.path.exists(log := log_path(common_dir)):
        yield _log(log, max(heard.values(), default=0.0))


def _hook(name: str, folder: Path, heard: Mapping[str, float], *, blocks: bool) -> Check:
    """Say whether a client calls us, by whose settings, and when it last did in this repository."""
    client, project = CLIENTS[name], project_of(folder)
    places: list[tuple[Scope, Path]] = [("user", folder)]
    if not isinstance(project, Failure):
        places.append(("project", project))
    scopes, mends = [], []
    for scope, place in places:
        plan = plan_hooks(name, scope, place, blocks=blocks, remove=False)
        if isinstance(plan, Failure):
            mends.append(plan.message)
        elif plan.before is not None and MARK.search(plan.before) is not None:
            scopes.append(scope)
            mends += _wrong(plan.before, name, scope)
    times = [moment for title, moment in heard.items() if title in client.title]
    when = f"last heard {time.strftime('%Y-%m-%d %H:%M', time.localtime(max(times)))}" if times else ""
    if scopes:
        said = f"installed ({' and '.join(scopes)}), {when or f'not heard of here yet. {client.todo}'}"
    else:
        said = f"{when}, by no settings of ours" if when else f"not installed: sidecar hook --install {name}"
    return Check("agents", client.title, said, " ".join(mends) or None)


def _wrong(settings: str, name: str, scope: Scope) -> Iterator[str]:
    """Find the program that the entries call, and say where it is gone."""
    try:
        written = COMMAND.search(settings)
        called = CALLED.search(json.loads(written[1])) if written is not None else None
        program = shlex.split(called[1])[0] if called is not None else None
    except (ValueError, IndexError):
        return  # it is not as we write it
    if program is not None and shutil.which(program) is None:
        yield f"{escape(program)} is not there. Install again: sidecar hook --install {name} --{scope}"


def _log(path: str, heard: float) -> Check:
    """Say where the log is, and whether the last call failed; `heard` is when the last one came."""
    try:
        last = read_regular(path, MOST_LOG).decode("ascii", "replace").rstrip().rpartition("\n")[2]
        moment = time.mktime(time.strptime(last[:19], "%Y-%m-%d %H:%M:%S"))
    except (OSError, ValueError, OverflowError):
        return Check("agents", "log", escape(path))
    failed = not last.endswith(": 'told'") and heard < moment + 2
    return Check("agents", "log", escape(path), f"The last call failed: {escape(last)}" if failed else None)


def _of_sessions() -> Iterator[Check]:
    """Say of each session of this user what it is for, who is attached to it, what it takes, and where its log is."""
    if is_off():
        yield Check("sessions", "processes", "off (SIDECAR_SESSION): each window keeps one of its own")
    for name, note in notes():
        report = ask_report(name)
        memory = memory_of(note.pid)
        if report is None:
            said = "killed; the next one takes away what it left" if memory is None else "does not answer"
            mend = None if memory is None else f"End it, and windows start another one: kill {note.pid}"
            yield Check("sessions", f"process {note.pid}", f"{escape(note.repository)}. {said}", mend)
            continue
        doors = ", ".join(f"{door['kind']} (process {door['pid']})" for door in report["doors"])
        facts = (
            escape(note.repository),
            f"version {escape(note.version)}{', trusted' if note.trusted else ''}",
            f"attached: {escape(doors) or 'nobody, so it ends soon'}",
            f"watching: {report['watches']:,} directories ({escape(str(report['backend']))})",
            f"memory: {'unknown' if memory is None else size_text(memory)}",
            f"log: {escape(note.log)}",
        )
        yield Check("sessions", f"process {note.pid}", ". ".join(facts))
    yield Check("sessions", "directory", escape(str(directory())))
    logs = log_file("*")
    yield Check("sessions", "logs", escape(str(logs)) if any(logs.parent.glob(logs.name)) else "none")


def _of_watching(repository: Repository | Failure) -> Iterator[Check]:
    notes = watch_notes(repository.common_dir) if not isinstance(repository, Failure) else ()
    for note in notes:
        yield Check("watching", f"process {note.pid}", watch_sentence(note), MORE_WATCHES if note.polled else None)
    if sys.platform == "linux":
        yield Check(
            "watching", "limit", f"{most_watches():,} directories at most, three quarters of the system's limit"
        )
