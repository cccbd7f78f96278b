"""What real clients sent to a hook, as recorded from them (ids and paths replaced), and what is no payload at all."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.agents.dialects import DIALECTS, EDITS, Call, answer, read_call

HERE = "/home/ada/shop"
CLAUDE: dict[str, Any] = {
    "session_id": "S",
    "transcript_path": "/t.jsonl",
    "cwd": HERE,
    "permission_mode": "acceptEdits",
}
CODEX: dict[str, Any] = {"session_id": "S", "turn_id": "T", "transcript_path": "/t.jsonl", "cwd": HERE, "model": "M"}
GEMINI: dict[str, Any] = {
    "session_id": "S",
    "transcript_path": "/t.json",
    "cwd": HERE,
    "timestamp": "2026-11-28T10:00:00Z",
}
PATCH = "*** Begin Patch\n*** Update File: a.txt\n*** Move to: moved.txt\n@@\n-two\n+TWO\n*** Add File: new/c.txt\n+x\n"
QWEN: dict[str, Any] = {**GEMINI, "permission_mode": "yolo", "prompt_id": "P", "tool_use_id": "T"}
RECORDED: dict[str, tuple[str, str | None, dict[str, Any], str, list[str]]] = {
    "claude edits": (
        "claude",
        None,
        {**CLAUDE, "hook_event_name": "PostToolUse", "tool_name": "Edit"}
        | {"tool_input": {"file_path": f"{HERE}/a.txt", "old_string": "two", "new_string": "TWO", "replace_all": False}}
        | {"tool_response": {"filePath": f"{HERE}/a.txt"}, "tool_use_id": "T"},
        "after",
        ["a.txt"],
    ),
    "claude batches": (
        "claude",
        None,
        {**CLAUDE, "hook_event_name": "PostToolBatch"}
        | {
            "tool_calls": [
                {
                    "tool_name": "Write",
                    "tool_input": {"file_path": f"{HERE}/c.txt", "content": "c"},
                    "tool_use_id": "1",
                },
                {"tool_name": "Read", "tool_input": {"file_path": f"{HERE}/b.txt"}, "tool_use_id": "2"},
                {"tool_name": "Edit", "tool_input": {"file_path": f"{HERE}/a.txt"}, "tool_use_id": "3"},
            ]
        },
        "after",
        ["c.txt", "a.txt"],
    ),
    "claude reads": (
        "claude",
        None,
        {**CLAUDE, "hook_event_name": "PreToolUse", "tool_name": "Read", "tool_input": {"file_path": f"{HERE}/a.txt"}},
        "before",
        [],
    ),
    "claude starts": ("claude", None, {**CLAUDE, "hook_event_name": "SessionStart", "source": "startup"}, "start", []),
    "claude starts a subagent": (
        "claude",
        None,
        {**CLAUDE, "hook_event_name": "SubagentStart", "agent_id": "A", "agent_type": "Explore"},
        "subagent",
        [],
    ),
    "claude edits a notebook": (
        "claude",
        None,
        {**CLAUDE, "hook_event_name": "PostToolUse", "tool_name": "NotebookEdit"}
        | {"tool_input": {"notebook_path": f"{HERE}/n.ipynb", "cell_id": "1", "new_source": "x"}},
        "after",
        ["n.ipynb"],
    ),
    "codex patches": (
        "codex",
        None,
        {**CODEX, "hook_event_name": "PreToolUse", "tool_name": "apply_patch", "tool_input": {"command": PATCH}},
        "before",
        ["a.txt", "moved.txt", "new/c.txt"],
    ),
    "codex runs a command": (
        "codex",
        None,
        {**CODEX, "hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_input": {"command": "echo x >> a.txt"}},
        "after",
        [],
    ),
    "gemini replaces": (
        "gemini",
        None,
        {**GEMINI, "hook_event_name": "AfterTool", "tool_name": "replace"}
        | {"tool_input": {"file_path": "./dir/../a.txt", "old_string": "two", "new_string": "TWO", "instruction": "x"}},
        "after",
        ["a.txt"],
    ),
    "copilot edits, in its own words": (
        "copilot",
        "postToolUse",
        {"sessionId": "S", "timestamp": 1795896814427, "cwd": HERE, "toolName": "edit"}
        | {"toolArgs": {"path": f"{HERE}/a.txt", "old_str": "two", "new_str": "TWO"}},
        "after",
        ["a.txt"],
    ),
    "copilot creates, its arguments in a text": (
        "copilot",
        "preToolUse",
        {"sessionId": "S", "timestamp": 1795896814427, "cwd": HERE, "toolName": "create"}
        | {"toolArgs": json.dumps({"path": f"{HERE}/a.txt", "file_text": "x"})},
        "before",
        ["a.txt"],
    ),
    "copilot reads claude's file": (
        "claude",
        None,
        {"hook_event_name": "PreToolUse", "session_id": "S", "timestamp": "2026-11-28T10:00:00Z", "cwd": HERE}
        | {"tool_name": "Edit", "tool_input": {"path": "a.txt", "old_str": "two", "new_str": "TWO"}},
        "before",
        ["a.txt"],
    ),
    "vs code creates": (
        "claude",
        None,
        {"sessionId": "S", "hookEventName": "PostToolUse", "cwd": HERE, "tool_name": "create_file"}
        | {"tool_input": {"filePath": f"{HERE}/a.txt", "content": "x"}},
        "after",
        ["a.txt"],
    ),
    "vs code edits several": (
        "copilot",
        None,
        {"sessionId": "S", "hookEventName": "PostToolUse", "cwd": HERE, "tool_name": "multi_replace_string_in_file"}
        | {"tool_input": {"replacements": [{"filePath": f"{HERE}/a.txt"}, {"filePath": f"{HERE}/b.txt"}]}},
        "after",
        ["a.txt", "b.txt"],
    ),
    "cursor writes": (
        "claude",
        None,
        {"conversation_id": "S", "workspace_roots": [HERE], "hook_event_name": "postToolUse", "tool_name": "Write"}
        | {"tool_input": {"file_path": "a.txt"}},
        "after",
        ["a.txt"],
    ),
    "cursor tells of an edit": (
        "cursor",
        None,
        {"conversation_id": "S", "workspace_roots": [HERE], "hook_event_name": "afterFileEdit"}
        | {"file_path": f"{HERE}/a.txt", "edits": [{"old_string": "two", "new_string": "TWO"}]},
        "after",
        ["a.txt"],
    ),
    "qwen edits": (
        "qwen",
        None,
        {**QWEN, "hook_event_name": "PostToolUse", "tool_name": "edit", "tool_input": {"file_path": f"{HERE}/a.txt"}},
        "after",
        ["a.txt"],
    ),
    "kilo edits": (
        "kilo",
        "tool.execute.after",
        {"session_id": "S", "cwd": HERE, "tool": "edit", "args": {"filePath": f"{HERE}/a.txt", "oldString": "two"}},
        "after",
        ["a.txt"],
    ),
    "vibe is about to edit": (
        "vibe",
        None,
        {"session_id": "S", "transcript_path": "/t", "cwd": HERE, "parent_session_id": None, "tool_call_id": "T"}
        | {"hook_event_name": "pre_tool", "tool_name": "file_system.search_replace"}
        | {
            "tool_input": {"file_path": f"{HERE}/a.txt", "old_string": "two", "new_string": "TWO", "replace_all": False}
        },
        "before",
        ["a.txt"],
    ),
    "opencode edits": (
        "opencode",
        "tool.execute.after",
        {"session_id": "S", "cwd": HERE, "tool": "edit", "args": {"filePath": f"{HERE}/a.txt", "oldString": "two"}},
        "after",
        ["a.txt"],
    ),
}


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_payload_is_understood(name: str) -> None:
    client, event, payload, moment, files = RECORDED[name]
    call = read_call(payload, client, event)
    assert call is not None
    assert (call.session, call.cwd, call.moment) == ("S", HERE, moment)
    assert [Path(edit.path).relative_to(HERE).as_posix() for edit in call.edits] == files


@pytest.mark.parametrize("name", RECORDED)
def test_an_answer_has_no_key_that_the_client_does_not_know(name: str) -> None:
    """And it never allows or asks: the first takes away the person's own prompt, the second may wait for ever."""
    client, event, payload, moment, _ = RECORDED[name]
    call = read_call(payload, client, event)
    assert call is not None
    said = answer(call, "TEXT", deny=moment == "before")
    assert said is not None
    inner = said.get("hookSpecificOutput", said)
    known = {"hookEventName", "additionalContext", "permissionDecision", "permissionDecisionReason"}
    assert set(inner) <= known | {
        "decision",
        "reason",
        "permission",
        "agent_message",
        "additional_context",
        "context",
        "deny",
    }
    assert "TEXT" in inner.values()
    assert {"allow", "ask", "approve"}.isdisjoint(value for value in inner.values() if isinstance(value, str))
    if "hookEventName" in inner:
        assert inner["hookEventName"] == payload.get("hook_event_name", payload.get("hookEventName"))


