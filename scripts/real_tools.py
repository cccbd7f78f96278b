"""`npm run real-tools`: brings the tools beside which `tests/tools` runs into `.tools`, once.

Every version is pinned; Debian's packages are those of the machine's own suite. Nothing of the system is changed.
"""

import hashlib
import shlex
import shutil
import sys
from pathlib import Path

from scripts.debian import own_suite, unpack
from scripts.editor.install import NODE, NPM_PROGRAMS, npm_install
from scripts.steps import ROOT, exit_with, run, step

NPM = (
    "@commitlint/cli@21.2.4",
    "@commitlint/config-conventional@21.2.4",
    "@yarnpkg/cli-dist@4.18.1",
    "husky@9.1.7",
    "isomorphic-git@1.44.19",
    "lefthook@2.2.1",
    "lint-staged@17.6.1",
    "npm-merge-driver@2.3.6",
    "pnpm@12.21.0",
    "yarn@1.22.22",
)
PYPI = (
    "git-annex==10.20261026",
    "git-filter-repo==2.47.0",
    "nbdime==4.0.4",
    "nbstripout==0.9.1",
    "poetry==2.5.1",
    "pre-commit==4.7.0",
    "pre-commit-hooks==6.0.0",
    "uv==0.13.9",
)
BACKENDS = ("flit-core==4.2.0",)
"""What builds Python packages, as wheels, so that a test can build some without network."""
DEBIAN = ("git-crypt", "git-lfs", "stgit")
GO = ("golang-go",)
_PINS = hashlib.sha256("\n".join((*NPM, *PYPI, *BACKENDS, *DEBIAN, *GO)).encode()).hexdigest()[:12]
PLACE = ROOT / ".tools" / f"real-{_PINS}"
PACKAGES = PLACE / "npm" / "node_modules"
VENV = PLACE / "venv"
WHEELS = PLACE / "wheels"
BERRY = PLACE / "berry"
"""The folder to put on PATH for a newer yarn; the other ones have yarn 1."""
PROGRAMS = (
    PLACE / "bin",
    PACKAGES / ".bin",
    VENV / "bin",
    PLACE / "debian" / "usr" / "bin",
    PLACE / "go" / "usr" / "bin",
)
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
    unpack(GO, PLACE / "go", own_suite())
    (PLACE / "npm").mkdir()
    (PLACE / "npm" / "package.json").write_text('{"private": true}')
    npm_install(PLACE / "npm", *NPM)
    run([sys.executable, "-m", "venv", VENV])
    run([VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PYPI])
    run([VENV / "bin" / "python", "-m", "pip", "download", "--quiet", "--no-deps", "--dest", WHEELS, *BACKENDS])
    (PLACE / "bin").mkdir()
    (PLACE / "bin" / "node").symlink_to(NODE)
    for name in ("npm", "npx"):  # those beside `NODE` are copies, and look for their parts in the wrong place
        _write_program(PLACE / "bin" / name, NODE, NPM_PROGRAMS / f"{name}-cli.js")
    _write_program(PLACE / "bin" / "yarn", NODE, PACKAGES / "yarn" / "bin" / "yarn.js")
    BERRY.mkdir()
    _write_program(BERRY / "yarn", NODE, PACKAGES / "@yarnpkg" / "cli-dist" / "bin" / "yarn.js")
    libraries = PLACE / "debian" / "usr" / "lib" / "python3" / "dist-packages"
    _write_program(
        PLACE / "bin" / "stg",
        "env",
        f"PYTHONPATH={libraries}",
        "/usr/bin/python3",
        PLACE / "debian" / "usr" / "bin" / "stg",
    )
    READY.touch()


def _write_program(program: Path, *command: str | Path) -> None:
    """Make a program there, which starts `command` with its own arguments."""
    program.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, command))} "$@"\n')
    program.chmod(0o755)


if __name__ == "__main__":
    exit_with(main)
