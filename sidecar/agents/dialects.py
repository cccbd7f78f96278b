"""Read what agent clients send to a hook and write the answers they honour, by one table found by running them.

It must import the standard library only, and nothing large of it: every edit of every agent waits for it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

Json: TypeAlias = dict[str, Any]
Moment: TypeAlias = Literal["start", "subagent", "prompt", "before", "after", "end"]
Shape: TypeAlias = Literal["nested", "flat", "decision", "cursor", "plugin"]
"""The keys of an answer: in `hookSpecificOutput`; at the top; as `nested`, but a denial as Gemini knows it; Cursor's;
and our own plugin's."""


class Dialect(NamedTuple):
    """One client: its events by name, the tools by which it edits, the keys that it honours in an answer.

    `hears` are the moments at which a text of ours reaches its model; at the others it gets none.
    """

    client: str
    title: str
    events: Mapping[str, Moment]
    edits: frozenset[str]
    shape: Shape
    hears: frozenset[Moment]


def _events(**names: str) -> Mapping[str, Moment]:
    """Give moments by the client's own names of events; several names of one moment stand with spaces between."""
    return MappingProxyType({name: moment for moment, said in names.items() for name in said.split()})  # type: ignore[misc]


_PASCAL = _events(
    start="SessionStart",
    subagent="SubagentStart",
    prompt="UserPromptSubmit",
    before="PreToolUse",
    after="PostToolUse PostToolBatch",
    end="SessionEnd",
)
_CAMEL = _events(
    start="sessionStart",
    subagent="subagentStart",
    prompt="userPromptSubmitted",
    before="preToolUse",
    after="postToolUse",
    end="sessionEnd",
)
_CURSOR = _events(start="sessionStart", before="preToolUse", after="postToolUse afterFileEdit", end="sessionEnd")
_GEMINI = _events(start="SessionStart", prompt="BeforeAgent", before="BeforeTool", after="AfterTool", end="SessionEnd")
_OPENCODE = _events(start="start", before="tool.execute.before", after="tool.execute.after", end="end")
_CLINE = _events(before="preToolUse", after="postToolUse")
_VIBE = _events(before="pre_tool", after="post_tool")

_OPENCODE_EDITS = "edit write multiedit patch apply_patch"
_VSCODE_EDITS = (
    "create_file replace_string_in_file multi_replace_string_in_file insert_edit_into_file edit_notebook_file "
    "apply_patch editFiles"
)


def _dialect(client: str, title: str, events: Mapping[str, Moment], edits: str, shape: Shape, hears: str) -> Dialect:
    """Make a row of the table; tools, and moments, stand with spaces between."""
    return Dialect(client, title, events, frozenset(edits.split()), shape, frozenset(hears.split()))  # type: ignore[arg-type]


_ROWS = (
    _dialect(
        "claude", "Claude Code", _PASCAL, "Edit MultiEdit Write NotebookEdit", "nested",
        "start subagent prompt before after",
    ),
    _dialect("codex", "Codex", _PASCAL, "apply_patch Edit Write", "nested", "start prompt before after"),
    # where its events have the names that VS Code knows too
    _dialect(
        "copilot", "Copilot CLI", _PASCAL, "Edit Write edit create apply_patch", "nested",
        "start subagent before after",
    ),
    # where they have its own names: its payload does not say which event it is
    _dialect(
        "copilot-camel", "Copilot CLI", _CAMEL, "edit create apply_patch str_replace str_replace_editor", "flat",
        "start subagent before after",
    ),
    _dialect("vscode", "VS Code", _PASCAL, _VSCODE_EDITS, "nested", "start subagent before after"),
    _dialect(
        "cursor", "Cursor", _CURSOR, "Write Edit Delete edit_file search_replace write", "cursor", "start before after",
    ),
    _dialect("gemini", "Gemini CLI", _GEMINI, "replace write_file edit", "decision", "start prompt before after"),
    # it fires UserPromptSubmit again before every request of a turn: no text with a prompt
    _dialect(
        "qwen", "Qwen Code", _PASCAL, "edit write_file replace notebook_edit", "nested", "start subagent before after",
    ),
    _dialect("opencode", "opencode", _OPENCODE, _OPENCODE_EDITS, "plugin", "start before after"),
    # a fork of opencode
    _dialect("kilo", "Kilo", _OPENCODE, _OPENCODE_EDITS, "plugin", "start before after"),
    # whether its model gets any text is not known
    _dialect("cline", "Cline", _CLINE, "editor write_to_file replace_in_file apply_patch", "flat", ""),
    # its model gets the reason of a denial, and no other text
    _dialect(
        "vibe", "Mistral Vibe", _VIBE, "file_system.search_replace file_system.write_file file_system.edit", "decision",
        "before",
    ),
)  # fmt: skip

