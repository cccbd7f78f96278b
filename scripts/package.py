"""Builds `dist/worktree-sidecar-<target>.vsix`, the extension with the server inside for this kind of machine; with
`--universal` the one for every other, whose server runs by a Python that is there; with `--python` wheel and sdist."""

import argparse
import os
import platform
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from scripts.stamp import BUILD, fingerprint, is_fresh, mark_fresh
from scripts.steps import ROOT, exit_with, run, step
from sidecar import __version__

CLIENT = ROOT / "editor-client"
SERVER = CLIENT / "server"
SERVER_EXECUTABLE = SERVER / ("sidecar.exe" if sys.platform == "win32" else "sidecar")
WHEELS = CLIENT / "wheels"
"""In the universal one, instead of the server: those that every machine can use; the others come by pip."""
_DOCUMENTS = {
    "README.md": CLIENT / "MARKETPLACE.md",
    "CHANGELOG.md": ROOT / "CHANGELOG.md",
    "LICENSE": ROOT / "LICENSE",
}
_PICTURES = {"see": "conflict", "open": "move-question", "merge": "merge-question", "release": "release-picker"}
"""The pictures of the walkthrough's steps, from those of the documents."""
IMAGES_URL = os.environ.get("SIDECAR_IMAGES_URL", "")
"""Where the pictures of the page can be fetched from; without it the page has none."""
_IMAGE = re.compile(r"^!\[.*\]\(images/.*\)\n+", re.MULTILINE)  # an editor's page of an extension can't show them
_LEFT_OUT = {
    "cryptography": "MCP's seal on what clients hand back: `request_state.py` signs it, `frozen_server.py` stands in",
    "hypothesis": "tests of who uses pydantic",
    "jsonschema": "a client of MCP's, which checks answers",
    "markdown_it": "Markdown of rich's, which is not shown here",
    "mypy": "pydantic's plugin for mypy",
    "pydoc_data": "Python's help on its own language",
    "pygments": "rich's colours of source text, which is not shown here",
    "referencing": "what jsonschema follows references by",
    "sqlite3": "locks of filelock's in a database",
}
"""What libraries ask for and nothing here does, with what it is for; `tests/packaged` runs what is left."""
_PYINSTALLER = (
    "--noconfirm",
    "--onedir",
    "--log-level=WARN",
    "--name=sidecar",
    "--hidden-import=_cffi_backend",  # left out without a word otherwise
    "--collect-submodules=sidecar",
    "--collect-data=sidecar",
    "--copy-metadata=worktree-sidecar",
    *(f"--exclude-module={name}" for name in _LEFT_OUT),
    "--python-option=X utf8",  # paths are the bytes that git says, in any locale
)


def target() -> str:
    """This machine's target in the names of VS Code's marketplace, for example `linux-x64`."""
    system = {"linux": "linux", "darwin": "darwin", "win32": "win32"}[sys.platform]
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine().lower()]
    return f"{system}-{machine}"


def package(*, universal: bool = False) -> Path:
    """Build what is stale, and return the VSIX."""
    if universal:
        return build_vsix("universal", build_wheels())
    build_server()
    return build_vsix(target(), (BUILD / "server.stamp").read_text("utf-8"))


def build_python() -> list[Path]:
    """Wheel and sdist in `dist`, with completions and the page of the manual."""
    place = ROOT / "dist"
    run([sys.executable, "-m", "hatchling", "build", "-d", place])
    return sorted(place.glob(f"worktree_sidecar-{__version__}*"))


