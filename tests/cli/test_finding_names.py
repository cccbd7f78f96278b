"""A name that is none: what is meant is guessed; and names are completed, in every shell."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Sidecar, own_environment
from tests.harness import add_worktree, git

SHELLS = ("bash", "zsh", "fish")
COMPLETIONS = Path(__file__).resolve().parents[2] / "completions"


@pytest.fixture
def shop(repo: Path) -> Path:
    add_worktree(repo, "discounts")
    git(repo, "worktree", "add", "-q", "-b", "ada/tax-rules", repo.parent / "taxes")
    return repo


@pytest.mark.parametrize(
    ("typed", "guess"),
    [
        ("disc", "Did you mean discounts?"),
        ("dicsounts", "Did you mean discounts?"),
        ("TAX", "Did you mean taxes or ada/tax-rules?"),
        ("tax-rules", "Did you mean ada/tax-rules or taxes?"),
        ("zzz", "There is no worktree called zzz. The worktrees are:"),
    ],
)
def test_what_is_meant_is_guessed(shop: Path, sidecar: Sidecar, typed: str, guess: str) -> None:
    for command in (["merge"], ["release"], ["keep"]):
        ended = sidecar(shop, *command, typed)
        assert (ended.status, ended.out) == (1, "")
        assert guess in ended.err and "The worktrees are: repo, discounts, taxes." in ended.err


def test_a_command_that_is_none_is_guessed_in_one_sentence(repo: Path, sidecar: Sidecar) -> None:
    assert "?." not in sidecar(repo, "statsu").err
    assert sidecar(repo, "statsu").err.endswith(" See sidecar --help.\n")


def completed(folder: Path, *words: str) -> list[str]:
    """What click answers to a shell that asks, as it asks."""
    line = {
        "_SIDECAR_COMPLETE": "zsh_complete",
        "COMP_WORDS": " ".join(("sidecar", *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(
        [sys.executable, "-m", "sidecar"],
        cwd=folder,
        env=own_environment(**line),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return [one for one in done.stdout.splitlines()[1::3] if one]


def test_commands_worktrees_and_branches_are_completed(shop: Path, tmp_path: Path) -> None:
    assert completed(shop, "rel") == ["release"]
    assert completed(shop, "merge", "") == ["repo", "main", "discounts", "taxes", "ada/tax-rules"]
    assert completed(shop, "release", "ada") == ["ada/tax-rules"]
    assert completed(shop, "merge", "--strategy", "sq") == ["squash"]
    outside = tmp_path / "outside"
    outside.mkdir()
    assert completed(outside, "merge", "") == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_by_the_file_that_is_installed(shop: Path, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "sidecar"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sidecar "$@"\n')
    program.chmod(0o755)
    script = f"""
        source "{COMPLETIONS}/sidecar.bash"
        COMP_WORDS=(sidecar merge disc) COMP_CWORD=2
        $(complete -p sidecar | sed 's/.*-F \\([^ ]*\\).*/\\1/') sidecar disc merge
        echo "${{COMPREPLY[@]}}"
    """
    env = own_environment(PATH=f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    done = subprocess.run(["bash", "-c", script], cwd=shop, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "discounts", done
