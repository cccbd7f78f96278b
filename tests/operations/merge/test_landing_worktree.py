"""The landing worktree has what lands, and of what is ignored only what prepare made of what is still the same."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from sidecar.operations.landing_repository.place import (
    LANDING,
    expire_landing_worktrees,
    landing_repository_path,
    read_kept,
    take_landing_worktree,
)
from sidecar.operations.merge.run import MergeChoices, MergeResult
from sidecar.operations.run import Control
from tests.harness import add_worktree, commit, git
from tests.operations.merge.deeds import assert_nothing_left, merged, only, planned, tip

linux = pytest.mark.skipif(sys.platform != "linux", reason="what is opened is known by inotify")


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """The main worktree `tmp_path/shop`, whose `.gitignore` names directories of tools."""
    path = tmp_path / "shop"
    path.mkdir()
    git(path, "init", "-q", "-b", "main")
    commit(
        path, {".gitignore": "node_modules\n.venv\ndist\ntarget\n*.log\n", "a.txt": "a\n", "src/b.txt": "b\n"}, "Begin"
    )
    return path


def top(main: Path) -> Path:
    return landing_repository_path(str(main / ".git"), LANDING)


def merge(main: Path, name: str, changes: dict[str, str | None], verify: str = "true") -> MergeResult:
    commit(add_worktree(main, name), changes, name)
    result = merged(main, name, MergeChoices(verify=verify))
    assert_nothing_left(main)
    return result


def done(main: Path, name: str, changes: dict[str, str | None], verify: str = "true") -> None:
    result = merge(main, name, changes, verify)
    assert result.outcome == "merged", result.findings


def prepares(main: Path, line: str, tmp_path: Path) -> Path:
    """Have prepare run this, and note each time that it did."""
    git(main, "config", "sidecar.prepare", f"echo ran >> {tmp_path}/runs; {line}")
    return tmp_path / "runs"


def count(runs: Path) -> int:
    return len(runs.read_text().splitlines())


# ---- files ----


def test_what_a_command_has_done_to_tracked_files_and_beside_them_is_gone(main: Path) -> None:
    breaks = """
    echo changed > a.txt; rm -r src; mkdir b; echo x > new; git init -q b/inner; echo y > b/inner/y
    ln -s /tmp link
    git update-index --assume-unchanged a.txt; git config core.bare true; echo z > debug.log; mkdir dist
    echo d > dist/d
    """
    done(main, "one", {"c.txt": "c\n"}, breaks)
    seen = 'test "$(cat a.txt src/b.txt)" = "a\nb"'
    names = 'test "$(ls -A | tr "\\n" " ")" = ".git .gitignore a.txt c.txt d.txt src "'
    done(main, "two", {"d.txt": "d\n"}, f'{seen} && {names} && test -z "$(git status --porcelain --ignored)"')


def test_a_file_that_is_changed_with_its_size_and_time_is_written_again(main: Path) -> None:
    done(main, "one", {"c.txt": "c\n"}, "cp -p a.txt a.log && echo X > a.txt && touch -r a.log a.txt")
    done(main, "two", {"d.txt": "d\n"}, 'test "$(cat a.txt)" = a')


def test_files_that_are_the_same_in_both_trees_keep_their_times(main: Path) -> None:
    done(main, "one", {"c.txt": "c\n"})
    before = (top(main) / "src/b.txt").stat().st_mtime_ns
    done(main, "two", {"d.txt": "d\n"})
    assert (top(main) / "src/b.txt").stat().st_mtime_ns == before


def test_files_are_written_again_when_attributes_say_otherwise(main: Path) -> None:
    done(main, "one", {"c.txt": "c\n"})
    done(main, "two", {".gitattributes": "*.txt text eol=crlf\n"}, 'test "$(od -c a.txt | grep -c "r")" = 1')


def test_a_file_stands_where_an_ignored_directory_was(main: Path) -> None:
    prepare = "mkdir -p dist/x node_modules/y && touch dist/x/x node_modules/y/y"
    git(main, "config", "sidecar.prepare", prepare)
    done(main, "one", {"c.txt": "c\n"})
    git(main, "config", "sidecar.prepare", "true")
    worktree = add_worktree(main, "two")
    (worktree / "dist").write_text("a file\n")
    git(worktree, "add", "-f", "dist")
    git(worktree, "commit", "-qm", "A file")
    assert merged(main, "two", MergeChoices(verify="test -f dist")).outcome == "merged"


def test_build_output_of_other_files_is_not_there_and_marked_caches_are(main: Path) -> None:
    tag = "Signature: 8a477f597d28d172789f06886806bc55"
    builds = f"mkdir -p dist target src/node_modules && cp a.txt dist && echo '{tag}' > target/CACHEDIR.TAG"
    done(main, "one", {"c.txt": "c\n"}, builds)
    done(main, "two", {"d.txt": "d\n"}, "test ! -e dist && test ! -e src/node_modules && test -f target/CACHEDIR.TAG")


# ---- prepare ----


@linux
def test_prepare_runs_again_when_a_lock_file_or_what_it_read_has_changed(main: Path, tmp_path: Path) -> None:
    runs = prepares(main, "mkdir -p node_modules && cat src/b.txt > node_modules/b", tmp_path)
    there = "test -f node_modules/b"
    done(main, "one", {"c.txt": "c\n"}, there)
    done(main, "two", {"a.txt": "another\n", "src/new.txt": "new\n"}, there)
    assert count(runs) == 1
    done(main, "three", {"package-lock.json": "{}\n"}, there)
    assert count(runs) == 2, "there is a lock file now"
    done(main, "four", {"src/b.txt": "B\n"}, 'test "$(cat node_modules/b)" = B')
    assert count(runs) == 3, "it read that"
    git(main, "config", "sidecar.prepare", f"{git(main, 'config', 'sidecar.prepare')} && true")
    done(main, "five", {"e.txt": "e\n"}, there)
    assert count(runs) == 4, "it is another command"


@linux
def test_prepare_runs_again_when_a_directory_that_it_lists_has_more(main: Path, tmp_path: Path) -> None:
    runs = prepares(main, "mkdir -p node_modules && ls src > node_modules/list", tmp_path)
    done(main, "one", {"src/b.txt": "B\n"})
    done(main, "two", {"src/b.txt": "b\n"})
    assert count(runs) == 1
    done(main, "three", {"src/c.txt": "c\n"}, "grep -q c.txt node_modules/list")
    assert count(runs) == 2


def test_what_prepare_made_before_is_not_there_when_it_runs_again(main: Path, tmp_path: Path) -> None:
    prepares(main, "mkdir -p node_modules && touch node_modules/$(cat package.json)", tmp_path)
    commit(main, {"package.json": "old"}, "Old")
    done(main, "one", {"c.txt": "c\n"}, "test -e node_modules/old")
    done(main, "two", {"package.json": "new"}, "test -e node_modules/new && test ! -e node_modules/old")


def test_what_verify_installs_is_not_there_for_the_next(main: Path, tmp_path: Path) -> None:
    prepares(main, "mkdir -p node_modules/lib", tmp_path)
    done(main, "one", {"c.txt": "c\n"}, "mkdir node_modules/more")
    done(main, "two", {"d.txt": "d\n"}, "test -d node_modules/lib && test ! -e node_modules/more")


@linux
def test_what_verify_builds_in_what_prepare_made_is_not_there_for_the_next(main: Path, tmp_path: Path) -> None:
    runs = prepares(main, "mkdir -p dist/deep && cat a.txt > dist/deep/x && cp a.txt debug.log", tmp_path)
    done(main, "one", {"c.txt": "c\n"}, "touch dist/deep/more")
    done(main, "two", {"d.txt": "d\n"}, "test ! -e dist/deep/more && echo built > dist/deep/x")
    done(main, "three", {"e.txt": "e\n"}, "grep a dist/deep/x && echo built > debug.log")
    done(main, "four", {"f.txt": "f\n"}, "grep a debug.log")
    done(main, "five", {"g.txt": "g\n"}, "cat dist/deep/x")
    assert count(runs) == 4, "the last found what there was"


def test_prepare_runs_again_where_what_it_made_is_not_ignored_or_gone(main: Path, tmp_path: Path) -> None:
    runs = prepares(main, "mkdir -p deps node_modules && touch deps/x node_modules/x", tmp_path)
    done(main, "one", {"c.txt": "c\n"}, "test -f deps/x")
    done(main, "two", {"d.txt": "d\n"}, "test -f deps/x")
    assert count(runs) == 2
    runs = prepares(main, "mkdir -p node_modules && touch node_modules/x", tmp_path)
    done(main, "three", {"e.txt": "e\n"}, "rm -r node_modules")
    done(main, "four", {"f.txt": "f\n"}, "test -f node_modules/x")
    assert count(runs) == 4


def test_a_prepare_that_fails_has_the_next_begin_anew(main: Path, tmp_path: Path) -> None:
    prepares(main, "mkdir node_modules && touch node_modules/$(cat a.txt) && test $(cat a.txt) = a", tmp_path)
    assert only(merge(main, "one", {"a.txt": "b\n"}).findings).code == "prepare-failed"
    done(main, "two", {"c.txt": "c\n"}, "test -e node_modules/a && test ! -e node_modules/b")


def test_a_tree_that_passed_is_verified_again_when_dependencies_came_otherwise(main: Path) -> None:
    def again() -> set[str]:
        result = merged(main, "one", MergeChoices(verify="true"))
        git(main, "reset", "-q", "--hard", "HEAD~1")
        return {finding.code for finding in result.findings}

    commit(add_worktree(main, "one"), {"c.txt": "c\n"}, "one")
    assert (again(), again()) == (set(), {"verified-before"})
    git(main, "config", "sidecar.prepare", "mkdir node_modules")
    assert (again(), again()) == (set(), {"verified-before"})


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('ln -s "$SIDECAR_CHECKOUT/node_modules" .', True),
        ('mkdir x && ln -sfn "$SIDECAR_WORKTREE"/node_modules x/', True),
        ("cp -al {main}/node_modules .", True),
        ('npm ci && cp "$SIDECAR_CHECKOUT/.env" .', False),
        ("ln -s /opt/tools . && npm ci", False),
    ],
)
def test_a_prepare_that_links_into_another_checkout_is_told_in_the_plan(main: Path, line: str, *, told: bool) -> None:
    commit(add_worktree(main, "one"), {"c.txt": "c\n"}, "one")
    git(main, "config", "sidecar.prepare", line.replace("{main}", str(main)))
    plan = planned(main, "one", MergeChoices(verify="true"))
    assert not plan.blocked
    assert [finding.code for finding in plan.findings] == ["prepare-links"] * told
    assert planned(main, "one", MergeChoices(verify="")).findings == ()


# ---- keeping ----


def test_one_that_was_left_at_work_is_thrown_away(main: Path) -> None:
    git(main, "config", "sidecar.prepare", "mkdir -p node_modules && touch node_modules/x")
    done(main, "one", {"c.txt": "c\n"})
    assert read_kept(str(main / ".git")) is not None
    assert take_landing_worktree(str(main / ".git")) is not None
    (top(main) / "node_modules/half").touch()
    done(main, "two", {"d.txt": "d\n"}, "test -e node_modules/x && test ! -e node_modules/half")


def test_a_directory_that_was_put_in_its_place_is_not_taken_for_it(main: Path) -> None:
    done(main, "one", {"c.txt": "c\n"})
    top(main).rename(top(main).with_name("other"))
    (top(main) / "node_modules").mkdir(parents=True)
    commit(add_worktree(main, "two"), {"d.txt": "d\n"}, "two")
    assert merged(main, "two", MergeChoices(verify="test ! -e node_modules")).outcome == "merged"


def test_a_cancelled_verify_leaves_nothing(main: Path) -> None:
    commit(add_worktree(main, "one"), {"c.txt": "c\n"}, "one")
    heard: list[str] = []
    control = Control(output=heard.append, cancelled=lambda: "waiting" in heard)
    result = merged(main, "one", MergeChoices(verify="echo waiting; sleep 1000"), control)
    assert only(result.findings, "info").code == "cancelled"
    assert not top(main).parent.exists()


@pytest.mark.parametrize(("limit", "kept"), [("0", False), ("1", False), ("100", True)])
def test_it_is_kept_up_to_a_size(main: Path, limit: str, *, kept: bool) -> None:
    git(main, "config", "sidecar.landingLimit", limit)
    git(main, "config", "sidecar.prepare", "mkdir node_modules && head -c 2000000 /dev/zero > node_modules/x")
    done(main, "one", {"c.txt": "c\n"})
    assert top(main).parent.exists() == kept


def test_one_that_nobody_has_used_for_long_goes_and_so_does_one_without_its_repository(
    main: Path, tmp_path: Path
) -> None:
    done(main, "one", {"c.txt": "c\n"})
    other = "/of/another/repository"
    expire_landing_worktrees(other)
    assert top(main).exists()
    record = top(main).with_name("sidecar-landing.json")
    said = json.loads(record.read_text())
    record.write_text(json.dumps(said | {"used": time.time() - 31 * 86400}))
    expire_landing_worktrees(str(main / ".git"))
    assert top(main).exists(), "it is its own"
    expire_landing_worktrees(other)
    assert not top(main).parent.exists()
    done(main, "two", {"d.txt": "d\n"})
    main.rename(tmp_path / "away")
    expire_landing_worktrees(other)
    assert not top(main).parent.exists()


def killed_in(main: Path, name: str) -> Path:
    """Leave the landing worktree as a kill in a verify does, and give its folder of the cache."""
    done(main, name, {f"{name}.txt": "x\n"})
    record = top(main).with_name("sidecar-landing.json")
    record.unlink()
    (top(main) / ".git").mkdir()
    (top(main) / ".git/objects").symlink_to(main / ".git/objects")
    return top(main).parent


def test_what_a_kill_has_left_goes_with_its_repository_or_when_nobody_was_there_for_long(
    main: Path, tmp_path: Path
) -> None:
    other, folder = "/of/another/repository", killed_in(main, "one")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    (folder / "sidecar-link").symlink_to(outside)
    expire_landing_worktrees(other)
    assert top(main).exists(), "somebody may be at work in it"
    expire_landing_worktrees(str(main / ".git"))
    assert top(main).exists(), "it is its own"
    for path in (*folder.iterdir(), folder):
        os.utime(path, (0, 0), follow_symlinks=False)
    expire_landing_worktrees(other)
    assert not folder.exists()
    assert (outside / "kept").exists()
    folder = killed_in(main, "two")
    main.rename(tmp_path / "away")
    expire_landing_worktrees(other)
    assert not folder.exists()


def test_what_is_not_ours_in_the_cache_stays(main: Path) -> None:
    cache = top(main).parent.parent
    for name in ("sessions", "logs", "0123456789abcdef"):
        (cache / name).mkdir(parents=True)
        (cache / name / "sidecar-x").touch()
        os.utime(cache / name / "sidecar-x", (0, 0))
        os.utime(cache / name, (0, 0))
    expire_landing_worktrees("/of/another/repository")
    assert all((cache / name / "sidecar-x").exists() for name in ("sessions", "logs", "0123456789abcdef"))


# ---- reading elsewhere ----

READ = "python3 -c 'import lib; assert lib.answer == 1'"


@linux
@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ('cd "$SIDECAR_WORKTREE" && cat lib.py', "failed"),
        ('cat "$SIDECAR_CHECKOUT/lib.py"', "failed"),
        (
            f'PYTHONPATH="$SIDECAR_CHECKOUT" {READ.replace("import lib", "import sys; sys.path.pop(0); import lib")}',
            "failed",
        ),
        (f'PYTHONPATH="$SIDECAR_CHECKOUT" {READ}', "merged"),
        ('cat lib.py "$SIDECAR_CHECKOUT/lib.py"', "merged"),
        ('cat "$SIDECAR_CHECKOUT/a.txt"', "merged"),
        ('diff "$SIDECAR_CHECKOUT/lib.py" lib.py; true', "merged"),
    ],
)
def test_a_verify_that_reads_elsewhere_what_lands_proves_nothing(main: Path, line: str, outcome: str) -> None:
    commit(main, {"lib.py": "answer = 1\n"}, "Lib")
    before = tip(main)
    result = merge(main, "feat", {"lib.py": "answer = 2 - 1\n"}, line)
    assert result.outcome == outcome, result.findings
    if outcome == "failed":
        found = only(result.findings)
        assert (found.code, found.paths, tip(main)) == ("verified-elsewhere", ("lib.py",), before)


@linux
def test_a_process_that_works_in_another_checkout_is_found_without_its_name_in_the_command(
    main: Path, tmp_path: Path
) -> None:
    commit(main, {"lib.py": "answer = 1\n"}, "Lib")
    script = tmp_path / "check.py"
    script.write_text(f"import os, time\nos.chdir({str(main)!r})\nopen('lib.py').read()\ntime.sleep(1)\n")
    result = merge(main, "feat", {"lib.py": "answer = 2 - 1\n"}, f"python3 {script}")
    assert only(result.findings).code == "verified-elsewhere"


@linux
def test_others_may_read_what_they_like_meanwhile(main: Path, tmp_path: Path) -> None:
    """An editor or an agent that reads the file in its own worktree is nothing to verify."""
    commit(main, {"lib.py": "answer = 1\n"}, "Lib")
    worktree = main.parent / "feat"
    script = tmp_path / "agent"
    env = "env -i PATH=/usr/bin:/bin"
    script.write_text(f"#!/bin/sh\ncd {worktree} && exec {env} sh -c 'cat lib.py; sleep 0.3'\n")
    script.chmod(0o755)
    waits = f"({env} {script} >/dev/null); true"
    assert merge(main, "feat", {"lib.py": "answer = 2 - 1\n"}, waits).outcome == "merged"


def test_variables_that_lead_to_code_of_another_checkout_are_not_there(
    main: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(main / "src"), str(tmp_path))))
    monkeypatch.setenv("VIRTUAL_ENV", str(main / ".venv"))
    done(main, "one", {"c.txt": "c\n"}, f'test "$PYTHONPATH" = "{tmp_path}" && test -z "$VIRTUAL_ENV"')
