"""Lend a landing repository what git ignores in trunk's checkout, and its submodules, and bring back what hooks made.

Hooks of a merge need installed tools, virtual environments and caches, so these are linked. What tools put into the git
directory (an LFS store) is carried over when the merge lands. A submodule is made from the copies that a checkout has,
without network or hooks of its own, in a git directory that borrows their objects, because nothing may be written into
a checkout's own submodule.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from sidecar.git.config import read_config
from sidecar.git.ignore import list_ignored
from sidecar.git.process import GitError, Place, run
from sidecar.git.refs import has_commit
from sidecar.git.user_git import CommandResult
from sidecar.model.changes import SUBMODULE, Change, ancestors
from sidecar.model.decode import is_name
from sidecar.model.findings import Finding, finding
from sidecar.model.words import named
from sidecar.operations.landing_repository.layout import (
    LandingRepository,
    copy_refs,
    is_own,
    share,
    submodule_config,
)
from sidecar.operations.landing_repository.original import Original
from sidecar.operations.landing_repository.place import (
    landing_repository_git_dir,
    landing_repository_path,
    remove_tree,
)


@dataclass(frozen=True, slots=True)
class Lent:
    """The links, by path and target, and the directories that were made for them."""

    links: tuple[tuple[Path, str], ...]
    folders: tuple[Path, ...]


NOTHING_LENT = Lent((), ())


def lend_ignored(original: Original, landing_repository: LandingRepository, written: Iterable[str]) -> Lent:
    """Link every ignored entry of trunk's checkout into the landing repository, hidden from its git; GitError, OSError.

    `written` are the paths that the merge writes: a directory that has some is not linked, but what is in it is.
    """
    checkout = original.checkout
    if checkout is None:
        return NOTHING_LENT
    ignored = list_ignored(original.place)
    above = {one for path in written for one in (path, *ancestors(path))}
    links: list[tuple[Path, str]] = []
    folders: list[Path] = []
    for path in _entries(checkout.key, ignored, above):
        target, place = os.path.join(checkout.key, path), landing_repository.top / path
        if "\n" in path or os.path.lexists(place) or f"{landing_repository.top}/".startswith(f"{target}/"):
            continue
        made = [parent for parent in place.parents if not os.path.lexists(parent)]
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(target)
        except (FileExistsError, NotADirectoryError):
            continue  # trunk has a file above it
        folders += made
        links.append((place, target))
    names = (str(place.relative_to(landing_repository.top)) for place, _ in links)
    patterns = "".join("/" + re.sub(r"([\\*?\[\] ])", r"\\\1", name) + "\n" for name in names)  # gitignore(5)
    with open(landing_repository.common / "info" / "exclude", "ab") as exclude:
        exclude.write(os.fsencode(f"\n{patterns}"))
    return Lent(tuple(links), tuple(folders))


def take_back(lent: Lent) -> None:
    """Remove the links again; what a hook has put in their place stays."""
    for place, target in lent.links:
        with contextlib.suppress(OSError):
            if os.readlink(place) == target:
                place.unlink()
    for folder in sorted(lent.folders, key=lambda one: len(one.parts), reverse=True):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _entries(top: str, paths: Iterable[str], above: set[str]) -> Iterator[str]:
    for path in paths:
        if not path or path == ".":
            continue
        if path not in above:
            yield path
        elif os.path.isdir(os.path.join(top, path)) and not os.path.islink(os.path.join(top, path)):
            yield from _entries(top, (f"{path}/{name}" for name in os.listdir(os.path.join(top, path))), above)


ExtraName = Annotated[str, lambda name: is_name(name) and not is_own(name)]
"""The name of something in a git directory that is not git's."""


def made_extras(landing_repository: LandingRepository) -> tuple[str, ...]:
    """List the names in its git directories that are neither git's nor links to what is shared, sorted."""
    found = set()
    for folder in {landing_repository.common, landing_repository.git_dir}:
        found |= {one.name for one in folder.iterdir() if not one.is_symlink() and not is_own(one.name)}
    return tuple(sorted(found))


def carry_extras(common_dir: str, git_dir: str, operation_id: str, names: tuple[str, ...]) -> list[Finding]:
    """Put them into the repository as a whole, each once; what can't be put there is told."""
    left = []
    for source, home in _pairs(common_dir, git_dir, operation_id) if names else ():
        for name in names:
            try:
                _carry(source / name, home / name)
            except OSError:
                left.append(name)
    if not left:
        return []
    return [finding("extras-left", f"What hooks left in the git directory could not be kept: {named(tuple(left))}.")]


