"""Have an agent's client call `sidecar hook`: put entries into its settings, and take them out again.

Nothing else of a settings file changes: no comment, no order. A file that is not understood is left alone.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from sidecar.git.config import read_config, sidecar_keys
from sidecar.git.process import GitError, Place
from sidecar.model.findings import Failure
from sidecar.model.jsonc import put, take
from sidecar.model.settings import settle
from sidecar.operations.opencode_plugin import BEFORE, PLUGIN
from sidecar.system.files import read_regular
from sidecar.system.worktree_links import git_directory

Scope: TypeAlias = Literal["user", "project"]

MARK = re.compile(r"sidecar['\"\\]* hook --client ")
"""What every entry of ours has in it, and no other."""
COMMAND = re.compile(r'"command": ("(?:[^"\\]|\\.)*sidecar(?:[^"\\]|\\.)* hook --client (?:[^"\\]|\\.)*")')
SECONDS = 10
"""After which a client ends the hook, which has ended by itself long before."""
MOST_BYTES = 4 * 1024 * 1024
OWN_NAME = "worktree-sidecar"


@dataclass(frozen=True, slots=True)
class Client:
    """Where one client keeps its hooks, and which of its events are of use.

    `home` is its folder below the home directory (`variable` names another), `user` and `project` the files. `events`
    have each event with the tools at which it is called (a matcher, or none); `before` is only called where the person
    has edits refused. `todo` is what the person has yet to do. One that `waits_for_all` ends only the shell of a hook
    that hangs, and goes on waiting for as long as anything holds its output.
    """

    title: str
    program: str
    home: str
    user: str
    project: str
    todo: str
    events: Mapping[str, str | None]
    before: str | None = None
    variable: str | None = None
    milliseconds: bool = False
    waits_for_all: bool = False
    flat: bool = False


def _events(names: str, tools: str | None = None) -> Mapping[str, str | None]:
    """Give events, named with spaces between; those that are about a tool say so, and are for these."""
    return {name: tools if "Tool" in name else None for name in names.split()}


_COPILOT = Client(
    "Copilot CLI and VS Code",
    "copilot",
    ".copilot",
    f".copilot/hooks/{OWN_NAME}.json",
    f".github/hooks/{OWN_NAME}.json",
    "Start Copilot anew, or reload VS Code; hooks of a repository run once its folder is trusted.",
    _events("sessionStart subagentStart preToolUse postToolUse sessionEnd"),
    "preToolUse",
)

CLIENTS: Mapping[str, Client] = MappingProxyType(
    {
        "claude": Client(
            "Claude Code",
            "claude",
            ".claude",
            ".claude/settings.json",
            ".claude/settings.json",
            "Nothing for sessions that start from now on. In a project, it asks once whether the folder is trusted.",
            _events(
                "SessionStart SubagentStart PreToolUse PostToolUse SessionEnd UserPromptSubmit",
                "Edit|MultiEdit|Write|NotebookEdit",
            ),
            "PreToolUse",
            "CLAUDE_CONFIG_DIR",
        ),
        "codex": Client(
            "Codex",
            "codex",
            ".codex",
            ".codex/hooks.json",
            ".codex/hooks.json",
            "Start codex, open /hooks and trust these: it skips new and changed hooks without a word until then.",
            _events("SessionStart UserPromptSubmit PreToolUse PostToolUse SessionEnd", "apply_patch|Edit|Write"),
            "PreToolUse",
            "CODEX_HOME",
        ),
        "copilot": _COPILOT,
        "cursor": Client(
            "Cursor",
            "cursor",
            ".cursor",
            ".cursor/hooks.json",
            ".cursor/hooks.json",
            "Start Cursor anew. It also reads Claude Code's settings; nothing is told twice where both are installed.",
            _events("sessionStart preToolUse postToolUse sessionEnd", "Write"),
            "preToolUse",
            flat=True,
        ),
        "gemini": Client(
            "Gemini CLI",
            "gemini",
            ".gemini",
            ".gemini/settings.json",
            ".gemini/settings.json",
            "Nothing, where the folder is trusted: Gemini drops the hooks of a folder that is not.",
            _events("SessionStart BeforeAgent BeforeTool AfterTool SessionEnd", "replace|write_file"),
            "BeforeTool",
            milliseconds=True,
            waits_for_all=True,
        ),
        "opencode": Client(
            "opencode",
            "opencode",
            ".config/opencode",
            f".config/opencode/plugins/{OWN_NAME}.js",
            f".opencode/plugins/{OWN_NAME}.js",
            "Start opencode anew.",
            {},
        ),
        "kilo": Client(
            "Kilo",
            "kilo",
            ".config/kilo",
            f".config/kilo/plugins/{OWN_NAME}.js",
            f".kilo/plugins/{OWN_NAME}.js",
            "Start Kilo anew. It loads the project's plugins of both worktrees; nothing is told twice.",
            {},
        ),
        "qwen": Client(
            "Qwen Code",
            "qwen",
            ".qwen",
            ".qwen/settings.json",
            ".qwen/settings.json",
            "Nothing for sessions that start from now on.",
            _events("SessionStart SubagentStart PreToolUse PostToolUse SessionEnd", "edit|write_file|notebook_edit"),
            "PreToolUse",
            milliseconds=True,
        ),
        "vscode": _COPILOT,
    }
)


@dataclass(frozen=True, slots=True)
class HookPlan:
    """A file as it is and as it would be; None: not there. `client` is whose it is."""

    client: str
    path: Path
    before: str | None
    after: str | None

    @property
    def changes(self) -> bool:
        """Tell whether there is anything to do."""
        return self.before != self.after

    @property
    def difference(self) -> str:
        """Show what changes, as `diff -u` shows it."""
        old, new = ((text or "").splitlines(keepends=True) for text in (self.before, self.after))
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in difflib.unified_diff(old, new, n=2))


def found_clients() -> tuple[str, ...]:
    """List the clients that are installed here: their program is on PATH, or their folder in the home directory."""
    return tuple(
        name
        for name, client in CLIENTS.items()
        if client is not CLIENTS.get("copilot") or name == "copilot"
        if shutil.which(client.program) is not None or _home(client).is_dir()
    )


def has_edits_refused(folder: Path) -> bool:
    """Tell whether git's configuration has the setting `hookBlocks` on in a folder, of a repository or not."""
    try:
        config = read_config(Place(str(folder)))
    except GitError:
        return False
    return settle(sidecar_keys(config, trusted=False), {})["hookBlocks"] is True


