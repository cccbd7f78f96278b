"""Ask git about checked-out repositories: the worktree itself, submodules in it, and others that lie inside.

Each is asked from a place where its own filters, grafts, replacements and remotes take no part, because it may say
anything.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar.git.attributes import CONVERTING, set_attributes
from sidecar.git.blobs import path_line, read_contents, same_pieces, seen_pieces, sha256_of
from sidecar.git.config import REPOSITORY_SCOPES, Config, read_config, silenced_programs, without_filters
from sidecar.git.conversions import Pointer, is_stored
from sidecar.git.inventory.walk import Item, Scope, look, measure
from sidecar.git.objects import id_of
from sidecar.git.process import GitError, Place, run
from sidecar.git.refs import existing_commits, ids_in
from sidecar.git.repository import Repository
from sidecar.model.changes import SUBMODULE, Entry, ancestors
from sidecar.model.inventory import MOST_COMMITS, Nested
from sidecar.model.picture import Worktree
from sidecar.system.worktree_links import git_directory


@dataclass(frozen=True, slots=True)
class Tracked:
    """One path of the index; `flagged` when assume-unchanged or skip-worktree hides it from git status."""

    entry: Entry
    flagged: bool
    skipped: bool


@dataclass(frozen=True, slots=True)
class Index:
    """The index: entries of stage 0, paths with other stages, and every directory that any of them is in."""

    entries: Mapping[str, Tracked]
    conflicted: frozenset[str]
    directories: frozenset[str]

    def is_submodule(self, path: str) -> bool:
        """Tell whether the path is a submodule's."""
        tracked = self.entries.get(path)
        return tracked is not None and tracked.entry.mode == SUBMODULE


def read_index(place: Place) -> Index:
    """Read the index of the place's worktree (git-ls-files(1)), sparse directories expanded; GitError if broken."""
    entries: dict[str, Tracked] = {}
    conflicted: set[str] = set()
    directories: set[str] = set()
    for record in run(place, "ls-files", "-z", "-v", "--stage", "--full-name").split(b"\0"):
        if not record:
            continue
        facts, _, name = record.partition(b"\t")
        tag, mode, oid, stage = facts.split(b" ")
        path = os.fsdecode(name)
        if stage == b"0":
            skipped = tag in b"Ss"
            entry = Entry(int(mode, 8), oid.decode("ascii"))
            entries[path] = Tracked(entry, skipped or tag.islower(), skipped)
        else:
            conflicted.add(path)
        for directory in ancestors(path):
            if directory in directories:
                break
            directories.add(directory)
    return Index(entries, frozenset(conflicted), frozenset(directories))


def staged_paths(place: Place, index: Index, head: str | None) -> set[str]:
    """Give the paths that the index has otherwise than the commit (None: none yet), intent-to-add included."""
    if head is None:
        return {*index.entries}
    how = ("--cached", "--no-renames", "--ignore-submodules=none", "--name-only", "-z", head)
    return {os.fsdecode(path) for path in run(place, "diff-index", *how).split(b"\0") if path} - index.conflicted


PLAIN = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": os.devnull}
"""History as it is stored: neither refs/replace nor grafts, nor a commit graph, may make a commit look reachable."""

BARE = {"HEAD": False, "objects": True, "refs": True}
"""What makes a directory a git directory (gitrepository-layout(5)): names, and whether they are directories."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checked-out repository: the worktree itself, or a submodule in it.

    `root` is absolute; `prefix` is where it lies in the worktree, '' or with a slash at its end. `place` runs no
    filter; `filtering` runs the person's own filters, and where trusted the repository's; `silent` runs none at all.
    """

    root: str
    prefix: str
    common_dir: str
    object_format: str
    config: Config
    trusted: bool
    place: Place
    filtering: Place
    silent: Place

    def own(self, path: str) -> str:
        """Give a path of the worktree as this repository names it."""
        return path[len(self.prefix) :]


def open_checkout(repository: Repository, worktree: Worktree) -> Checkout:
    """Open a linked worktree for questions to git; GitError when its configuration can't be read."""
    place = repository.inside(worktree).plus(**PLAIN)
    return _checkout(place, worktree.key, "", repository.common_dir, repository.object_format, repository.trusted)


def open_nested(root: str, prefix: str, git_dir: str, *, trusted: bool) -> Checkout:
    """Open a repository whose git directory is known and no link; GitError when it is none."""
    place = Place(root, {"GIT_DIR": git_dir, "GIT_WORK_TREE": root}).plus(**PLAIN)
    object_format = run(place, "rev-parse", "--show-object-format").decode("ascii").strip()
    return _checkout(place, root, prefix, git_dir, object_format, trusted)


