"""Hunks as git's diff tells them, with the alignment that its merge has."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from sidecar.model.hunks import Hunk
from tests.model.loose import FILE, Store

_HEADER = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_OPTIONS = ("-p", "-U0", "--histogram", "--no-indent-heuristic", "--inter-hunk-context=0", "--text")


def as_bytes(lines: Sequence[str]) -> bytes:
    """The content of a file with these lines."""
    return "".join(line + "\n" for line in lines).encode()


def tree_of_texts(store: Store, texts: Sequence[bytes]) -> str:
    """A tree with one file for each text, called by its number."""
    return store.tree({f"{number:03}": (FILE, text) for number, text in enumerate(texts)})


def hunks_of_trees(store: Store, before: str, after: str) -> Mapping[int, list[Hunk]]:
    """Number of the file -> its hunks; files that are equal have none."""
    found: dict[int, list[Hunk]] = defaultdict(list)
    number = -1
    for line in store.git("diff-tree", "-r", *_OPTIONS, before, after).split(b"\n"):
        if line.startswith(b"diff --git "):
            number = int(line.rpartition(b"b/")[2])
        elif match := _HEADER.match(line):
            first, count, start, length = (int(part) if part is not None else 1 for part in match.groups())
            found[number].append(Hunk(first - (count > 0), count, start - (length > 0), length))
    return found


def blobs(store: Store, tree: str) -> list[bytes]:
    """The contents of a tree's files in the order of their names."""
    listing = "".join(f"{oid}\n" for _, (_, oid) in sorted(store.files(tree).items()))
    rest, found = store.git_input(listing, "cat-file", "--batch"), []
    while rest:
        head, _, rest = rest.partition(b"\n")
        size = int(head.split(b" ")[2])
        found.append(rest[:size])
        rest = rest[size + 1 :]
    return found
