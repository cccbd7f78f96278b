"""Convert between the text that an editor shows and the bytes on the disk, and find what Git LFS keeps beside git.

Encodings are those of gitattributes(5). Git LFS itself is not run, and need not be there.
"""

from __future__ import annotations

import codecs
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sidecar.git.attributes import check_attributes
from sidecar.git.blobs import read_contents
from sidecar.git.config import Config
from sidecar.git.process import GitError, Place, run
from sidecar.git.repository import Repository
from sidecar.git.surroundings import Surroundings
from sidecar.model.changes import ancestors
from sidecar.model.picture import Worktree
from sidecar.system.files import read_regular, read_small

ATTRIBUTE = "working-tree-encoding"
MARKED = "-BOM"
"""How git's own names of encodings end that want a byte order mark; no codec knows them."""

UTF_8 = "UTF-8"

MOST_BYTES = 1 << 20

POINTERS = {"lfs": b"version https://git-lfs.github.com/spec/", "annex": b"/annex/objects/"}
"""By the filter of a file, how what stands for its content begins (git-lfs-spec, git-annex's pointer files)."""

LARGEST_POINTER = 32 * 1024
"""Bytes above which a file is no pointer."""


def encoding_of(repository: Repository, surroundings: Surroundings, worktree: Worktree, path: str) -> str:
    """Give the encoding in which a worktree has a file. Git is asked where any attributes file speaks of one."""
    directories = ("", *ancestors(path))
    files = (os.path.join(worktree.key, directory, ".gitattributes") for directory in directories)
    texts = (surroundings.weakest, surroundings.strongest, *map(_content, files))
    if not any(ATTRIBUTE.encode() in text for text in texts):
        return UTF_8
    try:
        value = check_attributes(repository.inside(worktree), [path], ATTRIBUTE)[path][ATTRIBUTE]
    except GitError:
        return UTF_8
    return UTF_8 if value in ("unspecified", "unset", "set", "") else value


def decoded(content: bytes, encoding: str) -> str | None:
    """Give a file's text without its byte order mark; None where it is not of that encoding."""
    try:
        text = content.decode(encoding.upper().removesuffix(MARKED))
    except (LookupError, UnicodeError):
        return None
    return text.removeprefix("\ufeff")


def encoded(text: str, encoding: str, before: bytes = b"") -> bytes | None:
    """Give a text as it would be written over these bytes, with a byte order mark where they, or git, have one.

    None where the encoding can't hold it.
    """
    name = encoding.upper()
    if name == UTF_8:
        mark = before[:3] if before.startswith(codecs.BOM_UTF8) else b""
        return mark + text.encode("utf-8", "surrogatepass")
    mark, plain = b"", name.removesuffix(MARKED)
    if plain in ("UTF-16", "UTF-32") or name.endswith(MARKED):
        if plain in ("UTF-16", "UTF-32"):
            big = before.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE))
            plain += "BE" if big else "LE"
        mark = "\ufeff".encode(plain.lower())
    try:
        return mark + text.removeprefix("\ufeff").encode(plain)
    except (LookupError, UnicodeError):
        return None


def _content(file: str) -> bytes:
    try:
        return read_regular(file, MOST_BYTES)
    except OSError:
        return b""


MOST_POINTER_BYTES = 1024
"""How large a pointer may be (the Git LFS specification)."""

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\nsize (\d+)\n"
)
_NAME = re.compile("[0-9a-f]{64}")


class Pointer(NamedTuple):
    """A content of Git LFS: its SHA-256, in hexadecimal, and its size in bytes."""

    sha256: str
    size: int

    @property
    def text(self) -> bytes:
        """Give the text that git has in its place, as Git LFS writes it."""
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {self.size}\n".encode(
            "ascii"
        )


def parse_pointer(text: bytes) -> Pointer | None:
    """Parse the text of a pointer file; None for any other text."""
    found = _POINTER.match(text)
    return None if found is None else Pointer(found[1].decode("ascii"), int(found[2]))


