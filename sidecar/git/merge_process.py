"""Ask `git merge-tree` (git-merge-tree(1)) by a process that stays, and parse its answers.

Where programs run in a merge, they find their repository around them, as a tree checked out in the quarantine. A driver
is started at the top of the working tree, and may read anything there: its own script, a configuration, what is
installed beside. So it gets the files of the side that is merged into, and what trunk's checkout has besides them.
Never that checkout itself: whatever it writes where it stands is written here.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sidecar.git.attributes import Attributes, lay_out
from sidecar.git.config import active_drivers, merge_pairs, own_settings, silenced_hooks, without_filters
from sidecar.git.ignore import list_untracked
from sidecar.git.objects import Objects, parse_entry, unwritten, write_commit, write_tree
from sidecar.git.process import Conversation, GitError, Place, run, run_for_status
from sidecar.git.quarantine import Quarantine
from sidecar.git.repository import Repository
from sidecar.git.surroundings import Surroundings
from sidecar.model.changes import FILE, Entry, ancestors
from sidecar.model.merging import Merge, Message
from sidecar.system.worktree_links import git_file


class MergeProcess:
    """Where merges with one set of attributes are asked for; before git 2.39 each one is a process of its own.

    `algorithm` is how lines are compared, where not as git's merge does it by itself.

    Git flushes a record but for its last byte, so every request is followed by a merge of one known commit with
    itself: its record marks the end of the answer.
    """

    COMMAND = ("merge-tree", "--write-tree", "--messages")

    def __init__(self, place: Place, objects: Objects, algorithm: str | None = None, *, batched: bool) -> None:
        self.place = place
        self._command = (*self.COMMAND, *((f"-Xdiff-algorithm={algorithm}",) if algorithm else ()))
        end = write_tree(objects, {"end": Entry(FILE, objects.write("blob", b"The end of a sidecar's answer\n"))})
        self._known = write_commit(objects, end)
        self._end = b"\0001\0%s\0\0" % end.encode()
        self._batched = batched
        self._conversation: Conversation | None = None
        self._alone: deque[tuple[str, str]] = deque()
        self._outstanding = 0

    def send(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Ask for merges; `receive` gives the answer of each."""
        if not self._batched:
            self._alone.extend(pairs)
            return
        if self._conversation is not None and self._conversation.is_spent and not self._outstanding:
            self.close()
            self._conversation = None
        if self._conversation is None:
            self._conversation = Conversation(self.place, *self._command, "--stdin", "-z")
        end = f"{self._known} {self._known}\n"
        self._outstanding += len(pairs)
        self._conversation.send("".join(f"{ours} {theirs}\n{end}" for ours, theirs in pairs).encode())

    def receive(self) -> list[bytes]:
        """Give the NUL-separated fields of the next merge that was asked for, from its status on."""
        if self._conversation is None:
            return self.merge_alone(self._alone.popleft())
        record = self._conversation.read_until(self._end)
        self._outstanding -= 1
        return record.lstrip(b"\0").split(b"\0")

    def merge_alone(self, commits: tuple[str, str]) -> list[bytes]:
        """Give the fields of one merge, by a process of its own."""
        status, said = run_for_status(self.place, *self._command, "-z", *commits, accept=(0, 1))
        return [b"0" if status else b"1", *said.split(b"\0"), b""]

    def close(self) -> None:
        """End the process."""
        if self._conversation is not None:
            self._conversation.close()


def _sections(fields: list[bytes]) -> tuple[int, int] | None:
    """Give (end of the conflicted file info, end of the messages) of a record's fields; None when it is no record."""
    try:
        files_end = fields.index(b"", 2)
    except ValueError:
        return None
    at = files_end + 1
    while at < len(fields) and fields[at].isdigit():
        at += int(fields[at]) + 3
    return files_end, min(at, len(fields))


