"""Say what the landing worktree is, what is there, and whether what prepare has made there still stands. It only reads.

What prepare read is known by the files that were opened (inotify(7)); where that can't be seen, it is all of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sidecar.git.config import Config
from sidecar.git.inventory.ignored import is_cache
from sidecar.git.process import GitError
from sidecar.git.status import changed_paths
from sidecar.model.changes import ancestors
from sidecar.model.findings import Finding, finding
from sidecar.model.recipes import PROGRAMS, find_recipes, is_manifest, tools_in, version_lines
from sidecar.model.words import shown
from sidecar.operations.landing_repository.layout import LandingRepository
from sidecar.operations.landing_repository.place import Kept, Step, link_above
from sidecar.operations.merge.run import Work
from sidecar.operations.merge.verified_files import Checkouts, read_text
from sidecar.watch.openings import Openings

LAYS_OUT = ("filter.", "core.autocrlf", "core.eol", "core.symlinks", "core.attributesfile", "core.filemode")
"""How keys begin that change what git writes for the same blob."""

INSTALLED = ("node_modules", ".venv")
"""What package managers install into: ignored in the landing worktree, whatever the repository says of it."""


@dataclass(frozen=True, slots=True)
class LandingWorktree:
    """The landing worktree while an operation works in it: its git, and its tree as path -> blob id.

    `known` is what will be noted of it; `missing` are submodules whose commit is nowhere here.
    """

    where: LandingRepository
    tree: str
    files: Mapping[str, str]
    known: Kept
    others: Checkouts
    missing: tuple[str, ...] = ()

    @property
    def top(self) -> Path:
        """Give the directory of its files."""
        return self.where.top


def how_laid_out(config: Config, where: LandingRepository, files: Mapping[str, str]) -> str:
    """Digest all that decides, besides the blobs, what git writes into files (gitattributes(5), FILES)."""
    person = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    named = os.path.expanduser(config.get("core.attributesfile") or os.path.join(person, "git", "attributes"))
    texts = [read_text(path) for path in (str(where.common / "info/attributes"), named, "/etc/gitattributes")]
    pairs = [(key, value) for _, key, value in config.pairs if key.startswith(LAYS_OUT)]
    return digest(pairs, texts, sorted(pair for pair in files.items() if pair[0].endswith(".gitattributes")))


def digest(*said: object) -> str:
    """Give a digest of values that JSON can say."""
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def changed_files(where: LandingRepository) -> tuple[str, ...]:
    """List the tracked files that are not as in the commit."""
    try:
        return tuple(changed_paths(where.place))
    except GitError:
        return (".",)


def installed(there: LandingWorktree) -> dict[str, list[str]]:
    """List what is in all that prepare has made: verify may install more there, or build there, which others lack.

    Of packages and environments these are the names, because programs keep caches in them; of all else, every file.
    """
    found = {}
    for full in (there.top / path for step in there.known.steps for path in step.left):
        if full.name in INSTALLED or (full / "pyvenv.cfg").exists():
            for folder in (full, *full.glob("lib/*/site-packages")):
                if folder.is_dir():
                    found[str(folder)] = sorted(name for name in os.listdir(folder) if name[0] not in "._")
        else:
            found[str(full)] = sorted(_files(full))
    return found


def _files(place: Path) -> Iterator[str]:
    """List the files in a place, or itself, each with what tells that it was written; caches are left out."""
    places = [place]
    for folder, folders, names in os.walk(place):
        folders[:] = [name for name in folders if name != "__pycache__" and not is_cache(os.path.join(folder, name))]
        places += [Path(folder, name) for name in names]
    for one in places if not is_cache(str(place)) else ():
        with suppress(OSError):
            status = os.lstat(one)
            if not stat.S_ISDIR(status.st_mode):
                yield f"{one} {status.st_ino} {status.st_size} {status.st_mtime_ns}"


CHOOSES_CODE = ("PYTHONPATH", "NODE_PATH", "GOWORK", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
"""Variables that lead a program to code, or to an environment in which that is installed."""

BESIDE_THE_LOCK_FILE = {
    **dict.fromkeys(("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "CONDA_PREFIX"), ""),
    "POETRY_VIRTUALENVS_IN_PROJECT": "true",
    "POETRY_VIRTUALENVS_CREATE": "true",
}
"""What has a recipe install there, and never into an environment of the person's own."""


