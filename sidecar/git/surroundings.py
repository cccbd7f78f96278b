"""Read what `git merge` in trunk's checkout would read besides the commits that it merges.

Configuration of every scope as that checkout sees it (its own config.worktree, what `includeIf` means there), the
attributes below and above those of trees, replaced objects, what is ignored, and where submodules have their commits
(gitsubmodules(7)). Values, whoever wrote them, always take part, since they run nothing; whose programs may run is for
`sidecar.git.config` to say, and which of them take part in what is read of a path for `Programs`.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType

from sidecar.git.attributes import Attributes, attributes_above, check_attributes, lay_out
from sidecar.git.config import Config, active_drivers, active_filters, read_config, silenced_drivers, silenced_filters
from sidecar.git.objects import read_blob
from sidecar.git.process import DIFF_ALGORITHM_MERGES, GitError, Place, run
from sidecar.git.quarantine import Quarantine
from sidecar.git.repository import Repository
from sidecar.model.picture import Worktree
from sidecar.model.regenerate import GENERATED
from sidecar.system.files import read_regular
from sidecar.system.worktree_links import git_directory

ALGORITHMS = frozenset({"myers", "default", "minimal", "patience", "histogram"})
"""What `diff.algorithm` can say (git-config(1))."""

MOST_BYTES = 100 * 1024 * 1024
"""The size above which git takes no attributes file (gitattributes(5))."""

SYSTEM = ("/etc/gitconfig", "/etc/gitattributes")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around a merge into trunk; `checkout` is where trunk is checked out, if anywhere.

    `weakest` and `strongest` are the attributes below and above those of trees, `ignored` what is ignored in every
    worktree, `replaced` the objects that have a replacement (git-replace(1)), `algorithm` how lines are compared.
    `files` are the files outside of git directories and worktrees that all of this was read from, or would be.
    """

    config: Config
    weakest: bytes = b""
    strongest: bytes = b""
    ignored: bytes = b""
    replaced: Mapping[str, str] = field(default_factory=dict)
    algorithm: str | None = None
    checkout: Worktree | None = None
    files: frozenset[str] = field(default=frozenset(), compare=False, repr=False)


def read_surroundings(repository: Repository, checkout: Worktree | None) -> Surroundings:
    """Give the surroundings of merges into the branch that is checked out there; GitError when they can't be read.

    Without a checkout they are those of the repository itself. `checkout` counts by where it is, not by its commit.
    """
    place = repository.place if checkout is None else repository.inside(checkout)
    config = repository.config if checkout is None else read_config(place)
    attributes, excludes = (_named(place, config, key, name) for key, name in PERSONAL)
    # what core.autocrlf means for a merge, as attributes, which also `merge-tree` before 2.41 understands
    by_default = b"" if config.flag("core.autocrlf", default=False) is False else b"* text=auto\n"
    weakest = b"".join(_attributes_of(file) for file in (*_system_attributes(), attributes))
    if checkout is not None:  # without what changes in it from commit to commit
        checkout = Worktree(checkout.key, checkout.name, checkout.git_dir, checkout.main, None, None)
    return Surroundings(
        config,
        by_default + weakest,
        _attributes_of(os.path.join(repository.common_dir, "info", "attributes")),
        _content(os.path.join(repository.common_dir, "info", "exclude")) + b"\n" + _content(excludes),
        _replaced(repository, config),
        _algorithm(repository, config),
        checkout,
        _outside(repository, checkout, {*config.files, *repository.config.files, attributes, excludes}),
    )


PERSONAL = (("core.attributesfile", "attributes"), ("core.excludesfile", "ignore"))
"""(key that names a file, name of the file below git's own directory of a person's settings when none is named)."""


def _named(place: Place, config: Config, key: str, name: str) -> str:
    """Give the file that a key names, relative to the top of that worktree; else the one that git reads anyway."""
    if config.get(key) is None:
        return os.path.join(_settings_directory(), name)
    try:
        said = run(place, "config", "--includes", "--type=path", "--get", key)
    except GitError:
        return os.devnull
    return os.path.join(place.cwd, os.fsdecode(said.removesuffix(b"\n")) or os.devnull)


def _settings_directory() -> str:
    """Give git's directory of a person's settings (git-config(1), FILES)."""
    return os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"), "git")


def _system_attributes() -> tuple[str, ...]:
    return () if os.environ.get("GIT_ATTR_NOSYSTEM") else SYSTEM[1:]


def _outside(repository: Repository, checkout: Worktree | None, files: set[str]) -> frozenset[str]:
    """Add the person's own files, and leave out those in git directories, which every reader knows."""
    directories = {repository.common_dir, *((checkout.git_dir,) if checkout is not None else ())}
    known = {os.path.join(directory, name) for directory in directories for name in ("config", "config.worktree")}
    return frozenset((files | _personal_files()) - known)


