"""The attributes that take part in a merge: those of the side that is merged into, as in a real checkout of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sidecar.git.config import Config, global_attributes
from sidecar.git.objects import TREE_MODE, Objects, read_blob
from sidecar.git.repository import Repository

NAME = ".gitattributes"

Attributes = tuple[tuple[str, str], ...]
"""(directory, blob id) of each attributes file above the paths in question, sorted; '' is the top."""


def attributes_above(objects: Objects, tree: str, paths: Iterable[str]) -> Attributes:
    """The attributes files of a tree that speak about these paths."""
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


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands outside of any tree: attributes below the tree's own and above them, and what is ignored."""

    weakest: bytes
    strongest: bytes
    ignored: bytes = b""


def read_surroundings(repository: Repository) -> Surroundings:
    """The person's global attributes and the repository's `info` (gitattributes(5), gitignore(5))."""
    strongest, ignored = (_read_info(repository, name) for name in ("attributes", "exclude"))
    weakest = _text_by_default(repository.config) + global_attributes(repository.config) + b"\n"
    return Surroundings(weakest, strongest, ignored)


def _read_info(repository: Repository, name: str) -> bytes:
    try:
        return (Path(repository.common_dir) / "info" / name).read_bytes()
    except OSError:
        return b""


def _text_by_default(config: Config) -> bytes:
    """What core.autocrlf means for a merge, in words that also `merge-tree` before 2.41 understands."""
    return b"" if config.flag("core.autocrlf", default=False) is False else b"* text=auto\n"


def lay_out(objects: Objects, files: Path, attributes: Attributes, surroundings: Surroundings) -> None:
    """Write the attributes files where git looks for them in a working tree."""
    by_directory = dict(attributes)
    (files / NAME).write_bytes(
        surroundings.weakest + (read_blob(objects, by_directory[""]) if "" in by_directory else b"")
    )
    for directory, oid in attributes:
        if directory:
            target = files / directory
            target.mkdir(parents=True, exist_ok=True)
            (target / NAME).write_bytes(read_blob(objects, oid))