def _checkout(place: Place, root: str, prefix: str, common_dir: str, object_format: str, trusted: bool) -> Checkout:
    config = read_config(place)
    promised = dict.fromkeys(key for _, key, _ in config.pairs if key.endswith(".promisor"))
    place = place.set([("core.commitGraph", "false"), *((key, "false") for key in promised)])  # nothing is fetched
    filtering, silent = place.set(silenced_programs(config, trusted)), place.set(without_filters(config))
    return Checkout(root, prefix, common_dir, object_format, config, trusted, place, filtering, silent)


def unasked_filters(checkout: Checkout) -> frozenset[str]:
    """Give the filters that only an untrusted repository defines, so that nobody can say what they would do."""
    if checkout.trusted:
        return frozenset()
    filters = [
        (scope, key.removeprefix("filter.").rpartition(".")[0])
        for scope, key, _ in checkout.config.pairs
        if key.startswith("filter.")
    ]
    own, person = ({name for scope, name in filters if (scope in REPOSITORY_SCOPES) is its} for its in (True, False))
    return frozenset(own - person)


MOST_CONVERTED = 256 << 20
"""Bytes of the largest file that git is asked to convert, which it does in memory; a larger one counts as changed."""


@dataclass(frozen=True, slots=True)
class Differing:
    """A regular file with other bytes than its blob; `path` is as its repository names it."""

    path: str
    oid: str
    status: os.stat_result


def settle_differing(
    checkout: Checkout, differing: Sequence[Differing], check: Callable[[], None]
) -> tuple[frozenset[str], frozenset[str]]:
    """Give (paths that lose nothing, paths where a filter may hide a loss); what is in neither has changed.

    Line ends, `ident` and encodings (gitattributes(5)) lose nothing. A filter is believed only if its smudge gives back
    the very bytes that are on the disk. `check` is called often, and may raise. OSError when a file has changed.
    """
    if not differing:
        return frozenset(), frozenset()
    attributes = set_attributes(checkout.place, [found.path for found in differing], *CONVERTING)
    by_default = checkout.config.flag("core.autocrlf", default=False) is not False
    converted = [found for found in differing if by_default or attributes.get(found.path)]
    said = _hash(checkout.silent, [found.path for found in converted if found.status.st_size <= MOST_CONVERTED])
    same = {found.path for found in converted if said.get(found.path) == found.oid}
    filtered = [found for found in converted if found.path not in same and "filter" in attributes.get(found.path, {})]
    hidden: set[str] = set()
    unasked = unasked_filters(checkout)
    for found in filtered:
        check()
        if attributes[found.path]["filter"] == "lfs":
            sha256 = sha256_of(os.path.join(checkout.root, found.path), found.status, check)
            pointer = Pointer(sha256, found.status.st_size)
            if id_of(checkout.object_format, pointer.text) == found.oid:
                (same if is_stored(checkout.common_dir, checkout.config, pointer) else hidden).add(found.path)
        elif attributes[found.path]["filter"] in unasked or found.status.st_size > MOST_CONVERTED:
            hidden.add(found.path)
        elif _hash(checkout.filtering, [found.path]).get(found.path) == found.oid:
            (same if _comes_back(checkout, found, check) else hidden).add(found.path)
    return frozenset(same), frozenset(hidden)


def _hash(place: Place, paths: Sequence[str]) -> dict[str, str]:
    """Ask under which ids git would store these files, without storing them; a bad one is left out."""
    if not paths:
        return {}
    try:
        said = run(place, "hash-object", "--stdin-paths", stdin=b"".join(path_line(path) for path in paths))
        return dict(zip(paths, said.decode("ascii").split(), strict=True))
    except GitError:
        if len(paths) == 1:
            return {}
        middle = len(paths) // 2
        return _hash(place, paths[:middle]) | _hash(place, paths[middle:])


def _comes_back(checkout: Checkout, found: Differing, check: Callable[[], None]) -> bool:
    """Tell whether a checkout of the blob would write the very bytes that are there."""
    asked = f"{found.oid} ".encode("ascii") + os.fsencode(found.path)
    try:
        contents = read_contents(checkout.filtering, [asked], "--filters", "-z")
        _, pieces = next(contents)
        return same_pieces(pieces, seen_pieces(os.path.join(checkout.root, found.path), found.status, check))
    except GitError:
        return False


def is_repository(items: Sequence[Item]) -> bool:
    """Tell whether these items are a repository's own: anything called `.git` counts, as for git."""
    return ".git" in _names(items) or is_bare(items)


def is_bare(items: Sequence[Item]) -> bool:
    """Tell whether a directory with these items is a git directory itself."""
    if not BARE.keys() <= _names(items):
        return False
    return all(item.is_directory == BARE.get(item.name, item.is_directory) for item in items)


def _names(items: Sequence[Item]) -> set[str]:
    cut = items[0].path.rfind("/") + 1 if items else 0
    return {item.path[cut:] for item in items}


