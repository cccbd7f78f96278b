"""What newer gits have: hooks of the configuration, refs in reftables, links that are relative, locks with a name."""

from tests.harness import git
from tests.harness.beside import World
from tests.operations.merge.set_ups import set_up_with_git

NOTE = 'echo "NAME $(git symbolic-ref --short HEAD) $(pwd -P)" >> "$PROBE_LOG" #'


@set_up_with_git(2, 54)
def hooks_of_the_configuration(world: World) -> None:
    """One has an event of each kind."""
    world.plain()
    for name, events in {
        "check": ("commit-msg",),
        "both": ("pre-merge-commit", "post-merge"),
        "late": ("post-merge",),
        "refs": ("post-checkout",),
    }.items():
        for event in events:
            world.configure("--add", f"hook.{name}.event", event, cwd=world.main)
        told = NOTE.replace("NAME", name) if "post-merge" in events[:1] else f'echo {name} >> "$PROBE_LOG" #'
        world.configure(f"hook.{name}.command", told, cwd=world.main)


@set_up_with_git(2, 54)
def a_hook_of_the_person_that_protects_main(world: World) -> None:
    world.plain()
    world.configure("--global", "hook.guard.event", "pre-merge-commit")
    world.configure("--global", "hook.guard.command", 'test "$(git symbolic-ref --short HEAD)" != main #')


@set_up_with_git(2, 45)
def refs_in_reftables(world: World) -> None:
    world.begin(None, "--ref-format=reftable")
    world.part()
    git(world.main, "tag", "before")
    world.hook("commit-msg", "git tag checked MERGE_HEAD && git rev-parse -q --verify before")


@set_up_with_git(2, 45)
def refs_in_reftables_of_another_hash(world: World) -> None:
    world.begin(None, "--ref-format=reftable", "--object-format=sha256")
    world.part()
    for name in ("pre-merge-commit", "commit-msg"):
        world.hook(name)


@set_up_with_git(2, 48)
def links_between_worktrees_that_are_relative(world: World) -> None:
    world.begin()
    world.configure("worktree.useRelativePaths", "true", cwd=world.main)
    world.part()
    git(world.main, "switch", "-q", "-c", "other")
    world.trunk = world.root / "trunk"
    git(world.main, "worktree", "add", "-q", str(world.trunk), "main")
    world.hook("commit-msg")


@set_up_with_git(2, 54)
def locks_that_name_their_process(world: World) -> None:
    world.plain()
    world.configure("core.lockfilePid", "true", cwd=world.main)
    world.hook("commit-msg")
