"""A repository made by somebody hostile: looking at it runs nothing of it, unless the person trusts it.

Every trap touches a canary file. That each trap works is shown by what a plain git, which a person might have run,
does with it.
"""

import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sidecar.git.process import Place, run
from sidecar.model.findings import Failure
from sidecar.model.picture import Picture
from sidecar.model.settings import Options
from sidecar.session.once import compare, look
from tests.harness import Executable, add_worktree, commit, git, init, write

HOOKS = ("post-index-change", "post-checkout", "reference-transaction", "pre-commit", "pre-auto-gc")


@dataclass(frozen=True)
class Hostile:
    """A repository with two linked worktrees that conflict in `a.txt`, and where a trap's canary would sing."""

    main: Path
    one: Path
    two: Path
    canary: Path

    @property
    def command(self) -> str:
        """For configuration: a program that lets what it is given pass."""
        return f"touch {self.canary}; cat"


@pytest.fixture
def hostile(tmp_path: Path) -> Hostile:
    main = init(tmp_path / "main")
    commit(main, {"a.txt": "1\n2\n3\n", "b.txt": "b\n", ".gitattributes": "a.txt filter=trap diff=trap merge=trap\n"})
    one, two = add_worktree(main, "one"), add_worktree(main, "two")
    commit(one, {"a.txt": "1\none\n3\n"})
    commit(two, {"a.txt": "1\ntwo\n3\n"})
    write(one, {"a.txt": "1\none again\n3\n", "new.txt": "new\n"})
    return Hostile(main, one, two, tmp_path / "canary")


def _configure(at: Hostile, key: str, value: str) -> None:
    git(at.main, "config", key, value)


def _fsmonitor(at: Hostile) -> None:
    write(at.main.parent, {"program": Executable(f"#!/bin/sh\ntouch {at.canary}\n")})
    _configure(at, "core.fsmonitor", str(at.main.parent / "program"))


def _hooks(at: Hostile) -> None:
    for name in HOOKS:
        write(at.main / ".git/hooks", {name: Executable(f"#!/bin/sh\ntouch {at.canary}\n")})


def _hooks_path(at: Hostile) -> None:
    _hooks(at)
    shutil.move(at.main / ".git/hooks", at.main / "hooks")
    _configure(at, "core.hooksPath", str(at.main / "hooks"))


def _configured_hooks(at: Hostile) -> None:
    for name in HOOKS:
        _configure(at, f"hook.trap = {name}.event", name)
        _configure(at, f"hook.trap = {name}.command", f"touch {at.canary} #")


def _external_diff(at: Hostile) -> None:
    _configure(at, "diff.external", f"touch {at.canary};")


def _required_filter(at: Hostile) -> None:
    _configure(at, "filter.trap.clean", at.command)
    _configure(at, "filter.trap.required", "true")


def _driver(at: Hostile) -> None:
    _configure(at, "merge.trap.driver", f"touch {at.canary}; cat %B > %A")


def _recursive_driver(at: Hostile) -> None:
    _driver(at)
    _configure(at, "merge.trap.recursive", "trap")


def _default_driver(at: Hostile) -> None:
    commit(at.one, {".gitattributes": ""})
    _configure(at, "merge.default", "trap")
    _driver(at)


def _ssh(at: Hostile) -> None:
    _promisor(at, "ssh://host/x")
    _configure(at, "core.sshCommand", f"touch {at.canary}")


def _upload_pack(at: Hostile) -> None:
    _promisor(at, str(at.main))
    _configure(at, "remote.trap.uploadpack", f"touch {at.canary};")


