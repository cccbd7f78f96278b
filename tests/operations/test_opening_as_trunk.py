"""A new worktree is set up as trunk's checkout is, and what it lacks, or begins behind, is said."""

import subprocess
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.operations.open import RELATIVE_LINKS, apply_open, plan_open
from sidecar.operations.recovery import recover_all
from tests.harness import add_worktree, commit, git, init, write
from tests.operations.test_opening import open_and_be_killed


def opened(folder: Path, name: str = "one", start: str | None = None) -> tuple[Path, list[tuple[str, str]]]:
    plan = plan_open(folder, name, start, Options(trusted=True))
    assert not isinstance(plan, Failure)
    result = apply_open(plan)
    assert result.outcome == "opened" and result.path is not None, result
    return Path(result.path), [(one.code, one.message) for one in result.findings]


def test_an_upstream_that_has_more_is_told_by_what_is_known_here(repo: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", repo, "origin.git")
    git(repo, "remote", "add", "origin", tmp_path / "origin.git")
    git(repo, "fetch", "--quiet", "origin")
    git(repo, "branch", "--quiet", "--set-upstream-to", "origin/main")
    assert opened(repo)[1] == []
    other = add_worktree(repo, "other")
    tip = commit(other, {"a.txt": "a\n"})
    git(other, "push", "--quiet", "origin", "HEAD:main")
    git(tmp_path / "origin.git", "update-ref", "-d", "refs/heads/main")  # what is asked for is not the remote
    expected = "origin/main has 1 commit that main lacks, as of the last fetch. To begin there: sidecar open"
    assert opened(repo, "two")[1] == [("base-behind", f"{expected} two --from origin/main")]
    where, findings = opened(repo, "three", "origin/main")
    assert (git(where, "rev-parse", "HEAD"), findings) == (tip, [])


def sparse(repo: Path) -> Path:
    """A linked worktree with trunk in which only `in` is laid out; the main worktree has everything."""
    commit(repo, {"in/a.txt": "a\n", "out/b.txt": "b\n"})
    git(repo, "checkout", "--quiet", "-b", "aside")
    trunk = repo.parent / "trunk"
    git(repo, "worktree", "add", "--quiet", trunk, "main")
    git(trunk, "sparse-checkout", "set", "in")
    return trunk


def test_what_is_sparse_in_trunks_checkout_is_sparse_in_the_new_worktree(repo: Path) -> None:
    sparse(repo)
    where, findings = opened(repo)
    assert ((where / "in/a.txt").exists(), (where / "out").exists(), findings) == (True, False, [])
    assert git(where, "sparse-checkout", "list") == "in"
    assert git(where, "status", "--porcelain") == ""
    assert (repo / "out/b.txt").exists()


def test_a_sparse_opening_that_was_killed_is_finished_as_sparse(repo: Path, tmp_path: Path) -> None:
    commit(repo, {"in/slow.txt": "slow\n", ".gitattributes": "slow.txt filter=slow\n"})
    sparse(repo)
    git(repo, "config", "filter.slow.smudge", f"kill -9 $(cat {tmp_path}/pid); cat")
    open_and_be_killed(repo, tmp_path, f'echo $PPID $$ > {tmp_path}/pid; exec GIT "$@"')
    git(repo, "config", "--remove-section", "filter.slow")
    findings = recover_all(repo)
    where = tmp_path / "repo.worktrees/one"
    assert "it is finished" in findings[0].message
    assert (where / "in/slow.txt").exists() and not (where / "out").exists()
    assert git(where, "status", "--porcelain") == ""


def test_submodules_that_are_empty_are_named(repo: Path, tmp_path: Path) -> None:
    library = init(tmp_path / "library")
    commit(library, {"lib.txt": "lib\n"})
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "lib")
    commit(repo)
    where, findings = opened(repo)
    way = "To fill: git submodule update --init --recursive"
    assert findings == [("submodules-empty", f"1 submodule is empty there: lib. {way}")]
    assert list((where / "lib").iterdir()) == []


def test_pointers_in_place_of_content_are_named(repo: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"
    commit(repo, {".gitattributes": "*.bin filter=lfs\n", "a.bin": pointer, "b.bin": "content\n", "c.txt": pointer})
    _, findings = opened(repo)
    told = "What stands for the content (lfs) of 1 file is there, not the content: a.bin. To fetch it: git lfs pull"
    assert findings == [("no-content", told)]


@pytest.mark.needs_git(*RELATIVE_LINKS)
def test_links_are_relative_where_those_of_the_repository_are(repo: Path) -> None:
    assert (opened(repo, "one")[0] / ".git").read_text().startswith("gitdir: /")
    subprocess.run(["git", "worktree", "add", "--quiet", "--relative-paths", "../other"], cwd=repo, check=True)
    where, _ = opened(repo, "two")
    assert (where / ".git").read_text() == "gitdir: ../../repo/.git/worktrees/two\n"
    write(where, {"new.txt": "n\n"})
    assert git(where, "status", "--porcelain") == "?? new.txt"
