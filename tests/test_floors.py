"""Holds the floors of the house: imports go down only, and each outside library has one place that knows it."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
FLOORS = {
    "": 0,  # sidecar/__init__.py: the version
    "model": 0,
    "system": 0,
    "git": 1,
    "watch": 1,
    "symbols": 1,
    "session": 2,
    "operations": 3,
    "lsp": 4,
    "cli": 4,
    "agents": 4,
    "__main__": 5,
}
KNOWN_ONLY_BY = {
    "pygls": ("lsp",),
    "lsprotocol": ("lsp",),
    "pygit2": ("git",),
    "subprocess": ("git", "system"),
    "psutil": ("system",),
    "inotify_simple": ("watch",),
    "watchfiles": ("watch",),
    "tree_sitter": ("symbols",),
    "tree_sitter_python": ("symbols",),
    "tree_sitter_javascript": ("symbols",),
    "tree_sitter_typescript": ("symbols",),
    "tree_sitter_go": ("symbols",),
    "tree_sitter_rust": ("symbols",),
    "tree_sitter_java": ("symbols",),
    "click": ("cli",),
    "mcp": ("agents",),
    "mcp_types": ("agents",),
    "pydantic": ("agents",),
    "rich": ("cli",),
}
STARTS_PROCESSES = {"system", "popen", "posix_spawn", "posix_spawnp", "fork", "forkpty", "startfile"}
STARTS_PROCESSES |= {"create_subprocess_exec", "create_subprocess_shell", "Popen"}
STARTS_PROCESSES |= {
    f"{verb}{how}" for verb in ("exec", "spawn") for how in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")
}
HIDES_IMPORTS = {"import_module", "__import__"}
LONGEST = 400


def package_of(module: str) -> str:
    """The package below `sidecar` that a dotted module name belongs to, "" for `sidecar` itself."""
    return module.split(".")[1] if module.count(".") else ""


def only_for(library: str) -> str:
    """The packages that may know a library, as they are called in a message."""
    return " and ".join(f"sidecar/{package}" for package in KNOWN_ONLY_BY[library])


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, absolute dotted name) of every import, wherever in the file it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield node.lineno, "." * node.level + (node.module or "")
        elif isinstance(node, ast.ImportFrom) and node.module == "sidecar":
            yield from (
                (node.lineno, f"sidecar.{alias.name}" if alias.name in FLOORS else "sidecar") for alias in node.names
            )
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""


def breaches(package: str, source: str) -> list[str]:
    """What a file of a package does against the floors, each with its line."""
    tree = ast.parse(source)
    found = []
    for line, name in imported(tree):
        top = name.partition(".")[0]
        if name.startswith("."):
            found.append(f"{line}: imports relatively ({name})")
        elif top == "sidecar":
            other = package_of(name)
            if other not in FLOORS:
                found.append(f"{line}: {name} has no floor")
            elif other != package and other and FLOORS[other] >= FLOORS[package]:
                found.append(f"{line}: {name} is not below {package or 'sidecar'}")
        elif package not in KNOWN_ONLY_BY.get(top, (package,)):
            found.append(f"{line}: {top} is for {only_for(top)} only")
        elif package in ("", "model") and top not in sys.stdlib_module_names:
            found.append(f"{line}: {name} is not in the standard library")
    starts, only = package in KNOWN_ONLY_BY["subprocess"], f"that is for {only_for('subprocess')} only"
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not starts:
            names = [alias.name for alias in node.names if alias.name in STARTS_PROCESSES]
            found += [f"{node.lineno}: {name} starts a process; {only}" for name in names]
        called = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if called in STARTS_PROCESSES and not starts and _is_a_call_of(node, called):
            found.append(f"{node.lineno}: {called} starts a process; {only}")  # type: ignore[attr-defined]
        if called in HIDES_IMPORTS:
            found.append(f"{node.lineno}: {called} hides an import")  # type: ignore[attr-defined]
    return found


def _is_a_call_of(node: ast.AST, name: str) -> bool:
    """Whether the name is taken from a module that starts processes, and not an attribute of something else."""
    owner = node.value if isinstance(node, ast.Attribute) else None
    return isinstance(owner, ast.Name) and owner.id in ("os", "asyncio", "psutil", "pty", "loop")


MODULES = sorted((HOUSE / "sidecar").rglob("*.py"))
WRITTEN = [
    *MODULES,
    *(path for folder in ("tests", "scripts", "bench") for path in sorted((HOUSE / folder).rglob("*.py"))),
    *sorted((HOUSE / "editor-client" / "src").rglob("*.ts")),
]


def shown(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


def test_the_house_is_there() -> None:
    packages = {package_of(".".join(path.relative_to(HOUSE).with_suffix("").parts)) for path in MODULES}
    assert {"model", "git", "watch", "system", "session", "symbols", "lsp", "cli", "agents", "__main__"} <= packages
    assert packages - {"__init__"} <= set(FLOORS)


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_imports_go_down_only(path: Path) -> None:
    package = package_of(".".join(path.relative_to(HOUSE).with_suffix("").parts))
    assert breaches("" if package == "__init__" else package, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=shown)
def test_a_package_imports_nothing_by_itself(path: Path) -> None:
    """Or else all of it would be waited for wherever a part is needed."""
    assert not any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(ast.parse(path.read_text())))


@pytest.mark.parametrize("path", WRITTEN, ids=shown)
def test_files_are_short_and_named_for_what_they_hold(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST
    assert path.stem not in ("utils", "util", "helpers", "misc", "common")


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("model", "import sidecar.git.process"),
        ("model", "import pygit2"),
        ("model", "def f():\n    from click import echo"),
        ("git", "from sidecar import session"),
        ("git", "from sidecar.watch.events import Event"),
        ("system", "from sidecar.git import process"),
        ("session", "from sidecar.lsp import serve"),
        ("session", "import subprocess"),
        ("session", "import pygit2"),
        ("cli", "from sidecar.lsp import serve"),
        ("agents", "from sidecar.cli.text import where"),
        ("cli", "if True:\n    from lsprotocol import types"),
        ("cli", "import os\nos.system('git gc')"),
        ("watch", "from os import posix_spawn"),
        ("lsp", "import asyncio\nasyncio.create_subprocess_exec('git')"),
        ("lsp", "from sidecar.cli.options import agree"),
        ("lsp", "from ..cli import text"),
        ("lsp", "from sidecar.extras import more"),
        ("cli", "from importlib import import_module\nimport_module('pygls')"),
    ],
)
def test_a_breach_is_seen(package: str, source: str) -> None:
    assert breaches(package, source)


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("model", "import dataclasses\nfrom sidecar.model.changes import Change"),
        ("git", "import subprocess\nimport pygit2\nfrom sidecar.model import changes"),
        ("cli", "from sidecar import __version__\nfrom sidecar.session import look\nimport click"),
        ("lsp", "from pygls.lsp.server import LanguageServer\nfrom sidecar.session import open_session"),
        ("system", "import psutil"),
        ("__main__", "from sidecar.cli.app import run\nfrom sidecar.lsp import serve"),
    ],
)
def test_going_down_is_fine(package: str, source: str) -> None:
    assert breaches(package, source) == []
