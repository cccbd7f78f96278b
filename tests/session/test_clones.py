"""Clones that have only a part: a right answer from what is here, or a plain word that something is not."""

from pathlib import Path

import pytest

from sidecar.session.once import look
from tests.harness import add_worktree, commit, git, init, write
from tests.session.pictures import overlaps_of, pictured, state_of
from tests.session.unusual import FILES, MEETINGS, agree, all_problems, keeps_up, numbered, work


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """What can be cloned in parts."""
    path = init(tmp_path / "upstream")
    commit(path, {**FILES, "other/alone.txt": numbered(l5="at first")}, "Begin")
    commit(path, FILES, "Go on")
    git(path, "config", "uploadpack.allowFilter", "true")
    git(path, "config", "uploadpack.allowAnySHA1InWant", "true")
    return path


def _cloned(upstream: Path, *options: str) -> tuple[Path, Path, Path]:
    main = upstream.parent / "main"
    git(upstream.parent, "clone", "--quiet", "--no-local", *options, upstream.as_uri(), main)
    return main, add_worktree(main, "one"), add_worktree(main, "two")


def _missing(main: Path) -> list[str]:
    """Objects of its history that are not here."""
    listed = git(main, "rev-list", "--objects", "--all", "--missing=print", env={"GIT_NO_LAZY_FETCH": "1"})
    return [line[1:] for line in listed.splitlines() if line.startswith("?")]


def _gone(upstream: Path) -> None:
    """From here on a fetch would fail, and be noticed."""
    upstream.rename(upstream.with_name("not here"))


def test_partial_clone_without_blobs(upstream: Path) -> None:
    """What is checked out is here, and so is all that is needed."""
    main, one, two = _cloned(upstream, "--filter=blob:none")
    work(one, two)
    assert _missing(main)
    agree(main, MEETINGS)
    _gone(upstream)
    assert overlaps_of(pictured(look(main))) == MEETINGS
    keeps_up(main, one)


def test_partial_clone_and_a_blob_that_is_not_here(upstream: Path) -> None:
    """Trunk went on to something that was never checked out: that can't be judged, and all the rest can."""
    main, one, two = _cloned(upstream, "--filter=blob:none")
    work(one, two)
    commit(upstream, {"hot.txt": numbered(l3="trunk"), "cold.txt": numbered(l12="trunk")}, "Trunk goes on")
    git(main, "fetch", "--quiet")
    git(main, "update-ref", "refs/heads/main", "refs/remotes/origin/main")
    _gone(upstream)
    picture = pictured(look(main))
    assert [said for said in overlaps_of(picture) if "two:" in said and "one:" in said] == MEETINGS
    wanted = {(name, path) for name in ("one", "two") for path in ("hot.txt", "cold.txt")}
    assert {(unknown.name(), unknown.path) for unknown in picture.unknown} == wanted
    for unknown in picture.unknown:
        assert "partial clone" in unknown.reason
        assert f"Fetch it with: git merge-tree main {unknown.name()}" in unknown.reason
    assert {git(main, "rev-parse", f"main:{path}") for path in ("hot.txt", "cold.txt")} <= {*_missing(main)}, "no fetch"
    assert not any(" trunk:" in said for said in overlaps_of(picture))


def test_partial_clone_without_trees(upstream: Path) -> None:
    """Git's merge takes a tree that is not here for an empty one: better no answer than that one."""
    main, one, two = _cloned(upstream, "--filter=tree:0")
    work(one, two)
    commit(upstream, {"hot.txt": numbered(l3="trunk"), "deep/er/more.txt": "more\n"}, "Trunk goes on")
    git(main, "fetch", "--quiet", "--filter=tree:0")
    git(main, "update-ref", "refs/heads/main", "refs/remotes/origin/main")
    _gone(upstream)
    picture = pictured(look(main))
    assert [said for said in overlaps_of(picture) if "two:" in said and "one:" in said] == MEETINGS
    assert not any(" trunk:" in said for said in overlaps_of(picture))
    said = all_problems(picture)
    assert "partial clone" in said


def test_shallow_clone(upstream: Path) -> None:
    main, one, two = _cloned(upstream, "--depth=1")
    assert git(main, "rev-parse", "--is-shallow-repository") == "true"
    work(one, two)
    agree(main, MEETINGS)
    keeps_up(main, one)


def test_shallow_clone_that_ends_before_the_fork_point(upstream: Path) -> None:
    """What was cut off may be all that two branches have in common: then nothing can be said, and that is said."""
    git(upstream, "branch", "topic", "HEAD~1")
    main, one, _ = _cloned(upstream, "--depth=1", "--no-single-branch")
    topic = add_worktree(main, "topic", branch="mine", start="refs/remotes/origin/topic")
    write(topic, {"hot.txt": numbered(l3="topic")})
    commit(one, {"hot.txt": numbered(l3="one")})
    picture = pictured(look(main))
    assert overlaps_of(picture) == []
    assert "shares no history" in (state_of(picture, topic).problem or "")
    assert [(unknown.name(), unknown.path) for unknown in picture.unknown] == [("topic", None)]
    assert "git fetch --unshallow" in picture.unknown[0].reason
