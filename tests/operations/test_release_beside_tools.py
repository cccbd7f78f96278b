"""What other tools, settings and newer gits leave in a worktree: it goes, and works again where it comes back."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.model.findings import Failure, allowable
from sidecar.model.settings import Options
from sidecar.operations.records import RestoreResult
from sidecar.operations.release.apply import ReleaseResult, apply_release
from sidecar.operations.release.plan import ReleasePlan, plan_release
from sidecar.operations.restore import restore
from tests.harness import git, init, write
from tests.harness.repository import Executable, add_worktree, commit
from tests.harness.states import Standing, build_at_work, build_standing, standing
from tests.harness.whole import whole

LOCAL = ("-c", "protocol.file.allow=always")


def planned(at: Standing, *allow: str) -> ReleasePlan:
    plan = plan_release(at.main, str(at.worktree), Options(), frozenset(allow) & allowable())
    assert not isinstance(plan, Failure), plan
    return plan


def released(at: Standing, *allow: str) -> str:
    result: ReleaseResult = apply_release(planned(at, *allow))
    assert result.outcome == "released", result.findings
    assert result.receipt is not None
    return result.receipt


def restored(at: Standing, receipt: str, into: Path | None = None) -> RestoreResult:
    git(at.main, "gc", "--quiet", "--prune=now")
    back = restore(at.main, receipt, Options(), into=into)
    assert not isinstance(back, Failure), back
    assert back.outcome == "restored", back.findings
    return back


def told(plan: ReleasePlan, code: str) -> str:
    (message,) = [one.message for one in plan.findings if one.code == code]
    return message


@pytest.mark.parametrize(
    "name", ["hooks/commit-msg", "objects/ab/cdef", "config", "info/attributes", "patches/x/series"]
)
def test_what_other_tools_put_into_gits_directory_comes_back(name: str, tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    write(at.administrative, {name: Executable("#!/bin/sh\n")})
    at.git("status")
    receipt = released(at)
    restored(at, receipt)
    assert (at.administrative / name).read_text() == "#!/bin/sh\n"
    assert os.access(at.administrative / name, os.X_OK)


def test_a_link_in_gits_directory_comes_back_as_a_link(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    (at.administrative / "notes").symlink_to(at.outside)
    assert "administrative-files" in {one.code for one in planned(at).findings}
    restored(at, released(at))
    assert os.readlink(at.administrative / "notes") == str(at.outside)


@pytest.mark.parametrize("by", ["command", "setting"])
def test_a_split_index_does_not_look_like_a_change(by: str, tmp_path: Path) -> None:
    """Git itself sets the times of its parts whenever it reads one."""
    at = build_standing(tmp_path)
    if by == "setting":
        git(at.main, "config", "core.splitIndex", "true")
    at.git("update-index", "--split-index")
    assert list(at.administrative.glob("sharedindex.*"))
    plan = planned(at)
    os.utime(next(at.administrative.glob("sharedindex.*")))
    assert apply_release(plan).outcome == "released"


@pytest.mark.parametrize("name", ["index.lock", "HEAD.lock"])
def test_a_lock_is_named_where_it_is(name: str, tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    (at.administrative / name).touch()
    assert str(at.administrative / name) in told(planned(at), "git-lock")
    (at.administrative / name).unlink()
    shared = at.main / ".git/packed-refs.lock"
    shared.touch()
    assert str(shared) in told(planned(at), "git-lock")


def test_what_is_no_lock_of_gits_blocks_nothing(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    write(at.administrative, {"index~pid.lock": "123\n"})
    restored(at, released(at))
    assert (at.administrative / "index~pid.lock").read_text() == "123\n"


HOOKS: dict[str, str] = {
    "pre-commit": '#!/usr/bin/env bash\nINSTALL_PYTHON={}/.venv/bin/python\nexec "$INSTALL_PYTHON" -mpre_commit\n',
    "commit-msg": "#!/bin/sh\ntest -x '{}/node_modules/lefthook/bin/lefthook' && exec lefthook run\n",
    "post-merge": "#!/bin/sh\ncd {} && make\n",
}


@pytest.mark.parametrize("hook", HOOKS)
def test_a_shared_hook_that_calls_something_inside_is_told(hook: str, tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    write(at.main / ".git/hooks", {hook: Executable(HOOKS[hook].format(f"{at.worktree}-other"))})
    assert "config-inside" not in {one.code for one in planned(at).findings}
    write(at.main / ".git/hooks", {hook: Executable(HOOKS[hook].format(at.worktree))})
    assert f"hooks/{hook} = " in told(planned(at), "config-inside")


def test_a_shared_hook_that_is_a_link_into_the_worktree_is_told(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    (at.main / ".git/hooks").mkdir(exist_ok=True)
    (at.main / ".git/hooks/pre-push").symlink_to(at.worktree / "run.sh")
    assert "hooks/pre-push" in told(planned(at), "config-inside")


def with_submodules(root: Path) -> Standing:
    """A worktree with a submodule that has one of its own."""
    inner, library = init(root / "inner"), init(root / "library")
    commit(inner, {"inner.txt": "inner\n"})
    commit(library, {"library.txt": "library\n"})
    git(library, *LOCAL, "submodule", "--quiet", "add", str(inner), "deep/inner")
    commit(library, message="Add inner")
    at = build_standing(root)
    git(at.worktree, *LOCAL, "submodule", "--quiet", "add", str(library), "vendored/lib")
    commit(at.worktree, message="Add the library")
    git(at.worktree, *LOCAL, "submodule", "--quiet", "update", "--init", "--recursive")
    git(at.main, "merge", "--quiet", "--ff-only", "feat-1")
    return at


def check_submodules(worktree: Path) -> None:
    assert git(worktree, "status", "--porcelain") == ""
    for path in ("vendored/lib", "vendored/lib/deep/inner"):
        assert git(worktree / path, "rev-parse", "--show-toplevel") == str(worktree / path)
        assert git(worktree / path, "status", "--porcelain") == ""
    listed = git(worktree, "submodule", "status", "--recursive")
    assert [row[0] for row in listed.splitlines()] == [" ", " "] or all(
        row[:1] not in "-+U" for row in listed.splitlines()
    )


@pytest.mark.parametrize("into", ["deep/er/feat-1", "feat-9", None])
@pytest.mark.parametrize("name_is_taken", [False, True])
def test_submodules_work_wherever_the_worktree_comes_back(
    into: str | None, name_is_taken: bool, tmp_path: Path
) -> None:
    at = with_submodules(tmp_path)
    receipt = released(at)
    if name_is_taken:
        add_worktree(at.main, tmp_path / "other/feat-1", branch="other")
    back = restored(at, receipt, None if into is None else tmp_path / into)
    assert back.path is not None
    check_submodules(Path(back.path))
    assert str(at.outside) not in git(at.main, "worktree", "list")


def contents(at: Standing, text: str, path: str = "big.dat") -> str:
    """Put a content into the store of Git LFS, and its pointer into the worktree; its name there."""
    name = hashlib.sha256(text.encode()).hexdigest()
    stored = at.main / ".git/lfs/objects" / name[:2] / name[2:4]
    write(stored, {name: text})
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize {len(text)}\n"
    write(at.worktree, {path: pointer})
    return name


def test_contents_of_git_lfs_that_were_never_pushed_come_back(tmp_path: Path) -> None:
    """`git lfs prune` goes by branches and remotes; a commit that is under a ref of ours has no say in it."""
    at = build_standing(tmp_path)
    pushed = contents(at, "pushed\n")
    commit(at.worktree, message="One")
    at.git("update-ref", "refs/remotes/origin/feat-1", "HEAD")
    lost = [contents(at, f"version {number}\n") for number in range(2) if commit(at.worktree, message=f"{number}")]
    commit(at.worktree, message="Last")
    staged = contents(at, "staged\n")
    at.git("add", "big.dat")
    plan = planned(at, "not-integrated", "uncommitted")
    assert "big.dat" in told(plan, "lfs-contents")
    assert plan.inventory is not None
    assert {*plan.inventory.surroundings.contents} == {*lost, staged}
    receipt = released(at, "not-integrated", "uncommitted")
    store = at.main / ".git/lfs/objects"
    shutil.rmtree(store)
    restored(at, receipt)
    assert sorted(path.name for path in store.rglob("*") if path.is_file()) == sorted([*lost, staged])
    assert pushed not in lost


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not here")
def test_git_lfs_prune_itself_loses_nothing_of_a_release(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    git(tmp_path, "init", "-q", "--bare", "origin.git")
    git(at.main, "remote", "add", "origin", str(tmp_path / "origin.git"))
    git(at.main, "lfs", "install", "--local", "--skip-smudge")
    git(at.worktree, "lfs", "track", "*.dat")
    git(at.main, "push", "-q", "-u", "origin", "main")
    for number in range(3):
        commit(at.worktree, {"t.dat": f"{number}\n" * 100}, f"{number}")
    receipt = released(at, "not-integrated")
    git(at.main, "lfs", "prune")
    restored(at, receipt)
    assert git(at.worktree, "lfs", "fsck", "HEAD~1").splitlines()[-1].endswith("OK")


def test_a_change_that_status_shows_is_not_called_hidden_from_it(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    at.git("config", "filter.strip.clean", "sed /output/d")
    write(at.main, {".git/info/attributes": "src/b.txt filter=strip\n"})
    write(at.worktree, {"src/b.txt": "b\noutput\n"})
    assert "hidden from git status" not in told(planned(at), "hidden-changes")


@pytest.fixture(params=["files", "reftable", "reftable sha256"])
def as_stored(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How git stores refs and objects of the repository."""
    how: str = request.param
    refs, _, objects = how.partition(" ")
    options = (f"--ref-format={refs}", f"--object-format={objects or 'sha1'}")
    monkeypatch.setattr(standing, "init", lambda path: init(path, *options))
    return how


