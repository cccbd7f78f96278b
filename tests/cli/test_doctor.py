"""`sidecar doctor`: what is right, and what is to be mended."""

import json
import os
import time
from pathlib import Path

import pytest

from sidecar.operations.presence import Agent, log_path, speak
from sidecar.symbols.languages import is_available
from tests.cli.conftest import Sidecar
from tests.harness import add_worktree, git, write

Checks = dict[str, tuple[str, str | None]]


@pytest.fixture(autouse=True)
def _somebody(home: Path) -> None:
    (home / ".gitconfig").write_text("[user]\n\tname = Ada Harness\n\temail = ada@example.com\n")


def examined(sidecar: Sidecar, folder: Path, status: int = 0) -> Checks:
    """(what is so, what mends it) of each check, by its name; a client is named by its title."""
    ended = sidecar(folder, "doctor", "--json")
    assert (ended.status, ended.err) == (status, ""), ended
    return {one["name"]: (one["said"], one["mend"]) for one in json.loads(ended.out)["checks"]}


def heard(repo: Path, client: str) -> None:
    speak(str(repo / ".git"), Agent(client, "S", "", str(repo), time.time()), ())


def log(repo: Path, *lines: str) -> None:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + 5))
    Path(log_path(str(repo / ".git"))).write_text("".join(f"{when} {line}\n" for line in lines))


def test_all_is_right_in_a_new_repository(repo: Path, sidecar: Sidecar) -> None:
    before = sorted(path.name for path in (repo / ".git").iterdir())
    checks = examined(sidecar, repo)
    assert {"sidecar", "Python", "git", "pygit2"} <= set(checks)
    assert [checks[name] for name in ("sidecar directory", "refs", "restorable", "operation")] == [
        ("none yet", None),
        ("none of ours", None),
        ("nothing kept", None),
        ("none running, nothing left over", None),
    ]
    assert sorted(path.name for path in (repo / ".git").iterdir()) == before
    assert "Versions\n  sidecar   0." in sidecar(repo, "doctor").out


def test_outside_of_repositories(tmp_path: Path, sidecar: Sidecar) -> None:
    assert examined(sidecar, tmp_path)["repository"] == ("none here", None)


def test_what_is_kept_is_counted_with_its_size(repo: Path, sidecar: Sidecar) -> None:
    write(add_worktree(repo, "gone"), {"note.txt": os.urandom(3000).hex()})
    assert sidecar(repo, "release", "gone", "--yes", "--allow", "untracked", "--allow", "not-integrated").status == 0
    checks = examined(sidecar, repo)
    assert checks["refs"][0].startswith("1 release below refs/sidecar; ")
    assert checks["restorable"][0].startswith("1 receipt, ")
    assert checks["sidecar directory"] == (str(repo / ".git/sidecar"), None)


def test_what_a_killed_operation_left_is_to_be_mended(repo: Path, sidecar: Sidecar) -> None:
    (repo / ".git/sidecar").mkdir()
    (repo / ".git/sidecar/journal").write_text("no journal")
    said, mend = examined(sidecar, repo, status=1)["operation"]
    assert "is not JSON" in said and mend is not None
    assert "! Look at the journal" in sidecar(repo, "doctor").out


def test_a_sidecar_directory_that_leads_elsewhere(repo: Path, tmp_path: Path, sidecar: Sidecar) -> None:
    (repo / ".git/sidecar").symlink_to(tmp_path)
    assert "is not a directory" in str(examined(sidecar, repo, status=1)["sidecar directory"][1])


def test_worktrees_in_which_git_finds_no_hooks(repo: Path, sidecar: Sidecar) -> None:
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two")
    assert "hooks of git" not in examined(sidecar, repo)
    git(one, "config", "core.hooksPath", ".husky/_")
    write(one, {".husky/_/pre-commit": "#!/bin/sh\n"})
    said, mend = examined(sidecar, one, status=1)["hooks of git"]
    assert said == f"core.hooksPath leads to nothing in {repo.name}, {two.name}"
    assert mend is not None and mend.startswith("Git runs no hooks there")
    git(one, "config", "core.hooksPath", "/dev/null")
    assert "hooks of git" not in examined(sidecar, one)


