"""Who is there, as agents' hooks have told: in `status`, in `check`, and in the way of a release."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from sidecar.operations.presence import RECENT, Agent, leave, speak
from tests.cli.conftest import Sidecar
from tests.harness import add_worktree, commit, git, write


def edits(
    repo: Path, worktree: Path, session: str, client: str = "Claude Code", at: float = 0.0, part: str = ""
) -> None:
    """Have an agent announce an edit, at that time in seconds since 1970, or now."""
    now = at or time.time()
    speak(str(repo / ".git"), Agent(client, session, part, str(worktree), now, now), ())


def asked(sidecar: Sidecar, folder: Path, *arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(sidecar(folder, *arguments, "--json").out)
    return answer


def there(answer: dict[str, Any], name: str) -> list[str]:
    (worktree,) = (one for one in answer["worktrees"] if one["name"] == name)
    return [agent["client"] for agent in worktree["agents"]]


def test_status_names_writers_of_lately_and_nobody_else(repo: Path, sidecar: Sidecar) -> None:
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    edits(repo, one, "first")
    edits(repo, one, "first", part="its subagent")
    edits(repo, two, "old", at=time.time() - RECENT - 60)
    speak(str(repo / ".git"), Agent("Gemini CLI", "reads only", "", str(two), time.time()), ())
    answer = asked(sidecar, repo, "status")
    assert (there(answer, "one"), there(answer, "two"), there(answer, "repo")) == (["Claude Code"], [], [])
    assert "In use\n  one   Claude Code (last edit " in sidecar(repo, "status").out
    leave(str(repo / ".git"), "first")
    assert there(asked(sidecar, repo, "status"), "one") == []


def test_since_when_an_agent_edits_in_a_worktree(repo: Path, sidecar: Sidecar) -> None:
    one, two, now = add_worktree(repo, "one"), add_worktree(repo, "two"), time.time()
    for worktree, ago in ((one, 90), (two, 60), (two, 30)):
        edits(repo, worktree, "S", at=now - ago)
    speak(str(repo / ".git"), Agent("Claude Code", "S", "", str(one), now), ())  # it only reads there
    (agent,) = next(one for one in asked(sidecar, repo, "status")["worktrees"] if one["name"] == "two")["agents"]
    assert (agent["since"], agent["edited"]) == (now - 60, now - 30)


def test_two_that_edit_one_worktree_are_told_of_and_one_that_took_over_is_not(repo: Path, sidecar: Sidecar) -> None:
    one, two, now = add_worktree(repo, "one"), add_worktree(repo, "two"), time.time()
    edits(repo, one, "A", at=now - 90)
    edits(repo, one, "B", "Codex", at=now - 60)
    assert "write over" not in sidecar(repo, "status").out  # B may be there because A was ended
    edits(repo, one, "A", at=now - 30)
    told = (
        "Codex both edit one, and may write over each other. Tell one of them: "
        "Run `sidecar open NAME`, and from now on work only in the directory that it prints.\n"
    )
    assert f"Claude Code and {told}" in sidecar(repo, "status").out
    leave(str(repo / ".git"), "B")
    assert "write over" not in sidecar(repo, "status").out
    for session in ("C", "D", "C"):
        edits(repo, two, session)
    assert "Two sessions of Claude Code edit two, and" in sidecar(repo, "status").out


def test_check_names_who_is_at_work_where_the_file_is_changed_too(repo: Path, sidecar: Sidecar) -> None:
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    write(one, {"README.md": "# One\n"})
    write(two, {"README.md": "# Two\n"})
    edits(repo, one, "asks itself")
    edits(repo, two, "other", "Codex")
    (agent,) = asked(sidecar, one, "check", "README.md")["agents"]
    assert (agent["worktree"], agent["client"]) == ("two", "Codex")
    assert "Who is there\n  two   Codex (last edit " in sidecar(one, "check", "README.md").out
    assert asked(sidecar, one, "check", "nobody-has-it.py")["agents"] == []


def test_a_release_waits_for_an_agent_unless_it_is_allowed(repo: Path, sidecar: Sidecar) -> None:
    done = add_worktree(repo, "done")
    commit(done, {"new.py": "1\n"})
    git(repo, "merge", "--quiet", "done")
    edits(repo, done, "S")
    refused = sidecar(repo, "release", "done", "--yes")
    assert refused.status == 2 and done.exists()
    assert "Claude Code is at work in done: the last edit was less than a minute ago." in refused.out
    assert sidecar(repo, "release", "done", "--yes", "--allow", "agent-at-work").status == 0
    assert not done.exists()


def test_an_agent_without_a_hook_is_named_by_its_process(repo: Path, sidecar: Sidecar, tmp_path: Path) -> None:
    """It may read only, so that nothing but a release waits for it."""
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    commit(one, {"README.md": "# One\n"})
    commit(two, {"README.md": "# Two\n"})
    program = tmp_path / "codex"
    shutil.copy(shutil.which("cat") or "/bin/cat", program)
    with subprocess.Popen([program], cwd=two, stdin=subprocess.PIPE) as process:
        assert f"In use\n  two   Codex (process {process.pid})\n" in sidecar(repo, "status").out
        (agent,) = asked(sidecar, one, "check", "README.md")["agents"]
        assert (agent["worktree"], agent["client"], agent["edited"], agent["pid"]) == (
            "two",
            "Codex",
            None,
            process.pid,
        )
        assert f"Who is there\n  two   Codex (process {process.pid})" in sidecar(one, "check", "README.md").out
        said = f"Codex (process {process.pid}) is in two. Whether it edits there is not known."
        assert said in sidecar(repo, "merge", "two", "--dry-run").out
        git(repo, "merge", "--quiet", "two")
        refused = sidecar(repo, "release", "two", "--yes")
        assert refused.status == 2 and said in refused.out
        process.stdin.close()  # type: ignore[union-attr]


def test_what_is_no_record_is_nobody(repo: Path, sidecar: Sidecar) -> None:
    one = add_worktree(repo, "one")
    edits(repo, one, "S\x1b[31m", "Cl\x1b[31maude")
    folder = repo / ".git" / "sidecar" / "agents"
    (folder / "broken.json").write_text('{"client": 1}')
    (folder / "list.json").write_text("[1]")
    assert "Cl\\x1b[31maude" in sidecar(repo, "status").out
    assert there(asked(sidecar, repo, "status"), "one") == ["Cl\x1b[31maude"]


def test_a_record_that_is_none_of_ours_is_no_agent(repo: Path, sidecar: Sidecar) -> None:
    edits(repo, repo, "one")
    folder = repo / ".git/sidecar/agents"
    (record,) = folder.glob("*.json")
    for name, seen in (("large", "1" + "0" * 400), ("endless", "1e999")):
        text = json.dumps({**json.loads(record.read_text()), "seen": 0.125}).replace("0.125", seen)
        (folder / f"{name}.json").write_text(text)
    os.mkfifo(folder / "pipe.json")
    assert there(asked(sidecar, repo, "status"), "repo") == ["Claude Code"]
    assert sidecar(repo, "doctor").err == ""


def test_three_that_edit_one_worktree_are_told_of_in_one_sentence(repo: Path, sidecar: Sidecar) -> None:
    one = add_worktree(repo, "one")
    for client, session in (("Codex", "A"), ("Gemini CLI", "B"), ("Codex", "C")) * 2:
        edits(repo, one, session, client)
    edits(repo, one, "began last", "Claude Code")  # who may have taken over from one of them
    told = sidecar(repo, "status").out
    assert "Gemini CLI and 2 sessions of Codex edit one, and may write over each other." in told
    assert told.count("may write over") == 1


def test_a_record_of_the_future_is_nobody(repo: Path, sidecar: Sidecar) -> None:
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    edits(repo, one, "S", at=time.time() + 86400)
    edits(repo, two, "T", at=time.time() + 20)  # a clock that was set back a little
    answer = asked(sidecar, repo, "status")
    assert (there(answer, "one"), there(answer, "two")) == ([], ["Claude Code"])
    edits(repo, one, "S")  # it goes on by the clock as it is now
    assert there(asked(sidecar, repo, "status"), "one") == ["Claude Code"]