def store_of(common_dir: str, config: Config) -> str:
    """Give the directory that has the contents (git-lfs-config(5), `lfs.storage`)."""
    return os.path.join(common_dir, config.get("lfs.storage") or "lfs", "objects")


def place_in(store: str, sha256: str) -> str:
    """Give the path at which a store has a content."""
    return os.path.join(store, sha256[:2], sha256[2:4], sha256)


def is_stored(common_dir: str, config: Config, pointer: Pointer) -> bool:
    """Tell whether the repository's store has a content."""
    stored = place_in(store_of(common_dir, config), pointer.sha256)
    return os.path.isfile(stored) and os.path.getsize(stored) == pointer.size


def stored_contents(
    place: Place, common_dir: str, config: Config, head: str | None, roots: Sequence[str], *without: str
) -> dict[str, str]:
    """Give (SHA-256 -> path) of the stored contents that these commits name, or that only the index does.

    Commits that the refs in `without` (options of git-rev-list(1)) reach are left out. GitError.
    """
    if not os.path.isdir(store_of(common_dir, config)):
        return {}
    listing = "".join(f"{root}\n" for root in roots).encode("ascii")
    how = ("rev-list", "--objects", "--missing=print")
    lines = run(place, *how, "--stdin", "--not", *without, stdin=listing).splitlines() if roots else []
    tree = () if head is None else (f"^{head}^{{tree}}",)
    lines += run(place, *how, "--indexed-objects", "--single-worktree", *tree).splitlines()
    rows = (line.partition(b" ") for line in lines if not line.startswith(b"?"))
    paths = {oid: os.fsdecode(path) for oid, _, path in rows if path}
    form = "--batch-check=%(objectname) %(objecttype) %(objectsize)"
    said = run(place, "cat-file", form, stdin=b"".join(oid + b"\n" for oid in paths)).split(b"\n")
    facts = (line.split(b" ") for line in said if line)
    small = [oid for oid, kind, size in facts if kind == b"blob" and int(size) <= MOST_POINTER_BYTES]
    found = {}
    for oid, (_, pieces) in zip(small, read_contents(place, small), strict=True):
        pointer = parse_pointer(b"".join(pieces))
        if pointer is not None and is_stored(common_dir, config, pointer):
            found[pointer.sha256] = paths[oid]
    return found


def link_contents(store: str, other: str, names: Iterable[str]) -> None:
    """Put these contents into another store too, by a hard link where the disk allows it; OSError.

    A content that this store lacks, or that the other has already, is passed over.
    """
    for sha256 in names:
        source, target = place_in(store, sha256), place_in(other, sha256)
        if os.path.lexists(target) or not os.path.isfile(source):
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        try:
            os.link(source, target)
        except OSError:
            draft = f"{target}.tmp"
            shutil.copyfile(source, draft)
            os.replace(draft, target)


def contents_in(store: str) -> list[str]:
    """Give the names of all contents of a store."""
    names = (name for _, _, files in os.walk(store) for name in files)
    return sorted(name for name in names if _NAME.fullmatch(name))


def find_pointers(place: Place, top: str) -> dict[str, tuple[str, ...]]:
    """Find the files of a worktree that only stand for their content, by the filter that would fetch it; GitError."""
    filtered = [f":(attr:filter={name})" for name in POINTERS]
    listing = run(place, "ls-files", "-z", "--", *filtered).split(b"\0")
    found: dict[str, list[str]] = {}
    for path in (os.fsdecode(path) for path in listing if path):
        if (name := _stands_for(os.path.join(top, path))) is not None:
            found.setdefault(name, []).append(path)
    return {name: tuple(paths) for name, paths in found.items()}


def _stands_for(file: str) -> str | None:
    try:
        start = read_small(file) if os.lstat(file).st_size <= LARGEST_POINTER else b""
    except OSError:
        return None
    return next((name for name, begins in POINTERS.items() if start.startswith(begins)), None)
