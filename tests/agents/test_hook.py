"""`sidecar hook` as a process of its own, in real repositories: what it says, to whom, how often, and when nothing."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sidecar.agents.hook import DEADLINE
from sidecar.operations.presence import Agent, speak
from tests.harness import add_worktree, commit, git, write

HOUSE = Path(__file__).parent.parent.parent
Json = dict[str, Any]


@pytest.fixture
def one(repo: Path) -> Path:
    """A worktree `one`; worktree `two` has changed the middle line of `a.txt`, which nobody else has."""
    commit(repo, {"a.txt": "one\ntwo\nthree\n", "b.txt": "one\ntwo\nthree\n"})
    path = add_worktree(repo, "one")
    write(add_worktree(repo, "two"), {"a.txt": "one\nTHEIRS\nthree\n"})
    return path


def hook(payload: object, *arguments: str, client: str = "claude", **variables: str) -> str:
    """What the hook prints, whose exit status is 0 and which prints nothing else.

    On a busy machine it may give up at its own deadline; then it is called again.
    """
    patience = time.monotonic() + 90
    while True:
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "sidecar", "hook", "--client", client, *arguments],
            input=payload if isinstance(payload, bytes) else json.dumps(payload).encode(),
            env={**os.environ, "PYTHONPATH": str(HOUSE), **variables},
            capture_output=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        now = time.monotonic()
        if done.stdout or now - start < DEADLINE or now > patience:
            return done.stdout.decode()


def said(payload: Json, *arguments: str, client: str = "claude") -> str:
    """The text that it tells; empty where it tells none."""
    printed = hook(payload, *arguments, client=client)
    return str(json.loads(printed)["hookSpecificOutput"]["additionalContext"]) if printed else ""


def event(name: str, cwd: Path, session: str = "S", **more: object) -> Json:
    return {"session_id": session, "transcript_path": "/t", "cwd": str(cwd), "hook_event_name": name, **more}


def edited(path: Path, cwd: Path, session: str = "S", **more: object) -> Json:
    return event("PostToolUse", cwd, session, tool_name="Edit", tool_input={"file_path": str(path)}, **more)


def edit(worktree: Path, text: str = "one\nOURS\nthree\n", name: str = "a.txt") -> Path:
    write(worktree, {name: text})
    return worktree / name


def test_an_edit_that_now_conflicts_is_told_once(one: Path) -> None:
    told = said(edited(edit(one), one))
    assert "a.txt, line 2: Conflicts with two, which changed line 2." in told
    assert str(one.parent / "two" / "a.txt") in told
    assert len(told) <= 1500
    assert said(edited(one / "a.txt", one)) == ""
    assert "Conflicts with two" in said(edited(one / "a.txt", one, "another session"))


def test_a_conflict_in_one_more_place_is_news(repo: Path) -> None:
    commit(repo, {"a.txt": "".join(f"{number}\n" for number in range(30))})
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    lines = [f"{number}\n" for number in range(30)]
    write(two, {"a.txt": "".join(["T\n", *lines[1:-1], "T\n"])})
    path = edit(one, "".join(["O\n", *lines[1:]]))
    assert "which changed line 1" in said(edited(path, one))
    edit(one, "".join(["O\n", *lines[1:-1], "O\n"]))
    assert "which changed lines 1, 30" in said(edited(path, one))


def test_edits_that_merge_cleanly_are_told_without_ways_out_of_a_conflict(repo: Path) -> None:
    commit(repo, {"a.txt": "".join(f"{number}\n" for number in range(30))})
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    lines = [f"{number}\n" for number in range(30)]
    write(two, {"a.txt": "".join(["T\n", *lines[1:]])})
    told = said(edited(edit(one, "".join([*lines[:-1], "O\n"])), one))
    assert "git merges the two cleanly" in told
    assert "conflict" not in told.lower()


def test_nothing_is_said_of_what_concerns_nobody(one: Path) -> None:
    assert hook(edited(edit(one, "one\nOURS\nthree\n", "b.txt"), one)) == ""
    assert hook(event("PostToolUse", one, tool_name="Read", tool_input={"file_path": str(one / "a.txt")})) == ""
    assert hook(event("PostToolUse", one, tool_name="Bash", tool_input={"command": "sed -i s/two/x/ a.txt"})) == ""
    assert hook(edited(one.parent / "elsewhere.txt", one)) == ""


def test_the_worktree_is_found_by_the_file_and_the_folder_alone(one: Path) -> None:
    """Relative paths, links in the path, a subfolder: and no variable that a client sets."""
    edit(one)
    (one / "sub").mkdir()
    (one.parent / "alias").symlink_to(one)
    variables = {"CLAUDE_PROJECT_DIR": "/", "GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/nowhere"}
    for number, (path, cwd) in enumerate(
        [
            ("a.txt", one),
            ("../a.txt", one / "sub"),
            (str(one.parent / "alias" / "a.txt"), one),
            ("a.txt", one / "../alias"),
        ]
    ):
        given = event("PostToolUse", cwd, f"S{number}", tool_name="Edit", tool_input={"file_path": path})
        assert "Conflicts with two" in hook(given, **variables), (path, cwd)


def test_an_edit_in_another_worktree_is_told_to_its_writer(one: Path) -> None:
    told = said(edited(edit(one.parent / "two", "x\n", "new.txt"), one))
    assert "new.txt was written in worktree two" in told
    assert "stands in worktree one" in told
    assert said(edited(one.parent / "two" / "new.txt", one)) == ""


def test_all_files_of_a_patch_are_looked_at(one: Path) -> None:
    write(one.parent / "two", {"b.txt": "one\nTHEIRS\nthree\n"})
    edit(one)
    edit(one, name="b.txt")
    patch = "*** Begin Patch\n*** Update File: a.txt\n@@\n*** Update File: b.txt\n@@\n*** End Patch\n"
    told = said(event("PostToolUse", one, tool_name="apply_patch", tool_input={"command": patch}), client="codex")
    assert "a.txt, line 2: Conflicts with two" in told
    assert "b.txt, line 2: Conflicts with two" in told


def test_two_hooks_of_one_edit_tell_it_once(repo: Path) -> None:
    """Both have looked before either tells: what was told is asked and noted in one step."""
    common = str(repo / ".git")
    agent = Agent("Claude Code", "S", "", str(repo), time.time())
    with ThreadPoolExecutor(8) as pool:
        new = list(pool.map(lambda _: speak(common, agent, ["a", "b"]), range(32)))
    assert sorted(mark for marks in new for mark in marks) == ["a", "b"]


def test_a_session_learns_at_its_start_which_worktrees_are_open(one: Path) -> None:
    for number in range(20):  # a second entry for the same start is one within the same minute
        session, minute = f"S{number}", time.time() // 60
        told = said(event("SessionStart", one, session, source="startup"))
        assert "two: changed a.txt" in told
        assert "at work" not in told
        again = said(event("SessionStart", one, session, source="startup"))
        if time.time() // 60 == minute:
            break
    assert again == ""
    assert "two: changed a.txt" in said(event("SessionStart", one, session, source="compact"))


def test_a_session_beside_a_writer_learns_of_it_and_one_beside_a_reader_does_not(one: Path) -> None:
    read = event("PostToolUse", one, "reader", tool_name="Read", tool_input={"file_path": str(one / "a.txt")})
    hook(read)
    hook(event("SessionStart", one, "reader"))
    assert "at work" not in said(event("SessionStart", one, "first"))
    hook(edited(edit(one, name="b.txt"), one, "writer"))
    told = said(event("SessionStart", one, "second"))
    assert "Claude Code is at work in this directory" in told
    assert "`sidecar open NAME`" in told
    assert "at work in this directory" in said(edited(one / "b.txt", one, "first"))
    hook(event("SessionEnd", one, "writer", reason="other"))
    hook(event("SessionEnd", one, "first", reason="other"))
    assert "at work" not in said(event("SessionStart", one, "third"))


def test_a_subagent_is_no_stranger_to_its_own_session(one: Path) -> None:
    hook(edited(edit(one, name="b.txt"), one))
    told = said(event("SubagentStart", one, agent_id="A", agent_type="Explore"))
    assert "at work" not in told
    assert "two: changed a.txt" in told


def test_with_a_prompt_only_what_is_new_is_told(one: Path) -> None:
    edit(one)
    assert "Conflicts with two" in said(event("UserPromptSubmit", one, prompt="go"))
    assert said(event("UserPromptSubmit", one, prompt="go on")) == ""


def test_a_repository_with_one_worktree_hears_nothing(repo: Path) -> None:
    assert hook(event("SessionStart", repo)) == ""
    assert hook(edited(edit(repo, name="README.md"), repo)) == ""


def refusal(payload: Json) -> str:
    """Why the edit is refused; empty where it is not."""
    printed = hook(payload)
    if not printed:
        return ""
    inner = json.loads(printed)["hookSpecificOutput"]
    assert inner["permissionDecision"] == "deny"
    return str(inner["permissionDecisionReason"])


def test_an_edit_is_refused_once_where_a_person_wants_that(one: Path) -> None:
    """The edit has not been made yet: what it would write is held against the other worktree."""
    planned = {"file_path": str(one / "a.txt"), "old_string": "two", "new_string": "OURS"}
    before = event("PreToolUse", one, tool_name="Edit", tool_input=planned)
    assert refusal(before) == ""
    git(one, "config", "sidecar.hookBlocks", "true")
    told = refusal(before)
    assert "Conflicts with two, which changed line 2" in told
    assert "THEIRS" in told
    assert refusal(before) == ""
    harmless = {"file_path": str(one / "b.txt"), "content": "one\nOURS\nthree\n"}
    assert refusal(event("PreToolUse", one, tool_name="Write", tool_input=harmless)) == ""
    assert (one / "a.txt").read_text() == "one\ntwo\nthree\n"


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"session_id": 3}', b"[" * 100_000, b'{"cwd": "\\u0000"}']
)
def test_what_is_no_payload_is_passed_over(raw: bytes, one: Path) -> None:
    assert hook(raw) == ""


def test_arguments_of_a_newer_version_are_passed_over(one: Path) -> None:
    edit(one)
    assert "Conflicts with two" in hook(edited(one / "a.txt", one), "--newer", "--flag=3", "more")
    assert hook(edited(one / "a.txt", one), "--client", "a new client") == ""
    done = subprocess.run([sys.executable, "-m", "sidecar", "hook", "--frobnicate"], input=b"", cwd=HOUSE)
    assert done.returncode == 0


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("somebody's file")
    try:
        yield
    finally:
        folder.unlink()


def test_a_state_directory_that_is_none_makes_it_silent(one: Path, repo: Path) -> None:
    edit(one)
    with unwritable(repo / ".git" / "sidecar" / "agents"):
        assert hook(edited(one / "a.txt", one)) == ""


def test_a_broken_repository_makes_it_silent(one: Path, repo: Path) -> None:
    edit(one)
    (repo / ".git" / "HEAD").write_text("nonsense")
    assert hook(edited(one / "a.txt", one)) == ""


@pytest.mark.parametrize("content", [b"", b"{", b'{"told": 3}', b"\0" * 100, b"[" * 50_000])
def test_a_damaged_record_is_as_none(content: bytes, one: Path, repo: Path) -> None:
    edit(one)
    said(edited(one / "a.txt", one))
    (record,) = (repo / ".git" / "sidecar" / "agents").glob("*.json")
    record.write_bytes(content)
    assert "Conflicts with two" in said(edited(one / "a.txt", one))


def test_a_client_that_never_ends_its_input_does_not_keep_it(one: Path) -> None:
    reading, writing = os.pipe()
    try:
        command = [sys.executable, "-m", "sidecar", "hook", "--client", "claude"]
        done = subprocess.run(command, stdin=reading, cwd=HOUSE, timeout=20, capture_output=True)
    finally:
        os.close(reading)
        os.close(writing)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_names_that_would_command_a_terminal_are_spelled_out(repo: Path) -> None:
    name = "a\x1b[2J\u202e.txt"
    commit(repo, {name: "one\ntwo\nthree\n"})
    one = add_worktree(repo, "one")
    write(add_worktree(repo, "two"), {name: "one\nTHEIRS\nthree\n"})
    told = said(edited(edit(one, name=name), one))
    assert "Conflicts with two" in told
    assert "\x1b" not in told
    assert "\u202e" not in told


def test_ten_worktrees_are_told_in_1500_characters(repo: Path) -> None:
    long = "a/" + "x" * 80 + "/file.txt"
    commit(repo, {long: "one\ntwo\nthree\n"})
    one = add_worktree(repo, "one")
    for number in range(10):
        write(add_worktree(repo, f"other-{number}"), {long: f"one\n{number}\nthree\n"})
    told = said(edited(edit(one, name=long), one))
    assert len(told) <= 1500
    assert "more: `sidecar overlaps` lists them." in told


def test_several_others_in_one_directory_are_one_piece_of_news(one: Path) -> None:
    for session in ("A", "B"):
        hook(edited(edit(one, name="b.txt"), one, session))
    told = said(event("SessionStart", one, "C"))
    assert "Two sessions of Claude Code are at work in this directory: the last edit was" in told
    assert told.count("`sidecar open NAME`") == 1
    hook(edited(one / "b.txt", one, "D"))
    assert said(event("UserPromptSubmit", one, "C", prompt="go")) == ""


def test_an_edit_is_told_what_it_takes_away_from_others_and_what_others_took_away(repo: Path) -> None:
    commit(repo, {"a.py": "def parse(text):\n    return text\n\n\nLIMIT = 3\n", "b.py": "X = 1\n"})
    one = add_worktree(repo, "one")
    commit(add_worktree(repo, "two"), {"b.py": "from a import parse\n"})
    told = said(edited(edit(one, "LIMIT = 3\n", "a.py"), one))
    assert "a.py: Removes `parse`, which two newly uses in b.py, line 1." in told
    assert said(edited(one / "a.py", one)) == ""
    used = edit(repo.parent / "two", "from a import LIMIT, parse\n", "b.py")
    commit(one, {"a.py": "LIMIT = 3\n"})
    assert "b.py: Uses `parse` of a.py, which one removes." in said(edited(used, repo.parent / "two", "T"))
