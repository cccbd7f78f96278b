"""Read what a landing repository is the twin of: trunk's checkout as git sees it there, with its hooks and its refs.

Its refs are a private copy; what hooks changed in them goes over when the merge lands.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from sidecar.git.config import REPOSITORY_SCOPES, Config, read_config
from sidecar.git.process import GitError, Place, run
from sidecar.git.repository import Repository
from sidecar.model.changes import is_object_id
from sidecar.model.findings import Finding, finding
from sidecar.model.picture import Worktree
from sidecar.model.words import shown
from sidecar.operations.kept_refs import set_ref

WHEN_LANDED = frozenset(
    {"post-merge", "post-commit", "post-checkout", "post-rewrite", "post-index-change", "reference-transaction"}
)
"""Hooks that act on what has happened: they run at the landing, never where a merge is made (githooks(5))."""

ELSEWHERE = frozenset(
    {"pre-push", "pre-receive", "update", "post-receive", "post-update", "push-to-checkout", "proc-receive"}
)
"""Hooks that no merge runs (githooks(5))."""

ANY = ("pre-merge-commit",)
"""What stands for hooks that can't be looked at now."""


@dataclass(frozen=True, slots=True)
class Original:
    """What a landing repository is the twin of: trunk's checkout, or the bare repository where there is none.

    `config` is what git reads there; `hooks` the folder in which it looks for hooks, None for nowhere; it is relative
    only where there is no checkout that it could lead from.
    """

    repository: Repository
    checkout: Worktree | None
    config: Config
    hooks: str | None

    @property
    def common_dir(self) -> str:
        """Give the common directory of the repository."""
        return self.repository.common_dir

    @property
    def git_dir(self) -> str:
        """Give the git directory of trunk's checkout; the common one where trunk is checked out nowhere."""
        return self.checkout.git_dir if self.checkout is not None else self.common_dir

    @property
    def is_linked(self) -> bool:
        """Tell whether trunk's checkout is a linked worktree."""
        return os.path.realpath(self.git_dir) != os.path.realpath(self.common_dir)

    @property
    def has_directory(self) -> bool:
        """Tell whether `.git` is the git directory, or a link to it: only then git exports no GIT_DIR to hooks."""
        return self.checkout is None or os.path.isdir(os.path.join(self.checkout.key, ".git"))

    @property
    def place(self) -> Place:
        """Give the place where git answers as it would there; everything is named."""
        return place_of(self.repository, self.checkout)

    @property
    def runs_programs(self) -> bool:
        """Tell whether a hook, a driver or a filter of the repository's own takes part in making a merge."""
        for scope, key, value in self.config.pairs:
            if key.startswith("merge.") and key.endswith(".driver"):
                return True
            if scope in REPOSITORY_SCOPES and key.startswith("filter."):
                return True
            if key.startswith("hook.") and key.endswith(".event") and value and value not in WHEN_LANDED | ELSEWHERE:
                return True
        return any(name not in WHEN_LANDED | ELSEWHERE for name in self.hook_names())

    def hook_names(self) -> tuple[str, ...]:
        """List the hooks that can be run from the folder, sorted; one that can't be looked into may have any."""
        if self.hooks is None:
            return ()
        if not os.path.isabs(self.hooks):
            return ANY  # in the tree
        try:
            names = sorted(os.listdir(self.hooks))
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError:
            return ANY
        return tuple(name for name in names if not name.endswith(".sample") and is_hook(os.path.join(self.hooks, name)))

    def runs(self, hook: str) -> bool:
        """Tell whether there is a hook of this name, as a file or by the configuration (git-hook(1))."""
        events = (value for _, key, value in self.config.pairs if key.startswith("hook.") and key.endswith(".event"))
        return hook in self.hook_names() or hook in events


def place_of(repository: Repository, checkout: Worktree | None) -> Place:
    """Give the place where git answers as it would in trunk's checkout, or in the repository without one."""
    if checkout is None:
        return repository.place
    place, named = repository.inside(checkout), os.path.join(checkout.key, ".git")
    return place.plus(GIT_DIR=named) if checkout.main and os.path.isdir(named) else place


