"""Write names, numbers and moments as people read them, in whatever is said; standard library only, and little of it.

An agent's hook says something with every edit, and waits for what this imports.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_LONGEST_NAME = 100
MOST_GUESSES = 2


def escape(text: str) -> str:
    """Spell out all that a screen would obey or hide: controls, bidirectional marks, odd bytes."""
    if text.isprintable():
        return text
    return "".join(_spell(char) if unicodedata.category(char) in _UNSEEN else char for char in text)


def escape_lines(text: str) -> str:
    """Escape a text of several lines, like the last ones of a command, but for the ends of its lines."""
    return "\n".join(map(escape, text.split("\n")))


def _spell(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as os.fsdecode gives it
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shown(name: str) -> str:
    """Give a name from a repository, escaped and no longer than a line can bear."""
    escaped = escape(name)
    return escaped if len(escaped) <= _LONGEST_NAME else escaped[: _LONGEST_NAME - 1] + "…"


def named(names: Sequence[str], most: int = 3, between: str = ", ") -> str:
    """Name the first few, and say how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(map(shown, names[:most])) + more


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """Guess which names are meant by one that is none of them: " Did you mean discounts?", or "" without a guess."""
    from difflib import get_close_matches  # only who mistypes waits for it

    folded = name.casefold()
    begun = [one for one in names if folded and one.casefold().startswith(folded)]
    within = [one for one in names if len(folded) > 2 and folded in one.casefold()]
    close = get_close_matches(name, names, MOST_GUESSES)
    guesses = list(dict.fromkeys([*begun, *close, *within]))[:MOST_GUESSES]
    return f" Did you mean {' or '.join(map(shown, guesses))}?" if guesses else ""


def counted(count: int, one: str, many: str) -> str:
    """Write a number with its noun, and with what has to agree with it."""
    return f"1 {one}" if count == 1 else f"{count} {many}"


def agents_named(clients: Sequence[str]) -> str:
    """Begin a sentence with agents, named by their clients: "Claude Code and 2 sessions of Codex"."""
    numbers = sorted(Counter(clients).items(), key=lambda one: one[1])
    said = [shown(client) if many == 1 else f"{many} sessions of {shown(client)}" for client, many in numbers]
    if len(numbers) == 1 and numbers[0][1] == 2:
        return f"Two sessions of {shown(numbers[0][0])}"
    return " and ".join(filter(None, (", ".join(said[:-1]), said[-1])))


def ago(seconds: float) -> str:
    """Say how long ago something was, in minutes."""
    minutes = int(seconds // 60)
    return "less than a minute ago" if minutes < 1 else f"{counted(minutes, 'minute', 'minutes')} ago"


def them(count: int) -> str:
    """Say `it` or `them` of what was counted."""
    return "it" if count == 1 else "them"


def some(operation: str) -> str:
    """Give an operation of git with its article: `a rebase`, `an am`."""
    return f"{'an' if operation == 'am' else 'a'} {operation}"
