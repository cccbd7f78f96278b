"""Debian packages brought into a folder, by an apt of its own state; the system stays as it is."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from scripts.steps import StepError, run

UNSTABLE = "unstable"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def unpack(packages: Sequence[str], into: Path, suite: str | None = None) -> None:
    """Unpack packages of this machine's own suite as they are, or of another `suite` with all that they depend on.

    They come from where this machine, a Debian, gets its own; StepError where that can't be had.
    """
    own, repository = _own_repository()
    apt = into / "apt"
    archives = apt / "cache" / "archives"
    for folder in (apt / "lists" / "partial", archives / "partial"):
        folder.mkdir(parents=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(f"deb [signed-by={_KEYRING}] {repository} {suite or own} main\n")
    settings = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "true",
    }
    (apt / "apt.conf").write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()))
    environment = {**os.environ, "APT_CONFIG": str(apt / "apt.conf")}
    run(["apt-get", "update", "--error-on=any"], env=environment)
    if suite is None:
        run(["apt-get", "download", *packages], cwd=archives, env=environment)
    else:
        run(["apt-get", "install", "--yes", "--download-only", *packages], env=environment)
    for archive in sorted(archives.glob("*.deb")):
        run(["dpkg-deb", "--extract", archive, into])
    shutil.rmtree(apt)


def own_suite() -> str:
    """The suite that this machine runs; StepError where it is no Debian."""
    return _own_repository()[0]


def _own_repository() -> tuple[str, str]:
    """The suite that this machine runs, and the URI that it gets it from."""
    release = Path("/etc/os-release")
    lines = release.read_text().splitlines() if release.exists() else []
    facts = dict(line.split("=", 1) for line in lines if "=" in line)
    if facts.get("ID") != "debian" or "VERSION_CODENAME" not in facts or not _KEYRING.exists():
        raise StepError("This machine runs no release of Debian.")
    suite = facts["VERSION_CODENAME"]
    found = run(["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"])
    wanted = f"{suite} main "
    uris = [line.removeprefix(wanted) for line in found.splitlines() if line.startswith(wanted)]
    if not uris:
        raise StepError(f"This machine's apt knows no repository of {suite}.")
    return suite, uris[0]