TRAPS: dict[str, tuple[Callable[[Hostile], None], tuple[str, ...]]] = {
    "fsmonitor": (_fsmonitor, ("status",)),
    "hooks": (_hooks, ("checkout", "--quiet", "-b", "other")),
    "hooksPath": (_hooks_path, ("checkout", "--quiet", "-b", "other")),
    "configured hooks": (_configured_hooks, ("checkout", "--quiet", "-b", "other")),
    "diff.external": (_external_diff, ("diff", "main")),
    "diff driver": (lambda at: _configure(at, "diff.trap.command", f"touch {at.canary};"), ("diff", "main")),
    "textconv": (lambda at: _configure(at, "diff.trap.textconv", at.command), ("diff", "main")),
    "filter clean": (lambda at: _configure(at, "filter.trap.clean", at.command), ("add", "a.txt")),
    "filter smudge": (lambda at: _configure(at, "filter.trap.smudge", at.command), ("checkout", "two", "a.txt")),
    "filter process": (lambda at: _configure(at, "filter.trap.process", f"touch {at.canary}"), ("add", "a.txt")),
    "required filter": (_required_filter, ("add", "a.txt")),
    "merge driver": (_driver, ("merge-tree", "one", "two")),
    "recursive driver": (_recursive_driver, ("merge-tree", "one", "two")),
    "default driver": (_default_driver, ("merge-tree", "one", "two")),
    "sshCommand": (_ssh, ("fetch", "trap")),
    "ext transport": (lambda at: _promisor(at, f"ext::touch {at.canary}"), ("fetch", "trap")),
    "upload pack": (_upload_pack, ("fetch", "trap")),
    "alias": (lambda at: _configure(at, "alias.trap", f"!touch {at.canary}"), ("trap",)),
}
"""What lays a trap, and a plain git command that walks into it."""


def _promisor(at: Hostile, url: str) -> None:
    """A partial clone, from which a blob of a change is missing."""
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "trap",
        "remote.trap.url": url,
        "remote.trap.promisor": "true",
        "remote.trap.fetch": "+refs/heads/*:refs/remotes/trap/*",
        "protocol.ext.allow": "always",
        "protocol.ssh.allow": "always",
        "protocol.file.allow": "always",
    }.items():
        _configure(at, key, value)
    missing = git(at.main, "rev-parse", "two:a.txt")
    (at.main / ".git/objects" / missing[:2] / missing[2:]).unlink()


NEWER = {"configured hooks": pytest.mark.needs_git(2, 54)}
NAMES = [pytest.param(name, marks=NEWER.get(name, ())) for name in TRAPS]


