"""A merge that conflicts only in files that tools make is made with them anew, by the commands that were agreed to."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from sidecar.operations.merge.apply import apply_merge
from sidecar.operations.merge.run import MergeChoices
from sidecar.operations.recovery import recover_all
from sidecar.operations.run import Control
from tests.harness import add_worktree, commit, git, init, write
from tests.harness.killing import run_and_kill
from tests.operations.merge.deeds import assert_nothing_left, merged, only, planned, seen, tip

ANEW = MergeChoices(regenerate=True)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Trunk and a branch that each add a part; `parts.lock` lists all of them, and conflicts."""
    main = init(tmp_path / "shop")
    commit(main, {"parts/a": "a\n", "parts.lock": "a\n", "api/x.ts": "a\n", "cart.py": "one\ntwo\n"}, "Begin")
    feat = add_worktree(main, "feat")
    commit(feat, {"parts/b": "b\n", "parts.lock": "a\nb\n"}, "Add b")
    commit(main, {"parts/c": "c\n", "parts.lock": "a\nc\n"}, "Add c")
    rule(main, "parts.lock -> cat parts/* > parts.lock")
    return main


def rule(main: Path, value: str) -> None:
    git(main, "config", "--add", "sidecar.generated", value)


def both(main: Path, path: str, ours: str, theirs: str) -> None:
    """Trunk and the branch change one file each in their own way."""
    commit(main, {path: ours}, "Trunk's")
    commit(main.parent / "feat", {path: theirs}, "The branch's")


def show(main: Path, path: str) -> str:
    return git(main, "show", f"main:{path}")


def test_it_is_made_anew_from_what_was_merged_and_is_part_of_the_merge(shop: Path) -> None:
    before, head = tip(shop), tip(shop, "feat")
    plan = planned(shop, choices=ANEW)
    assert [(one.code, one.severity, one.paths) for one in plan.findings] == [("regenerate", "info", ("parts.lock",))]
    assert "parts.lock by “cat parts/* > parts.lock”" in plan.findings[0].message
    result = apply_merge(plan)
    assert result.outcome == "merged", result.findings
    assert [one.message for one in result.findings] == ["Made anew: parts.lock by “cat parts/* > parts.lock”."]
    assert show(shop, "parts.lock") == (shop / "parts.lock").read_text().rstrip() == "a\nb\nc"
    assert git(shop, "log", "-1", "--format=%P%n%s%n%b", "main") == f"{before} {head}\nMerge branch 'feat'"
    assert git(shop, "status", "--porcelain") == ""
    assert_nothing_left(shop)


def test_without_being_chosen_it_is_a_conflict_that_says_the_way(shop: Path) -> None:
    before = seen(shop)
    found = only(planned(shop).findings)
    assert (found.code, found.paths) == ("conflict", ("parts.lock",))
    assert "merge and regenerate (--regenerate): parts.lock by “cat parts/* > parts.lock”." in found.message
    assert merged(shop).outcome == "refused"
    assert seen(shop) == before


@pytest.mark.parametrize("other", ["content", "add/add", "modify/delete", "rename/rename"])
def test_where_anything_else_conflicts_it_is_not_offered(shop: Path, other: str) -> None:
    feat = shop.parent / "feat"
    if other == "content":
        both(shop, "cart.py", "1\ntwo\n", "I\ntwo\n")
    elif other == "add/add":
        both(shop, "new.py", "one\n", "two\n")
    elif other == "modify/delete":
        commit(shop, {"cart.py": "1\ntwo\n"}, "Edit")
        commit(feat, {"cart.py": None}, "Delete")
    else:
        for folder in (shop, feat):
            git(folder, "mv", "cart.py", f"{folder.name}.py")
            commit(folder, {}, "Rename")
    plan = planned(shop, choices=ANEW)
    assert plan.remakes == ()
    assert only(plan.findings).code == "conflict"


