"""Run the person's checking command on one tree, in a landing worktree of its own, so that no merge waits for it.

A tree of the quarantine is laid out there as a commit of nobody's. What is left of a kill has no record, and is thrown
away by the next one. What the command said is remembered by the tree, the command and how dependencies came.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sidecar.git.objects import write_commit
from sidecar.git.process import GitError
from sidecar.git.user_git import UserGit
from sidecar.model.decode import decode
from sidecar.model.findings import Failure
from sidecar.model.picture import Trunk, Worktree
from sidecar.model.said_of_merge import FINE, Said, read_complaints
from sidecar.model.settings import Value
from sidecar.operations.landing_repository.original import read_original
from sidecar.operations.landing_repository.place import CHECK, close_landing_worktree
from sidecar.operations.merge.landing_worktree import LandingWorktree, digest, installed
from sidecar.operations.merge.run import Work
from sidecar.operations.merge.verify import MARK, Laid, commands_there, keep, lay_out, prepare, run_command
from sidecar.operations.records import read_record, write_record
from sidecar.operations.run import QUIET, RefusedError
from sidecar.session.reader import Sources
from sidecar.system.processes import end_marked

OPERATION = "check"
"""What stands for an operation's id in what its processes carry."""

NOT_STARTED = (126, 127)
"""The shell's status of a command that can't be run, or is not there."""

MOST_REMEMBERED = 100
"""How many trees are remembered with what was said of them."""


@dataclass(frozen=True, slots=True)
class Command:
    """What is run: the command line, and what installs before it, as far as a person has said so."""

    line: str
    prepare: str
    limit: float
    keeps: int

    @property
    def key(self) -> str:
        """Give what tells it from others; how long it may take does not."""
        return digest(self.line.strip(), self.prepare.strip())


def command_of(sources: Sources) -> Command | None:
    """Give the checking command of a repository that is trusted; None where there is none to be run."""
    return command_in(sources.settings) if sources.repository.trusted else None


def command_in(settings: Mapping[str, Value]) -> Command | None:
    """Give the command that is set; None where none is. Only what is trusted may be run: `command_of`."""
    line = str(settings["check"])
    if not line.strip():
        return None
    limit, keeps = float(str(settings["verifyTimeout"])), int(str(settings["landingLimit"])) << 20
    return Command(line, str(settings["prepare"]), limit, keeps)


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree that is tried: for which worktree, and the commit that history goes on from."""

    tree: str
    worktree: Worktree
    parent: str


def run_on(
    sources: Sources, trunk: Trunk, checkout: Worktree | None, command: Command, tree: Tree, stop: Callable[[], bool]
) -> Said | None:
    """Run the command on a tree, unless that is remembered; None when it had to make way."""
    common_dir = sources.repository.common_dir
    acting = UserGit(OPERATION, cancelled=stop, repository=common_dir, idle=True)
    work = Work(
        sources.repository, acting, tree.worktree, trunk, checkout, command.prepare, command.limit, command.keeps, CHECK
    )
    commit = write_commit(sources.quarantine.objects, tree.tree, (tree.parent,))
    try:
        laid = Laid(
            read_original(sources.repository, checkout), commit, commit, {}, str(sources.quarantine.root / "objects")
        )
        there = lay_out(work, laid)
        return _said_of(work, command, there, sources.repository.common_dir)
    except RefusedError as refused:
        return _untried(common_dir, command, tree, stop, refused.finding.message)
    except (GitError, OSError) as error:
        return _untried(common_dir, command, tree, stop, str(error))
    finally:
        end_marked(acting.tag, MARK)
        close_landing_worktree(common_dir, CHECK)


def _untried(common_dir: str, command: Command, tree: Tree, stop: Callable[[], bool], why: str) -> Said | None:
    """Say that a tree could not be tried; None where that is so only because it had to make way."""
    if stop():
        return None
    said = Said("unknown", (), f"It could not be tried: {why}")
    remember(common_dir, f"{command.key} {tree.tree} -", said)
    return said


def _said_of(work: Work, command: Command, there: LandingWorktree, common_dir: str) -> Said:
    commands, _ = commands_there(work, there)
    key = f"{command.key} {there.tree} {digest([one.key for one in commands])}"
    if (known := remembered(common_dir).get(key)) is not None and known.state != "unknown":
        keep(work, there)
        return known
    there = prepare(work, there, commands, QUIET)
    before, top = installed(there), there.where.worktree.key
    ended = run_command(work, top, command.line)
    if ended.stopped != "timeout":
        steps = there.known.steps if installed(there) == before else ()
        keep(work, replace(there, known=replace(there.known, steps=steps)))
    if ended.stopped == "timeout":
        said = Said("unknown", (), f"It took longer than {command.limit:.0f} seconds and was ended.")
    elif ended.status in NOT_STARTED or ended.status < 0 or ended.status > 128:
        last = ended.last_words.strip().rpartition("\n")[2]
        said = Said("unknown", (), f"It could not be run (status {ended.status}){f': {last}' if last else '.'}")
    elif ended.ok:
        said = FINE
    else:
        complaints = read_complaints(f"{ended.output}\n{ended.errors}", there.files.keys(), os.path.realpath(top))
        said = Said("fails", complaints, ended.last_words.strip().rpartition("\n")[2])
    if ended.stopped != "cancelled":
        remember(common_dir, key, said)
    return said


# ---- what was said ----


def _record(common_dir: str) -> Path:
    return Path(common_dir) / "sidecar" / "checked"


def remembered(common_dir: str) -> dict[str, Said]:
    """Read what was said of which tree, oldest first; the key is the command's, the tree, and how dependencies came."""
    try:
        record = read_record(_record(common_dir))
    except ValueError:
        return {}
    rows = record.get("said") if record is not None else None
    found = {key: decode(Said, row) for key, row in rows.items()} if isinstance(rows, dict) else {}
    return {key: said for key, said in found.items() if not isinstance(said, Failure)}


def remember(common_dir: str, key: str, said: Said) -> None:
    """Note what was said; a full disk only means that it is tried again."""
    known = remembered(common_dir)
    known.pop(key, None)
    rows = [*known.items(), (key, said)][-MOST_REMEMBERED:]
    try:
        write_record(_record(common_dir), {"schema": 1, "said": {one: asdict(row) for one, row in rows}})
    except OSError:
        return


def last_said(known: dict[str, Said], command: Command, tree: str) -> Said | None:
    """Give what the command said last of a tree, however dependencies came then; None where it was not tried."""
    begins = f"{command.key} {tree} "
    return next((said for key, said in reversed(known.items()) if key.startswith(begins)), None)
