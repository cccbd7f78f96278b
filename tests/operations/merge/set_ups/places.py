"""Where trunk is checked out."""

import os

from tests.harness import git
from tests.harness.beside import World
from tests.harness.repository import commit, init
from tests.operations.merge.set_ups import set_up
from tests.operations.merge.set_ups.content import both_change
from tests.operations.merge.set_ups.people import SIGN


def _linked(world: World) -> None:
    """Trunk in a linked worktree, and the main one on another branch."""
    git(world.main, "switch", "-q", "-c", "other")
    world.trunk = world.root / "trunk"
    git(world.main, "worktree", "add", "-q", str(world.trunk), "main")


@set_up
def trunk_in_a_linked_worktree(world: World) -> None:
    world.plain()
    _linked(world)
    for name in ("pre-merge-commit", "prepare-commit-msg", "commit-msg"):
        world.hook(name)


@set_up
def a_linked_worktree_with_its_own_configuration(world: World) -> None:
    world.plain()
    _linked(world)
    world.configure("extensions.worktreeConfig", "true", cwd=world.main)
    world.configure("--worktree", "user.name", "Main", cwd=world.main)
    world.configure("--worktree", "user.name", "Trunk", cwd=world.trunk)
    world.configure("--worktree", "core.hooksPath", "local/its-hooks", cwd=world.trunk)
    world.program(world.trunk / "local/its-hooks/commit-msg")


@set_up
def a_linked_worktree_that_signs(world: World) -> None:
    world.plain()
    _linked(world)
    world.configure("extensions.worktreeConfig", "true", cwd=world.main)
    world.configure("--worktree", "commit.gpgSign", "true", cwd=world.trunk)
    world.configure("--worktree", "gpg.program", str(world.program(world.home / "bin/sign", SIGN)), cwd=world.trunk)


@set_up
def a_linked_worktree_whose_signature_fails(world: World) -> None:
    world.plain()
    _linked(world)
    world.configure("extensions.worktreeConfig", "true", cwd=world.main)
    world.configure("--worktree", "commit.gpgSign", "true", cwd=world.trunk)
    world.configure("--worktree", "gpg.program", "false", cwd=world.trunk)


@set_up
def a_linked_worktree_with_attributes_and_renames_of_its_own(world: World) -> None:
    both_change(world)
    _linked(world)
    world.configure("extensions.worktreeConfig", "true", cwd=world.main)
    (world.root / "mine").write_text("both merge=union\n")
    world.configure("--worktree", "core.attributesFile", str(world.root / "mine"), cwd=world.trunk)


@set_up
def an_identity_by_the_folder_of_a_linked_worktree(world: World) -> None:
    world.plain()
    _linked(world)
    (world.home / "work").write_text("[user]\n\tname = At Work\n")
    world.configure("--global", "includeIf.gitdir:**/worktrees/trunk.path", str(world.home / "work"))


@set_up
def the_main_worktree_is_sparse_and_trunk_is_not(world: World) -> None:
    world.plain()
    _linked(world)
    git(world.main, "sparse-checkout", "set", "nothing")
    world.hook("pre-merge-commit", "test -f web/app.js")


@set_up
def a_bare_repository_with_worktrees(world: World) -> None:
    world.plain()
    bare = world.root / "shop.git"
    git(world.root, "clone", "-q", "--bare", str(world.main), str(bare))
    git(bare, "remote", "remove", "origin")
    for name in ("feat", "shop"):
        os.rename(world.root / name, world.root / f"old-{name}")
    world.main, world.trunk = bare, world.root / "trunk"
    git(bare, "worktree", "add", "-q", str(world.trunk), "main")
    git(bare, "worktree", "add", "-q", str(world.feat), "feat")
    world.configure("user.name", "Bare", cwd=bare)
    for name in ("pre-merge-commit", "commit-msg"):
        world.hook(name)


@set_up
def a_separate_git_directory(world: World) -> None:
    world.root.joinpath("store").mkdir()
    world.begin(None, f"--separate-git-dir={world.root}/store/shop.git")
    world.part()
    for name in ("pre-merge-commit", "commit-msg"):
        world.hook(name)


@set_up
def a_git_directory_behind_a_link(world: World) -> None:
    world.begin()
    os.rename(world.main / ".git", world.root / "elsewhere.git")
    (world.main / ".git").symlink_to("../elsewhere.git")
    world.part()
    for name in ("pre-merge-commit", "commit-msg"):
        world.hook(name)


@set_up
def a_repository_that_is_a_submodule(world: World) -> None:
    world.plain()
    above = init(world.root / "above")
    git(above, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(world.main), "lib")
    commit(above, {}, "With a submodule")
    world.main = world.trunk = above / "lib"
    os.rename(world.feat, world.root / "old-feat")
    git(world.main, "branch", "-q", "feat", "origin/feat")
    git(world.main, "worktree", "add", "-q", str(world.feat), "feat")
    for name in ("pre-merge-commit", "commit-msg"):
        world.hook(name)


@set_up
def another_hash(world: World) -> None:
    world.begin(None, "--object-format=sha256")
    world.part()
    world.hook("commit-msg")


@set_up
def a_linked_worktree_whose_git_file_is_a_link(world: World) -> None:
    """As git-annex makes it."""
    world.plain()
    _linked(world)
    (world.trunk / ".git").unlink()
    (world.trunk / ".git").symlink_to(world.main / ".git/worktrees/trunk")
    for name in ("pre-merge-commit", "commit-msg"):
        world.hook(name)


@set_up
def a_bare_repository_that_says_so_for_its_main_worktree_only(world: World) -> None:
    world.plain()
    _linked(world)
    world.configure("extensions.worktreeConfig", "true", cwd=world.main)
    world.configure("--unset", "core.bare", cwd=world.main)
    world.configure("--worktree", "core.bare", "true", cwd=world.main)
    for name in ("pre-merge-commit", "commit-msg"):
        world.hook(name)


@set_up
def an_odd_path(world: World) -> None:
    world.main = world.trunk = world.root / "odd \"dir\" \\ 'x' #;"
    world.plain()
    world.configure("user.name", 'A "quoted" \\ name # and more', cwd=world.main)
    (world.home / "work").write_text("[user]\n\temail = work@example.com\n")
    world.configure("--global", "includeIf.gitdir:**/odd*/.git.path", str(world.home / "work"))
    for name in ("pre-merge-commit", "commit-msg"):
        world.hook(name)
