"""Which commits go with a worktree: held against a git that really loses them."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.git.inventory.taking import take
from tests.harness import commit, git, tick
from tests.harness.states import Standing, build_standing
from tests.model.examples import examples

DEEDS = st.lists(
    st.sampled_from(
        [
            *("commit", "commit", "amend", "reset", "detach", "attach", "own ref", "merge trunk", "trunk goes on"),
            *("push", "tag", "other branch", "into trunk", "squash", "orphan", "bisect", "cherry-pick", "forget log"),
        ]
    ),
    min_size=1,
    max_size=8,
)


def do(at: Standing, deed: str, number: int) -> None:
    """One deed in the worktree; what git refuses is not done."""
    if deed == "commit":
        commit(at.worktree, {f"f{number}": str(number)})
    elif deed == "trunk goes on":
        commit(at.main, {f"t{number}": str(number)})
    elif deed == "forget log":
        (at.administrative / "logs/HEAD").unlink(missing_ok=True)
    elif deed in ("into trunk", "squash"):
        head = at.git("rev-parse", "--verify", "--quiet", "HEAD", check=False) or "main"
        how = ("--squash",) if deed == "squash" else ("--no-edit",)
        git(at.main, "merge", "--quiet", *how, head, check=False, env=tick(at.main))
        git(at.main, "commit", "--quiet", "-m", "Squash", check=False, env=tick(at.main))
    else:
        commands = {
            "amend": ("commit", "--quiet", "--amend", "--allow-empty", f"--message={number}"),
            "reset": ("reset", "--quiet", "--hard", "HEAD^"),
            "detach": ("checkout", "--quiet", "--detach"),
            "attach": ("checkout", "--quiet", "feat-1"),
            "own ref": ("update-ref", f"refs/worktree/{number}", "HEAD"),
            "merge trunk": ("merge", "--quiet", "--no-edit", "main"),
            "push": ("update-ref", "refs/remotes/origin/feat-1", "HEAD"),
            "tag": ("tag", f"v{number}"),
            "other branch": ("branch", "--force", "other"),
            "orphan": ("checkout", "--quiet", "--orphan", f"orphan-{number}"),
            "bisect": ("bisect", "start"),
            "cherry-pick": ("cherry-pick", "main"),
        }
        at.git(*commands[deed], check=False, env=tick(at.worktree))


def commits_in(repository: Path) -> set[str]:
    """Every commit in the object store."""
    rows = git(repository, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)").splitlines()
    return {row.removeprefix("commit ") for row in rows if row.startswith("commit ")}


@examples(15)
@given(deeds=DEEDS)
def test_every_commit_that_would_be_lost_is_told(deeds: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    at = build_standing(tmp_path_factory.mktemp("root"))
    for number, deed in enumerate(deeds):
        do(at, deed, number)
    held = take(at.worktree).commits
    told = {*held.own, *held.by_refs, *held.by_log}
    named = set(git(at.main, "rev-list", "--stdin", input="".join(f"{root}\n" for root in held.roots)).split())
    before = commits_in(at.main)
    shutil.rmtree(at.worktree)
    shutil.rmtree(at.main / ".git/worktrees")
    if held.branch is not None:
        git(at.main, "update-ref", "-d", f"refs/heads/{held.branch}")
    git(at.main, "reflog", "expire", "--expire=now", "--all")
    git(at.main, "gc", "--quiet", "--prune=now")
    lost = before - commits_in(at.main)
    assert lost & named <= told
    if "forget log" not in deeds:
        assert lost <= named
    assert told.isdisjoint(git(at.main, "rev-list", "--tags", "--remotes", "--branches").split())