def variables(work: Work, top: str, others: Checkouts) -> dict[str, str]:
    """Give what the commands can build on, and have them find what is installed there before anything else."""
    found = {
        "SIDECAR_WORKTREE": work.worktree.key,
        "SIDECAR_CHECKOUT": work.checkout.key if work.checkout is not None else "",
        "SIDECAR_BRANCH": work.worktree.branch or "",
        "SIDECAR_TRUNK": work.trunk.branch,
    }
    for name in CHOOSES_CODE:
        parts = os.environ.get(name, "").split(os.pathsep)
        if any(others.holding(part) for part in parts):
            found[name] = os.pathsep.join(part for part in parts if not others.holding(part))
    environment = os.path.join(top, ".venv")
    programs = [os.path.join(environment, "bin"), os.path.join(top, "node_modules/.bin")]
    if os.path.isdir(programs[0]):
        found["VIRTUAL_ENV"] = environment
    path = [folder for folder in programs if os.path.isdir(folder)]
    return {**found, "PATH": os.pathsep.join((*path, os.environ.get("PATH", os.defpath)))}


@dataclass(frozen=True, slots=True)
class Command:
    """A command line of prepare, in a directory relative to the top, with more variables than every command has.

    `stays` are the names of what it brings up to date by itself; whatever else it made goes before it runs again.
    `versions` is what its tools say of themselves.
    """

    line: str
    folder: str = ""
    stays: tuple[str, ...] = ()
    more: Mapping[str, str] = field(default_factory=dict)
    versions: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Give what tells it from every other, and from itself with other tools."""
        return digest(self.folder, self.line, self.versions)


def find_commands(work: Work, there: LandingWorktree) -> tuple[tuple[Command, ...], tuple[str, ...], list[Finding]]:
    """Find what prepare consists of: the person's own command, else the recipes of the lock files that are there.

    Gives the commands, the command lines that say which versions of their tools are there, and what was found missing.
    """
    own, usable, found = work.prepare.strip(), [], []
    path = variables(work, there.where.worktree.key, there.others)["PATH"]
    for recipe in find_recipes(there.files, lambda name: read_text(str(there.top / name))):
        program = PROGRAMS.get(recipe.tool, recipe.tool)
        if shutil.which(program, path=path) is not None:
            usable.append(recipe)
        elif not own:
            lock = f"{recipe.folder}/{recipe.lock}" if recipe.folder else recipe.lock
            said = f"{program} is not on PATH, so nothing was installed for {shown(lock)} before verify."
            found.append(finding("not-prepared", said, (lock,)))
    versions = version_lines({*(recipe.tool for recipe in usable), *tools_in(own)})
    if own:
        return (Command(own),), versions, found
    commands = (
        Command(recipe.command, recipe.folder, INSTALLED if recipe.updates else (), BESIDE_THE_LOCK_FILE)
        for recipe in usable
    )
    return tuple(commands), versions, found


def what_was_read(there: LandingWorktree, found: Openings) -> dict[str, str]:
    """Say what a command read, whose openings are known or not."""
    if not found.complete:
        return _facts(there, {"/"})
    opened = {os.path.relpath(path, there.top) for path in found.opened}
    return _facts(there, opened | {f"{os.path.relpath(path, there.top)}/" for path in found.listed})


def folders_of(there: LandingWorktree) -> list[str]:
    """List the directories that have tracked files, wherever below them."""
    folders = {above for path in there.files for above in ancestors(path)}
    return [str(there.top), *(os.path.join(there.top, folder) for folder in sorted(folders))]


def stands(there: LandingWorktree, step: Step) -> bool:
    """Tell whether all that a step read is as it was, and all that it left is still there."""
    if not step.read or not all(os.path.lexists(there.top / path) for path in step.left):
        return False
    if any(link_above(there.top, path) is not None for path in step.left):
        return False
    return _facts(there, {path for path in step.read if not is_manifest(path)}) == step.read


def _facts(there: LandingWorktree, read: Collection[str]) -> dict[str, str]:
    """Say what the tree has now of what was read, and of all manifests: who sought one and found none read it too."""
    facts = {path: oid for path, oid in there.files.items() if path in read or is_manifest(path)}
    if "/" in read:
        facts["/"] = there.tree
    names: dict[str, set[str]] = {folder: set() for folder in read if folder.endswith("/") and folder != "/"}
    if names:
        for path in there.files:
            for part in (path, *ancestors(path)):
                above, _, name = part.rpartition("/")
                if (inside := names.get(f"{above or '.'}/")) is not None:
                    inside.add(name)
    return facts | {folder: digest(sorted(inside)) for folder, inside in names.items()}