def read_original(repository: Repository, checkout: Worktree | None, config: Config | None = None) -> Original:
    """Read trunk's checkout as it is now, or with the configuration that was read there; GitError."""
    config = config or read_config(place_of(repository, checkout))
    return Original(repository, checkout, config, _hooks_folder(repository, checkout, config))


def _hooks_folder(repository: Repository, checkout: Worktree | None, config: Config) -> str | None:
    """Find where git looks for hooks there: a relative core.hooksPath leads from where they run (git-config(1))."""
    named = config.get("core.hookspath")
    if named is None:
        return os.path.join(repository.common_dir, "hooks")
    if not named:
        return None
    named = os.path.expanduser(named)
    return named if os.path.isabs(named) or checkout is None else os.path.join(checkout.key, named)


def is_hook(path: str) -> bool:
    """Tell whether git would run this file as a hook."""
    return os.path.isfile(path) and os.access(path, os.X_OK)


OF_ONE_WORKTREE = ("refs/worktree/", "refs/bisect/", "refs/rewritten/")
OURS = "refs/sidecar/"
FORMAT = "--format=%(objectname) %(refname) %(symref)"


def _is_moved(moved: tuple[str, str, str]) -> bool:
    """Tell whether it is a ref that an operation may move, with an object id, or '', before and after."""
    name, *ids = moved
    ours = not name.startswith("refs/") or name.startswith((OURS, *OF_ONE_WORKTREE)) or "\0" in name
    return not ours and all(not oid or is_object_id(oid) for oid in ids)


Moved = Annotated[tuple[str, str, str], _is_moved]
"""A ref, what it held and what it holds: object ids, '' for nothing."""


def packed_refs(refs: Mapping[str, str]) -> bytes:
    """Write the packed-refs file of these refs (gitrepository-layout(5))."""
    lines = "".join(f"{oid} {name}\n" for name, oid in sorted(refs.items(), key=lambda one: os.fsencode(one[0])))
    return os.fsencode(f"# pack-refs with: sorted \n{lines}")


def _loose(common: Path) -> set[str]:
    """List the refs that are in files of their own, without symbolic ones."""
    files = [path for path in (common / "refs").rglob("*") if path.is_file()]
    return {str(path.relative_to(common)) for path in files if not path.read_bytes().startswith(b"ref:")}


def read_refs(place: Place) -> tuple[dict[str, str], dict[str, str]]:
    """Give (full name -> id, full name -> what a symbolic ref names); ours and a worktree's own are left out."""
    refs, symbolic = {}, {}
    for line in os.fsdecode(run(place, "for-each-ref", FORMAT)).split("\n"):
        oid, _, rest = line.partition(" ")
        name, _, target = rest.partition(" ")
        if name and not name.startswith((OURS, *OF_ONE_WORKTREE)):
            refs[name] = oid
            if target:
                symbolic[name] = target
    return refs, symbolic


def moved_refs(place: Place, common: Path, before: Mapping[str, str], but: Collection[str]) -> tuple[Moved, ...]:
    """List what hooks, or git itself (notes.rewriteRef), have made, moved or deleted of a landing repository's refs.

    Git is not asked where nothing but these has a file of its own, and the packed ones stand as they were written.
    """
    if (common / "packed-refs").read_bytes() == packed_refs(before) and not _loose(common) - set(but):
        return ()
    refs, symbolic = read_refs(place)
    now = {name: oid for name, oid in refs.items() if name not in symbolic}
    names = sorted((now.keys() | before.keys()) - set(but) - symbolic.keys())
    return tuple((name, before.get(name, ""), now.get(name, "")) for name in names if before.get(name) != now.get(name))


def carry_refs(repository: Repository, moved: tuple[Moved, ...], reason: str) -> list[Finding]:
    """Do in the repository what was done to the copy, ref by ref and only where it is as it was; the rest is told."""
    found = []
    for name, old, new in moved:
        try:
            set_ref(repository, name, new, old, reason)
        except GitError as error:
            said = (
                f"The merge's hooks set {shown(name)} to {new[:10] or 'nothing'}, which can't be done: {error.message}"
            )
            found.append(finding("ref-left", said))
    return found
