"""What hooks find, and what they do."""

from tests.harness import git
from tests.harness.beside import World
from tests.harness.repository import commit, write
from tests.operations.merge.set_ups import set_up


@set_up
def nothing_at_all(world: World) -> None:
    world.plain()


@set_up
def every_hook_of_a_merge(world: World) -> None:
    world.plain()
    for name in ("pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-merge"):
        world.hook(name)


@set_up
def hooks_from_a_tracked_folder(world: World) -> None:
    world.plain()
    for name in ("pre-merge-commit", "commit-msg"):
        world.program(world.main / ".githooks" / name)
    commit(world.main, {}, "Hooks")
    world.configure("core.hooksPath", ".githooks", cwd=world.main)


@set_up
def hooks_from_an_ignored_folder(world: World) -> None:
    world.plain()
    world.program(world.main / "local/_/commit-msg", '. "$(dirname "$0")/../said"\nsay')
    (world.main / "local/said").write_text('say() { echo husky >> "$PROBE_LOG"; }\n')
    world.configure("core.hooksPath", "local/_", cwd=world.main)


@set_up
def hooks_from_a_folder_of_the_person(world: World) -> None:
    world.plain()
    world.program(world.home / "hooks/pre-merge-commit")
    world.configure("--global", "core.hooksPath", "~/hooks")


@set_up
def a_hook_that_protects_main(world: World) -> None:
    world.plain()
    world.hook(
        "pre-merge-commit", '[ "$(git rev-parse --abbrev-ref HEAD)" != main ] || { echo "main is protected"; exit 1; }'
    )


@set_up
def a_hook_that_lets_main_only(world: World) -> None:
    world.plain()
    world.hook("pre-merge-commit", '[ "$(git symbolic-ref --short HEAD)" = main ] || exit 1')


@set_up
def a_hook_that_writes_the_branch_into_the_message(world: World) -> None:
    world.plain()
    world.hook("prepare-commit-msg", 'set -e\nb=$(git symbolic-ref --short HEAD)\nprintf "\\n[%s]\\n" "$b" >> "$1"')


@set_up
def a_hook_that_reads_what_is_merged(world: World) -> None:
    world.plain()
    world.hook(
        "commit-msg", 'test "$GIT_REFLOG_ACTION" = "merge feat" && test -f "$(git rev-parse --git-dir)/MERGE_HEAD"'
    )


@set_up
def a_hook_that_refuses_this_branch(world: World) -> None:
    world.plain()
    world.hook("pre-merge-commit", 'case "$GIT_REFLOG_ACTION" in *feat*) exit 1;; esac')


@set_up
def a_hook_that_works_below(world: World) -> None:
    world.plain()
    world.hook(
        "pre-merge-commit",
        'cd web && [ -f "$(git rev-parse --show-toplevel)/web/app.js" ] && git ls-files --error-unmatch app.js',
    )


@set_up
def a_hook_with_an_installed_tool(world: World) -> None:
    world.plain()
    world.program(world.main / "node_modules/.bin/commitlint", 'grep -q Merge "$2"')
    world.hook("commit-msg", 'exec node_modules/.bin/commitlint --edit "$1"')


@set_up
def a_hook_with_a_virtual_environment(world: World) -> None:
    world.plain()
    world.program(world.main / ".venv/bin/lint", "test -f f")
    world.hook("pre-merge-commit", ".venv/bin/lint")


@set_up
def an_installed_tool_in_a_package_below(world: World) -> None:
    world.plain()
    world.program(world.main / "web/node_modules/.bin/lint", "test -f app.js")
    world.hook("pre-merge-commit", "cd web && node_modules/.bin/lint")


@set_up
def a_tool_in_an_ignored_folder_that_the_merge_writes_into(world: World) -> None:
    world.begin()
    world.part()
    write(world.feat, {"local/tracked": "tracked\n"})
    git(world.feat, "add", "-f", "local/tracked")
    commit(world.feat, {}, "Tracked although it is ignored")
    world.program(world.main / "local/tool", "test -f local/tracked")
    world.hook("pre-merge-commit", "local/tool")


@set_up
def a_hook_that_notes_something_in_ignored_files(world: World) -> None:
    world.plain()
    (world.main / "local").mkdir()
    (world.main / "local/notes").write_text("before\n")
    world.hook("commit-msg", "echo seen >> local/notes")


@set_up
def a_hook_that_adds_a_file(world: World) -> None:
    world.plain()
    world.hook("pre-merge-commit", "echo made > made && git add made")


@set_up
def a_hook_that_looks_at_the_status(world: World) -> None:
    world.plain()
    (world.main / "node_modules").mkdir()
    (world.main / "odd [name] .log").write_text("ignored\n")
    world.hook("pre-merge-commit", 'test -z "$(git status --porcelain | grep -v "^[AMD] ")"')


@set_up
def a_hook_that_tags(world: World) -> None:
    world.plain()
    world.hook(
        "commit-msg", "git tag -f checked MERGE_HEAD && git update-ref refs/checks/1 HEAD && git branch -q -D old"
    )
    git(world.main, "branch", "old")


@set_up
def a_hook_that_keeps_a_file_in_the_git_directory(world: World) -> None:
    world.plain()
    (world.main / ".git/last-check").write_text("never\n")
    world.hook(
        "commit-msg",
        'echo now > "$(git rev-parse --git-dir)/last-check"; echo 1 > "$(git rev-parse --git-dir)/first-check"',
    )


@set_up
def a_post_checkout_that_would_fail(world: World) -> None:
    world.plain()
    world.hook("post-checkout", "exit 1")


@set_up
def a_post_merge_in_trunks_checkout(world: World) -> None:
    world.plain()
    world.hook("post-merge", 'echo "post-merge $1 $(pwd)" >> "$PROBE_LOG"')


@set_up
def a_reference_transaction(world: World) -> None:
    world.plain()
    world.hook("reference-transaction", 'grep -q "refs/heads/main" && echo "$1 $(pwd)" >> "$PROBE_LOG"; exit 0')


@set_up
def an_untracked_file_beside(world: World) -> None:
    world.plain()
    (world.main / "scratch").write_text("untracked\n")
    world.hook("pre-merge-commit")
