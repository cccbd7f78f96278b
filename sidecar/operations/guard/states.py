"""Write and read states: a worktree's present state as one commit, and the refs that hold them.

The tree is the present state; the parents are HEAD, a commit of the index's tree, while a merge is unresolved a commit
of each of its stages, and last the state before, as far as it is in the same segment. A ref holds a segment: the states
of one hour, at most `LONGEST` of them. So old states go without a rewriting of younger ones: a segment is cut to its
last state, which then has no state before it, or its ref is dropped.

The message's last line is a JSON object with what a tree can't say. Whoever reads it checks it: anyone can make a ref.
The committer's date is 0, so that `git log --all` shows states last and `git fetch` offers them last.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from sidecar.git.process import Conversation, GitError, read_object, run
from sidecar.git.repository import Repository
from sidecar.model.changes import is_object_id
from sidecar.model.decode import ObjectId, Seconds, decode, is_name
from sidecar.model.findings import Failure
from sidecar.model.picture import Worktree
from sidecar.system.worktree_links import made_of

REFS = "refs/sidecar/guard"
LONGEST = 100
"""How many states a segment has at the most."""

MOST_LEFT_OUT = 50
"""How many paths a state names that are not in it."""


def _is_home(home: str) -> bool:
    return home == "" or (home.startswith("worktrees/") and is_name(home.removeprefix("worktrees/")))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the message of a state says.

    `home` is the worktree's administrative directory, relative to the common directory ("" for the main worktree), and
    `made` when git made it: together they tell a worktree from every other one. `common` is the inode of the common
    directory, which no copy of a repository has. `safe`: all of it was in trunk; `work`: there was any. `trusted`: the
    repository's own filters made the content. `bytes` is what it added to the object store, `depth` and `sum` count the
    states of its segment and their bytes. `beside`: ignored files are kept of it, outside of git.
    """

    name: str
    path: Annotated[str, os.path.isabs, lambda path: "\0" not in path]
    branch: str | None
    head: ObjectId | None
    home: Annotated[str, _is_home]
    made: str
    common: int
    time: Seconds
    safe: bool
    work: bool
    trusted: bool
    bytes: int = 0
    depth: int = 1
    sum: int = 0
    left_out: tuple[str, ...] = ()
    why: str = ""
    beside: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """A state as it is kept: its commit and tree, the index as a commit and as its tree, and the state before."""

    commit: str
    tree: str
    index: str
    stages: tuple[str, ...]
    before: str | None
    facts: Facts

    @property
    def id(self) -> str:
        """Give its name in commands."""
        return f"state-{self.commit[:12]}"

    @property
    def history(self) -> str:
        """Name the history that it is in."""
        return history_of(self.facts.home, self.facts.made)


def home_of(repository: Repository, worktree: Worktree) -> str:
    """Name a worktree's administrative directory as states name it."""
    return "" if worktree.main else os.path.relpath(worktree.git_dir, repository.common_dir)


def history_of(home: str, made: str) -> str:
    """Give the part of a ref's name under which the states of one worktree are."""
    return hashlib.sha256(os.fsencode(f"{home}\0{made}")).hexdigest()[:16]


def history_in(repository: Repository, worktree: Worktree) -> str:
    """Name the history that a worktree's states are in."""
    return history_of(home_of(repository, worktree), made_of(worktree.git_dir))


def is_gone(worktree: Worktree) -> bool:
    """Tell whether git has deleted a linked worktree since it was read: a state would be in a history of its own."""
    return not worktree.main and made_of(worktree.git_dir) == ""


def place_of_common(repository: Repository) -> int:
    """Give the inode of the common directory."""
    return os.stat(repository.common_dir).st_ino


def segment_ref(history: str, moment: float, number: int = 0) -> str:
    """Name the ref of a segment: those of one worktree sort by time."""
    return f"{REFS}/{history}/{time.strftime('%Y%m%dT%H', time.gmtime(moment))}.{number:03}"


def hour_of(ref: str) -> str:
    """Give the hour (UTC) of a segment, as its ref names it: `20261129T00`."""
    return ref.rpartition("/")[2].partition(".")[0]


