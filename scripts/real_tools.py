"""`npm run real-tools`: brings the tools beside which `tests/tools` runs into `.tools`, once.

Every version is pinned; Debian's packages are those of the machine's own suite. Nothing of the system is changed.
"""

import hashlib
import shlex
import shutil
import sys
from pathlib import Path

from scripts.debian import unpack
from scripts.editor.install import NODE, NPM_PROGRAMS, npm_install
from scripts.steps import ROOT, exit_with, run, step

NPM = (
    "@commitlint/cli@21.2.4",
    "@commitlint/config-conventional@21.2.4",
    "husky@9.1.7",
    "isomorphic-git@1.44.19",
    "lefthook@2.2.1",
    "lint-staged@17.6.1",
    "npm-merge-driver@2.3.6",
    "pnpm@12.21.0",
)
PYPI = (
    "git-annex==10.20261026",
    "git-filter-repo==2.47.0",
    "nbdime==4.0.4",
    "nbstripout==0.9.1",
    "pre-commit==4.7.0",
    "pre-commit-hooks==6.0.0",
    "uv==0.13.9",
)
DEBIAN = ("git-crypt", "git-lfs", "stgit")
_PINS = hashlib.sha256("\n".join((*NPM, *PYPI, *DEBIAN)).encode()).hexdigest()[:12]
PLACE = ROOT / ".tools" / f"real-{_PINS}"
PACKAGES = PLACE / "npm" / "node_modules"
VENV = PLACE / "venv"
PROGRAMS = (PLACE / "bin", PACKAGES / ".bin", VENV / "bin", PLACE / "debian" / "usr" / "bin")
"""The folders to put on PATH."""
LIBRARIES = VENV / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
READY = PLACE / "ready"


def main() -> int:
    """Bring them unless they are there, of these very versions."""
    if not READY.exists():
        with step("real tools for the tests (once)"):
            _bring()
    return 0


def _bring() -> None:
    shutil.rmtree(PLACE, ignore_errors=True)
    unpack(DEBIAN, PLACE / "debian")
    (PLACE / "npm").mkdir()
    (PLACE / "npm" / "package.json").write_text('{"private": true}')
    npm_install(PLACE / "npm", *NPM)
    run([sys.executable, "-m", "venv", VENV])
    run([VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PYPI])
    (PLACE / "bin").mkdir()
    (PLACE / "bin" / "node").symlink_to(NODE)
    for name in ("npm", "npx"):  # those beside `NODE` are copies, and look for their parts in the wrong place
        _write_program(name, NODE, NPM_PROGRAMS / f"{name}-cli.js")
    libraries = PLACE / "debian" / "usr" / "lib" / "python3" / "dist-packages"
    _write_program(
        "stg", "env", f"PYTHONPATH={libraries}", "/usr/bin/python3", PLACE / "debian" / "usr" / "bin" / "stg"
    )
    READY.touch()


def _write_program(name: str, *command: str | Path) -> None:
    """Make a program of that name, which starts `command` with its own arguments."""
    program = PLACE / "bin" / name
    program.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, command))} "$@"\n')
    program.chmod(0o755)


if __name__ == "__main__":
    exit_with(main)
