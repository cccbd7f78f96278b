"""The server out of the VSIX, on a machine that has git and no Python."""

import json
import subprocess
from pathlib import Path

import pytest

from scripts.package import package
from scripts.stdio import first_diagnostics
from tests.harness import add_worktree, commit, init
from tests.harness.sample import Sample
from tests.packaged.conftest import MOST_BYTES

pytestmark = pytest.mark.timeout(600)

REMOVED = {
    "py": "def used():\n    pass\n",
    "js": "export function used() {}\n",
    "ts": "export function typed() {}\n",
    "go": "package shop\n\nfunc Used() {}\n",
    "java": "class Used {}\n",
    "rs": "pub fn used() {}\n",
}
USED = {
    "py": "from a import used\n",
    "js": "import { used } from './a';\n",
    "ts": "import { typed } from './a';\n",
    "go": "package shop\n\nvar _ = Used\n",
    "java": "class Using { Used used; }\n",
    "rs": "use crate::a::used;\n",
}
LEFT = {"go": "package shop\n"}
"""What a file has, in each language, that the other uses; and what is left of it."""


def test_it_is_no_larger_than_others_are_used_to() -> None:
    assert package().stat().st_size <= MOST_BYTES


def test_it_answers_and_ends_as_the_protocol_says(server: Path, bare: dict[str, str], sample: Sample) -> None:
    found = first_diagnostics([server, "serve"], sample.showcase, bare)
    assert found.uri.startswith(sample.showcase.as_uri())
    assert {diagnostic.source for diagnostic in found.diagnostics} == {"sidecar"}


def test_its_command_line_works_too(server: Path, bare: dict[str, str], sample: Sample) -> None:
    done = subprocess.run(
        [server, "-C", sample.showcase, "overlaps"], env=bare, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "shop/cart.py" in done.stdout


def test_git_gets_no_library_of_the_bundle(server: Path, bare: dict[str, str], sample: Sample, tmp_path: Path) -> None:
    """The launcher sets LD_LIBRARY_PATH for itself; a git that got it would load the bundle's zlib and OpenSSL."""
    spy = tmp_path / "bin" / "git"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\necho "${{LD_LIBRARY_PATH-unset}}" >>{tmp_path}/seen\nexec {bare["PATH"]}/git "$@"\n')
    spy.chmod(0o755)
    command = (server, "-C", sample.showcase, "status", "--json")
    subprocess.run(command, env=bare | {"PATH": str(spy.parent)}, check=True, capture_output=True)
    assert set((tmp_path / "seen").read_text().split()) == {"unset"}


def test_it_understands_six_languages(server: Path, bare: dict[str, str], tmp_path: Path) -> None:
    main = init(tmp_path / "shop")
    commit(main, {f"src/a.{ending}": text for ending, text in REMOVED.items()} | {"go.mod": "module shop\n"}, "Begin")
    commit(add_worktree(main, "taking"), {f"src/a.{ending}": LEFT.get(ending, "\n") for ending in REMOVED}, "Remove")
    commit(add_worktree(main, "using"), {f"src/b.{ending}": text for ending, text in USED.items()}, "Use")
    done = subprocess.run([server, "-C", main, "status", "--json"], env=bare, capture_output=True, check=True)
    found = json.loads(done.stdout)["broken_uses"]
    assert {one["used"]["path"] for one in found} == {f"src/b.{ending}" for ending in USED}