def commit_text(
    tree: str, head: str | None, index: str, stages: tuple[str, ...], before: str | None, facts: Facts
) -> bytes:
    """Write a state as the content of a commit object."""
    parents = [*([head] if head else []), index, *stages, *([before] if before else [])]
    moment = f"{int(facts.time)} +0000"
    where = f" (branch {facts.branch})" if facts.branch else ""
    title = f"State of {facts.name}{where}".replace("\n", " ")
    known = {"schema": 1, "index": index, "stages": stages, "before": before, **asdict(facts)}
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    lines += [f"author Worktree Sidecar <> {moment}", "committer Worktree Sidecar <> 0 +0000", ""]
    lines += [title, "", json.dumps(known, ensure_ascii=True, separators=(",", ":")), ""]
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def parse_state(commit: str, content: bytes) -> State | None:
    """Parse a commit as a state; None for one that is not as we write it."""
    head, _, message = content.partition(b"\n\n")
    lines = head.decode("utf-8", "replace").split("\n")
    parents = {line[7:] for line in lines if line.startswith("parent ")}
    try:
        said = json.loads(message.rstrip(b"\n").rpartition(b"\n")[2])
        if not isinstance(said, dict) or said.pop("schema", None) != 1:
            return None
        index, stages, before = said.pop("index"), tuple(said.pop("stages")), said.pop("before")
        facts = decode(Facts, said)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if isinstance(facts, Failure):
        return None
    named = [index, *stages, *([before] if before else []), *([facts.head] if facts.head else [])]
    if not lines[0].startswith("tree ") or not all(isinstance(one, str) and one in parents for one in named):
        return None
    return State(commit, lines[0][5:], index, stages, before, facts)


def mark_restored(sidecar_dir: Path, history: str) -> None:
    """Note, in the sidecar directory, that an operation of ours changes this worktree's files now; OSError."""
    folder = sidecar_dir / "guard" / history
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "restored").touch(mode=0o600)


def restored_at(sidecar_dir: Path, history: str) -> float:
    """Tell when `mark_restored` was last said of a worktree, in seconds since 1970; 0.0 for never."""
    try:
        return os.stat(sidecar_dir / "guard" / history / "restored").st_mtime
    except OSError:
        return 0.0


def read_tips(repository: Repository) -> dict[str, dict[str, State]]:
    """Read the last state of every segment: by history, then by ref, the oldest first. GitError as git gives it."""
    said = run(repository.place, "for-each-ref", "--format=%(refname)%00%(objectname)%00%(raw)%00", f"{REFS}/*/*")
    fields = said.split(b"\0")
    found: dict[str, dict[str, State]] = {}
    for name, oid, raw in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        ref = os.fsdecode(name).lstrip("\n")
        state = parse_state(oid.decode("ascii", "replace"), raw)
        if state is not None and ref.split("/")[3] == state.history:
            found.setdefault(state.history, {})[ref] = state
    return {history: dict(sorted(segments.items())) for history, segments in found.items()}


def newest(segments: Mapping[str, State]) -> State:
    """Give the last state of a worktree, from the last ones of its segments."""
    return segments[max(segments)]


def read_states(repository: Repository, segments: Mapping[str, State]) -> Iterator[State]:
    """Read every state of a worktree, the newest first; one that can't be read ends its segment."""
    reading = Conversation(repository.place, "cat-file", "--batch")
    try:
        for ref in sorted(segments, reverse=True):
            state: State | None = segments[ref]
            for _ in range(LONGEST):
                if state is None:
                    break
                yield state
                state = _ask(reading, state.before) if state.before else None
    finally:
        reading.close()


def read_state(repository: Repository, commit: str) -> State | None:
    """Read the state that a commit is; None for another commit, or no id. GitError where git can't be asked."""
    if not is_object_id(commit):
        return None
    try:
        return parse_state(commit, run(repository.place, "cat-file", "commit", commit))
    except GitError as error:
        if error.status == 128:
            return None
        raise


def _ask(reading: Conversation, commit: str) -> State | None:
    found = read_object(reading, commit.encode("ascii"))
    return parse_state(commit, found[1]) if found is not None and found[0] == "commit" else None
