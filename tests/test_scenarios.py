"""Every file of `scenarios/` describes one repository and the overlaps in it; each is held against git and the sidecar.

A scenario is a TOML file that begins with a comment which says what it shows, followed by:

    base = [STEP, ...]        what trunk, the branch `main`, has when the worktrees fork; committed as one commit
    trunk = [STEP, ...]       how trunk moves on after that
    [worktree.NAME]           a linked worktree next to the main one, or inside it if NAME has several parts
    steps = [STEP, ...]       what happens in it
    branch = "..."            its new branch; without this, it is called like the last part of NAME
    from = "..."              where it starts: `main` for where trunk has moved on to, or an earlier worktree's branch
    detach = true             no branch, detached HEAD
    main = [STEP, ...]        what happens in the main worktree at the end; trunk is checked out there
    [config.global]           the person's own git settings
    [home]                    files in the person's home directory: name = "content"
    [config.repository]       the repository's settings
    percent_names = true      %XX in a path is a byte, for names that TOML can't hold

Steps are carried out in order, and what isn't committed stays uncommitted:

    { write = PATH, text = "..." }               with encoding = "...", executable = true; instead of text: lines = 20
                                                 (`line 1` to `line 20`; ends = "\\r\\n" for CRLF) or hex = "00ff"
    { replace = PATH, lines = "3-5", by = "x" }  these lines become others, without a line end at the end
    { cut = PATH, lines = "3-5" }
    { insert = PATH, after = 3, text = "x" }
    { delete = PATH }
    { rename = PATH, to = PATH }
    { chmod = PATH, executable = true }
    { symlink = PATH, to = "..." }
    { submodule = PATH, at = 2 }                 stage a submodule at the second of its four versions, not checked out
    { stage = PATH }
    { commit = "message" }                       of everything
    { commit_staged = "message" }
    { git = ["merge", "main"] }                  any git command; `git_fails` if it should stop

What is expected comes last, in the order of `sidecar overlaps --json`; `no_overlaps = true` says that it is nothing:

    [[overlap]]
    path = "a.txt"
    verdict = "conflict"
    kind = "content"
    sides = [
      { worktree = "left", lines = "3-5, 9" },   sources = ["committed"] and the overlap's path, unless given
      { trunk = true, lines = 3, path = "b.txt", sources = ["committed"] },
    ]
    was = "..."               the old name, where both sides renamed it alike

    inherited = ["a.txt"]     git stops here between two worktrees, but only one of them has changed it since it forked
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import begin_home
from tests.harness import scenario, state_of
from tests.harness.scenario import Scenario
from tests.harness.truth import disagreements

FILES = sorted(Path(__file__).with_name("scenarios").glob("*.toml"))


@pytest.fixture(scope="module", params=FILES, ids=lambda file: file.stem)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """A scenario, built once for all that only read it."""
    place = tmp_path_factory.mktemp("scenario")
    return scenario.build(request.param, place / "repository", begin_home(place / "home"))


def test_sidecar_agrees(built: Scenario, tmp_path: Path) -> None:
    """The command line says exactly what is expected, and reading leaves no trace."""
    before = state_of(built.main)
    command = [sys.executable, "-m", "sidecar", "-C", str(built.main), "overlaps", "--json"]
    done = subprocess.run(command, check=False, capture_output=True, env=os.environ | built.env, cwd=tmp_path)
    assert done.stderr == b""
    said = json.loads(done.stdout)
    assert [_shown(overlap) for overlap in said["overlaps"]] == [_shown(overlap) for overlap in built.overlaps]
    assert said == {"schema": 1, "overlaps": built.overlaps, "unknown": []}
    assert done.returncode == (2 if any(overlap["verdict"] == "conflict" for overlap in built.overlaps) else 0)
    assert state_of(built.main) == before


def test_git_agrees(built: Scenario, tmp_path: Path) -> None:
    """The expectation is what real merges make of the worktrees."""
    said = disagreements(
        built.main, tmp_path / "scratch", built.overlaps, built.env, inherited=built.inherited, was=built.was
    )
    assert said == []


def _shown(overlap: dict[str, Any]) -> str:
    """An overlap on one line, for a difference that can be read."""
    sides = [
        f"{side['worktree'] or 'trunk'} ({side['ref']}) {side['path']} "
        f"{','.join('{start}-{end}'.format(**region) for region in side['regions'])} {'+'.join(side['sources'])}"
        for side in overlap["sides"]
    ]
    return " | ".join([f"{overlap['verdict']} {overlap['kind']} {overlap['path']}", *sides])
