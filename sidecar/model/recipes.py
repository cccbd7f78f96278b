"""Know how dependencies are installed from what a tree has: by its lock files, as its package manager does it frozen.

A recipe belongs to the directory of a lock file: the top, which installs a whole workspace, or one directly below it
where the top has nothing of that language.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

Read = Callable[[str], str]
"""Gives the text of a file of the tree; '' for one that can't be read."""

Find = Callable[[str], str | None]
"""Finds a program, as shutil.which does."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one package manager installs in one directory ('' for the top): a command line for the shell.

    `lock` is the file that it was known by. `folders` are the names of what it installs into. Whoever `updates` takes
    away what is there and no longer wanted; for another, it goes before.
    """

    tool: str
    folder: str
    lock: str
    command: str
    folders: tuple[str, ...] = ()
    updates: bool = False


TOOLS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "npm": ("npm --version", "node --version"),
        "pnpm": ("pnpm --version", "node --version"),
        "yarn": ("yarn --version", "node --version"),
        "uv": ("uv --version", "python3 --version"),
        "poetry": ("poetry --version", "python3 --version"),
        "pip": ("python3 -m pip --version", "python3 --version"),
        "cargo": ("cargo --version",),
        "go": ("go version",),
    }
)
"""A package manager -> the command lines that say which version of it, and of what it installs for, is there."""

PROGRAMS: Mapping[str, str] = MappingProxyType({"pip": "python3"})
"""A package manager -> the program that has to be on PATH, where that is called otherwise."""


@dataclass(frozen=True, slots=True)
class Install:
    """What is run before verify in one directory ('' for the top): a command line, and the lock file it is run for.

    A `lock` is '' where the person's own command is run. `missing` is the program that is not on PATH: nothing is run.
    """

    folder: str
    command: str
    lock: str = ""
    missing: str | None = None

    @property
    def said(self) -> str:
        """Say it in a few words."""
        lock = _join(self.folder, self.lock)
        if self.missing is not None:
            return f"nothing for {lock}, since {self.missing} is not on PATH"
        return f"{self.command} ({lock})" if self.lock else self.command


MANIFESTS = frozenset({
    "package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "pnpm-workspace.yaml",
    "bun.lock", "bun.lockb", "deno.lock", "deno.json", ".npmrc", ".yarnrc", ".yarnrc.yml", ".pnpmfile.cjs",
    "lerna.json", "pyproject.toml", "setup.py", "setup.cfg", "uv.lock", "uv.toml", "poetry.lock", "poetry.toml",
    "pdm.lock", "pylock.toml", "Pipfile", "Pipfile.lock", "pixi.toml", "pixi.lock", "environment.yml",
    "environment.yaml", "Cargo.toml", "Cargo.lock", "go.mod", "go.sum", "go.work", "go.work.sum", "Gemfile",
    "Gemfile.lock", "composer.json", "composer.lock", "mix.exs", "mix.lock", "pubspec.yaml", "pubspec.lock",
    "Package.swift", "Package.resolved", "flake.nix", "flake.lock", "build.gradle", "build.gradle.kts",
    "settings.gradle", "settings.gradle.kts", "gradle.properties", "gradle.lockfile", "libs.versions.toml", "pom.xml",
    "packages.lock.json", ".nvmrc", ".node-version", ".python-version", ".ruby-version", ".tool-versions", "mise.toml",
    ".mise.toml", "rust-toolchain", "rust-toolchain.toml", ".gitmodules",
})  # fmt: skip
"""Names of files that say what is installed, and by which version of a tool."""

REQUIREMENTS = re.compile(r"((dev|test)[-_])?(requirements|constraints)([-_][\w.-]+)?\.(txt|in)")

NO_PROJECTS = frozenset({
    "doc", "docs", "example", "examples", "fixtures", "node_modules", "sample", "samples", "spec", "test", "tests",
    "third_party", "thirdparty", "vendor",
})  # fmt: skip
"""Directories below the top whose lock files are no part of what is verified."""


def find_installs(paths: Collection[str], read: Read, own: str, find_program: Find) -> tuple[Install, ...]:
    """Find what is run before verify: the person's `own` command line, else what each lock file says."""
    if own.strip():
        return (Install("", own.strip()),)
    found = []
    for recipe in find_recipes(paths, read):
        program = PROGRAMS.get(recipe.tool, recipe.tool)
        missing = None if find_program(program) is not None else program
        found.append(Install(recipe.folder, recipe.command, recipe.lock, missing))
    return tuple(found)


def is_manifest(path: str) -> bool:
    """Tell whether a file says what is installed, by its name."""
    name = path.rpartition("/")[2]
    return name in MANIFESTS or REQUIREMENTS.fullmatch(name) is not None


