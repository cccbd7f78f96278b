"""Merge drivers and filters of real tools: verdicts, plans and merges are those of `git merge`."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.harness import add_worktree, commit, git
from tests.tools.judging import REFUSED, Said, asked, by_git, by_sidecar, do, install_packages


def notebook(*cells: str, count: int | None = None, **metadata: Any) -> str:
    """A notebook with code cells, each run `count` times."""
    made: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "execution_count": count,
            "id": f"cell-{number}",
            "metadata": {},
            "outputs": [],
            "source": [text],
        }
        for number, text in enumerate(cells)
    ]
    whole = {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, sort_keys=True) + "\n"


def verdicts(said: Said) -> set[str]:
    return {one["verdict"] for one in said["overlaps"]}


def meeting(main: Path, name: str, base: str, ours: str, theirs: str) -> None:
    """A file that trunk and the worktree `feat` have both changed, committed on both sides."""
    commit(main, {name: base}, "chore: base")
    commit(add_worktree(main, "feat"), {name: theirs}, "feat: theirs")
    commit(main, {name: ours}, "feat: ours")


@pytest.mark.parametrize("configured", [False, True])
def test_nbdime_merges_notebooks_as_in_git_merge(main: Path, configured: bool) -> None:
    """With a configuration of its own it looks for that in the folder in which it runs."""
    do(main, "nbdime", "config-git", "--enable")
    if configured:
        strategies = {"NbMergeDriver": {"input_strategy": "use-remote"}}
        commit(main, {"nbdime_config.json": json.dumps(strategies)}, "chore: settings")
    commit(main, {".gitattributes": "*.ipynb merge=jupyternotebook\n"}, "chore: attributes")
    edits = ("x = 2", "x = 3") if configured else ("x = 2", "x = 1")
    meeting(
        main,
        "a.ipynb",
        notebook("x = 1", "y = 1", count=1),
        notebook(edits[0], "y = 1", count=2),
        notebook(edits[1], "y = 2", count=3),
    )
    said = asked(main, "overlaps", "feat", "--trust")
    plain = by_git(main, "feat")
    assert plain != REFUSED
    assert verdicts(said) == {"clean"}
    assert by_sidecar(main, "feat") == plain


def test_npm_merge_driver_merges_lock_files_as_in_git_merge(main: Path) -> None:
    """It runs npm, which looks for `package.json` where it is."""
    install_packages(main)
    commit(
        main,
        {"package.json": PACKAGE.format(version="1.0.0"), ".gitattributes": "package-lock.json merge=npm\n"},
        "chore: npm",
    )
    do(main, "npm", "config", "set", "audit=false", "update-notifier=false", "--location=user")
    git(main, "config", "merge.npm.driver", "npx --no -- npm-merge-driver merge %A %O %B %P")
    meeting(main, "package-lock.json", lock("1.0.0"), lock("1.0.1"), lock("1.0.2"))
    said = asked(main, "overlaps", "feat", "--trust")
    plain = by_git(main, "feat")
    assert plain != REFUSED
    assert verdicts(said) == {"clean"}
    assert by_sidecar(main, "feat") == plain


PACKAGE = '{{"name": "shop", "version": "{version}"}}\n'


def lock(version: str) -> str:
    packages = {"": {"name": "shop", "version": version}}
    whole = {"name": "shop", "version": version, "lockfileVersion": 3, "requires": True, "packages": packages}
    return json.dumps(whole, indent=2) + "\n"


def test_a_driver_that_is_tracked_runs_as_in_git_merge(main: Path) -> None:
    """Named relative to the top, as tools in a repository of several packages are."""
    install_packages(main)
    commit(main, {"tools/merge.mjs": DRIVER, ".gitattributes": "*.list merge=lines\n"}, "chore: driver")
    git(main, "config", "merge.lines.driver", "node tools/merge.mjs %O %A %B")
    meeting(main, "a.list", "a\n", "a\nours\n", "a\ntheirs\n")
    said = asked(main, "overlaps", "feat", "--trust")
    plain = by_git(main, "feat")
    assert plain != REFUSED
    assert verdicts(said) == {"clean"}
    assert by_sidecar(main, "feat") == plain


DRIVER = """\
import { readFileSync, writeFileSync } from "node:fs";
const [, ours, theirs] = process.argv.slice(2).map((file) => readFileSync(file, "utf8").split("\\n"));
writeFileSync(process.argv[3], [...new Set([...ours, ...theirs])].sort().join("\\n"));
"""
