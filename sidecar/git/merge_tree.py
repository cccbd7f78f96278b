"""Asking `git merge-tree` (git-merge-tree(1)): a process that stays, and what its answers say."""

from __future__ import annotations

import os
import re
import sys
from collections import deque
from collections.abc import Sequence
from functools import lru_cache

from sidecar.git.objects import Objects, write_commit, write_tree
from sidecar.git.process import Conversation, GitError, Place, run_for_status
from sidecar.model.changes import FILE, Entry
from sidecar.model.merging import Merge, Message


class Court:
    """Where merges with one set of attributes are asked for; before git 2.39 each one is a process of its own.

    Git flushes a record but for its last byte, so every request is followed by a merge of one known commit with
    itself: its record marks the end of the answer.
    """

    COMMAND = ("merge-tree", "--write-tree", "--messages")

    def __init__(self, place: Place, objects: Objects, *, batched: bool) -> None:
        self.place = place
        end = write_tree(objects, {"end": Entry(FILE, objects.write("blob", b"The end of a sidecar's answer\n"))})
        self._known = write_commit(objects, end)
        self._end = b"\0001\0%s\0\0" % end.encode()
        self._batched = batched
        self._conversation: Conversation | None = None
        self._alone: deque[tuple[str, str]] = deque()
        self._heard = bytearray()
        self._outstanding = 0

    def say(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Ask for merges; each is then to be heard."""
        if not self._batched:
            self._alone.extend(pairs)
            return
        if self._conversation is not None and self._conversation.is_spent and not self._outstanding:
            self.close()
            self._conversation = None
        if self._conversation is None:
            self._conversation = Conversation(self.place, *self.COMMAND, "--stdin", "-z")
        end = f"{self._known} {self._known}\n"
        self._outstanding += len(pairs)
        self._conversation.say("".join(f"{ours} {theirs}\n{end}" for ours, theirs in pairs).encode())

    def hear(self) -> list[bytes]:
        """The NUL-separated fields of the next merge that was asked for, from its status on."""
        if self._conversation is None:
            return self.hear_alone(self._alone.popleft())
        start = 0
        while (at := self._heard.find(self._end, start)) < 0:
            start = max(0, len(self._heard) - len(self._end))
            self._heard += self._conversation.more()
        self._outstanding -= 1
        record = bytes(self._heard[:at])
        del self._heard[: at + len(self._end)]
        return record.lstrip(b"\0").split(b"\0")

    def hear_alone(self, commits: tuple[str, str]) -> list[bytes]:
        """The same of one merge, by a process of its own."""
        status, said = run_for_status(self.place, *self.COMMAND, "-z", *commits, accept=(0, 1))
        return [b"0" if status else b"1", *said.split(b"\0"), b""]

    def close(self) -> None:
        """End the process."""
        if self._conversation is not None:
            self._conversation.close()


def _sections(fields: list[bytes]) -> tuple[int, int] | None:
    """(end of the conflicted file info, end of the messages) of a record's fields; None when it is no record."""
    try:
        files_end = fields.index(b"", 2)
    except ValueError:
        return None
    at = files_end + 1
    while at < len(fields) and fields[at].isdigit():
        at += int(fields[at]) + 3
    return files_end, min(at, len(fields))


@lru_cache(maxsize=1 << 12)
def _entry(mode: str, oid: str) -> Entry:
    return Entry(int(mode, 8), oid)


def parse_merge(fields: list[bytes], commits: tuple[str, str], size: int) -> Merge:
    """The merge of two commits, from what was heard of it; GitError when that makes no sense."""
    sections = _sections(fields)
    if sections is None or not re.fullmatch(rb"[01]", fields[0]):
        raise GitError("git merge-tree gave an answer that was not understood.")
    files_end, messages_end = sections
    stages: dict[str, dict[int, Entry]] = {}
    for field in fields[2:files_end]:
        head, _, path = field.partition(b"\t")
        mode, oid, stage = head.decode("ascii").split(" ")
        stages.setdefault(sys.intern(os.fsdecode(path)), {})[int(stage)] = _entry(mode, oid)
    messages = []
    at = files_end + 1
    while at < messages_end:
        count = int(fields[at])
        paths = tuple(os.fsdecode(path) for path in fields[at + 1 : at + 1 + count])
        kind, text = fields[at + 1 + count : at + 3 + count]
        messages.append(Message(paths, kind.decode("utf-8", "replace"), text.decode("utf-8", "replace").strip()))
        at += count + 3
    return Merge(fields[0] == b"1", fields[1].decode("ascii"), stages, tuple(messages), commits, size)