def project_of(folder: Path) -> Path | Failure:
    """Give the top of the worktree that a folder lies in."""
    for above in (folder, *folder.parents):
        if git_directory(above) is not None:
            return above
    return Failure("not-a-repository", f"{folder} is in no worktree, so there is no project to install for.")


def hook_file(name: str, scope: Scope, folder: Path) -> Path:
    """Give the file in which a client keeps its hooks, the person's own or that of the project in `folder`."""
    client = CLIENTS[name]
    return _home(client) / Path(client.user).relative_to(client.home) if scope == "user" else folder / client.project


def has_entries(path: Path) -> bool:
    """Tell whether a file of hooks has an entry of ours; one that can't be read has none."""
    try:
        return MARK.search(read_regular(os.path.realpath(path), MOST_BYTES).decode("utf-8")) is not None
    except (OSError, ValueError):
        return False


def plan_hooks(name: str, scope: Scope, folder: Path, *, blocks: bool, remove: bool) -> HookPlan | Failure:
    """Plan to put our entries into a client's file, for the user or the project in `folder`, or to take them out.

    `blocks` says that edits are to be refused, so that the client also calls before each edit.
    """
    client, path = CLIENTS[name], hook_file(name, scope, folder)
    try:
        before: str | None = read_regular(os.path.realpath(path), MOST_BYTES).decode("utf-8")
    except FileNotFoundError:
        before = None
    except (OSError, ValueError) as error:
        return Failure("hook-file", f"{path} can't be read: {error}.")
    command = _command("copilot" if client is _COPILOT else name, scope, apart=client.waits_for_all)
    if not client.events or client is _COPILOT:
        if before is not None and MARK.search(before) is None:
            return Failure("hook-file", f"{path} is not of Worktree Sidecar. Move it away.")
        return HookPlan(name, path, before, None if remove else _own_file(client, command, blocks=blocks))
    try:
        bare = _without(client, before)
        after = bare if remove else _with(client, bare, command, blocks=blocks)
    except ValueError as error:
        return Failure("hook-file", f"{path} is not JSON as {client.title} writes it: {error}. It is left as it is.")
    return HookPlan(name, path, before, after)