DIALECTS: Mapping[str, Dialect] = MappingProxyType({dialect.client: dialect for dialect in _ROWS})

EDITS = frozenset[str]().union(*(dialect.edits for dialect in DIALECTS.values()))
"""Every tool that edits files. One entry in one file is called by several clients, each with its own tools."""

PATHS = ("file_path", "filePath", "path", "notebook_path", "absolute_path", "target_file", "filename")
REPLACED = (("old_string", "new_string"), ("oldString", "newString"), ("old_str", "new_str"), ("old_text", "new_text"))
LISTS = ("files", "edits", "replacements", "changes", "file_edits")
PATCHES = ("command", "patchText", "patch", "input")
PATCHED = r"(?m)^\*\*\* (?:Add File|Update File|Delete File|Move to): (.+?)\s*$"
"""What names a file in a patch; compiled by who has one."""
MOST_PATHS = 50
"""How many files of one call are looked at."""
LONGEST = 4096
"""Characters above which a text is no path, session or event of a client."""


class Edit(NamedTuple):
    """A file that a call edits: its absolute path with all links followed, and what it will contain if told.

    `content` is a whole new text, `replaced` (old, new) a part of it, once or `everywhere`; None where it is not told.
    """

    path: str
    content: str | None = None
    replaced: tuple[str, str] | None = None
    everywhere: bool = False


class Call(NamedTuple):
    """One call of the hook, whatever the client: where it stands (`cwd`, real path), who speaks, what it edits."""

    dialect: Dialect
    event: str
    moment: Moment
    session: str
    part: str
    cwd: str | None
    edits: tuple[Edit, ...] = ()
    source: str = ""


def read_call(payload: object, client: str, event: str | None) -> Call | None:
    """Give the call that a payload is; None where it is of no known client, event or session."""
    if not isinstance(payload, dict):
        return None
    dialect = _recognise(payload, client)
    if dialect is DIALECTS["cline"]:
        payload, event = _of_cline(payload)
    event = _text(payload, "hook_event_name", "hookEventName", "hook_name") or event
    moment = dialect.events.get(event or "") if dialect is not None else None
    session = _text(payload, "session_id", "sessionId", "sessionID", "conversation_id", "taskId")
    if dialect is None or event is None or moment is None or session is None:
        return None
    roots = payload.get("workspace_roots")
    cwd = _text(payload, "cwd", "directory") or (_only_text(roots[0]) if isinstance(roots, list) and roots else None)
    here = os.path.realpath(cwd) if cwd is not None and os.path.isabs(cwd) else None
    edits = tuple(_edits(payload, here)) if moment in ("before", "after") else ()
    part, source = _text(payload, "agent_id", "agentId") or "", _text(payload, "source") or ""
    return Call(dialect, event, moment, session, part, here, edits[:MOST_PATHS], source)


def _of_cline(payload: Json) -> tuple[Json, str | None]:
    """Give the payload with the names that the others have, and its event: the key that has the call of the tool."""
    event = next((name for name in ("preToolUse", "postToolUse") if isinstance(payload.get(name), dict)), None)
    call = payload.get(event or "", {})
    roots = payload.get("workspaceRoots")
    named = {"taskId": payload.get("taskId"), "workspace_roots": roots, "agent_id": payload.get("agent_id")}
    return {**named, "tool_name": call.get("toolName"), "tool_input": call.get("parameters")}, event


