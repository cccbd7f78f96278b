"""Other tools' files in a worktree's own git directory are kept and come back, or are named before."""

import json
import sys
from pathlib import Path

import pytest

from scripts.real_tools import LIBRARIES
from tests.harness import add_worktree, commit, git
from tests.tools.judging import asked, do, install_packages

ISOMORPHIC = """\
import fs from "node:fs";
import git from "isomorphic-git";
const [dir, gitdir] = process.argv.slice(2);
fs.writeFileSync(`${dir}/b.txt`, "by isomorphic-git\\n");
await git.add({ fs, dir, gitdir, filepath: "b.txt" });
await git.commit({ fs, dir, gitdir, message: "feat: b", author: { name: "Ada", email: "ada@example.com" } });
"""


def with_isomorphic_git(main: Path, feat: Path) -> None:
    install_packages(main)
    (main / "node_modules" / "commit.mjs").write_text(ISOMORPHIC)
    do(main, "node", "node_modules/commit.mjs", feat, git(feat, "rev-parse", "--absolute-git-dir"))


def with_stgit(main: Path, feat: Path) -> None:
    do(feat, "stg", "init")
    do(feat, "stg", "new", "-m", "feat: a patch", "patch")
    (feat / "a.txt").write_text("patched\n")
    do(feat, "stg", "refresh")


def with_hooks(main: Path, feat: Path) -> None:
    hooks = Path(git(feat, "rev-parse", "--absolute-git-dir")) / "hooks"
    hooks.mkdir()
    (hooks / "commit-msg").write_text("#!/bin/sh\n")


def administrative(feat: Path) -> dict[str, bytes]:
    place = Path(git(feat, "rev-parse", "--absolute-git-dir"))
    volatile = ("index", "logs", "gitdir", "commondir")
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file() and path.relative_to(place).parts[0] not in volatile
    }


@pytest.mark.parametrize("tool", [with_isomorphic_git, with_stgit, with_hooks], ids=lambda one: one.__name__)
def test_what_a_tool_left_there_is_released_and_restored(main: Path, tool) -> None:  # type: ignore[no-untyped-def]
    feat = add_worktree(main, "feat")
    tool(main, feat)
    before = administrative(feat)
    head = (feat / ".git").read_text()
    plan = asked(main, "release", "feat", "--dry-run")
    codes = [one["code"] for one in plan["findings"] if one["severity"] == "blocks"]
    released = asked(main, "release", "feat", "--yes", *(word for code in codes for word in ("--allow", code)))
    assert released["outcome"] == "released", released
    restored = asked(main, "restore", released["receipt"])
    assert restored["outcome"] == "restored", restored
    assert (feat / ".git").read_text() == head
    after = administrative(feat)
    assert {name: after.get(name) for name in before} == before


@pytest.mark.parametrize("tool", ["pre-commit", "lefthook"])
def test_a_release_names_shared_hooks_that_lead_into_the_worktree(main: Path, tool: str) -> None:
    """Both write into the repository's hooks where they were started from."""
    feat = add_worktree(main, "feat")
    if tool == "pre-commit":
        do(feat, sys.executable, "-m", "venv", "--without-pip", ".venv")

        commit(feat, {".pre-commit-config.yaml": "repos: []\n"}, "chore: hooks")
        do(feat, ".venv/bin/python", "-m", "pre_commit", "install", PYTHONPATH=str(LIBRARIES))
    else:
        install_packages(feat)
        commit(feat, {"lefthook.yml": "pre-commit:\n  jobs:\n    - run: 'true'\n"}, "chore: hooks")
        do(feat, "node_modules/.bin/lefthook", "install")
    git(main, "merge", "-q", "--no-edit", "--no-verify", "feat")
    assert str(feat) in (main / ".git" / "hooks" / "pre-commit").read_text()
    plan = asked(main, "release", "feat", "--dry-run")
    (found,) = [one for one in plan["findings"] if "hooks" in json.dumps(one)]
    assert "pre-commit" in json.dumps(found)
