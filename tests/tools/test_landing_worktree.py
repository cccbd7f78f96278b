"""Verify reads what lands, with dependencies of its own that stay from merge to merge: beside real package managers.

Each workspace has a package `lib`, and `app` whose test fails when `lib` answers anything but 1. Nothing is set but
`sidecar.verify`: how things are installed is known by the lock files.
"""

import json
import os
import pwd
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.real_tools import BERRY, WHEELS
from sidecar.operations.merge.run import MergeChoices, MergeResult
from sidecar.operations.run import Control
from tests.harness import add_worktree, commit, git
from tests.operations.merge.deeds import assert_nothing_left, merged, tip
from tests.tools.judging import do

PACKAGE = {"name": "lib", "version": "1.0.0", "main": "index.js"}
JAVASCRIPT = {
    "package.json": json.dumps({"name": "shop", "private": True, "workspaces": ["packages/*"]}),
    "packages/lib/package.json": json.dumps(PACKAGE),
    "packages/lib/index.js": "module.exports = 1\n",
    "packages/app/package.json": json.dumps({"name": "app", "version": "1.0.0", "dependencies": {"lib": "1.0.0"}}),
    "packages/app/test.js": "process.exit(require('lib') === 1 ? 0 : 1)\n",
}
WORKSPACE_PROTOCOL = {
    "packages/app/package.json": json.dumps({"name": "app", "version": "1.0.0", "dependencies": {"lib": "workspace:*"}})
}
FLIT = '[build-system]\nrequires = ["flit_core >=3.11,<5"]\nbuild-backend = "flit_core.buildapi"\n'
PYTHON = {
    "lib/pyproject.toml": f'{FLIT}[project]\nname = "shop-lib"\nversion = "1.0.0"\ndescription = "Lib"\n'
    '[tool.flit.module]\nname = "shop_lib"\n',
    "lib/src/shop_lib/__init__.py": "answer = 1\n",
    "app/test.py": "import sys, shop_lib\nsys.exit(shop_lib.answer != 1)\n",
}
MEMBERS = '[project]\nname = "shop"\nversion = "1.0.0"\nrequires-python = ">=3.9"\ndependencies = ["shop-lib"]\n'
POETRY = """[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
[project]
name = "shop"
version = "1.0.0"
description = "{}"
requires-python = ">=3.9"
[tool.poetry]
packages = [{{ include = "shop_lib", from = "lib/src" }}]
"""
CRATE = '[package]\nname = "{}"\nversion = "1.0.0"\nedition = "2021"\n'


@dataclass(frozen=True)
class Workspace:
    """One as a package manager has it: its files, what makes the lock file, what breaks `lib` and what verifies."""

    program: str
    lock: tuple[str, ...]
    files: Mapping[str, str]
    broken: tuple[str, str]
    verify: str
    more: tuple[str, str]
    """A file of the workspace that is read when it is installed, and a text for it."""


NODE_BROKEN = ("packages/lib/index.js", "module.exports = {}\n")
NODE_MORE = ("packages/lib/package.json", json.dumps({**PACKAGE, "description": "More"}))
NODE_VERIFY = "node packages/app/test.js"
PYTHON_BROKEN = ("lib/src/shop_lib/__init__.py", "answer = {}\n")
PYTHON_MORE = ("lib/pyproject.toml", PYTHON["lib/pyproject.toml"].replace('"Lib"', '"The lib"'))