def find_recipes(paths: Collection[str], read: Read) -> tuple[Recipe, ...]:
    """Find how the dependencies of a tree with these files are installed, the top first."""
    names: dict[str, set[str]] = {"": set()}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if "/" not in folder and folder not in NO_PROJECTS:
            names.setdefault(folder, set()).add(name)
    found: list[Recipe] = []
    for find in (_javascript, _python, _rust, _go):
        at_top = find("", names[""], read)
        below = (find(folder, names[folder], read) for folder in sorted(names) if folder)
        found += [at_top] if at_top is not None else [recipe for recipe in below if recipe is not None]
    return tuple(found)


def tools_in(line: str) -> tuple[str, ...]:
    """List the package managers that a command line names, in this table's order."""
    words = set(re.findall(r"[\w.-]+", line))
    return tuple(tool for tool in TOOLS if tool in words)


def version_lines(tools: Collection[str]) -> tuple[str, ...]:
    """List the command lines that tell the versions of these package managers, each once."""
    return tuple(dict.fromkeys(line for tool in TOOLS if tool in tools for line in TOOLS[tool]))


def _javascript(folder: str, names: set[str], read: Read) -> Recipe | None:
    if "package.json" not in names:
        return None
    locks = {
        "pnpm": ("pnpm-lock.yaml",),
        "yarn": ("yarn.lock",),
        "npm": ("npm-shrinkwrap.json", "package-lock.json"),
    }
    there = {tool: lock for tool, these in locks.items() for lock in reversed(these) if lock in names}
    if not there:
        return None
    said = str(_json(read(_join(folder, "package.json"))).get("packageManager", "")).partition("@")[0]
    tool = said if said in there else next(iter(there))
    if tool == "npm":
        command = "npm ci --prefer-offline --no-audit --no-fund"
    elif tool == "pnpm":
        command = "pnpm install --frozen-lockfile --prefer-offline"
    elif "__metadata:" in read(_join(folder, "yarn.lock")):  # yarn 2 and later
        command = "yarn install --immutable"
    else:
        command = "yarn install --frozen-lockfile --prefer-offline --non-interactive"
    return Recipe(tool, folder, there[tool], command, ("node_modules",), updates=True)


def _python(folder: str, names: set[str], read: Read) -> Recipe | None:
    if "uv.lock" in names:
        local = _local_packages(read(_join(folder, "uv.lock")))
        again = "".join(f" --reinstall-package {shlex.quote(name)}" for name in local)
        return Recipe("uv", folder, "uv.lock", f"uv sync --frozen --all-packages{again}", (".venv",), updates=True)
    if "poetry.lock" in names:
        return Recipe("poetry", folder, "poetry.lock", "poetry install --no-interaction", (".venv",))
    if names & {"pdm.lock", "Pipfile.lock", "pixi.lock"}:
        return None
    requirements = sorted(name for name in names if name.endswith(".txt") and "requirements" in name.lower())
    requirements = [name for name in requirements if REQUIREMENTS.fullmatch(name)]
    texts = [read(_join(folder, name)) for name in requirements]
    project = _toml(read(_join(folder, "pyproject.toml"))) if "pyproject.toml" in names else {}
    is_package = "setup.py" in names or "build-system" in project or "project" in project
    if not requirements and not is_package:
        return None
    pip = ".venv/bin/python -m pip install --disable-pip-version-check --quiet"
    commands = ["python3 -m venv .venv"]
    if requirements:
        commands.append(" ".join((pip, *(f"-r {shlex.quote(name)}" for name in requirements))))
    if is_package and not any(re.search(r"^\s*(-e|--editable)[ =]\.?/?\s*$", text, re.MULTILINE) for text in texts):
        commands.append(f"{pip} {'--no-deps ' if any('--hash=' in text for text in texts) else ''}-e .")
    lock = requirements[0] if requirements else "pyproject.toml" if "pyproject.toml" in names else "setup.py"
    return Recipe("pip", folder, lock, " && ".join(commands), (".venv",))


def _local_packages(lock: str) -> Iterator[str]:
    """List the packages of a uv.lock that are built from the tree, which uv would take for unchanged."""
    for package in _toml(lock).get("package", []):
        source, name = package.get("source", {}), package.get("name")
        if isinstance(name, str) and {"editable", "directory"} & source.keys():
            yield name


def _rust(folder: str, names: set[str], _read: Read) -> Recipe | None:
    if not {"Cargo.toml", "Cargo.lock"} <= names:
        return None
    return Recipe("cargo", folder, "Cargo.lock", "cargo fetch --locked", updates=True)


def _go(folder: str, names: set[str], _read: Read) -> Recipe | None:
    lock = next((name for name in ("go.work", "go.mod") if name in names), None)
    return Recipe("go", folder, lock, "go mod download", updates=True) if lock is not None else None


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _json(text: str) -> Mapping[str, Any]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _toml(text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
