"""Work is repeated only when what went into it has changed."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from scripts.steps import ROOT

BUILD = ROOT / "build"


def fingerprint(files: Iterable[Path], *facts: str) -> str:
    """A hash over the names and contents of files, and over other facts that the work depends on."""
    digest = hashlib.sha256()
    for fact in facts:
        digest.update(fact.encode() + b"\0")
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def is_fresh(stamp: Path, wanted: str) -> bool:
    """Whether the work behind `stamp` was done for exactly this fingerprint."""
    return stamp.exists() and stamp.read_text("utf-8") == wanted


def mark_fresh(stamp: Path, done: str) -> None:
    """Remember that the work was done; called only after it succeeded."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(done, "utf-8")
