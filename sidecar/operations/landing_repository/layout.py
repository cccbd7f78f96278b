"""Make a landing repository: to git, to hooks and to filters the twin of trunk's checkout, with refs of its own.

Its configuration is what git reads in trunk's checkout, although the place is another; its hooks are those that
`git merge` runs there, but for what waits until trunk has moved.
"""

from __future__ import annotations

import contextlib
import fnmatch
import os
import shlex
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.git.config import Config, read_config
from sidecar.git.inventory.administration import ORDINARY
from sidecar.git.process import GitError, Place
from sidecar.git.repository import Repository
from sidecar.git.unfinished import OPERATIONS
from sidecar.model.changes import is_object_id
from sidecar.model.findings import Finding, finding
from sidecar.model.picture import Worktree
from sidecar.operations.landing_repository.original import WHEN_LANDED, Original, is_hook, packed_refs, read_refs
from sidecar.operations.landing_repository.place import landing_repository_git_dir, landing_repository_path
from sidecar.system.worktree_links import git_file

Pairs = list[tuple[str, str]]

NAMES_A_FILE = frozenset(
    {
        *("core.attributesfile", "core.excludesfile", "commit.template", "mailmap.file", "blame.ignorerevsfile"),
        *("gpg.program", "gpg.openpgp.program", "gpg.x509.program", "gpg.ssh.program"),
        *("gpg.ssh.allowedsignersfile", "gpg.ssh.revocationfile", "user.signingkey"),
    }
)
"""Keys whose value, where it is relative, leads from the folder that git runs in (git-config(1))."""

FULL = [("core.sparsecheckout", "false"), ("core.sparsecheckoutcone", "false"), ("index.sparse", "false")]
"""All files are there, whatever is sparse in trunk's checkout or in the main worktree."""

ITS_OWN = frozenset({"extensions.refstorage", "extensions.relativeworktrees"})
"""How a repository stores refs and links worktrees: a landing repository has refs in files, and absolute links."""

DELETES_NONE = ("extensions.preciousobjects", "true")
"""Told to git, whose clean-up would delete objects of the repository that refs of ours or other worktrees hold."""