@pytest.mark.parametrize("name", NAMES)
def test_the_trap_works(name: str, hostile: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    lay, plain = TRAPS[name]
    lay(hostile)
    assert not hostile.canary.exists()
    git(hostile.one, *plain, check=False)
    assert hostile.canary.exists()


@pytest.mark.parametrize("name", NAMES)
def test_nothing_runs(name: str, hostile: Hostile) -> None:
    lay, _ = TRAPS[name]
    lay(hostile)
    look(hostile.one)
    compare(hostile.main, "one", "two")
    assert not hostile.canary.exists()


def _in_worktree_config(at: Hostile, keys: dict[str, str]) -> None:
    _configure(at, "extensions.worktreeConfig", "true")
    for key, value in keys.items():
        git(at.one, "config", "--worktree", key, value)


def _in_include(at: Hostile, keys: dict[str, str], condition: str) -> None:
    for key, value in keys.items():
        git(at.main, "config", "--file", str(at.main / ".git/more"), key, value)
    _configure(at, condition, "more")


PLACES: dict[str, Callable[[Hostile, dict[str, str]], None]] = {
    "worktree config": _in_worktree_config,
    "include": lambda at, keys: _in_include(at, keys, "include.path"),
    "include for a git directory": lambda at, keys: _in_include(at, keys, "includeIf.gitdir:**/worktrees/one.path"),
    "include for a branch": lambda at, keys: _in_include(at, keys, "includeIf.onbranch:one.path"),
    "include for another branch": lambda at, keys: _in_include(at, keys, "includeIf.onbranch:main.path"),
}


@pytest.mark.parametrize("place", PLACES)
def test_wherever_the_repository_configures_it(place: str, hostile: Hostile) -> None:
    keys = {
        "filter.trap.clean": hostile.command,
        "filter.trap.required": "true",
        "merge.trap.driver": f"touch {hostile.canary}; cat %B > %A",
    }
    PLACES[place](hostile, keys)
    assert isinstance(look(hostile.main), Picture)
    assert isinstance(look(hostile.one), Picture)
    assert not hostile.canary.exists()


def test_a_trap_in_a_submodule(hostile: Hostile) -> None:
    """Its own configuration is not read at all."""
    library = init(hostile.main.parent / "library")
    commit(library, {"a.txt": "a\n"})
    git(hostile.one, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "sub")
    commit(hostile.one)
    git(hostile.one / "sub", "config", "core.fsmonitor", f"touch {hostile.canary};")
    git(hostile.one / "sub", "config", "filter.trap.clean", hostile.command)
    write(hostile.one / "sub", {".gitattributes": "* filter=trap\n", "a.txt": "changed\n"})
    assert isinstance(look(hostile.one), Picture)
    assert not hostile.canary.exists()


def _overlap(main: Path, *, trusted: bool = False) -> tuple[str, str | None]:
    picture = look(main, Options(trusted=trusted))
    assert not isinstance(picture, Failure)
    (overlap,) = [overlap for overlap in picture.overlaps if overlap.path == "a.txt"]
    return overlap.verdict, overlap.note


def test_with_trust_the_repositorys_driver_decides(hostile: Hostile) -> None:
    _configure(hostile, "merge.trap.driver", f"touch {hostile.canary}; cat %B > %A")
    verdict, note = _overlap(hostile.main)
    assert verdict == "conflict"
    assert note is not None and "not trusted" in note
    assert not hostile.canary.exists()
    assert _overlap(hostile.main, trusted=True) == ("clean", None)
    assert hostile.canary.exists()


def test_with_trust_the_repositorys_filter_takes_part(hostile: Hostile) -> None:
    _configure(hostile, "filter.trap.clean", f"touch {hostile.canary}; tr a-z A-Z")
    write(hostile.one, {"a.txt": "one\n"})
    write(hostile.two, {"a.txt": "ONE\n"})
    assert _overlap(hostile.main)[0] == "conflict"
    assert not hostile.canary.exists()
    assert _overlap(hostile.main, trusted=True)[0] == "identical"
    assert hostile.canary.exists()


@pytest.mark.parametrize("listed", ["main", "main/.git", "link"])
def test_a_repository_that_the_person_lists_is_trusted(listed: str, hostile: Hostile, home: Path) -> None:
    (hostile.main.parent / "link").symlink_to(hostile.main)
    git(
        hostile.main, "config", "--file", str(home / ".gitconfig"), "sidecar.trusted", str(hostile.main.parent / listed)
    )
    _configure(hostile, "merge.trap.driver", f"touch {hostile.canary}; cat %B > %A")
    assert _overlap(hostile.main) == ("clean", None)


def test_a_repository_cannot_list_itself(hostile: Hostile) -> None:
    _configure(hostile, "sidecar.trusted", str(hostile.main))
    _configure(hostile, "merge.trap.driver", f"touch {hostile.canary}; cat %B > %A")
    assert _overlap(hostile.main)[0] == "conflict"
    assert not hostile.canary.exists()


@pytest.mark.parametrize("name", ["fsmonitor", "hooks", "hooksPath", "configured hooks", "diff.external", "textconv"])
def test_trust_is_for_filters_and_drivers_only(name: str, hostile: Hostile) -> None:
    """Hooks and fsmonitor never take part in reading."""
    TRAPS[name][0](hostile)
    assert isinstance(look(hostile.main, Options(trusted=True)), Picture)
    assert not hostile.canary.exists()


def test_the_persons_own_driver_and_filter_take_part(hostile: Hostile, home: Path) -> None:
    git(hostile.main, "config", "--file", str(home / ".gitconfig"), "merge.trap.driver", "cat %B > %A")
    git(hostile.main, "config", "--file", str(home / ".gitconfig"), "filter.trap.clean", "tr a-z A-Z")
    assert _overlap(hostile.main) == ("clean", None)
    write(hostile.one, {"a.txt": "one\n"})
    write(hostile.two, {"a.txt": "ONE\n"})
    assert _overlap(hostile.main) == ("identical", None)


def test_a_repository_cannot_replace_the_persons_programs(hostile: Hostile, home: Path) -> None:
    git(hostile.main, "config", "--file", str(home / ".gitconfig"), "filter.trap.clean", "tr a-z A-Z")
    _configure(hostile, "filter.trap.clean", hostile.command)
    write(hostile.one, {"a.txt": "one\n"})
    write(hostile.two, {"a.txt": "ONE\n"})
    assert _overlap(hostile.main)[0] == "identical"
    assert not hostile.canary.exists()


def test_nothing_is_fetched_by_a_git_that_does_not_know_how_to_be_told(hostile: Hostile) -> None:
    """GIT_NO_LAZY_FETCH is younger than the oldest git that works.

    git says that it may not fetch and ends; or a signal ends it first, because it still writes to what is gone.
    """
    missing = git(hostile.main, "rev-parse", "two:a.txt")
    _promisor(hostile, f"ext::touch {hostile.canary}")
    place = Place(str(hostile.main), {"GIT_NO_LAZY_FETCH": "0"})
    assert run(place, "cat-file", "-p", missing, accept=(1, 128, -signal.SIGPIPE)) == b""
    assert not hostile.canary.exists()