def test_cline_is_understood_and_told_nothing() -> None:
    root: dict[str, Any] = {
        "taskId": "S",
        "sessionContext": {"rootSessionId": "R"},
        "workspaceRoots": [HERE],
        "agent_id": "A",
    }
    root |= {"parent_agent_id": None, "hookName": "tool_call", "tool_call": {"id": "1", "name": "editor", "input": {}}}
    for event, moment in (("preToolUse", "before"), ("postToolUse", "after")):
        made = {"toolName": "editor", "parameters": {"path": "a.txt", "old_text": "two", "new_text": "TWO"}}
        call = read_call({**root, event: made}, "cline", None)
        assert call is not None
        assert (call.session, call.part, call.cwd, call.moment) == ("S", "A", HERE, moment)
        assert [(edit.path, edit.replaced) for edit in call.edits] == [(f"{HERE}/a.txt", ("two", "TWO"))]
        assert answer(call, "TEXT", deny=moment == "before") is None
    for wrong in ({}, {"preToolUse": None}, {"preToolUse": {"toolName": 1, "parameters": 2}, "taskId": []}):
        call = read_call({**root, **wrong}, "cline", None)
        assert call is None or call.edits == ()


def test_a_text_is_given_only_at_moments_at_which_it_arrives() -> None:
    prompt = read_call({**QWEN, "hook_event_name": "UserPromptSubmit", "prompt": "go"}, "qwen", None)
    before = read_call(RECORDED["codex patches"][2], "codex", None)
    assert prompt is not None
    assert before is not None
    assert answer(prompt, "TEXT") is None
    assert answer(before, "TEXT") is None