def test_a_hook_is_installed_heard_and_fails(
    repo: Path, home: Path, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".claude").mkdir()
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    assert examined(sidecar, repo)["Claude Code"] == ("not installed: sidecar hook --install claude", None)
    assert sidecar(repo, "hook", "--install", "claude", "--yes").status == 0
    assert examined(sidecar, repo)["Claude Code"][0].startswith("installed (user), not heard of here yet. ")
    heard(repo, "Claude Code")
    log(repo, "claude SessionStart 60 ms: 'told'")
    checks = examined(sidecar, repo)
    assert checks["Claude Code"][0].startswith("installed (user), last heard ")
    assert checks["log"] == (log_path(str(repo / ".git")), None)
    log(repo, "claude SessionStart 60 ms: 'told'", "claude PostToolUse 2000 ms: 'too late'")
    assert "The last call failed: " in str(examined(sidecar, repo, status=1)["log"][1])


def test_an_entry_that_calls_a_program_which_is_gone(repo: Path, home: Path, sidecar: Sidecar) -> None:
    (home / ".qwen").mkdir()
    command = "command -v '/gone away/sidecar' >/dev/null 2>&1 && '/gone away/sidecar' hook --client qwen; exit 0"
    entry = {"hooks": [{"type": "command", "command": command}]}
    (home / ".qwen/settings.json").write_text(json.dumps({"hooks": {"SessionStart": [entry]}}))
    said, mend = examined(sidecar, repo, status=1)["Qwen Code"]
    assert said.startswith("installed (user)")
    assert mend == "/gone away/sidecar is not there. Install again: sidecar hook --install qwen --user"


def test_settings_that_are_not_understood_are_named(repo: Path, home: Path, sidecar: Sidecar) -> None:
    (home / ".qwen").mkdir()
    (home / ".qwen/settings.json").write_text("{ nothing")
    assert "is not JSON" in str(examined(sidecar, repo, status=1)["Qwen Code"][1])


def test_refs_of_others_are_not_counted(repo: Path, sidecar: Sidecar) -> None:
    git(repo, "update-ref", "refs/other/a", "HEAD")
    assert examined(sidecar, repo)["refs"][0] == "none of ours"


def test_a_home_whose_name_the_shell_has_to_quote(repo: Path, home: Path, sidecar: Sidecar) -> None:
    (home / ".qwen").mkdir()
    program = "'/home/o'\\''brien jörg/sidecar'"
    command = f"command -v {program} >/dev/null 2>&1 && {program} hook --client qwen; exit 0"
    entry = {"hooks": [{"type": "command", "command": command}]}
    (home / ".qwen/settings.json").write_text(json.dumps({"hooks": {"SessionStart": [entry]}}))
    mend = str(examined(sidecar, repo, status=1)["Qwen Code"][1])
    assert mend.startswith("/home/o'brien jörg/sidecar is not there.")


def test_an_entry_of_somebody_who_did_not_close_a_quote(repo: Path, home: Path, sidecar: Sidecar) -> None:
    (home / ".qwen").mkdir()
    command = "command -v ' >/dev/null; sidecar hook --client qwen"
    entry = {"hooks": [{"type": "command", "command": command}]}
    (home / ".qwen/settings.json").write_text(json.dumps({"hooks": {"SessionStart": [entry]}}))
    assert "Qwen Code" in examined(sidecar, repo)


def test_it_says_whether_definitions_and_their_uses_are_understood(
    repo: Path, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert examined(sidecar, repo)["symbols"] == ("understood", None)
    monkeypatch.setattr("sidecar.symbols.languages.MODULES", ("tree_sitter", "tree_sitter_of_nobody"))
    is_available.cache_clear()
    without = examined(sidecar, repo)["symbols"]
    is_available.cache_clear()
    assert without == ('not understood. To have it: pip install "worktree-sidecar[symbols]"', None)