def test_a_file_that_one_side_deleted_is_for_a_person(shop: Path) -> None:
    commit(shop.parent / "feat", {"parts.lock": None}, "No lock any more")
    assert planned(shop, choices=ANEW).remakes == ()


def test_a_generated_file_without_a_known_command_is_for_a_person(shop: Path) -> None:
    both(shop, "web/cart_pb2.py", "one\n", "two\n")
    assert planned(shop, choices=ANEW).remakes == ()


def test_a_command_that_fails_leaves_trunk_as_it_was_with_its_last_words(shop: Path) -> None:
    rule(shop, "parts.lock -> echo half > parts.lock; echo no registry; exit 3")
    before = seen(shop, shop.parent / "feat")
    result = merged(shop, choices=ANEW)
    found = only(result.findings)
    assert (result.outcome, found.code) == ("failed", "regenerate-failed")
    assert "exit 3” failed (status 3). Its last lines:\nno registry" in found.message
    assert seen(shop, shop.parent / "feat") == before
    assert_nothing_left(shop)


@pytest.mark.parametrize("stray", ["cart.py", "new.txt", "parts/a"])
def test_a_command_that_writes_other_files_is_refused_and_they_are_named(shop: Path, stray: str) -> None:
    rule(shop, f"parts.lock -> cat parts/* > parts.lock; echo stray >> {stray}")
    before = seen(shop)
    result = merged(shop, choices=ANEW)
    found = only(result.findings)
    assert (result.outcome, found.code, found.paths) == ("failed", "regenerated-others", (stray,))
    assert seen(shop) == before
    assert_nothing_left(shop)


def test_all_files_of_its_pattern_are_a_commands_to_write_and_ignored_ones_are_nobodys(shop: Path) -> None:
    commit(shop, {".gitignore": "cache/\n"}, "Ignore")
    both(shop, "api/x.ts", "one\n", "two\n")
    rule(shop, "api/ -> mkdir -p cache; touch cache/z; echo x > api/x.ts; echo y > api/y.ts")
    assert merged(shop, choices=ANEW).outcome == "merged"
    assert (show(shop, "api/x.ts"), show(shop, "api/y.ts"), show(shop, "parts.lock")) == ("x", "y", "a\nb\nc")
    assert not (shop / "cache").exists()


def test_it_begins_as_trunk_has_it_without_markers(shop: Path) -> None:
    rule(shop, "parts.lock -> cp parts.lock kept && sed -i s/c/C/ parts.lock && mv kept ../kept-by-test")
    assert merged(shop, choices=ANEW).outcome == "merged"
    assert show(shop, "parts.lock") == "a\nC"


def test_it_is_verified_with_what_was_made(shop: Path) -> None:
    before = tip(shop)
    said = merged(shop, choices=MergeChoices(regenerate=True, verify="! grep -q b parts.lock"))
    assert (only(said.findings).code, tip(shop)) == ("verify-failed", before)
    assert merged(shop, choices=MergeChoices(regenerate=True, verify="grep -q b parts.lock")).outcome == "merged"


def test_a_squash_has_it_too_and_a_rebase_is_for_a_person(shop: Path) -> None:
    assert planned(shop, choices=MergeChoices("rebase", regenerate=True)).remakes == ()
    before = tip(shop)
    assert merged(shop, choices=MergeChoices("squash", regenerate=True)).outcome == "merged"
    assert git(shop, "log", "-1", "--format=%P", "main") == before
    assert show(shop, "parts.lock") == "a\nb\nc"


def test_what_is_to_be_committed_first_is_made_anew_too(shop: Path) -> None:
    feat = shop.parent / "feat"
    write(feat, {"parts/d": "d\n", "parts.lock": "a\nb\nd\n"})
    assert merged(shop, choices=MergeChoices(commit="Add d", regenerate=True)).outcome == "merged"
    assert show(shop, "parts.lock") == "a\nb\nc\nd"


def test_a_message_of_ones_own_is_taken_whole(shop: Path) -> None:
    said = "Bring b\n\n# not a comment\nBecause."
    assert merged(shop, choices=MergeChoices(message=said, regenerate=True)).outcome == "merged"
    assert git(shop, "log", "-1", "--format=%B", "main") == said