def _pairs(common_dir: str, git_dir: str, operation_id: str) -> Iterator[tuple[Path, Path]]:
    top = landing_repository_path(common_dir, operation_id)
    inside = (top / ".git").is_dir() and not (top / ".git").is_symlink()
    common = top / ".git" if inside else landing_repository_git_dir(common_dir, operation_id)
    yield common, Path(common_dir)
    if os.path.realpath(git_dir) != os.path.realpath(common_dir):
        yield common / "worktrees" / os.path.basename(git_dir), Path(git_dir)


def _carry(source: Path, target: Path) -> None:
    if source.is_symlink() or not source.exists():
        return
    draft = target.with_name(f"{target.name}.sidecar")
    remove_tree(draft)
    draft.unlink(missing_ok=True)
    try:
        if source.is_dir():
            shutil.copytree(source, draft, symlinks=True)
        else:
            shutil.copy2(source, draft)
        draft.replace(target)
    except OSError:
        remove_tree(draft)
        draft.unlink(missing_ok=True)
        raise


Run = Callable[..., CommandResult]
"""Git as the person would run it: a folder, then the arguments."""


def submodule_place(checkout: str, path: str) -> Place | None:
    """Give the place for questions to a submodule's own repository; None when it is not checked out there."""
    folder = os.path.join(checkout, path)
    if not os.path.lexists(os.path.join(folder, ".git")):
        return None
    return Place(folder, {"GIT_CEILING_DIRECTORIES": checkout})


def is_submodule(change: Change) -> bool:
    """Tell whether a path is a submodule before or after a change."""
    return any(entry is not None and entry.mode == SUBMODULE for entry in (change.before, change.after))


def gitlinks(place: Place) -> dict[str, str]:
    """Give path -> commit of every submodule in the index (git-ls-files(1), --stage)."""
    rows = (row.partition(b"\t") for row in run(place, "ls-files", "--stage", "-z").split(b"\0"))
    return {
        os.fsdecode(path): said.split()[1].decode() for said, _, path in rows if said.startswith(b"%o " % SUBMODULE)
    }


def place_submodules(
    act: Run, top: Path, checkouts: Sequence[str], links: Mapping[str, str], *, fill: bool
) -> tuple[str, ...]:
    """Have each submodule at its commit, with files if they are to be filled; gives those that no checkout has.

    Such a one is an empty directory, as git has it. GitError or OSError when one can't be made.
    """
    missing = []
    for path, commit in links.items():
        stores = [place for one in checkouts if (place := submodule_place(one, path)) is not None]
        holder = next((place for place in stores if has_commit(place, commit)), None)
        target = top / path
        if holder is None:
            missing.append(path)
            _empty(target)
            continue
        _make(target, holder, commit)
        if not fill:
            continue
        done = act(str(target), "read-tree", "--reset", "-u", commit)
        if not done.ok:
            raise GitError(f"The submodule {path} can't be laid out: {done.last_words}")
        below = [os.path.join(one, path) for one in checkouts]
        nested = gitlinks(Place(str(target), {"GIT_CEILING_DIRECTORIES": str(top)}))
        missing += [f"{path}/{one}" for one in place_submodules(act, target, below, nested, fill=True)]
    return tuple(missing)


def _empty(target: Path) -> None:
    """Empty the directory of a submodule, if there is one."""
    if target.is_dir() and not target.is_symlink():
        remove_tree(target)
        target.mkdir()


def _make(target: Path, holder: Place, commit: str) -> None:
    """Make its git directory, new or with the objects of one more store."""
    own = target / ".git"
    said = run(holder, "rev-parse", "--path-format=absolute", "--git-common-dir")
    common_dir = os.fsdecode(said.removesuffix(b"\n"))
    objects = os.path.realpath(os.path.join(common_dir, "objects"))
    if not own.exists():
        own.mkdir(mode=0o700, parents=True)
        copy_refs(holder, own, {})
        share(common_dir, own)
        (own / "objects").symlink_to(objects)
        submodule_config(common_dir, read_config(holder), own)
    elif os.path.realpath(own / "objects") != objects:
        _borrow(own / "objects", objects)
    (own / "HEAD").write_text(f"{commit}\n")


def _borrow(place: Path, objects: str) -> None:
    """Have a store of its own that takes from the one it had and from another (gitrepository-layout(5), alternates)."""
    if place.is_symlink():
        first = os.path.realpath(place)
        place.unlink()
        (place / "info").mkdir(parents=True)
        (place / "info/alternates").write_bytes(os.fsencode(f"{first}\n"))
    with open(place / "info/alternates", "ab") as alternates:
        alternates.write(os.fsencode(f"{objects}\n"))