def _personal_files() -> frozenset[str]:
    """Give the configuration files outside of the repository, there or not."""
    files = {SYSTEM[0], *_system_attributes()}
    if named := os.environ.get("GIT_CONFIG_SYSTEM"):
        files.add(named)
    if (named := os.environ.get("GIT_CONFIG_GLOBAL")) is not None:
        return frozenset({*files, named} - {""})
    return frozenset({*files, os.path.expanduser("~/.gitconfig"), os.path.join(_settings_directory(), "config")})


def _attributes_of(file: str) -> bytes:
    """Read an attributes file, with a line end at its end, so that another can follow it."""
    content = _content(file).removeprefix(codecs.BOM_UTF8)
    return content + b"\n" if content else b""


def _content(file: str) -> bytes:
    try:
        return read_regular(os.path.realpath(file), MOST_BYTES)
    except (OSError, ValueError):
        return b""


def _replaced(repository: Repository, config: Config) -> Mapping[str, str]:
    """Give each object that `refs/replace/` names, and what git reads in its place."""
    if config.flag("core.usereplacerefs", default=True) is False:
        return MappingProxyType({})
    said = run(repository.place, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/replace/")
    rows = (line.split(" ") for line in said.decode("ascii", "replace").splitlines())
    return MappingProxyType({row[0]: row[1] for row in rows if len(row) == 2 and len(row[0]) == len(row[1])})


def _algorithm(repository: Repository, config: Config) -> str | None:
    """Give the diff algorithm where the configuration decides it, which only newer gits allow for `git merge`."""
    named = (config.get("diff.algorithm") or "").lower()
    return named if repository.version >= DIFF_ALGORITHM_MERGES and named in ALGORITHMS else None


DRIVER_NOTE = "The repository's own merge driver was left out, because the repository is not trusted."
FILTER_NOTE = "The repository's own filter was left out, because the repository is not trusted."
UNRUN_NOTE = "A merge driver made nothing of it here, so git may yet merge it."


def is_undecided(note: str | None) -> bool:
    """Tell whether it is noted that git's merge in trunk's checkout may come to another end."""
    return any(said in (note or "") for said in (DRIVER_NOTE, FILTER_NOTE, UNRUN_NOTE))


REMEMBERED = 2_000

CHOOSING = frozenset({"merge", "binary"})
"""What a line that chooses how a file is merged has in it (gitattributes(5), "Performing a three-way merge")."""


class Programs:
    """Tells by the attributes of whole trees which programs take part; answers are remembered by the trees' ids."""

    def __init__(self, quarantine: Quarantine, repository: Repository, surroundings: Surroundings) -> None:
        config, trusted = surroundings.config, repository.trusted
        self._quarantine, self._surroundings = quarantine, surroundings
        self._left_out = silenced_drivers(config, trusted), silenced_filters(config, trusted)
        self._drivers = frozenset(active_drivers(config, trusted))
        self._default = config.get("merge.default") or ""
        self._renormalizes = config.flag("merge.renormalize", default=False) is not False
        self._filters = active_filters(config, trusted) if self._renormalizes else frozenset()
        self._configured = active_filters(config, trusted=True)
        self._place = lru_cache(maxsize=64)(self._lay_out)
        self._values = lru_cache(maxsize=REMEMBERED)(self._check)
        self._chooses = lru_cache(maxsize=64)(partial(self._names, CHOOSING))
        self._marks = lru_cache(maxsize=64)(partial(self._names, frozenset({GENERATED})))
        self._generated: dict[tuple[Attributes, str], str] = {}
        self.is_generated = lru_cache(maxsize=REMEMBERED)(self._is_generated)
        self.merges_text = lru_cache(maxsize=REMEMBERED)(self._merges_text)

    def take_part(self, attributes: Attributes, paths: tuple[str, ...]) -> bool:
        """Tell whether a merge driver that is no part of git, or a filter, may be run by a merge of these paths."""
        if self._names(self._drivers, attributes) or self._default in self._drivers:
            values = self._values(attributes, paths, "merge")
            if any((self._default if value == "unspecified" else value) in self._drivers for value in values):
                return True
        if self._names(self._filters, attributes):
            return not self._filters.isdisjoint(self._values(attributes, paths, "filter"))
        return False

    def _merges_text(self, path: str, tree: str) -> bool:
        """Tell whether git merges this path, if it is text, by its own merge of lines and as it is stored."""
        if self._renormalizes or self._default:
            return False
        attributes = attributes_above(self._quarantine.objects, tree, (path,))
        return not self._chooses(attributes) or self._values(attributes, (path,), "merge") == ("unspecified",)

    def note_on_merge(self, path: str, into: str) -> str | None:
        """Give what a merge of this path leaves out, in a sentence; `into` is the whole tree that is merged into."""
        left_out = self._left_out[0]
        driver = self._value("merge", path, into, left_out)
        return DRIVER_NOTE if (self._default if driver == "unspecified" else driver) in left_out else None

    def note_on_file(self, path: str, tree: str) -> str | None:
        """Give what reading this file from the disk leaves out, in a sentence; `tree` is the whole of which it is."""
        return FILTER_NOTE if self._value("filter", path, tree, self._left_out[1]) in self._left_out[1] else None

    def stands_between(self, path: str, tree: str) -> bool:
        """Tell whether a filter stands between this file on the disk and git, so that they may differ line by line."""
        return self._value("filter", path, tree, self._configured) in self._configured

    def generated(self, paths: Iterable[str], tree: str) -> Mapping[str, str]:
        """Give what git says of `linguist-generated` for each of these paths of a tree; git is asked once for all."""
        objects, paths = self._quarantine.objects, tuple(paths)
        if not self._marks(attributes_above(objects, tree, paths)):
            return dict.fromkeys(paths, "unspecified")
        keys = {path: (attributes_above(objects, tree, (path,)), path) for path in paths}
        known = {path: said for path, key in keys.items() if (said := self._generated.get(key)) is not None}
        missing = tuple(path for path in paths if path not in known)
        if missing:
            values = self._check(attributes_above(objects, tree, missing), missing, GENERATED)
            known |= zip(missing, values, strict=True)
            kept = self._generated if len(self._generated) < REMEMBERED else {}
            self._generated = kept | {keys[path]: known[path] for path in missing}
        return known

    def _is_generated(self, path: str, tree: str) -> str:
        """Give what git says of `linguist-generated` for one path of a tree."""
        return self.generated((path,), tree)[path]

    def _value(self, attribute: str, path: str, tree: str, names: frozenset[str]) -> str:
        """Give what an attribute is set to; git is not asked where none of these names can be."""
        if not names:
            return "unspecified"
        attributes = attributes_above(self._quarantine.objects, tree, (path,))
        return self._values(attributes, (path,), attribute)[0] if self._names(names, attributes) else "unspecified"

    def _names(self, names: frozenset[str], attributes: Attributes) -> bool:
        """Tell whether one of these names stands in any attributes file."""
        if not names:
            return False
        texts = [self._surroundings.weakest, self._surroundings.strongest]
        texts += [read_blob(self._quarantine.objects, oid) for _, oid in attributes]
        return any(os.fsencode(name) in text for name in names for text in texts)

    def _check(self, attributes: Attributes, paths: tuple[str, ...], attribute: str) -> tuple[str, ...]:
        """Give what an attribute is set to for each of these paths (git-check-attr(1))."""
        found = check_attributes(self._place(attributes), paths, attribute)
        return tuple(found[path][attribute] for path in paths)

    def _lay_out(self, attributes: Attributes) -> Place:
        place = self._quarantine.repository("attributes", self._surroundings.strongest)
        lay_out(self._quarantine.objects, Path(place.cwd), attributes, self._surroundings.weakest)
        return place.set([("core.attributesFile", os.devnull)])


def submodule_directory(repository: Repository, checkout: Worktree, path: str) -> str | None:
    """Find the git directory of the submodule at a path of a checkout: checked out there, or kept in `modules`."""
    checked_out = git_directory(Path(checkout.key, path))
    if checked_out is not None and checked_out.is_dir():
        return str(checked_out)
    name = _name(repository, checkout, path)
    if name is None or not name or ".." in name.split("/") or os.path.isabs(name):
        return None
    aside = os.path.join(checkout.git_dir, "modules", name)
    return aside if os.path.isdir(aside) else None


def telling_files(checkout: Worktree, path: str, directory: str | None) -> frozenset[str]:
    """List files that change when a submodule is fetched, commits, comes or goes, so that other commits can be seen."""
    places = {os.path.join(checkout.key, path, ".git"), os.path.join(checkout.git_dir, "modules")}
    told = ("HEAD", "FETCH_HEAD", "packed-refs", "logs/HEAD", "refs/heads", "objects/pack")
    return frozenset(places | {os.path.join(directory, name) for name in told if directory})


def _name(repository: Repository, checkout: Worktree, path: str) -> str | None:
    """Give the name that `.gitmodules` has for the submodule at a path; the index's where there is none on the disk."""
    place = repository.inside(checkout)
    for source in (("--file", os.path.join(checkout.key, ".gitmodules")), ("--blob", ":.gitmodules")):
        try:
            said = run(place, "config", *source, "-z", "--get-regexp", r"^submodule\..*\.path$")
        except GitError:
            continue
        rows = (row.partition("\n") for row in os.fsdecode(said).split("\0"))
        key = next((key for key, _, at in rows if at.rstrip("/") == path), None)
        return key and key.removeprefix("submodule.").removesuffix(".path")
    return None