WORKSPACES = {
    "npm": Workspace("npm", ("npm", "install", "--package-lock-only"), JAVASCRIPT, NODE_BROKEN, NODE_VERIFY, NODE_MORE),
    "pnpm": Workspace(
        "pnpm",
        ("sh", "-c", "pnpm install --lockfile-only"),
        JAVASCRIPT | WORKSPACE_PROTOCOL | {"pnpm-workspace.yaml": "packages:\n  - packages/*\n"},
        NODE_BROKEN,
        NODE_VERIFY,
        NODE_MORE,
    ),
    "yarn 1": Workspace("yarn", ("yarn", "install"), JAVASCRIPT, NODE_BROKEN, NODE_VERIFY, NODE_MORE),
    "yarn 4": Workspace(
        "yarn",
        ("yarn", "install"),
        JAVASCRIPT | WORKSPACE_PROTOCOL | {".yarnrc.yml": "nodeLinker: node-modules\nenableTelemetry: false\n"},
        NODE_BROKEN,
        NODE_VERIFY,
        NODE_MORE,
    ),
    "uv": Workspace(
        "uv",
        ("uv", "lock"),
        PYTHON
        | {
            "pyproject.toml": f'{MEMBERS}[tool.uv.workspace]\nmembers = ["lib"]\n'
            "[tool.uv.sources]\nshop-lib = { workspace = true }\n"
        },
        PYTHON_BROKEN,
        "python app/test.py",
        PYTHON_MORE,
    ),
    "pip": Workspace(
        "pip",
        ("true",),
        PYTHON | {"requirements.txt": "-e ./lib\n"},
        PYTHON_BROKEN,
        "python app/test.py",
        PYTHON_MORE,
    ),
    "pip, not editable": Workspace(
        "pip", ("true",), PYTHON | {"requirements.txt": "./lib\n"}, PYTHON_BROKEN, "python app/test.py", PYTHON_MORE
    ),
    "poetry": Workspace(
        "poetry",
        ("poetry", "lock"),
        {name: text for name, text in PYTHON.items() if not name.endswith(".toml")}
        | {"pyproject.toml": POETRY.format("Shop")},
        PYTHON_BROKEN,
        "python app/test.py",
        ("pyproject.toml", POETRY.format("The shop")),
    ),
    "cargo": Workspace(
        "cargo",
        ("cargo", "generate-lockfile", "--offline"),
        {
            ".gitignore": "target\n",
            "Cargo.toml": '[workspace]\nmembers = ["lib", "app"]\nresolver = "2"\n',
            "lib/Cargo.toml": CRATE.format("lib"),
            "lib/src/lib.rs": "pub fn answer() -> i32 { 1 }\n",
            "app/Cargo.toml": CRATE.format("app") + '[dependencies]\nlib = { path = "../lib" }\n',
            "app/src/main.rs": "fn main() { assert_eq!(lib::answer(), 1); }\n",
        },
        ("lib/src/lib.rs", "pub fn answer() -> i32 {{ {} }}\n"),
        "cargo run --quiet --offline -p app",
        ("lib/Cargo.toml", CRATE.format("lib") + 'description = "More"\n'),
    ),
    "go": Workspace(
        "go",
        ("true",),
        {
            "go.work": "go 1.19\nuse (\n\t./lib\n\t./app\n)\n",
            "lib/go.mod": "module example.com/lib\ngo 1.19\n",
            "lib/lib.go": "package lib\nfunc Answer() int { return 1 }\n",
            "app/go.mod": "module example.com/app\ngo 1.19\n",
            "app/main.go": 'package main\nimport "example.com/lib"\n'
            'func main() { if lib.Answer() != 1 { panic("no") } }\n',
        },
        ("lib/lib.go", "package lib\nfunc Answer() int {{ return {} }}\n"),
        "go run ./app",
        ("lib/go.mod", "module example.com/lib\n// More.\ngo 1.19\n"),
    ),
}


@pytest.fixture(autouse=True)
def _offline(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, and what a home directory has of toolchains."""
    own = pwd.getpwuid(os.getuid()).pw_dir
    for name, value in {
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", f"{own}/.rustup"),
        "CARGO_NET_OFFLINE": "true",
        "GOPROXY": "off",
        "GOFLAGS": "-mod=mod",
        "NPM_CONFIG_OFFLINE": "true",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(WHEELS),
        "UV_OFFLINE": "1",
        "UV_FIND_LINKS": str(WHEELS),
        "UV_PYTHON_DOWNLOADS": "never",
        "YARN_ENABLE_NETWORK": "0",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GOFLAGS")


@dataclass(frozen=True)
class Site:
    """A workspace in trunk, and the stages of the last merge."""

    main: Path
    workspace: Workspace
    stages: list[str]

    def merge(self, name: str, changes: Mapping[str, str]) -> MergeResult:
        """Merge a branch from trunk with these changes."""
        commit(add_worktree(self.main, name), changes, f"feat: {name}")
        self.stages.clear()
        result = merged(self.main, name, MergeChoices(), Control(stage=self.stages.append))
        assert_nothing_left(self.main)
        return result

    def answer(self, answer: str) -> dict[str, str]:
        """What has `lib` answer this."""
        path, text = self.workspace.broken
        return {path: text.format(answer)}

    @property
    def has_prepared(self) -> bool:
        return any(stage.startswith("Running prepare") for stage in self.stages)


def codes(result: MergeResult) -> set[str]:
    return {finding.code for finding in result.findings}


pytestmark = pytest.mark.timeout(400)


@pytest.fixture(params=WORKSPACES)
def site(request: pytest.FixtureRequest, main: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    workspace = WORKSPACES[request.param]
    program = {"pip": "python3"}.get(workspace.program, workspace.program)
    if request.param == "yarn 4":
        monkeypatch.setenv("PATH", f"{BERRY}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("YARN_ENABLE_IMMUTABLE_INSTALLS", "0")  # in CI it would make no lock file
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not here")
    commit(main, {".gitignore": "node_modules\n.venv\ntarget\n.yarn\n", **workspace.files}, "chore: workspace")
    do(main, *workspace.lock)
    do(main, "git", "add", ".")
    git(main, "commit", "-qm", "chore: lock", "--allow-empty")
    git(main, "config", "sidecar.verify", workspace.verify)
    return Site(main, workspace, [])


def test_a_branch_that_breaks_one_package_does_not_land(site: Site) -> None:
    before = tip(site.main)
    result = site.merge("feat", site.answer("2"))
    assert (result.outcome, codes(result)) == ("failed", {"verify-failed"}), result.findings
    assert site.has_prepared
    assert tip(site.main) == before
    assert site.merge("good", site.answer("2 - 1")).outcome == "merged"
    reads_source = site.workspace.program == "pip"  # a copy does, and so does flit
    assert site.has_prepared == reads_source, site.stages
    again = site.merge("feat-2", site.answer("3"))
    assert (again.outcome, codes(again)) == ("failed", {"verify-failed"}), again.findings
    assert site.merge("more", dict([site.workspace.more])).outcome == "merged"
    assert site.has_prepared, "what it reads has changed"