def test_hooks_have_what_is_installed_in_trunk_and_the_commands_do_not(shop: Path) -> None:
    commit(shop, {".gitignore": "node_modules\n"}, "Ignore")
    write(shop, {"node_modules/tool": "trunk's\n"})
    hook = shop / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\ntest -e node_modules/tool && test -e parts/b\n")
    hook.chmod(0o755)
    rule(shop, "parts.lock -> test ! -e node_modules && cat parts/* > parts.lock")
    result = merged(shop, choices=ANEW)
    assert result.outcome == "merged", result.findings
    assert (shop / "node_modules/tool").read_text() == "trunk's\n"


def test_prepare_runs_before_a_generator_and_after_the_lock_files(shop: Path, tmp_path: Path) -> None:
    both(shop, "web/go.sum", "one\n", "two\n")
    rule(shop, "go.sum -> echo lock >> $NOTES; echo lock > web/go.sum")
    rule(shop, "parts.lock -> test -e .installed && echo parts >> $NOTES; cat parts/* > parts.lock")
    commit(shop, {".gitignore": ".installed\n"}, "Ignore")
    notes = tmp_path / "notes"
    for value in git(shop, "config", "--get-all", "sidecar.generated").splitlines():
        git(shop, "config", "--add", "sidecar.generated", value.replace("$NOTES", str(notes)))
    git(shop, "config", "sidecar.prepare", f"echo prepare >> {notes}; touch .installed")
    assert merged(shop, choices=ANEW).outcome == "merged"
    assert notes.read_text().split() == ["lock", "prepare", "parts"]


def test_cancelling_ends_the_command_and_leaves_all_as_it_was(shop: Path, tmp_path: Path) -> None:
    began = tmp_path / "began"
    rule(shop, f"parts.lock -> touch {began}; sleep 600")
    before = seen(shop)
    result = merged(shop, choices=ANEW, control=Control(cancelled=began.exists))
    assert result.outcome == "failed"
    assert [one.code for one in result.findings if one.severity == "info"][:1] == ["cancelled"]
    assert seen(shop) == before
    assert_nothing_left(shop)


def test_the_command_that_was_agreed_to_is_the_one_that_runs(shop: Path, tmp_path: Path) -> None:
    plan = planned(shop, choices=ANEW)
    git(shop, "config", "--replace-all", "sidecar.generated", f"parts.lock -> touch {tmp_path / 'evil'}")
    apply_merge(plan)
    assert not (tmp_path / "evil").exists()


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_npm_makes_its_lock_file_anew_from_the_merged_package(tmp_path: Path) -> None:
    main = init(tmp_path / "shop")
    write(main, {f"lib/{name}/package.json": json.dumps({"name": name, "version": "1.0.0"}) for name in "abcd"})
    a, b, c, d = ({name: f"file:../lib/{name}"} for name in "abcd")
    _install(main, "Begin", a, d)
    _install(add_worktree(main, "feat"), "Add b", a | b, d)
    _install(main, "Add c", a, c | d)
    plan = planned(main, choices=ANEW)
    assert [one.paths for one in plan.remakes] == [("web/package-lock.json",)]
    assert apply_merge(plan).outcome == "merged"
    packages = json.loads(show(main, "web/package-lock.json"))["packages"]
    assert {"../lib/a", "../lib/b", "../lib/c"} <= packages.keys()


def _install(folder: Path, message: str, needed: dict[str, str], optional: dict[str, str]) -> None:
    """Commit a package with these dependencies, and the lock file that npm makes of it."""
    between = {"license": "MIT", "description": "A shop", "main": "index.js"}
    package = {"name": "web", "version": "1.0.0", "dependencies": needed, **between, "optionalDependencies": optional}
    write(folder, {"web/package.json": json.dumps(package, indent=2) + "\n"})
    npm = ("npm", "install", "--package-lock-only", "--offline", "--silent")
    subprocess.run(npm, cwd=folder / "web", check=True, capture_output=True)
    commit(folder, {}, message)