def parse_merge(fields: list[bytes], commits: tuple[str, str], size: int) -> Merge:
    """Parse the merge of two commits from the fields of git's answer; GitError when they make no sense."""
    sections = _sections(fields)
    if sections is None or not re.fullmatch(rb"[01]", fields[0]):
        raise GitError("git merge-tree gave an answer that was not understood.")
    files_end, messages_end = sections
    stages: dict[str, dict[int, Entry]] = {}
    for field in fields[2:files_end]:
        head, _, path = field.partition(b"\t")
        mode, oid, stage = head.decode("ascii").split(" ")
        if (entry := parse_entry(mode, oid)) is not None:
            stages.setdefault(sys.intern(os.fsdecode(path)), {})[int(stage)] = entry
    messages = []
    at = files_end + 1
    while at < messages_end:
        count = int(fields[at])
        paths = tuple(os.fsdecode(path) for path in fields[at + 1 : at + 1 + count])
        kind, text = fields[at + 1 + count : at + 3 + count]
        messages.append(Message(paths, kind.decode("utf-8", "replace"), text.decode("utf-8", "replace").strip()))
        at += count + 3
    return Merge(fields[0] == b"1", fields[1].decode("ascii"), stages, tuple(messages), commits, size)


NOTED = "SIDECAR_NOTED"
"""The variable that names the file in which each path is noted when a driver begins, and when it made something."""

MOST_BESIDE = 2_000
"""How many names that git does not track are shown to a driver, and how many entries of one such directory."""

LARGEST_BESIDE = 1 << 20
"""The size in bytes of the largest file that git does not track and a driver may read."""

GIT_OWN = frozenset({
    "branches", "hooks", "info", "logs", "modules", "objects", "rebase-apply", "rebase-merge", "refs", "reftable",
    "rr-cache", "sequencer", "sidecar", "svn", "worktrees", "fsmonitor--daemon",
})  # fmt: skip
"""The directories in a git directory that are git's and ours; any other is of some tool that may look for it."""


class CheckedOut:
    """A repository of ours with one tree at a time checked out; made when it is first needed."""

    def __init__(
        self, quarantine: Quarantine, repository: Repository, surroundings: Surroundings, variables: Mapping[str, str]
    ) -> None:
        self._quarantine, self._repository = quarantine, repository
        self._surroundings, self._variables = surroundings, variables
        self._place: Place | None = None
        self._tree: str | None = None
        self._beside: list[Path] = []

    def merge(
        self,
        commits: tuple[str, str],
        tree: str,
        attributes: Attributes,
        size: int,
        submodules: Iterable[tuple[str, str]] = (),
    ) -> tuple[list[bytes], frozenset[str]]:
        """Merge into a checkout of this tree: (fields of git's answer, paths that a driver made nothing of)."""
        try:
            place = self._place = self._place or self._furnish()
            self._check_out(place, tree, attributes, size)
            link_submodules(Path(place.cwd), submodules)
        except OSError as error:
            raise unwritten(self._quarantine.root, error) from error
        noted = Path(place.variables[NOTED])
        noted.write_bytes(b"")
        process = MergeProcess(place, self._quarantine.objects, self._surroundings.algorithm, batched=False)
        said = process.merge_alone(commits)
        begun, done = (
            Counter(line[1:] for line in noted.read_bytes().split(b"\0") if line.startswith(sign))
            for sign in (b"<", b">")
        )
        return said, frozenset(map(os.fsdecode, begun - done))

    def _furnish(self) -> Place:
        place = self._quarantine.repository("programs")
        directory = Path(place.variables["GIT_DIR"])
        (directory / "weakest").write_bytes(self._surroundings.weakest)
        if (checkout := self._surroundings.checkout) is not None:
            for near in dict.fromkeys((checkout.git_dir, self._repository.common_dir)):
                _link(directory, Path(near), _tools(near))
        config, trusted = self._surroundings.config, self._repository.trusted
        drivers = active_drivers(config, trusted)
        pairs = [
            *(own_settings(config) if trusted else ()),
            *merge_pairs(config, trusted),
            *((f"merge.{name}.driver", _noting(command)) for name, command in drivers.items()),
            *silenced_hooks(config),
            ("core.attributesFile", str(directory / "weakest")),
            ("advice.submoduleMergeConflict", "false"),
        ]
        quiet = {NOTED: str(directory / "noted"), "GIT_LFS_SKIP_SMUDGE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        return place.set(pairs).plus(**quiet, **self._variables)

    def _check_out(self, place: Place, tree: str, attributes: Attributes, size: int) -> None:
        directory, files, objects = Path(place.variables["GIT_DIR"]), Path(place.cwd), self._quarantine.objects
        strongest = self._surroundings.strongest + b"\n* conflict-marker-size=%d\n" % size
        (directory / "info" / "attributes").write_bytes(strongest)
        if tree != self._tree:
            self._tree = None
            plain = place.set(without_filters(self._surroundings.config))
            self._take_away()
            with suppress(GitError):  # an object is not here (partial clone), which a driver need not miss
                run(plain, "read-tree", "--reset", "-u", tree)
            (directory / "HEAD").write_text(f"{write_commit(objects, tree)}\n")
            self._show_beside(files)
            self._tree = tree
        lay_out(objects, files, attributes, self._surroundings.weakest)

    def _show_beside(self, files: Path) -> None:
        """Make what trunk's checkout has that is not tracked, wherever the tree has nothing of that name.

        Small files are copies. A directory is shown entry by entry, as links; itself it is one of our own, so that what
        a program adds to it (a cache in node_modules) stays here.
        """
        checkout = self._surroundings.checkout
        if checkout is None:
            return
        with suppress(GitError):
            for name in list_untracked(self._repository.inside(checkout))[:MOST_BESIDE]:
                source, beside = Path(checkout.key, name), files / name
                leads_out = any((files / above).is_symlink() for above in ancestors(name))
                if os.path.lexists(beside) or leads_out:
                    continue
                self._beside.append(beside)
                with suppress(OSError):
                    _show(source, beside)

    def _take_away(self) -> None:
        """Remove that again, before another tree may have files of these names."""
        while self._beside:
            path = self._beside.pop()
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)  # a directory of our own, and links
            else:
                path.unlink(missing_ok=True)


