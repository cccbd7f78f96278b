"""The packages that are built here: what is inside of them, how large they are, and whose editors take them."""

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from scripts.package import build_python, package
from scripts.stdio import first_diagnostics
from scripts.steps import ROOT
from sidecar import __version__
from tests.harness.sample import build
from tests.packaged.conftest import MOST_BYTES

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def universal() -> Path:
    return package(universal=True)


def test_the_universal_one_runs_by_a_python_that_is_there(universal: Path, tmp_path: Path) -> None:
    """Its wheels are put up as the extension does it: in an environment of their own, the rest brought by pip."""
    with zipfile.ZipFile(universal) as archive:
        archive.extractall(tmp_path / "vsix")
    wheels = tmp_path / "vsix" / "extension" / "wheels"
    place = tmp_path / "server"
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    scripts = place / ("Scripts" if sys.platform == "win32" else "bin")
    asked = ("install", "--quiet", "--find-links", wheels, f"worktree-sidecar[symbols]=={__version__}")
    done = subprocess.run([scripts / "python", "-m", "pip", *asked], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sample = build(tmp_path / "sample")
    assert first_diagnostics([scripts / "sidecar", "serve"], sample.showcase).diagnostics[0].source == "sidecar"
    assert (place / "share/man/man1/sidecar.1").exists()
    page = next(place.rglob("lsp/pages/conflict.md"))
    assert page.match("site-packages/sidecar/lsp/pages/*.md")  # where `configurationDefaults` have it read-only


def test_what_is_inside(universal: Path) -> None:
    own = package()
    for vsix, server in ((universal, "wheels"), (own, "server")):
        with zipfile.ZipFile(vsix) as archive:
            names = {name.split("/")[1] for name in archive.namelist() if name.startswith("extension/")}
            media = {name.split("/")[2] for name in archive.namelist() if name.startswith("extension/media/")}
        assert names == {"package.json", "out", "media", server, "readme.md", "changelog.md", "LICENSE.txt"}
        assert media == {"icon.png", "conflict.svg", "see.png", "open.png", "merge.png", "release.png"}
    assert universal.stat().st_size <= MOST_BYTES


def test_wheel_and_sdist_bring_completions_and_a_page_of_the_manual() -> None:
    sdist, wheel = sorted(build_python(), key=lambda one: one.suffix != ".gz")
    with zipfile.ZipFile(wheel) as archive:
        shared = {name.partition(".data/data/")[2] for name in archive.namelist()} - {""}
    assert {name.rsplit("/", 1)[1] for name in shared} == {"sidecar", "_sidecar", "sidecar.fish", "sidecar.1"}
    with tarfile.open(sdist) as source:
        inside = {name.partition("/")[2] for name in source.getnames()}
    assert {"completions/_sidecar", "docs/sidecar.1", "sidecar/__main__.py", "README.md", "LICENSE"} <= inside


def test_the_version_is_in_one_place() -> None:
    manifest = json.loads((ROOT / "editor-client/package.json").read_text())
    assert manifest["version"] == __version__
    places = [ROOT / name for name in ("pyproject.toml", "scripts/package.py", "scripts/setup.mjs")]
    assert [place.name for place in places if re.search(rf'"{re.escape(__version__)}"', place.read_text())] == []


def test_editors_that_are_made_of_vs_code_take_the_same_package() -> None:
    """By the table of the document: each one's oldest version that is supported, and the VS Code that it is made of."""
    page = (ROOT / "docs/editors/vscode.md").read_text()
    editors = dict(re.findall(r"^\| (\w+) [\d.]+ \| (\d+\.\d+)[\d.]* \|", page, re.M))
    assert set(editors) == {"Cursor", "VSCodium", "Windsurf"}
    manifest = json.loads((ROOT / "editor-client/package.json").read_text())
    least = re.fullmatch(r"\^(\d+)\.(\d+)\.0", manifest["engines"]["vscode"])
    assert least is not None
    needed = tuple(map(int, least.groups()))
    assert manifest["devDependencies"]["@types/vscode"].startswith(f"{needed[0]}.{needed[1]}.")
    for title, made_of in editors.items():
        assert tuple(map(int, made_of.split("."))) >= needed, title
    proposals = manifest.get("enabledApiProposals", [])
    assert proposals == [] and manifest.get("extensionDependencies", []) == []