def test_what_an_edit_will_write_is_read_where_the_client_tells() -> None:
    edits = [call.edits[0] for name in RECORDED if (call := _call(name)) is not None and call.edits]
    assert {edit.content for edit in edits} == {None, "c", "x"}
    assert ("two", "TWO") in {edit.replaced for edit in edits}


def _call(name: str) -> Call | None:
    client, event, payload, _, _ = RECORDED[name]
    return read_call(payload, client, event)


KEYS = st.sampled_from(
    sorted({key for _, _, payload, _, _ in RECORDED.values() for key in payload} | {"path", "files", "args", "input"})
)
TEXTS = st.text(max_size=20) | st.sampled_from([*EDITS, *(event for one in DIALECTS.values() for event in one.events)])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.just("\0") | st.just("/" * 5000)
ANYTHING = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6))


@given(ANYTHING | st.dictionaries(KEYS, ANYTHING, max_size=12), st.sampled_from([*DIALECTS, "", "new"]), TEXTS)
def test_anything_is_a_call_or_none(payload: object, client: str, event: str) -> None:
    call = read_call(payload, client, event)
    assert call is None or all(edit.path.startswith("/") for edit in call.edits)


@given(st.sampled_from(sorted(RECORDED)), st.data())
def test_a_recorded_payload_with_something_else_in_it_is_a_call_or_none(name: str, data: st.DataObject) -> None:
    client, event, payload, _, _ = RECORDED[name]
    key = data.draw(st.sampled_from(sorted(payload)))
    call = read_call({**payload, key: data.draw(ANYTHING)}, client, event)
    assert call is None or answer(call, "TEXT", deny=call.moment == "before") is None or isinstance(call, Call)
