"""What commands do in the landing worktree deletes nothing outside of it, and what they read outside of it is seen."""

import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.operations.merge.run import MergeChoices
from sidecar.operations.recovery import recover_all
from tests.harness import add_worktree, commit, git, init
from tests.operations.merge.deeds import merged, only
from tests.operations.merge.test_landing_worktree import done, linux, main, merge, prepares, top

__all__ = ["main"]


@pytest.mark.parametrize("line", ["git gc --prune=now", "git repack -adq; git prune --expire=now; true"])
def test_a_command_that_cleans_up_deletes_no_object_that_its_refs_do_not_name(main: Path, line: str) -> None:
    """The objects are the repository's, whose refs of ours, other worktrees and indexes git does not see there."""
    module = init(main.parent / "module")
    commit(module, {"m.txt": "m\n"}, "Module")
    git(main, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(module), "lib/module")
    commit(main, {}, "Add a module")
    kept = {}
    for folder in (main, main / "lib/module"):
        kept[folder] = git(folder, "commit-tree", "-m", "Kept", git(folder, "rev-parse", "HEAD^{tree}"))
        git(folder, "update-ref", "refs/sidecar/kept", kept[folder])
    commit(add_worktree(main, "one"), {"c.txt": "c\n"}, "one")
    assert merged(main, "one", MergeChoices(verify=f"{line} && cd lib/module && {line}")).outcome == "merged"
    assert {folder: git(folder, "rev-parse", "refs/sidecar/kept^{commit}") for folder in kept} == kept


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file that is nobody's to delete, in a directory that is called like one of a landing worktree."""
    path = tmp_path / "outside/module/node_modules/precious"
    path.parent.mkdir(parents=True)
    path.write_text("precious\n")
    return path


def test_a_link_above_a_submodule_leads_nobody_to_delete_what_is_there(main: Path, outside: Path) -> None:
    module = init(main.parent / "module")
    commit(module, {"m.txt": "m\n"}, "Module")
    git(main, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(module), "lib/module")
    commit(main, {}, "Add a module")
    done(main, "one", {"c.txt": "c\n"}, f"rm -rf lib && ln -s {main.parent}/outside lib")
    done(main, "two", {"d.txt": "d\n"}, "test -f lib/module/m.txt && test ! -L lib")
    assert outside.exists()


def test_a_link_that_lands_leads_nobody_to_delete_what_is_there(main: Path, tmp_path: Path, outside: Path) -> None:
    prepares(main, "mkdir -p lib/module/node_modules && touch lib/module/node_modules/x", tmp_path)
    commit(main, {"lib/module/index.js": "\n", "package.json": "1"}, "Add a package")
    done(main, "one", {"c.txt": "c\n"})
    worktree = add_worktree(main, "two")
    git(worktree, "rm", "-rq", "lib")
    (worktree / "lib").symlink_to(tmp_path / "outside")
    commit(worktree, {"package.json": "2"}, "Link")
    merged(main, "two", MergeChoices(verify="true"))
    assert outside.exists()


def test_a_link_in_the_place_of_the_landing_worktree_is_not_followed(main: Path, outside: Path) -> None:
    top(main).parent.mkdir(parents=True)
    top(main).symlink_to(outside.parent)
    done(main, "one", {"c.txt": "c\n"}, "test ! -e precious")
    assert outside.exists()
    assert not top(main).is_symlink()


def test_a_record_that_cannot_be_deleted_is_in_the_way_of_verify_alone(main: Path) -> None:
    (top(main).with_name("sidecar-landing.json") / "x").mkdir(parents=True)
    commit(add_worktree(main, "one"), {"c.txt": "c\n"}, "one")
    assert only(merged(main, "one", MergeChoices(verify="true")).findings).code == "failed"
    assert recover_all(main) == ()
    assert merged(main, "one", MergeChoices(verify="")).outcome == "merged"


@linux
@pytest.mark.parametrize(("own", "outcome"), [(False, "failed"), (True, "merged")])
def test_code_that_python_has_made_in_another_checkout_is_its_source(
    main: Path, monkeypatch: pytest.MonkeyPatch, own: bool, outcome: str
) -> None:
    """Python does not open a source again of which it has kept what it made."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    commit(main, {".gitignore": "__pycache__\n", "lib.py": "answer = 1\n"}, "Lib")
    git(main, "config", "sidecar.prepare", f"{sys.executable} -m compileall -q .")
    subprocess.run([sys.executable, "-m", "compileall", "-q", "."], cwd=main, check=True)
    assert list((main / "__pycache__").glob("lib.*.pyc"))
    elsewhere = f"cd / && PYTHONPATH={main} {sys.executable} -c 'import lib'"
    line = f"{sys.executable} -c 'import lib' && {elsewhere}" if own else elsewhere
    result = merge(main, "feat", {"lib.py": "answer = 2\n"}, line)
    assert result.outcome == outcome, result.findings
    if not own:
        assert only(result.findings).code == "verified-elsewhere"