WAYS: dict[str, Callable[[Standing], object]] = {
    "at work": lambda at: None,
    "detached": lambda at: (at.git("checkout", "--quiet", "--detach"), commit(at.worktree, {"d": "d\n"})),
    "a commit reset away": lambda at: at.git("reset", "--quiet", "--soft", "HEAD^"),
    "a ref of its own": lambda at: at.git("update-ref", "refs/worktree/mine", "HEAD"),
    "a cherry-pick that stopped": lambda at: at.git("cherry-pick", "main", check=False),
    "an annotated tag under refs/worktree": lambda at: at.git("update-ref", "refs/worktree/tag", _tag(at)),
}


def _tag(at: Standing) -> str:
    text = f"object {at.git('rev-parse', 'HEAD')}\ntype commit\ntag mine\ntagger A <a@b.c> 1 +0000\n\nMine\n"
    return at.git("hash-object", "-t", "tag", "-w", "--stdin", input=text)


@pytest.mark.needs_git(2, 45)
@pytest.mark.parametrize("way", WAYS)
def test_however_refs_are_stored_it_comes_back_after_a_collection(way: str, as_stored: str, tmp_path: Path) -> None:
    at = build_at_work(tmp_path)
    assert git(at.main, "rev-parse", "--show-ref-format") == as_stored.partition(" ")[0]
    WAYS[way](at)
    before = whole(at.worktree)
    receipt = released(at, *allowable())
    git(at.main, "reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all")
    restored(at, receipt)
    assert whole(at.worktree) == before
    assert "error" not in git(at.main, "fsck", "--no-dangling")


@pytest.mark.needs_git(2, 45)
def test_with_reftables_a_taken_branch_gets_another_name(as_stored: str, tmp_path: Path) -> None:
    at = build_at_work(tmp_path)
    tip = at.git("rev-parse", "HEAD")
    receipt = released(at, *allowable())
    git(at.main, "branch", "feat-1", "main")
    restored(at, receipt)
    assert at.git("symbolic-ref", "--short", "HEAD") == "feat-1-restored"
    assert at.git("rev-parse", "HEAD") == tip
    assert at.git("rev-parse", "feat-1") == at.git("rev-parse", "main")


@pytest.mark.needs_git(2, 48)
def test_relative_links_stay_relative_wherever_it_comes_back(tmp_path: Path) -> None:
    at = build_standing(tmp_path)
    at.git("config", "worktree.useRelativePaths", "true")
    git(at.main, "worktree", "add", "--quiet", "--relative-paths", str(tmp_path / "rel"))
    relative = Standing(at.main, tmp_path / "rel", at.outside)
    restored(at, released(relative), tmp_path / "a/b/c")
    assert (tmp_path / "a/b/c/.git").read_text().startswith("gitdir: ../")
    assert git(tmp_path / "a/b/c", "status", "--porcelain") == ""