def _write_config(original: Original, top: Path, common: Path, git_dir: Path) -> dict[str, str]:
    """Write the configuration of a landing repository. Gives the variables git needs there.

    It includes the files of trunk's checkout, so that relative includes lead from where they did. Only git's own format
    is said in the file itself, since git does not look into included ones for it. Where a conditional include tells the
    two places apart (`includeIf.gitdir`), what git reads in trunk's checkout is written out instead, scope by scope.
    """
    config = original.config
    form = _format(config, original, top)
    overruling = [*FULL, *_absolute(original), *_hook_events(config)]
    if config.get("core.hookspath"):
        overruling.append(("core.hookspath", str(common / "hooks")))
    own_file = config.flag("extensions.worktreeconfig", default=False) is True

    def put(shared: bytes, own: bytes) -> None:
        (common / "config").write_bytes(shared + _text(form) + (b"" if own_file else _text(overruling)))
        if own_file:
            (git_dir / "config.worktree").write_bytes(own + _text(overruling))

    put(
        _text([("include.path", os.path.join(original.common_dir, "config"))]),
        _text([("include.path", os.path.join(original.git_dir, "config.worktree"))]),
    )
    if not any(key.startswith("includeif.gitdir") for _, key, _ in config.pairs):
        return {}
    decided = {key for key, _ in (*form, *overruling)}
    here = read_config(Place(str(top), {"GIT_DIR": str(git_dir), "GIT_COMMON_DIR": str(common)}))
    if _plain(here.pairs, decided) == _plain(config.pairs, decided):
        return {}
    person = common / "sidecar-person.config"
    person.write_bytes(_text(_plain(_of(config, "system", "global"), set())))
    put(
        _text(_plain(_of(config, "local"), {key for key, _ in form} | ITS_OWN)),
        _text(_plain(_of(config, "worktree"), {key for key, _ in form})),
    )
    return {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": str(person)}


def _format(config: Config, original: Original, top: Path) -> Pairs:
    pairs = [
        (key, value)
        for scope, key, value in config.pairs
        if scope == "local"
        and (key == "core.repositoryformatversion" or (key.startswith("extensions.") and key not in ITS_OWN))
    ]
    if not any(key == "core.repositoryformatversion" for key, _ in pairs):
        pairs.append(("core.repositoryformatversion", "0"))
    pairs.append(DELETES_NONE)
    if not original.is_linked:
        pairs.append(("core.bare", "false"))
        if original.checkout is not None and config.get("core.worktree") is not None:
            pairs.append(("core.worktree", str(top)))
    return pairs


def _absolute(original: Original) -> Pairs:
    """List the keys that name a file of trunk's checkout relative to it, leading there from anywhere."""
    if original.checkout is None:
        return []
    pairs = []
    for key in sorted(NAMES_A_FILE):
        value = original.config.get(key)
        if not value or os.path.isabs(value) or value.startswith(("~", "%(prefix)")):
            continue
        if "program" in key and "/" not in value:
            continue  # looked for on PATH
        path = os.path.join(original.checkout.key, value)
        if os.path.lexists(path):
            pairs.append((key, path))
    return pairs


def _hook_events(config: Config) -> Pairs:
    """Take the events that wait for the landing from the hooks of the configuration (git-hook(1), from git 2.54 on)."""
    pairs: Pairs = []
    for key in dict.fromkeys(key for _, key, _ in config.pairs if key.startswith("hook.") and key.endswith(".event")):
        events = config.all(key)
        if WHEN_LANDED.intersection(events):
            pairs += [(key, event) for event in ("", *(event for event in events if event not in WHEN_LANDED))]
    return pairs


def _of(config: Config, *scopes: str) -> Iterable[tuple[str, str, str]]:
    return (pair for pair in config.pairs if pair[0] in scopes)


def _plain(pairs: Iterable[tuple[str, str, str]], but: set[str]) -> Pairs:
    """Give the keys and values, without includes and without what is decided otherwise."""
    named = ((key, value) for _, key, value in pairs)
    return [pair for pair in named if not pair[0].startswith(("include.", "includeif.")) and pair[0] not in but]


def _text(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Write the lines of a configuration file with these pairs, in this order (git-config(1), Syntax)."""
    lines = []
    for key, value in pairs:
        section, _, rest = key.partition(".")
        subsection, _, name = rest.rpartition(".")
        title = f'{section} "{_escaped(subsection)}"' if subsection else section
        lines.append(f'[{title}]\n\t{name} = "{_escaped(value)}"\n')
    return os.fsencode("".join(lines))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def submodule_config(common_dir: str, config: Config, target: Path) -> None:
    """Write the configuration of a submodule's stand-in: the submodule's own, without what is said of its place."""
    keys = {"core.repositoryformatversion", *(key for _, key, _ in config.pairs if key.startswith("extensions."))}
    pairs = [(key, value) for key in sorted(keys - ITS_OWN) if (value := config.get(key)) is not None]
    included = [("include.path", os.path.join(common_dir, "config"))]
    (target / "config").write_bytes(_text([*included, *pairs, DELETES_NONE, ("core.bare", "false"), *FULL]))


def place_hooks(original: Original, top: Path, common: Path) -> None:
    """Put every hook that takes part into the landing repository; OSError when that can't be done.

    Each is run from where it is, with what lies beside it.
    """
    if original.hooks is None:
        return
    folder = os.path.join(top, original.hooks)
    try:
        names = os.listdir(folder)
    except OSError:
        return  # git would find none there, or none that it may run
    (common / "hooks").mkdir(exist_ok=True)
    for name in names:
        path, place = os.path.join(folder, name), common / "hooks" / name
        if name in WHEN_LANDED or name.endswith(".sample"):
            continue
        if is_hook(path):
            place.write_bytes(os.fsencode(f'#!/bin/sh\nexec {shlex.quote(path)} "$@"\n'))
            place.chmod(0o700)
            if is_hook(str(place)):
                continue
            place.unlink()  # nothing can be run from the cache directory itself
        place.symlink_to(path)


OWN = (
    *ORDINARY,
    *OPERATIONS,
    *("config", "packed-refs", "objects", "hooks", "worktrees", "shallow", "sidecar", "sidecar-person.config"),
    *("*.lock", "*_HEAD", "index.*", "rebased-patches", "tmp_*"),
)
"""What a landing repository has of its own; whatever else tools keep in a git directory is shared by a link."""


@dataclass(frozen=True, slots=True)
class LandingRepository:
    """A landing repository: its files and git directory, what git is told there, and the refs that it began with."""

    repository: Repository
    worktree: Worktree
    variables: Mapping[str, str]
    refs: Mapping[str, str]

    @property
    def top(self) -> Path:
        """Give the directory of its files."""
        return Path(self.worktree.key)

    @property
    def common(self) -> Path:
        """Give its own common directory."""
        return Path(self.repository.common_dir)

    @property
    def git_dir(self) -> Path:
        """Give its own git directory."""
        return Path(self.worktree.git_dir)

    @property
    def place(self) -> Place:
        """Give the place for hardened questions to it."""
        return self.repository.inside(self.worktree)


def make_landing_repository(
    original: Original, operation_id: str, head: str, placed: Mapping[str, str], objects: str | None = None
) -> LandingRepository | Finding:
    """Make a landing repository without files yet; `head` is a full ref or a commit, `placed` says where some refs are.

    Its objects are those of the repository, or of a directory `objects` that takes from it.

    Its path follows from the operation, so that whatever is left of it is found. Files that are there already stay.
    """
    common_dir, git_dir = original.common_dir, original.git_dir
    top = landing_repository_path(common_dir, operation_id)
    inside = original.has_directory and not original.is_linked
    common = top / ".git" if inside else landing_repository_git_dir(common_dir, operation_id)
    own = common / "worktrees" / os.path.basename(git_dir) if original.is_linked else common
    try:
        top.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        top.mkdir(mode=0o700, exist_ok=True)
        own.mkdir(mode=0o700, parents=True)
        refs = copy_refs(original.place, common, placed)
        copy_stash_log(common_dir, common)
        share(common_dir, common)
        (common / "objects").symlink_to(objects or os.path.join(common_dir, "objects"))
        if original.is_linked:
            share_extras(git_dir, own)
            (common / "HEAD").write_text(f"{placed.get(head, head)}\n")
            (own / "commondir").write_text("../..\n")
            (own / "gitdir").write_bytes(os.fsencode(f"{top}/.git\n"))
        (own / "HEAD").write_bytes(_head(head))
        if own != top / ".git":
            _point(top / ".git", own, as_link=original.has_directory)
        variables = _write_config(original, top, common, own)
    except OSError as error:
        return finding("no-landing-repository", f"{error.filename or top} can't be written: {error.strerror}.")
    except GitError as error:
        return finding("no-landing-repository", f"A landing repository can't be made: {error.message}")
    repository = replace(original.repository, common_dir=str(common), config=original.config, main_folder=None)
    branch = None if is_object_id(head) else head.removeprefix("refs/heads/")
    worktree = Worktree(str(top), top.name, str(own), not original.is_linked, branch, placed.get(head, head))
    return LandingRepository(repository, worktree, variables, refs)


def _head(head: str) -> bytes:
    return os.fsencode(f"{head}\n" if is_object_id(head) else f"ref: {head}\n")


def set_head(landing_repository: LandingRepository, head: str) -> None:
    """Have it be on another branch (a full ref), whose commit is the one that it is at."""
    (landing_repository.git_dir / "HEAD").write_bytes(_head(head))


def _point(path: Path, git_dir: Path, *, as_link: bool) -> None:
    if as_link:
        path.symlink_to(git_dir)
    else:
        path.write_bytes(git_file(git_dir))


def copy_refs(place: Place, common: Path, placed: Mapping[str, str]) -> dict[str, str]:
    """Give a landing repository all refs that git knows in a place, `placed` ones as they are said; full name -> id.

    They are in files whatever they are in there. GitError when they can't be read.
    """
    refs, symbolic = read_refs(place)
    refs = {name: oid for name, oid in refs.items() if name not in symbolic} | dict(placed)
    (common / "refs").mkdir(exist_ok=True)
    (common / "packed-refs").write_bytes(packed_refs(refs))
    for name, target in symbolic.items():
        if name not in placed:
            path = common / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.fsencode(f"ref: {target}\n"))
    return refs


def copy_stash_log(common_dir: str, common: Path) -> None:
    """Give it the list of stashes, which is that ref's reflog (git-stash(1))."""
    with contextlib.suppress(OSError):
        (common / "logs/refs").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(os.path.join(common_dir, "logs/refs/stash"), common / "logs/refs/stash")


def share(common_dir: str, common: Path) -> None:
    """Give a git directory what another one keeps: `info` as a copy that can be added to, all the rest by links."""
    (common / "info").mkdir()
    with contextlib.suppress(FileNotFoundError), os.scandir(os.path.join(common_dir, "info")) as entries:
        for entry in entries:
            if entry.name == "sparse-checkout":
                continue
            if entry.is_file():
                shutil.copyfile(entry.path, common / "info" / entry.name)
            else:
                (common / "info" / entry.name).symlink_to(entry.path)
    with contextlib.suppress(FileNotFoundError):
        shutil.copyfile(os.path.join(common_dir, "shallow"), common / "shallow")
    share_extras(common_dir, common)


def share_extras(git_dir: str, place: Path) -> None:
    """Link whatever is in a git directory that git's own merge does not write."""
    with os.scandir(git_dir) as entries:
        for entry in entries:
            if not is_own(entry.name):
                (place / entry.name).symlink_to(entry.path)


def is_own(name: str) -> bool:
    """Tell whether a name in a git directory is one that git writes, or we."""
    return any(fnmatch.fnmatchcase(name, own) for own in OWN)