def note_repository(scope: Scope, directory: Item, items: Sequence[Item]) -> None:
    """Note it, as a worktree where its `.git` leads to an administrative directory."""
    linked = any(item.name == ".git" and not item.is_directory for item in items)
    pointed = git_directory(Path(scope.full(directory.path))) if linked else None
    is_worktree = pointed is not None and (pointed / "commondir").is_file()
    scope.nested.append(Nested(directory.path, "worktree" if is_worktree else "repository"))


def has_own_work(scope: Scope, directory: Item, items: Sequence[Item]) -> bool:
    """Tell whether a repository in build output has edits or commits of its own; in doubt it has."""
    dot = next((item for item in items if item.name == ".git"), None)
    if dot is not None and not dot.is_directory:
        return True
    git_dir = scope.full(directory.path if dot is None else dot.path)
    edited = ("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty")
    try:
        checkout = open_nested(scope.full(directory.path), "", git_dir, trusted=False)
        if commits_of_its_own(checkout, git_dir):
            return True
        return dot is not None and (bool(run(checkout.silent, *edited)) or _hides_edits(checkout))
    except (GitError, OSError, ValueError):
        return True


def _hides_edits(checkout: Checkout) -> bool:
    """Tell whether git was told not to look at a file (assume-unchanged, skip-worktree; git-ls-files(1), `-v`)."""
    rows = run(checkout.silent, "ls-files", "-v", "-z").split(b"\0")
    return any(row[:1].islower() or row[:1] == b"S" for row in rows)


def commits_of_its_own(checkout: Checkout, git_dir: str, other: str | None = None) -> tuple[str, ...]:
    """Give the commits of a nested repository that neither its remotes nor the refs of `other` (if any) reach.

    What a shallow clone was cut at came from somewhere too. GitError when the repository can't be read.
    """
    fetched = set(ids_in(os.path.join(git_dir, "shallow")))
    if other is not None:
        place = Place(other, {"GIT_DIR": other}).plus(**PLAIN)
        fetched |= set(run(place, "for-each-ref", "--format=%(objectname)").decode("ascii").split())
        fetched |= set(run(place, "rev-parse", "-q", "--verify", "HEAD", accept=(0, 1)).decode("ascii").split())
    without = "".join(f"^{commit}\n" for commit in existing_commits(checkout.place, fetched))
    how = ("rev-list", f"--max-count={MOST_COMMITS}", "--all", "--reflog", "--stdin", "--not", "--remotes")
    return tuple(run(checkout.place, *how, stdin=without.encode("ascii")).decode("ascii").split())


def open_submodule(scope: Scope, item: Item, *, trusted: bool) -> Checkout | None:
    """Open the submodule in a directory; None, with a note of what is there, when none is checked out.

    A git directory of its own counts for its commits here; one in the administrative directory is counted there.
    """
    items = look(scope, item) or []
    if not items:
        return None
    dot = next((one for one in items if one.name == ".git"), None)
    if dot is None:
        scope.note("submodule_changes", *(one.path for one in items))
        measure(scope, item, kept=True)
        return None
    git_dir = str(git_directory(Path(scope.full(item.path))))
    if not dot.is_directory and not any(git_dir.startswith(folder + "/") for folder in scope.modules):
        note_repository(scope, item, items)
        measure(scope, item, kept=True)
        return None
    if not dot.is_directory:
        scope.checked_out[item.path] = os.path.relpath(git_dir, scope.common_dir)
    try:
        checkout = open_nested(scope.full(item.path), item.path + "/", git_dir, trusted=trusted)
        if dot.is_directory and (own := commits_of_its_own(checkout, git_dir)):
            scope.submodule_commits.append((item.path, len(own)))
    except (GitError, OSError):
        scope.note("unreadable", item.path)
        measure(scope, item, kept=True)
        return None
    return checkout


def own_modules(scope: Scope, administrative: str) -> None:
    """Note every submodule of which this worktree's own git directories hold commits that nobody else has."""
    modules = os.path.join(administrative, "modules")
    checked_out = {os.path.join(scope.common_dir, git_dir): path for path, git_dir in scope.checked_out.items()}
    for here, names, files in os.walk(modules):
        if not ("HEAD" in files and {"objects", "refs"} <= set(names)):
            continue
        names[:] = [name for name in names if name == "modules"]
        named = os.path.relpath(here, modules)
        shared = os.path.join(scope.common_dir, "modules", named)
        where = checked_out.get(here, named)
        try:
            checkout = open_nested(here, "", here, trusted=False)
            own = commits_of_its_own(checkout, here, shared if os.path.isdir(shared) else None)
        except (GitError, OSError):
            scope.note("unreadable", where)
            continue
        if own:
            scope.submodule_commits.append((where, len(own)))
