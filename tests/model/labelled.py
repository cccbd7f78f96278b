"""Where each line of a merge comes from, by git's own word: an oracle for regions.

Every line of both sides gets a label of trailing white space, its line number in spaces and tabs. A merge with
`-X ignore-space-at-eol` takes no notice of labels, so it aligns and merges as it does without; but what it prints
carries them, and so tells the place of every line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.harness import git, git_bytes, init
from tests.model.texts import Text

SIZE = 41
"""Of the conflict markers; no generated line is as long."""

_BITS = 8


@dataclass(frozen=True)
class Placed:
    """One conflict: the line numbers of each side's part, from 1.

    The gaps tell (least, most) lines before the part: all that is known of where an empty one lies.
    """

    ours: tuple[int, ...]
    theirs: tuple[int, ...]
    our_gap: tuple[int, int]
    their_gap: tuple[int, int]


@dataclass(frozen=True)
class Merged:
    """A merged file: its text without labels, markers included, and its conflicts."""

    text: bytes
    conflicts: tuple[Placed, ...]


def merge_labelled(place: Path, cases: Sequence[tuple[Text, Text, Text]]) -> list[Merged]:
    """Git's merges of (base, ours, theirs); all of them are files of one merge in a new repository."""
    repository = init(place)
    (repository / ".git/info/attributes").write_text(f"* conflict-marker-size={SIZE}\n")
    commits: list[str] = []
    for side in range(3):
        for number, case in enumerate(cases):
            lines = case[side] if side == 0 else [_label(line, at, side) for at, line in enumerate(case[side], 1)]
            (repository / f"{number:03}").write_bytes("".join(line + "\n" for line in lines).encode())
        git(repository, "add", "--all")
        tree = git(repository, "write-tree")
        commits.append(git(repository, "commit-tree", tree, *(["-p", commits[0]] if commits else []), "-m", str(side)))
    git(repository, "checkout", "--quiet", "--force", "--detach", commits[1])
    options = ("--no-commit", "--quiet", "-X", "ignore-space-at-eol", "-X", "no-renames")
    git_bytes(repository, "merge", *options, commits[2], check=False)
    return [_read((repository / f"{number:03}").read_bytes(), *case[1:]) for number, case in enumerate(cases)]


def _label(line: str, number: int, side: int) -> str:
    bits = f"{number:0{_BITS}b}".replace("0", " ").replace("1", "\t")
    return line + " \t"[side - 1] + bits


def _unlabelled(line: bytes) -> tuple[bytes, int, int]:
    """(line, side or 0, line number): a line of the generated texts ends in nothing that looks like a label."""
    label = line[-_BITS - 1 :]
    if len(label) <= _BITS or label.strip(b" \t"):
        return line, 0, 0
    number = int(label[1:].replace(b" ", b"0").replace(b"\t", b"1"), 2)
    return line[: -_BITS - 1], 1 if label[:1] == b" " else 2, number


def _read(merged: bytes, ours: Text, theirs: Text) -> Merged:
    text: list[bytes] = []
    seen: list[tuple[int, int]] = []  # (side, number) of every line, in order; (0, index) where a conflict stands
    parts: list[tuple[list[int], list[int]]] = []
    inside = 0
    for line in merged.split(b"\n")[:-1]:
        mark = line[:1] if line[:SIZE] == line[:1] * SIZE and line else b""
        if mark and mark in b"<=>":
            text.append(mark * SIZE + (b"" if mark == b"=" else b" x"))
            inside = {b"<": 1, b"=": 2, b">": 0}[mark]
            if mark == b"<":
                seen.append((0, len(parts)))
                parts.append(([], []))
            continue
        plain, side, number = _unlabelled(line)
        text.append(plain)
        if inside:
            assert side == inside
            parts[-1][inside - 1].append(number)
        else:
            seen.append((side, number))
    conflicts = [
        Placed(tuple(mine), tuple(other), _gap(seen, parts, at, 1, len(ours)), _gap(seen, parts, at, 2, len(theirs)))
        for at, (mine, other) in enumerate(parts)
    ]
    return Merged(b"".join(line + b"\n" for line in text), tuple(conflicts))


def _gap(
    seen: list[tuple[int, int]], parts: list[tuple[list[int], list[int]]], index: int, side: int, length: int
) -> tuple[int, int]:
    """(least, most) lines of a side that lie before a conflict: between the last one printed before and the next."""
    at = seen.index((0, index))
    before = [n for s, n in seen[:at] if s == side] + [n for part in parts[:index] for n in part[side - 1]]
    after = [n for s, n in seen[at:] if s == side] + [n for part in parts[index + 1 :] for n in part[side - 1]]
    return max(before, default=0), min(after, default=length + 1) - 1
