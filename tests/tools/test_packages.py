"""Verify tests the files that land, also where a workspace's packages are linked to each other."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.conftest import spawn
from tests.harness import add_worktree, commit, git
from tests.tools.judging import REFUSED, Said, by_git, by_sidecar, do

WORKSPACES = {
    "package.json": '{"name": "shop", "private": true, "workspaces": ["packages/*"]}\n',
    "pnpm-workspace.yaml": "packages:\n  - packages/*\n",
    "packages/lib/package.json": '{"name": "lib", "version": "1.0.0", "type": "module", "exports": "./index.js"}\n',
    "packages/lib/index.js": "export const answer = 1;\n",
    "packages/app/package.json": '{"name": "app", "type": "module", "dependencies": {"lib": "%s"}}\n',
    "packages/app/test.js": 'import { answer } from "lib"; process.exitCode = answer === 1 ? 0 : 1;\n',
}
INSTALL = {
    "npm": ("npm install --offline --no-audit --no-fund", "npm ci --offline --no-audit --no-fund", "1.0.0"),
    "pnpm": ("pnpm install --offline", "pnpm install --offline --frozen-lockfile", "workspace:*"),
}
LINK = {
    "npm": 'ln -s "$SIDECAR_CHECKOUT/node_modules" .',
    "pnpm": 'ln -s "$SIDECAR_CHECKOUT/packages/app/node_modules" packages/app/',
}
VERIFY = "node packages/app/test.js"


def workspaces(main: Path, manager: str) -> str:
    """Trunk's checkout with its packages installed; the command that installs them elsewhere."""
    install, again, version = INSTALL[manager]
    commit(main, {name: text.replace("%s", version) for name, text in WORKSPACES.items()}, "chore: packages")
    do(main, "sh", "-c", install)
    do(main, "git", "add", ".")
    do(main, "git", "commit", "-qm", "chore: lock")
    feat = add_worktree(main, "feat")
    commit(feat, {"packages/lib/index.js": "export const answer = 2;\n"}, "feat: another answer")
    return again


def merged(main: Path, **settings: str) -> Said:
    for name, value in settings.items():
        git(main, "config", f"sidecar.{name}", value)
    said: Said = json.loads(spawn(main, "merge", "feat", "--yes", "--json").out)
    return said


def codes(said: Said) -> list[str]:
    return [one["code"] for one in said["findings"] if one["severity"] == "blocks"]


@pytest.mark.parametrize("manager", INSTALL)
def test_packages_that_are_installed_beside_the_work_are_the_works_own(main: Path, manager: str) -> None:
    prepare = workspaces(main, manager)
    assert codes(merged(main, prepare=prepare, verify=VERIFY)) == ["verify-failed"]
    plain = by_git(main, "feat")
    assert plain != REFUSED
    assert by_sidecar(main, "feat", prepare=prepare, verify=VERIFY.replace("test.js", "test.js || true")) == plain


@pytest.mark.parametrize("manager", INSTALL)
def test_packages_that_are_links_into_trunks_checkout_are_refused(main: Path, manager: str) -> None:
    """They would be trunk's, so that verify would say yes to what breaks them."""
    workspaces(main, manager)
    before = git(main, "rev-parse", "main")
    assert codes(merged(main, prepare=LINK[manager], verify=VERIFY)) == ["links-elsewhere"]
    assert git(main, "rev-parse", "main") == before


SETUP = "from setuptools import setup\nsetup(name='lib', version='1.0.0', py_modules=['lib'])\n"


def test_an_environment_in_which_trunks_code_is_installed_is_refused(main: Path) -> None:
    commit(main, {"setup.py": SETUP, "lib.py": "answer = 1\n"}, "chore: lib")
    do(main, sys.executable, "-m", "venv", ".venv")
    do(main, ".venv/bin/python", "setup.py", "-q", "develop", "--no-deps")
    do(main, "git", "clean", "-fdq", "-e", ".venv")
    commit(add_worktree(main, "feat"), {"lib.py": "answer = 2\n"}, "feat: another answer")
    verify = ".venv/bin/python -I -c 'import lib, sys; sys.exit(lib.answer != 1)'"
    said = merged(main, prepare='ln -s "$SIDECAR_CHECKOUT/.venv" .venv', verify=verify)
    assert codes(said) == ["links-elsewhere"]


SETUP_OF = {
    "pnpm": ("pnpm install --offline --frozen-lockfile", "node packages/app/test.js"),
    "uv": ("uv sync --offline --frozen", ".venv/bin/python -IB -c 'import lib'"),
}
PROJECT = """[project]
name = "shop"
version = "1.0.0"
requires-python = ">=3.9"
dependencies = ["lib"]
[tool.uv.workspace]
members = ["lib"]
[tool.uv.sources]
lib = { workspace = true }
"""
LIBRARY = """[project]
name = "lib"
version = "1.0.0"
requires-python = ">=3.9"
[build-system]
requires = ["uv_build>=0.13,<0.14"]
build-backend = "uv_build"
"""


@pytest.mark.parametrize("manager", SETUP_OF)
def test_the_setup_of_a_new_worktree_installs_packages_of_its_own(main: Path, manager: str) -> None:
    """Also where several are opened at once: each has its links into itself, and trunk's checkout is left alone."""
    setup, works = SETUP_OF[manager]
    if manager == "pnpm":
        workspaces(main, manager)
    else:
        library = {"lib/pyproject.toml": LIBRARY, "lib/src/lib/__init__.py": "answer = 1\n"}
        commit(main, {"pyproject.toml": PROJECT, **library}, "feat: lib")
        do(main, "sh", "-c", "uv lock --offline")
        do(main, "git", "add", ".")
        do(main, "git", "commit", "-qm", "chore: lock")
    git(main, "config", "sidecar.setup", setup)
    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(lambda name: spawn(main, "open", name, "--json"), ("one", "two", "three")))
    for one in said:
        opened = json.loads(one.out)
        assert [found["code"] for found in opened["findings"]] == ["set-up"], one
        where = Path(opened["path"])
        do(where, "sh", "-c", works)
        assert git(where, "status", "--porcelain") == ""
        links = [path.resolve() for path in where.rglob("*") if path.is_symlink() and ".bin" not in path.parts]
        assert not [link for link in links if link.is_relative_to(main)]
    assert git(main, "status", "--porcelain") == ""