def apply_hooks(plan: HookPlan) -> Failure | None:
    """Write the file as a whole, with its mode, where links lead; a Failure when it is not as the plan saw it."""
    path = Path(os.path.realpath(plan.path))
    try:
        present = read_regular(str(path), MOST_BYTES).decode("utf-8") if path.exists() else None
        if present != plan.before:
            return Failure("hook-file", f"{plan.path} has changed meanwhile. Run it again.")
        if plan.after is None:
            path.unlink(missing_ok=True)
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{OWN_NAME}")
        beside.write_text(plan.after, encoding="utf-8", newline="")
        with contextlib.suppress(FileNotFoundError):
            shutil.copymode(path, beside)
        beside.replace(path)
    except (OSError, ValueError) as error:
        return Failure("hook-file", f"{plan.path} can't be written: {error}.")
    return None


def _home(client: Client) -> Path:
    own = os.environ.get(client.variable or "")
    return Path(own) if own else Path.home() / client.home


def _command(name: str, scope: Scope, *, apart: bool) -> str:
    """Give the command line for a shell: it says nothing, and succeeds, where there is no sidecar any more.

    What is started `apart` has outputs of its own, which the shell passes on, and not the client's.
    """
    program = "sidecar"
    if scope == "user" and shutil.which(program) is None:
        program = shlex.quote(os.path.join(os.path.dirname(sys.executable), program))
    call = f"{program} hook --client {name}"
    call = f"exec 2>/dev/null && printf '%s\\n' \"$({call})\"" if apart else call
    return f"command -v {program} >/dev/null 2>&1 && {call}; exit 0"


def _calls(client: Client, *, blocks: bool) -> Iterator[tuple[str, str | None]]:
    """Give (event, matcher) of every entry."""
    return ((event, tools) for event, tools in client.events.items() if blocks or event != client.before)


def _entry(client: Client, command: str, matcher: str | None) -> dict[str, Any]:
    timeout = SECONDS * 1000 if client.milliseconds else SECONDS
    matched = {"matcher": matcher} if matcher is not None else {}
    if client.flat:
        return {**matched, "command": command, "timeout": timeout}
    return {**matched, "hooks": [{"type": "command", "command": command, "timeout": timeout}]}


def _with(client: Client, text: str | None, command: str, *, blocks: bool) -> str:
    """Write a settings file's text with our entries."""
    if text is None or not text.strip():
        text = '{\n  "version": 1\n}\n' if client.flat else "{}\n"
    for event, matcher in _calls(client, blocks=blocks):
        text = put(text, ("hooks", event), _entry(client, command, matcher))
    return text


def _without(client: Client, text: str | None) -> str | None:
    """Write a settings file's text without our entries, of which installing would make it again; None: no file.

    Where there is no such text, since somebody has changed the entries, these go with the lists that are empty then.
    """
    written = COMMAND.search(text) if text is not None else None
    if text is None or written is None:
        return text
    command = json.loads(written[1])
    for blocks in (True, False):
        if _with(client, None, command, blocks=blocks) == text:
            return None
        bare: str | None = text
        for event, matcher in reversed([*_calls(client, blocks=blocks)]):
            bare = _before(bare, event, _entry(client, command, matcher)) if bare is not None else None
        if bare is not None:
            return bare
    for event in client.events:
        text = take(text, ("hooks", event), _is_ours, most_empty=2)
    return text


def _before(text: str, event: str, entry: dict[str, Any]) -> str | None:
    """Give the text before this entry was put in; None where that can't be told."""
    candidates = (take(text, ("hooks", event), _is_ours, most_empty=number) for number in (2, 1, 0))
    return next((one for one in candidates if put(one, ("hooks", event), entry) == text), None)


def _is_ours(entry: object) -> bool:
    return MARK.search(json.dumps(entry)) is not None


def _own_file(client: Client, command: str, *, blocks: bool) -> str:
    """Give the whole of a file that is ours alone."""
    if client is _COPILOT:
        hooks = {}
        for event, _ in _calls(client, blocks=blocks):  # its payload does not say which event it is
            line = command.replace("; exit 0", f" --event {event}; exit 0")
            one = {"type": "command", "bash": line, "command": line, "timeoutSec": SECONDS, "timeout": SECONDS}
            hooks[event] = [one]
        return json.dumps({"version": 1, "hooks": hooks}, indent=2) + "\n"
    program = shlex.split(command.partition(" && ")[2])[0]
    plugin = PLUGIN.replace("CLIENT", client.program).replace("PROGRAM", json.dumps(program))
    return plugin.replace("BEFORE", BEFORE if blocks else "")
