"""A rename in one worktree and a new use in trunk, by checkers that people have: told at the line, gone when mended."""

import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.steps import ROOT
from tests.harness import add_worktree, commit, git, write
from tests.operations.trying import trying_merges

TSC = ROOT / "node_modules/typescript/bin/tsc"


@dataclass(frozen=True)
class Checked:
    """A program in two files: a definition that is renamed, and one that newly uses it at a line."""

    line: str
    files: Mapping[str, str]
    renamed: Mapping[str, str]
    using: Mapping[str, str]
    at: tuple[str, int]
    words: str
    mended: Mapping[str, str]


def both(files: Mapping[str, str], name: str) -> dict[str, str]:
    """The files with the old name of a function beside the new one."""
    return {path: text + text.replace("total_price", name).replace("totalPrice", name) for path, text in files.items()}


PYTHON = {"prices.py": "def total() -> int:\n    return 1\n", "cart.py": "x: int = 1\n"}
GO = {"go.mod": "module shop\n\ngo 1.19\n", "prices.go": "package main\n\nfunc total() int { return 1 }\n"}
GO |= {"main.go": "package main\n\nfunc main() {\n\tprintln(1)\n}\n"}
TS = {
    "tsconfig.json": '{"compilerOptions": {"strict": true}}',
    "prices.ts": "export function total(): number { return 1 }\n",
}
USING_TS = 'import { total } from "./prices"\nexport const one = total()\n'

CHECKED = {
    "mypy": Checked(
        f"{sys.executable} -m mypy --no-incremental .",
        PYTHON,
        {"prices.py": PYTHON["prices.py"].replace("total", "total_price")},
        {"cart.py": "x: int = 1\n\n\nimport prices\n\ny = prices.total()\n"},
        ("cart.py", 6),
        'Module has no attribute "total"',
        {"prices.py": both({"p": PYTHON["prices.py"].replace("total", "total_price")}, "total")["p"]},
    ),
    "tsc": Checked(
        f"node {shlex.quote(str(TSC))} --noEmit -p .",
        TS,
        {"prices.ts": TS["prices.ts"].replace("total", "totalPrice")},
        {"cart.ts": USING_TS},
        ("cart.ts", 1),
        "has no exported member",
        {"prices.ts": both({"p": TS["prices.ts"].replace("total", "totalPrice")}, "total")["p"]},
    ),
    "go vet": Checked(
        "go vet ./...",
        GO,
        {"prices.go": GO["prices.go"].replace("total", "totalPrice")},
        {"main.go": "package main\n\nfunc main() {\n\tprintln(total())\n}\n"},
        ("main.go", 4),
        "total",
        {"prices.go": GO["prices.go"] + "\nfunc totalPrice() int { return 1 }\n"},
    ),
}


@pytest.mark.parametrize("name", CHECKED)
def test_a_rename_and_a_new_use_are_told_until_mended(main: Path, name: str) -> None:
    checked = CHECKED[name]
    if name == "tsc" and not TSC.exists():
        pytest.skip("needs the project's own node_modules: npm ci")
    if name == "go vet" and shutil.which("go") is None:
        pytest.skip("needs go")
    git(main, "config", "sidecar.check", checked.line)
    git(main, "config", "sidecar.prepare", "true")
    commit(main, checked.files, "Begin")
    feat = add_worktree(main, "feat")
    commit(feat, checked.renamed, "Rename it")
    commit(main, checked.using, "Use it")
    path, line = checked.at
    with trying_merges(main) as at:
        at.until_told("shop", path, line)
        assert checked.words in at.told()["shop", path, line]
        write(feat, dict(checked.mended))
        at.until()