def _recognise(payload: Json, client: str) -> Dialect | None:
    """Tell who sent it: several clients read one another's files, and call what is meant for another."""
    if client == "cline":
        return DIALECTS["cline"]
    if not {"conversation_id", "workspace_roots", "cursor_version"}.isdisjoint(payload):
        return DIALECTS["cursor"]
    if "hookEventName" in payload:
        return DIALECTS["vscode"]
    if "sessionId" in payload and "hook_event_name" not in payload:
        return DIALECTS["copilot-camel"]
    if "timestamp" in payload and "transcript_path" not in payload and client == "claude":
        return DIALECTS["copilot"]  # it reads a repository's .claude/settings.json
    return DIALECTS.get(client)


def answer(call: Call, text: str, *, deny: bool = False) -> Json | None:
    """Give the object that has this client pass the text to its model, or refuse the edit with it; None where it can't.

    It has no key more: one that a client does not know loses it the whole answer.
    """
    if call.moment not in call.dialect.hears or deny is not (call.moment == "before"):
        return None
    shape = call.dialect.shape
    if shape == "plugin":
        return {"deny" if deny else "context": text}
    if shape == "cursor":
        return {"permission": "deny", "agent_message": text} if deny else {"additional_context": text}
    if shape == "decision" and deny:
        return {"decision": "deny", "reason": text}
    said = {"permissionDecision": "deny", "permissionDecisionReason": text} if deny else {"additionalContext": text}
    return said if shape == "flat" else {"hookSpecificOutput": {"hookEventName": call.event, **said}}


def _edits(payload: Json, cwd: str | None) -> Iterator[Edit]:
    """List the files that a payload's tool calls edit, each once; nothing for tools that are not known to edit."""
    calls = payload.get("tool_calls")
    seen: set[str] = set()
    for call in calls if isinstance(calls, list) else [payload]:
        if not isinstance(call, dict):
            continue
        tool = _text(call, "tool_name", "toolName", "tool", "name")
        keys = (key for key in ("tool_input", "toolArgs", "toolInput", "args", "input") if key in call)
        given: object = call.get(next(keys, ""))
        if isinstance(given, str):  # some send their arguments as JSON in a text
            with_text = _json(given)
            given = with_text if isinstance(with_text, dict) else {"input": given}
        if call is payload and "file_path" in call and tool is None:  # Cursor's afterFileEdit
            tool, given = "Edit", call
        if tool not in EDITS or not isinstance(given, dict):
            continue
        for edit in _named(given):
            place = _place(edit.path, cwd)
            if place is not None and place not in seen:
                seen.add(place)
                yield edit._replace(path=place)


def _named(given: Json) -> Iterator[Edit]:
    """Find every file in a tool's input, its path as given."""
    path = _text(given, *PATHS)
    if path is not None:
        yield _planned(path, given)
    for key in LISTS:
        listed = given.get(key)
        for one in listed if isinstance(listed, list) else ():
            inner = _text(one, *PATHS) if isinstance(one, dict) else _only_text(one)
            if inner is not None:
                yield Edit(inner)
    for key in PATCHES:
        patch = given.get(key)
        if isinstance(patch, str):
            yield from map(Edit, re.findall(PATCHED, patch))


def _planned(path: str, given: Json) -> Edit:
    """Give an edit with what it will write, as far as the tool's input says."""
    for key in ("content", "file_text", "contents"):
        if isinstance(content := given.get(key), str):
            return Edit(path, content)
    for before, after in REPLACED:
        old, new = given.get(before), given.get(after)
        if isinstance(old, str) and isinstance(new, str):
            return Edit(path, None, (old, new), given.get("replace_all") is True or given.get("replaceAll") is True)
    return Edit(path)


def _place(path: str, cwd: str | None) -> str | None:
    """Give the absolute path with all links followed, as an edit follows them; None where it can't be known."""
    if not os.path.isabs(path):
        if cwd is None:
            return None
        path = os.path.join(cwd, path)
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):  # a NUL in the name
        return None


def _text(given: Json, *keys: str) -> str | None:
    return next((text for key in keys if (text := _only_text(given.get(key))) is not None), None)


def _only_text(given: object) -> str | None:
    """Give a text of a usual length; None for anything else."""
    return given if isinstance(given, str) and 0 < len(given) <= LONGEST and "\0" not in given else None


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