def link_submodules(files: Path, submodules: Iterable[tuple[str, str]]) -> None:
    """Have git find the submodules at these (path, git directory) below a working tree of ours."""
    for path, git_dir in submodules:
        (files / path).mkdir(parents=True, exist_ok=True)
        (files / path / ".git").write_bytes(git_file(git_dir))


def _noting(command: str) -> str:
    """Extend a driver's command line so that it notes whether it made something: a merge, or a conflict of its own.

    What it prints goes to standard error: the other is git's, and its answer is read from there.

    Drivers say a conflict with their exit status and leave what they made in %A (gitattributes(5)). One that could not
    be started, that died, or that failed and left no trace, made nothing.
    """
    made = "[ $status -eq 0 ] || { [ $status -lt 126 ] && ! cmp -s %A %A.before; }"
    return (
        f"cp %A %A.before; {_note('<')}; (\n{command}\n) >&2; status=$?; "
        f"{{ {made}; }} && {_note('>')}; rm -f %A.before; exit $status"
    )


def _note(sign: str) -> str:
    return f'printf "{sign}%%s\\0" %P >> "${NOTED}"'


def _tools(git_dir: str) -> Iterator[str]:
    with suppress(OSError), os.scandir(git_dir) as entries:
        yield from (entry.name for entry in entries if entry.name not in GIT_OWN and entry.is_dir())


def _show(source: Path, beside: Path) -> None:
    if source.is_dir():
        if not (source / ".git").exists():  # which would be another repository
            beside.mkdir(parents=True)
            _link(beside, source, _usable(source))
    elif source.is_file() and source.stat().st_size <= LARGEST_BESIDE:
        beside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, beside)


def _usable(directory: Path) -> Iterator[str]:
    """Give the entries that are shown; names with a dot in front are caches that are written to, except `.bin`."""
    with os.scandir(directory) as entries:
        for number, entry in enumerate(entries):
            if number < MOST_BESIDE and (not entry.name.startswith(".") or entry.name == ".bin"):
                yield entry.name


def _link(into: Path, source: Path, names: Iterable[str]) -> None:
    for name in names:
        with suppress(FileExistsError):
            (into / name).symlink_to(source / name)
