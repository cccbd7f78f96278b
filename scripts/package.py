"""Builds `dist/worktree-sidecar-<target>.vsix`: the extension with the server inside."""

import platform
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from scripts.stamp import BUILD, fingerprint, is_fresh, mark_fresh
from scripts.steps import ROOT, exit_with, run, step

CLIENT = ROOT / "editor-client"
SERVER = CLIENT / "server"
SERVER_EXECUTABLE = SERVER / ("sidecar.exe" if sys.platform == "win32" else "sidecar")
_DOCUMENTS = ("README.md", "CHANGELOG.md", "LICENSE")
_IMAGE = re.compile(r"^!\[.*\]\(docs/.*\)\n+", re.MULTILINE)  # an editor's page of an extension can't show them
_PYINSTALLER = (
    "--noconfirm",
    "--onedir",
    "--log-level=WARN",
    "--name=sidecar",
    "--hidden-import=_cffi_backend",  # left out without a word otherwise
    "--collect-submodules=sidecar",
    "--collect-data=sidecar",
    "--copy-metadata=worktree-sidecar",
    "--exclude-module=tkinter",
    "--python-option=X utf8",  # paths are the bytes that git says, in any locale
)


def target() -> str:
    """This machine's target in the names of VS Code's marketplace, for example `linux-x64`."""
    system = {"linux": "linux", "darwin": "darwin", "win32": "win32"}[sys.platform]
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine().lower()]
    return f"{system}-{machine}"


def package() -> Path:
    """Build what is stale, and return the VSIX."""
    build_server()
    return build_vsix()


def build_server() -> None:
    """PyInstaller's folder with the server, which needs no Python, in `editor-client/server`."""
    product = [it for it in (ROOT / "sidecar").rglob("*") if it.is_file() and "__pycache__" not in it.parts]
    sources = [*product, Path(__file__), Path(__file__).with_name("frozen_server.py")]
    installed = sorted(f"{it.name}=={it.version}" for it in distributions())
    wanted = fingerprint([*sources, ROOT / "pyproject.toml"], sys.version, *installed)
    stamp = BUILD / "server.stamp"
    if is_fresh(stamp, wanted) and SERVER_EXECUTABLE.exists():
        return
    with step("packaged server"):
        place = BUILD / "pyinstaller"
        folders = (f"--distpath={place / 'dist'}", f"--workpath={place / 'work'}", f"--specpath={place}")
        entry = ROOT / "scripts" / "frozen_server.py"
        run([sys.executable, "-m", "PyInstaller", *_PYINSTALLER, *folders, f"--paths={ROOT}", entry])
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
        of_python = [*internal.glob("libpython*.so.*"), *internal.glob("python3*/lib-dynload/*.so")]
        run(["strip", "--strip-unneeded", *of_python])


def build_vsix() -> Path:
    """The bundled extension, its documents and the server in one file that a person installs."""
    vsix = ROOT / "dist" / f"worktree-sidecar-{target()}.vsix"
    server = (BUILD / "server.stamp").read_text("utf-8")
    wanted = fingerprint([*_client_inputs(), Path(__file__), ROOT / "package-lock.json"], server)
    stamp = BUILD / "vsix.stamp"
    if is_fresh(stamp, wanted) and vsix.exists():
        return vsix
    with step(f"dist/{vsix.name}"):
        vsix.parent.mkdir(exist_ok=True)
        for name in _DOCUMENTS:
            (CLIENT / name).write_text(_IMAGE.sub("", (ROOT / name).read_text("utf-8")), "utf-8")
        run(["node", "esbuild.mjs"], cwd=CLIENT)
        vsce = ROOT / "node_modules" / "@vscode" / "vsce" / "vsce"
        options = ("--no-dependencies", "--allow-missing-repository", "--no-rewrite-relative-links")
        run(["node", vsce, "package", "--target", target(), "--out", vsix, *options], cwd=CLIENT)
        mark_fresh(stamp, wanted)
    return vsix


def _client_inputs() -> Iterator[Path]:
    yield from (CLIENT / "src").rglob("*.ts")
    yield from (CLIENT / name for name in ("package.json", "esbuild.mjs", ".vscodeignore", "tsconfig.json"))
    yield from (ROOT / name for name in _DOCUMENTS)


def main() -> int:
    """Build the VSIX, and say where it is and how big."""
    vsix = package()
    print(f"{vsix.relative_to(ROOT)} ({vsix.stat().st_size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    exit_with(main)
