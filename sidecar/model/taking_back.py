"""Tell by lines and messages whether what one commit did is taken back by another, and what is of no weight in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SAYS_SO = re.compile(
    r"\b(revert(s|ed|ing)?|back(s|ed|ing)?[ -]?out|roll(s|ed|ing)?[ -]?back|undo(es|ne|ing)?|restor(e|es|ed|ing)|"
    r"(tak|bring)(e|es|s|ing)? back|downgrad(e|es|ed|ing)|remov(e|es|ed|ing)|drop(s|ped|ping)?|delet(e|es|ed|ing)|"
    r"disabl(e|es|ed|ing)|unpin(s|ned|ning)?|again)\b",
    re.IGNORECASE,
)
"""Words by which a message says that something goes, or goes back."""

_IMPORT = re.compile(
    rb"\s*(from\s+[\w.]+\s+import\b|import\s+[\w.]+(\s+as\s+\w+)?(\s*,\s*[\w.]+(\s+as\s+\w+)?)*\s*(#.*)?$|"
    rb"import\b.*[;'\"]\s*$|import\s+(type\s+)?\{|export\b.*\bfrom\s+['\"]|(const|let|var)\b.*=\s*require\(.*\);?\s*$|"
    rb"(pub\s+)?use\s+[\w:\\{}*, ]+;\s*$|using\s+[\w.= ]+;\s*$|#\s*include\b|require(_relative)?\s+['\"])"
)
"""How a line begins that imports a name: Python, JavaScript, TypeScript, Java, Rust, C#, C, PHP, Ruby."""

_ENDS = (b")", b"}", b";", b'"', b"'")
"""How the last line ends of an import that goes on over several."""

_MARK = re.compile(
    rb"\s*(#|//|/\*)\s*(type:\s*ignore|noqa\b|(pylint|rubocop|shellcheck|phpcs|swiftlint)\s*:?\s*(disable|ignore)|"
    rb"pyright:|mypy:|fmt:|isort:|yapf:|pragma:\s*no|(es|ts|style)lint-disable|@ts-(ignore|expect-error|nocheck)|"
    rb"prettier-ignore|biome-ignore|nolint|nosec)",
    re.IGNORECASE,
)
"""Comments that speak to a checker or formatter, not to a reader."""

_COMMENT = re.compile(rb"\s*(#(\s|$)|//|/\*)")
"""How a line begins that is a comment."""

_WORD = re.compile(r"[^\W\d]\w{3,}|\d+(?:\.\d+)+")
"""What counts as a word: a name of at least four characters, as code has it, or a number with a point (a version)."""

_COMMON = frozenset({
    "also", "around", "before", "class", "code", "const", "data", "default", "each", "else", "file", "files", "fix",
    "fixed", "from", "function", "have", "import", "into", "list", "made", "make", "method", "more", "name", "need",
    "needs", "none", "null", "only", "over", "return", "self", "should", "show", "some", "test", "tests", "than",
    "that", "them", "then", "they", "this", "type", "update", "updated", "used", "uses", "using", "value", "when",
    "where", "which", "will", "with", "without", "work",
})  # fmt: skip
"""Words that say nothing of what a line is about, because they are in code and messages everywhere."""


def says_so(message: str) -> bool:
    """Tell whether a commit's message says that something goes, or goes back."""
    return _SAYS_SO.search(message) is not None


def names(subject: str, lines: Iterable[bytes]) -> bool:
    """Tell whether the first line of a message names something in these lines, whole or between underscores."""
    said = {word.lower() for word in _WORD.findall(subject)} - _COMMON
    there = b"\n".join(lines).decode("utf-8", "replace").lower()
    return any(re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", there) for word in said)


def goes_back(gone: Sequence[bytes], come: Sequence[bytes], theirs: Sequence[bytes], was: Sequence[bytes]) -> bool:
    """Tell whether what went and came in a hunk has in it what a commit added, going, and what it removed, coming.

    Where a commit only added, just that has to go and nothing come, because who removes more has another reason.
    """
    if not was:
        return bool(theirs) and _saying(gone) == _saying(theirs) and not _saying(come)
    return _holds(gone, theirs) and _holds(come, was)


def _holds(lines: Sequence[bytes], part: Sequence[bytes]) -> bool:
    """Tell whether lines have others in them, one after the other without a gap."""
    size = len(part)
    return any(list(lines[at : at + size]) == list(part) for at in range(len(lines) - size + 1))


def _saying(lines: Iterable[bytes]) -> list[bytes]:
    return [line.strip() for line in lines if says(line)]


def says(line: bytes) -> bool:
    """Tell whether a line says something: it has a letter or a digit."""
    return any(chr(byte).isalnum() or byte > 127 for byte in line)


def differ_by_imports(one: Iterable[bytes], two: Iterable[bytes]) -> bool:
    """Tell whether all lines of two texts import names: what needs one that is lost fails without it."""
    return _only_imports(one) and _only_imports(two)


def _only_imports(lines: Iterable[bytes]) -> bool:
    """Tell whether there is nothing but imports, each of them whole; brackets let one go on in the next line."""
    is_open = False
    for line in lines:
        if not is_open and says(line) and not _IMPORT.match(line):
            return False
        is_open = (is_open or b"(" in line or b"{" in line) and not line.rstrip().endswith(_ENDS)
    return True


def differ_by_marks(one: Iterable[bytes], two: Iterable[bytes]) -> bool:
    """Tell whether two texts differ only in marks for checkers, and in the lines of comments beside these."""
    texts = [*one], [*two]
    if not any(_MARK.search(line) for lines in texts for line in lines):
        return False
    first, second = ([_MARK.split(line)[0].rstrip() for line in lines if not _COMMENT.match(line)] for lines in texts)
    return [line for line in first if line] == [line for line in second if line]


def differ_by_format(one: Iterable[bytes], two: Iterable[bytes]) -> bool:
    """Tell whether two texts differ only in white space, and in brackets around what a formatter wraps."""
    texts = [*one], [*two]
    if any(line.rstrip().endswith((b"(", b"[", b"{")) for lines in texts for line in lines):
        return _unwrapped(texts[0]) == _unwrapped(texts[1])
    return b"".join(b"".join(texts[0]).split()) == b"".join(b"".join(texts[1]).split())


def _unwrapped(lines: Iterable[bytes]) -> bytes:
    """Give a text without white space, without round brackets, and without commas before what closes."""
    return re.sub(rb",(?=[\])}]|$)|[()]", b"", b"".join(b"".join(lines).split()))
