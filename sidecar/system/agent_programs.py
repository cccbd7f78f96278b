"""Tell an agent's client by how its process was started: by its program and arguments, never by its short name.

Several are scripts of an interpreter, whose short name says nothing (Node's is `MainThread`). It knows no process.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

PROGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "aider": "aider",
        "amp": "Amp",
        "claude": "Claude Code",
        "cline": "Cline",
        "codex": "Codex",
        "copilot": "Copilot CLI",
        "crush": "Crush",
        "cursor-agent": "Cursor",
        "gemini": "Gemini CLI",
        "kilo": "Kilo",
        "opencode": "opencode",
        "qwen": "Qwen Code",
        "vibe": "Mistral Vibe",
    }
)
"""Clients by the name of their program, or of the script that is it."""

PACKAGES: Mapping[str, str] = MappingProxyType(
    {
        "@anthropic-ai/claude-code": "Claude Code",
        "@github/copilot": "Copilot CLI",
        "@google/gemini-cli": "Gemini CLI",
        "@kilocode/cli": "Kilo",
        "@openai/codex": "Codex",
        "@qwen-code/qwen-code": "Qwen Code",
        "@sourcegraph/amp": "Amp",
        "cline": "Cline",
        "opencode-ai": "opencode",
    }
)
"""Clients by the npm package that the script lies in: how the script is called there changes with the version."""

INTERPRETERS = re.compile(r"(?:node|nodejs|bun|deno|python[\d.]*|pypy[\d.]*)(?:\.exe)?", re.IGNORECASE)
TAKES_A_VALUE = frozenset({"-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "-W", "-X"})
"""Options of interpreters whose value is the next argument."""
ENDINGS = re.compile(r"\.(?:exe|cmd|js|mjs|cjs|py)$", re.IGNORECASE)
PACKAGE = re.compile(r"[/\\]node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)[/\\]")
LEFT_BEHIND = re.compile(r"(?:[\w-]*-)?daemon")
"""An option, or a command, of a process that a client leaves behind when it ends; it is nobody."""


def client_of(program: str, arguments: Sequence[str], more: Collection[str] = ()) -> str | None:
    """Name the client that a process is, for people; None where it is none, or what one left behind.

    `program` is the path of the file that runs, `arguments` are those of the process from the zeroth on, and `more` are
    names of other programs that are agents.
    """
    called, rest = [program, *arguments[:1]], arguments[1:]  # each of the two may be called by a version, or anything
    if any(INTERPRETERS.fullmatch(_last(path)) for path in called):
        called = [_script(arguments)]
        rest = arguments[arguments.index(called[0]) + 1 :] if called[0] in arguments else rest
    told = (word for at, word in enumerate(rest) if at == 0 or word.startswith("-"))  # others are values, or prompts
    if any(LEFT_BEHIND.fullmatch(word) for word in told):
        return None
    for path in called:
        package = PACKAGE.findall(path)
        name = ENDINGS.sub("", _last(path))
        found = PROGRAMS.get(name) or (PACKAGES.get(package[-1].replace("\\", "/")) if package else None)
        if found is not None or name in more:
            return found or name
    return None


def _script(arguments: Sequence[str]) -> str:
    """Give the script or module that an interpreter runs; "" where it runs none."""
    rest = list(arguments[1:])
    while rest:
        one = rest.pop(0)
        if one in TAKES_A_VALUE:
            rest = rest[1:]
        elif one == "-m":
            return rest[0].partition(".")[0] if rest else ""
        elif one in ("-c", "-e", "-p", "--eval", "--print", "-"):
            return ""
        elif not one.startswith("-"):
            return one
    return ""


def _last(path: str) -> str:
    return re.split(r"[/\\]", path)[-1]
