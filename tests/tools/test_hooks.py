"""Hook managers: what they run finds in a merge by the sidecar what it finds in `git merge`."""

import os
from pathlib import Path

import pytest

from scripts.real_tools import VENV
from tests.harness import add_worktree, commit, write
from tests.tools.judging import REFUSED, by_git, by_sidecar, do, install_packages

HUSKY = '{"name": "shop", "private": true, "scripts": {"prepare": "husky"}}\n'
RULES = "export default { extends: ['@commitlint/config-conventional'] };\n"
STAGED = '{"*.txt": "node check.mjs"}\n'
NO_TABS = """\
import { readFileSync } from "node:fs";
process.exitCode = process.argv.slice(2).some((file) => readFileSync(file, "utf8").includes("\\t")) ? 1 : 0;
"""


def with_husky(main: Path, hooks: dict[str, str], brings: str = "b\n") -> None:
    """The main worktree with husky's hooks, their programs in its own `node_modules`, and `feat` to be merged."""
    install_packages(main)
    commit(
        main,
        {
            "package.json": HUSKY,
            "commitlint.config.mjs": RULES,
            ".lintstagedrc.json": STAGED,
            "check.mjs": NO_TABS,
            **{f".husky/{name}": text for name, text in hooks.items()},
        },
        "chore: hooks",
    )
    commit(add_worktree(main, "feat"), {"b.txt": brings}, "feat: b")
    do(main, "npm", "run", "prepare")


@pytest.mark.parametrize("message", ["feat: take it", "No type"])
def test_commitlint_by_husky_takes_and_refuses_what_it_does_in_git_merge(main: Path, message: str) -> None:
    with_husky(main, {"commit-msg": "npx --no -- commitlint --edit $1\n"})
    plain = by_git(main, "feat", message)
    assert (plain == REFUSED) == (message == "No type")
    assert by_sidecar(main, "feat", message) == plain


@pytest.mark.parametrize("text", ["spaces\n", "a\ttab\n"])
def test_lint_staged_by_husky_looks_at_what_a_merge_brings(main: Path, text: str) -> None:
    with_husky(main, {"pre-merge-commit": "npx --no -- lint-staged\n"}, text)
    plain = by_git(main, "feat")
    assert (plain == REFUSED) == ("\t" in text)
    assert by_sidecar(main, "feat") == plain


def test_a_husky_hook_for_checkouts_has_no_say_in_a_merge(main: Path) -> None:
    hook = '[ -d node_modules ] || { echo "run npm ci first"; exit 1; }\n'
    with_husky(main, {"post-checkout": hook})
    plain = by_git(main, "feat")
    assert plain != REFUSED
    assert by_sidecar(main, "feat") == plain


LEFTHOOK = """\
{hook}:
  jobs:
    - run: {run}
"""


@pytest.mark.parametrize(
    ("hook", "run", "refused"),
    [
        ("commit-msg", "npx --no -- commitlint --edit {1}", False),
        ("pre-merge-commit", "grep -q '^two' a.txt", False),
        ("pre-merge-commit", "grep -q '^four' a.txt", True),
        ("pre-merge-commit", 'test "$(git rev-parse --abbrev-ref HEAD)" = main', False),
        ("pre-merge-commit", 'test "$(git rev-parse --abbrev-ref HEAD)" != main', True),
        ("post-checkout", "test -e node_modules", False),
        ("post-merge", "test -e node_modules", False),
    ],
)
def test_lefthook_runs_as_in_git_merge(main: Path, hook: str, run: str, refused: bool) -> None:
    install_packages(main)
    files = {"package.json": HUSKY, "commitlint.config.mjs": RULES, "lefthook.yml": LEFTHOOK.format(hook=hook, run=run)}
    commit(main, files, "chore: hooks")
    commit(add_worktree(main, "feat"), {"b.txt": "b\n"}, "feat: b")
    do(main, "node_modules/.bin/lefthook", "install")
    plain = by_git(main, "feat")
    assert (plain == REFUSED) == refused
    assert by_sidecar(main, "feat") == plain


PRE_COMMIT = """\
repos:
  - repo: local
    hooks:
      - id: ours
        name: ours
        language: system
        entry: {entry}
        always_run: true
        pass_filenames: {names}
        stages: [{stage}]
"""


@pytest.mark.parametrize(
    ("stage", "entry", "names", "refused"),
    [
        ("pre-merge-commit", "no-commit-to-branch --branch main", False, True),
        ("pre-merge-commit", "no-commit-to-branch --branch release", False, False),
        ("pre-merge-commit", "check-merge-conflict", True, False),
        ("pre-merge-commit", "trailing-whitespace-fixer", True, True),
        ("pre-merge-commit", "check-added-large-files --maxkb=1", True, True),
        ("commit-msg", "grep -q ^feat", True, False),
        ("commit-msg", "grep -q ^fix", True, True),
        ("post-checkout", "test -e nothing", False, False),
    ],
)
def test_pre_commit_runs_as_in_git_merge(main: Path, stage: str, entry: str, names: bool, refused: bool) -> None:
    configuration = PRE_COMMIT.format(stage=stage, entry=entry, names=str(names).lower())
    commit(main, {".pre-commit-config.yaml": configuration}, "chore: hooks")
    feat = add_worktree(main, "feat")
    commit(feat, {"b.txt": "trailing \n", "large.txt": "x" * 3000 + "\n"}, "feat: b")
    do(main, "pre-commit", "install", "--hook-type", stage)
    plain = by_git(main, "feat")
    assert (plain == REFUSED) == refused
    assert by_sidecar(main, "feat") == plain


def test_pre_commit_out_of_trunks_own_environment(main: Path) -> None:
    """The hook has the path of its Python baked in, and what it runs is found on PATH by way of a relative `.venv`."""
    (main / ".venv").mkdir()
    (main / ".venv" / "bin").symlink_to(VENV / "bin")
    commit(
        main,
        {
            ".pre-commit-config.yaml": PRE_COMMIT.format(
                stage="pre-merge-commit", entry=".venv/bin/check-merge-conflict", names="true"
            )
        },
        "chore: hooks",
    )
    feat = add_worktree(main, "feat")
    commit(feat, {"b.txt": "b\n"}, "feat: b")
    do(main, ".venv/bin/pre-commit", "install", "--hook-type", "pre-merge-commit")
    plain = by_git(main, "feat")
    assert plain != REFUSED
    assert by_sidecar(main, "feat") == plain


def test_a_hook_in_a_folder_of_its_own_sees_the_same_top(main: Path) -> None:
    """As `cd web && npx lint-staged` does in a repository of several packages."""
    install_packages(main)
    commit(main, {"web/package.json": HUSKY, "web/.lintstagedrc.json": STAGED, "web/check.mjs": NO_TABS}, "chore: web")
    hook = main / ".git" / "hooks" / "pre-merge-commit"
    hook.parent.mkdir(exist_ok=True)
    write(main, {".git/hooks/pre-merge-commit": "#!/bin/sh\ncd web && npx --no -- lint-staged\n"})
    os.chmod(hook, 0o755)
    feat = add_worktree(main, "feat")
    commit(feat, {"web/b.txt": "a\ttab\n"}, "feat: b")
    assert by_git(main, "feat") == REFUSED
    assert by_sidecar(main, "feat") == REFUSED
    commit(feat, {"web/b.txt": "no more\n"}, "feat: b again")
    plain = by_git(main, "feat")
    assert plain != REFUSED
    assert by_sidecar(main, "feat") == plain
