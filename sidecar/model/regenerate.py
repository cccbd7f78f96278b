"""Know the files that tools make: lock files, snapshots, generated code, and the commands that make them anew.

Git's merge of two versions of such a file may be clean and wrong. What is known comes from the names below, from git's
attribute `linguist-generated`, and from the person's own `sidecar.generated`, which may name a command.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, TypeAlias

from sidecar.model.changes import ancestors

Kind: TypeAlias = Literal["lock file", "snapshot", "generated"]

GENERATED = "linguist-generated"
"""The attribute by which a repository says that a file is generated (gitattributes(5))."""

ARROW = "->"
"""What stands between the pattern and the command of `sidecar.generated`."""

LOCK_FILES: Mapping[str, str] = MappingProxyType({
    "package-lock.json": "npm install --package-lock-only", "npm-shrinkwrap.json": "npm install --package-lock-only",
    "yarn.lock": "yarn install", "pnpm-lock.yaml": "pnpm install --lockfile-only",
    "bun.lock": "bun install --lockfile-only", "bun.lockb": "bun install --lockfile-only",
    "deno.lock": "deno install", "Cargo.lock": "cargo update --workspace", "poetry.lock": "poetry lock",
    "uv.lock": "uv lock", "pdm.lock": "pdm lock --update-reuse", "Pipfile.lock": "pipenv lock",
    "pixi.lock": "pixi lock", "Gemfile.lock": "bundle lock",
    "composer.lock": "composer update --no-install --minimal-changes", "go.sum": "go mod tidy",
    "flake.lock": "nix flake lock", "Podfile.lock": "pod install", "pubspec.lock": "dart pub get",
    "mix.lock": "mix deps.get", "Package.resolved": "swift package resolve",
    "packages.lock.json": "dotnet restore --force-evaluate", "gradle.lockfile": "gradle dependencies --write-locks",
    "MODULE.bazel.lock": "bazel mod deps", "Chart.lock": "helm dependency update",
})  # fmt: skip
"""The last part of a path -> the command that makes the file anew from what stands beside it, in its directory.

They keep what is locked already and change nothing but the lock file, as far as the tool can.
"""

SNAPSHOTS = (".snap", ".ambr")
"""How the names of files end in which tests keep what they expect."""

CODE = (
    *(".min.js", ".min.css", ".js.map", ".css.map", "_pb2.py", "_pb2.pyi", "_pb2_grpc.py", ".pb.go", ".pb.cc", ".pb.h"),
    *(".g.dart", ".freezed.dart", ".designer.cs", ".Designer.cs", ".g.cs"),
)
"""How the names of code end that tools write."""


@dataclass(frozen=True, slots=True)
class Regeneration:
    """How a file is made anew: what it is, and by which command, None where that is not known.

    `pattern` is what it is known by. A command that is known by the file's name runs `beside` the file, a person's own
    at the top of the worktree.
    """

    kind: Kind
    pattern: str
    command: str | None = None
    beside: bool = False

    def folder(self, path: str) -> str:
        """Give the directory, relative to the worktree, in which the command runs for a file of it."""
        return path.rpartition("/")[0] if self.beside else ""


@dataclass(frozen=True, slots=True)
class Remake:
    """A command that makes files anew which a merge conflicts in: in this directory, these files, known as these."""

    command: str
    folder: str
    paths: tuple[str, ...]
    known: tuple[Regeneration, ...]

    def may_write(self, path: str) -> bool:
        """Tell whether a file is one that the command is there to make, also one without a conflict."""
        return any(
            path == "/".join(filter(None, (self.folder, one.pattern)))
            if one.beside
            else is_file_named(path, one.pattern)
            for one in self.known
        )


def remakes_of(known: Mapping[str, Regeneration]) -> tuple[Remake, ...]:
    """Give the commands that make these files anew, those of lock files first; none where one has no command."""
    if any(one.command is None for one in known.values()):
        return ()
    gathered: dict[tuple[bool, str, str], list[str]] = {}
    for path, one in sorted(known.items()):
        gathered.setdefault((one.kind != "lock file", one.folder(path), one.command or ""), []).append(path)
    return tuple(
        Remake(command, folder, tuple(paths), tuple(dict.fromkeys(known[path] for path in paths)))
        for (_, folder, command), paths in sorted(gathered.items())
    )


Rule: TypeAlias = tuple[str, str | None]
"""A pattern of `sidecar.generated`, and its command."""


@lru_cache(maxsize=64)
def read_rules(values: tuple[str, ...]) -> tuple[Rule, ...]:
    """Read the values of `sidecar.generated`, `PATTERN -> COMMAND` or `PATTERN`; what has no pattern is passed over."""
    rows = (value.partition(f" {ARROW} ") for value in values)
    return tuple(
        (pattern.strip(), command.strip() or None) for pattern, _, command in rows if pattern.strip("*?/.[]! ")
    )


def without_command(value: str) -> str:
    """Give a value of `sidecar.generated` with its pattern alone."""
    return value.partition(f" {ARROW} ")[0]


def regeneration_of(path: str, rules: Sequence[Rule] = (), attribute: str = "unspecified") -> Regeneration | None:
    """Tell how a file is made anew, None for one that people write; `attribute` is what git says of `GENERATED`.

    The last rule that names it wins, then its name, then the attribute; one that is unset takes back what a name says
    of code.
    """
    known = _by_name(path)
    for pattern, command in reversed(rules):
        if is_file_named(path, pattern):
            if known is None:
                return Regeneration("generated", pattern, command)
            return Regeneration(known.kind, pattern, command) if command is not None else known
    if known is not None and (known.kind != "generated" or attribute not in ("unset", "false")):
        return known
    return Regeneration("generated", path) if attribute in ("set", "true") else None


def _by_name(path: str) -> Regeneration | None:
    name = path.rpartition("/")[2]
    if (command := LOCK_FILES.get(name)) is not None:
        return Regeneration("lock file", name, command, beside=True)
    if name.endswith(SNAPSHOTS):
        return Regeneration("snapshot", name)
    return Regeneration("generated", name) if name.endswith(CODE) else None


def is_named(path: str, pattern: str, *, directory: bool) -> bool:
    """Tell whether a pattern of a setting (`disposable`, `generated`) names this path, relative to its worktree.

    A pattern without a slash is held against the last part, one with a slash against the whole path; a slash at its
    end means directories only. Wildcards are those of fnmatch(3).
    """
    if pattern.endswith("/") and not directory:
        return False
    held = path if "/" in pattern.rstrip("/") else path.rpartition("/")[2]
    return fnmatch.fnmatchcase(held, pattern.strip("/"))


def is_file_named(path: str, pattern: str) -> bool:
    """Tell whether a pattern names a file, or a directory that it lies in."""
    return is_named(path, pattern, directory=False) or any(
        is_named(above, pattern, directory=True) for above in ancestors(path)
    )