def build_wheels() -> str:
    """Put the wheels that every machine can use into `editor-client/wheels`; a fingerprint of what they are made of."""
    wanted = fingerprint([*_product(), ROOT / "pyproject.toml", Path(__file__)], sys.version)
    stamp = BUILD / "wheels.stamp"
    if is_fresh(stamp, wanted) and WHEELS.is_dir():
        return wanted
    with step("wheels"):
        place = BUILD / "wheels"
        shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(WHEELS, ignore_errors=True)
        run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place])
        (own,) = place.glob("*.whl")
        run([sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", place, own])
        WHEELS.mkdir()
        for wheel in place.glob("*-none-any.whl"):
            shutil.copyfile(wheel, WHEELS / wheel.name)
        mark_fresh(stamp, wanted)
    return wanted


def _product() -> list[Path]:
    return [it for it in (ROOT / "sidecar").rglob("*") if it.is_file() and "__pycache__" not in it.parts]


def build_server() -> None:
    """PyInstaller's folder with the server, which needs no Python, in `editor-client/server`."""
    sources = [*_product(), Path(__file__), Path(__file__).with_name("frozen_server.py")]
    installed = sorted(f"{it.name}=={it.version}" for it in distributions())
    wanted = fingerprint([*sources, ROOT / "pyproject.toml"], sys.version, *installed)
    stamp = BUILD / "server.stamp"
    if is_fresh(stamp, wanted) and SERVER_EXECUTABLE.exists():
        return
    with step("packaged server"):
        place = BUILD / "pyinstaller"
        folders = (f"--distpath={place / 'dist'}", f"--workpath={place / 'work'}", f"--specpath={place}")
        entry = ROOT / "scripts" / "frozen_server.py"
        # The VSIX compresses all modules as one, which makes them smaller than one by one, and they start as they are.
        stored = {**os.environ, "PYINSTALLER_ZLIB_COMPRESSION_LEVEL": "0"}
        run([sys.executable, "-m", "PyInstaller", *_PYINSTALLER, *folders, f"--paths={ROOT}", entry], env=stored)
        shutil.rmtree(SERVER, ignore_errors=True)
        shutil.copytree(place / "dist" / "sidecar", SERVER, symlinks=True)
        _shrink(SERVER / "_internal")
        mark_fresh(stamp, wanted)


def _shrink(internal: Path) -> None:
    """Half the size: a VSIX holds each symbolic link as a second copy, and debug symbols help nobody here."""
    for link in internal.iterdir():
        if link.is_symlink() and link.resolve().parent.suffix == ".libs":  # found there by the wheel's own rpath
            link.unlink()
    if sys.platform == "linux" and shutil.which("strip"):
        run(["strip", "--strip-unneeded", *(it for it in internal.rglob("*.so*") if not it.is_symlink())])


def build_vsix(kind: str, server: str) -> Path:
    """The bundled extension, its documents and the server in one file that a person installs.

    `kind` is a target of VS Code's marketplace, or `universal`; `server` a fingerprint of what is inside.
    """
    vsix = ROOT / "dist" / f"worktree-sidecar-{kind}.vsix"
    wanted = fingerprint([*_client_inputs(), Path(__file__), ROOT / "package-lock.json"], server, IMAGES_URL)
    stamp = BUILD / f"vsix-{kind}.stamp"
    if is_fresh(stamp, wanted) and vsix.exists():
        return vsix
    with step(f"dist/{vsix.name}"):
        vsix.parent.mkdir(exist_ok=True)
        for name, source in _DOCUMENTS.items():
            text = source.read_text("utf-8")
            (CLIENT / name).write_text(text if IMAGES_URL else _IMAGE.sub("", text), "utf-8")
        for name, picture in _PICTURES.items():
            shutil.copyfile(ROOT / "docs" / "images" / f"{picture}.png", CLIENT / "media" / f"{name}.png")
        run(["node", "esbuild.mjs"], cwd=CLIENT)
        vsce = ROOT / "node_modules" / "@vscode" / "vsce" / "vsce"
        images = (f"--baseImagesUrl={IMAGES_URL}",) if IMAGES_URL else ("--no-rewrite-relative-links",)
        targeted = () if kind == "universal" else ("--target", kind)
        options = ("--no-dependencies", "--allow-missing-repository", *images, *targeted)
        ignored = BUILD / f"vscodeignore-{kind}"
        inside = "!wheels/**" if kind == "universal" else "!server/**"
        ignored.write_text(f"{(CLIENT / '.vscodeignore').read_text('utf-8')}{inside}\n", "utf-8")
        made = BUILD / vsix.name
        run(["node", vsce, "package", "--out", made, "--ignoreFile", ignored, *options], cwd=CLIENT)
        _compress(made, vsix)
        mark_fresh(stamp, wanted)
    return vsix


def _compress(made: Path, vsix: Path) -> None:
    """Write the same archive as small as it gets: vsce takes the time for less."""
    with zipfile.ZipFile(made) as before, zipfile.ZipFile(vsix, "w") as after:
        for entry in before.infolist():
            after.writestr(entry, before.read(entry), zipfile.ZIP_DEFLATED, compresslevel=9)


def _client_inputs() -> Iterator[Path]:
    yield from (it for folder in ("src", "map") for it in (CLIENT / folder).rglob("*") if it.is_file())
    yield from (CLIENT / name for name in ("package.json", "esbuild.mjs", ".vscodeignore", "tsconfig.json"))
    yield from (CLIENT / "media" / name for name in ("icon.png", "conflict.svg"))
    yield from (ROOT / "docs" / "images" / f"{picture}.png" for picture in _PICTURES.values())
    yield from _DOCUMENTS.values()


def main() -> int:
    """Build what is asked for, and say where it is and how big."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--universal", action="store_true", help="the VSIX that runs by a Python that is there")
    parser.add_argument("--python", action="store_true", help="the wheel and the sdist")
    arguments = parser.parse_args([it for it in sys.argv[1:] if it != "--"])
    for made in build_python() if arguments.python else [package(universal=arguments.universal)]:
        print(f"{made.relative_to(ROOT)} ({made.stat().st_size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    exit_with(main)