def test_a_command_that_stages_other_files_is_found_by_that(shop: Path) -> None:
    before = tip(shop)
    rule(shop, "parts.lock -> cat parts/* > parts.lock; echo 1 > cart.py; touch new; git add --all")
    found = only(merged(shop, choices=ANEW).findings)
    assert (found.code, found.paths, tip(shop)) == ("regenerated-others", ("cart.py", "new"), before)


@pytest.mark.parametrize("line", ["rm parts.lock", "ln -sf /dev/null parts.lock", "rm parts.lock; mkdir parts.lock"])
def test_what_is_no_file_afterwards_was_not_made(shop: Path, line: str) -> None:
    before = tip(shop)
    rule(shop, f"parts.lock -> {line}")
    found = only(merged(shop, choices=ANEW).findings)
    assert (found.code, found.paths, tip(shop)) == ("regenerate-failed", ("parts.lock",), before)


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_a_generator_has_what_the_merged_lock_file_installs_and_verify_has_it_too(tmp_path: Path) -> None:
    main = init(tmp_path / "shop")
    tool = {"name": "generate", "version": "1.0.0", "bin": "index.js"}
    write(main, {".gitignore": "node_modules\n", "packages/generate/package.json": json.dumps(tool)})
    write(
        main,
        {"packages/generate/index.js": "#!/usr/bin/env node\nconsole.log(require('fs').readdirSync('parts').join())\n"},
    )
    for folder, part in ((main, "a"), (main, "c")):
        package = {"name": "shop", "private": True, "workspaces": ["packages/*"], "description": part}
        write(folder, {"package.json": json.dumps(package), f"parts/{part}": "x", "parts.list": f"{part}\n"})
        npm = ("npm", "install", "--package-lock-only", "--offline", "--silent")
        subprocess.run(npm, cwd=folder, check=True, capture_output=True)
        commit(folder, {}, "Begin" if part == "a" else "Add c")
    commit(add_worktree(main, "feat", start="main~"), {"parts/b": "x", "parts.list": "a\nb\n"}, "Add b")
    rule(main, "parts.list -> generate > parts.list")
    result = merged(main, choices=MergeChoices(regenerate=True, verify="generate | cmp - parts.list"))
    assert result.outcome == "merged", result.findings
    assert show(main, "parts.list") == "a,b,c"
    assert not (main / "node_modules").exists()
    assert_nothing_left(main)


LOCK = "the lock file's command"


@pytest.mark.parametrize("killed", [LOCK, "prepare", "the generator", "verify"])
def test_killed_amid_it_trunk_is_as_it_was_and_nothing_is_left(shop: Path, tmp_path: Path, killed: str) -> None:
    both(shop, "web/go.sum", "one\n", "two\n")
    deadly = f"test -e {tmp_path / 'survive'} || kill -9 $PPID"
    dies = {name: deadly if name == killed else "true" for name in (LOCK, "prepare", "the generator", "verify")}
    rule(shop, f"go.sum -> echo half > web/go.sum; {dies[LOCK]}")
    rule(shop, f"parts.lock -> cat parts/* > parts.lock; {dies['the generator']}")
    git(shop, "config", "sidecar.prepare", f"echo x > half; {dies['prepare']}; rm half")
    git(shop, "config", "sidecar.verify", dies["verify"])
    before = seen(shop, shop.parent / "feat")
    assert run_and_kill("regenerate", shop, "feat").died
    assert [one.code for one in recover_all(shop)] == ["recovered"]
    assert seen(shop, shop.parent / "feat") == before
    assert_nothing_left(shop)
    (tmp_path / "survive").touch()
    assert merged(shop, choices=ANEW).outcome == "merged"
    assert (show(shop, "parts.lock"), show(shop, "web/go.sum")) == ("a\nb\nc", "half")
