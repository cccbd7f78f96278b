"""Ask git for attributes (gitattributes(5)), and lay out the attributes files of a tree for git to read."""

from __future__ import annotations

import codecs
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sidecar.git.objects import TREE_MODE, Objects, read_blob
from sidecar.git.process import Place, run

CONVERTING = ("text", "eol", "crlf", "ident", "filter", "working-tree-encoding")
"""The attributes under which git stores something else than what is on disk (gitattributes(5))."""

NAME = ".gitattributes"

UNSET = frozenset({"unspecified", "unset"})

Attributes = tuple[tuple[str, str], ...]
"""(directory, blob id) of each attributes file above the paths in question, sorted; '' is the top."""


def check_attributes(place: Place, paths: Iterable[str], *names: str) -> Mapping[str, Mapping[str, str]]:
    """Give path -> name -> value of these attributes as git says them (git-check-attr(1)); GitError."""
    listing = b"".join(os.fsencode(path) + b"\0" for path in paths)
    fields = run(place, "check-attr", "-z", "--stdin", *names, stdin=listing).split(b"\0")
    found: dict[str, dict[str, str]] = {}
    for path, name, value in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        found.setdefault(os.fsdecode(path), {})[os.fsdecode(name)] = os.fsdecode(value)
    return found


def set_attributes(place: Place, paths: Sequence[str], *names: str) -> Mapping[str, Mapping[str, str]]:
    """Give path -> name -> value of the attributes that are set; a path of which none is set is left out. GitError."""
    found = (
        (path, {name: value for name, value in values.items() if value not in UNSET})
        for path, values in check_attributes(place, paths, *names).items()
    )
    return {path: values for path, values in found if values}


def attributes_above(objects: Objects, tree: str, paths: Iterable[str]) -> Attributes:
    """Give the attributes files of a tree that speak about these paths."""
    directories: dict[str, str | None] = {"": tree}

    def find(directory: str) -> str | None:
        if directory not in directories:
            above, _, name = directory.rpartition("/")
            parent = find(above)
            entry = objects.tree(parent).get(name) if parent is not None else None
            directories[directory] = entry.oid if entry is not None and entry.mode == TREE_MODE else None
        return directories[directory]

    for path in paths:
        find(path.rpartition("/")[0])
    own = ((directory, objects.tree(oid).get(NAME)) for directory, oid in directories.items() if oid is not None)
    return tuple(sorted((directory, entry.oid) for directory, entry in own if entry is not None and entry.is_file))


def lay_out(objects: Objects, files: Path, attributes: Attributes, weakest: bytes) -> None:
    """Write the attributes files where git looks for them in a working tree, over those that are weaker than any."""
    by_directory = dict(attributes)
    top = read_blob(objects, by_directory[""]) if "" in by_directory else b""
    _write(files / NAME, weakest + top.removeprefix(codecs.BOM_UTF8))
    for directory, oid in attributes:
        if directory:
            target = files / directory
            target.mkdir(parents=True, exist_ok=True)
            _write(target / NAME, read_blob(objects, oid))


def _write(place: Path, content: bytes) -> None:
    """Put a file of ours there, whatever the tree has of that name: a link would lead out of the checkout."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    place.write_bytes(content)
