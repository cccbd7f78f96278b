"""Drivers, filters, attributes, sparse trunks and submodules: what decides and holds the content."""

from pathlib import Path

from tests.harness import git
from tests.harness.beside import NINE, World
from tests.harness.repository import Executable, commit, init
from tests.operations.merge.set_ups import set_up


def both_change(world: World, attributes: str = "") -> None:
    """The branch and trunk change the same line of `both`."""
    world.begin({"both": NINE, ".gitattributes": attributes})
    world.part({"both": NINE.replace("5", "theirs")}, {"both": NINE.replace("5", "ours")})


UNION = 'git merge-file --union -q "$1" "$2" "$3"'


@set_up
def a_driver_in_the_repository(world: World) -> None:
    world.begin(
        {"both": NINE, ".gitattributes": "both merge=mine\n", "tools/union": Executable(f"#!/bin/sh\n{UNION}\n")}
    )
    world.part({"both": NINE.replace("5", "theirs")}, {"both": NINE.replace("5", "ours")})
    world.configure("merge.mine.driver", "tools/union %A %O %B", cwd=world.main)


@set_up
def a_driver_of_the_person_that_looks_around(world: World) -> None:
    both_change(world, "both merge=mine\n")
    world.program(
        world.home / "bin/union", f"test -f web/app.js && git rev-parse --verify -q refs/heads/feat && {UNION}"
    )
    world.configure("--global", "merge.mine.driver", f"{world.home}/bin/union %A %O %B")


@set_up
def a_driver_that_is_installed_in_trunks_checkout(world: World) -> None:
    both_change(world, "both merge=mine\n")
    world.program(world.main / "node_modules/.bin/union", UNION)
    world.configure("merge.mine.driver", "node_modules/.bin/union %A %O %B", cwd=world.main)


@set_up
def attributes_of_the_repositorys_own(world: World) -> None:
    both_change(world)
    world.program(world.main / ".git/info/attributes", "both merge=union")


@set_up
def an_attributes_file_that_the_repository_names(world: World) -> None:
    both_change(world)
    (world.main / ".git/mine").write_text("both merge=union\n")
    world.configure("core.attributesFile", str(world.main / ".git/mine"), cwd=world.main)


@set_up
def an_attributes_file_that_the_person_names(world: World) -> None:
    both_change(world)
    (world.home / "mine").write_text("both merge=union\n")
    world.configure("--global", "core.attributesFile", "~/mine")


@set_up
def a_filter_whose_key_is_in_the_git_directory(world: World) -> None:
    """As git-crypt has it."""
    world.begin()
    key = world.main / ".git/crypt/key"
    key.parent.mkdir()
    key.write_text("a-z A-Z\n")
    code = world.program(
        world.home / "bin/crypt",
        '[ -f "$(git rev-parse --git-dir)/crypt/key" ] || exit 1\n'
        "if [ $1 = clean ]; then tr a-z A-Z; else tr A-Z a-z; fi",
    )
    for way in ("clean", "smudge"):
        world.configure(f"filter.crypt.{way}", f"{code} {way}", cwd=world.main)
    world.configure("filter.crypt.required", "true", cwd=world.main)
    git(world.main, "worktree", "add", "-q", "-b", "feat", str(world.feat))
    commit(world.feat, {"g": "g\n"}, "Work on it")
    commit(world.main, {".gitattributes": "*.secret filter=crypt\n", "x.secret": "secret\n"}, "Trunk goes on")


@set_up
def line_ends_that_are_normalized(world: World) -> None:
    world.begin({"w.txt": "1\n2\n3\n", ".gitattributes": "*.txt text eol=crlf\n"})
    world.part({"w.txt": "1\r\n2\r\n3\r\nfour\r\n"})
    world.configure("merge.renormalize", "true", cwd=world.main)


@set_up
def trunk_is_sparse_by_directories(world: World) -> None:
    world.plain({"css/f": NINE, "js/f": NINE})
    git(world.main, "sparse-checkout", "set", "css")


@set_up
def trunk_is_sparse_by_patterns(world: World) -> None:
    world.plain({"css/f": NINE, "js/f": NINE})
    git(world.main, "sparse-checkout", "set", "--no-cone", "/*", "!/js/")


def _submodule(world: World) -> Path:
    """A submodule `lib` in trunk, checked out there, whose branch has two more commits; gives where they come from."""
    lib = init(world.root / "lib.origin")
    commit(lib, {"l": "1\n"}, "One")
    world.begin()
    git(world.main, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(lib), "lib")
    commit(world.main, {".gitmodules": '[submodule "lib"]\n\tpath = lib\n\turl = ../lib.origin\n'}, "With a submodule")
    commit(lib, {"l": "2\n"}, "Two")
    commit(lib, {"l": "3\n"}, "Three")
    git(world.main / "lib", "-c", "protocol.file.allow=always", "fetch", "-q", "origin")
    world.configure("--global", "protocol.file.allow", "always")
    return lib


def _point(world: World, folder: Path, commit_id: str) -> None:
    git(folder, "update-index", "--cacheinfo", f"160000,{commit_id},lib")
    git(folder, "commit", "-q", "-m", "Another lib", env={"GIT_AUTHOR_DATE": "1767225900 +0000"})


@set_up
def a_submodule_that_the_branch_moved(world: World) -> None:
    lib = _submodule(world)
    world.part()
    _point(world, world.feat, git(lib, "rev-parse", "main"))


@set_up
def a_submodule_that_both_moved_and_one_has_the_other(world: World) -> None:
    lib = _submodule(world)
    world.part()
    _point(world, world.feat, git(lib, "rev-parse", "main"))
    _point(world, world.main, git(lib, "rev-parse", "main~1"))


@set_up
def a_submodule_that_hooks_look_into(world: World) -> None:
    _submodule(world)
    world.part()
    world.hook("pre-merge-commit", "test -f lib/l && git -C lib rev-parse HEAD")
