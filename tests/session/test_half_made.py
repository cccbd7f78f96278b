"""What git has not brought to its end is nobody's work; and whoever looks in the middle sees the end all the same."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sidecar.git.repository import STILL_AT_WORK
from sidecar.model.picture import Picture
from sidecar.session.once import look
from tests.git.leaving import eventually
from tests.harness import Executable, add_worktree, commit, environment, git, write
from tests.harness.states import allows
from tests.session.pictures import changes_of, overlaps_of, pictured, state_of
from tests.session.watching import Live, watching

Step = Callable[[], object]


@pytest.fixture
def linked(repo: Path) -> Path:
    """A worktree that has edited README.md, beside which another one is made."""
    commit(repo, {"a.txt": "1\n2\n3\n"})
    path = add_worktree(repo, "linked")
    write(path, {"README.md": "edited\n"})
    return path


def changed(picture: Picture, name: str) -> list[str] | None:
    """The paths that a worktree has changed; None where it is not there, or was not read."""
    found = [state for state in picture.worktrees if state.worktree.name == name and state.unread is None]
    return list(found[0].changes.changes) if found and found[0].changes is not None else None


def names(picture: Picture) -> list[str]:
    return [state.worktree.name for state in picture.worktrees]


def steps(repo: Path, *, lock: str | None = "initializing") -> tuple[Path, list[Step]]:
    """What `git worktree add new` does, one thing after the other (builtin/worktree.c); without a lock as libgit2."""
    pattern = add_worktree(repo, "pattern", branch="new")
    content = {name: (pattern / name).read_text() for name in ("README.md", "a.txt")}
    index = (repo / ".git/worktrees/pattern/index").read_bytes()
    git(repo, "worktree", "remove", str(pattern))
    admin, new = repo / ".git/worktrees/new", repo.parent / "new"
    locked: list[Step] = [lambda: (admin / "locked").write_text(str(lock))] if lock is not None else []
    unlocked: list[Step] = [(admin / "locked").unlink] if lock == "initializing" else []
    return new, [
        lambda: admin.mkdir(parents=True),
        *locked,
        new.mkdir,
        lambda: (admin / "gitdir").write_text(f"{new}/.git\n"),
        lambda: (new / ".git").write_text(f"gitdir: {admin}\n"),
        lambda: (admin / "HEAD").write_text("0" * 40 + "\n"),
        lambda: (admin / "commondir").write_text("../..\n"),
        lambda: _replace(admin / "HEAD", b"ref: refs/heads/new\n"),
        lambda: (admin / "index.lock").write_bytes(b""),
        lambda: (new / "README.md").write_text(content["README.md"]),
        lambda: (new / "a.txt").write_text(content["a.txt"]),
        lambda: _fill(admin / "index.lock", index),
        lambda: (admin / "index.lock").rename(admin / "index"),
        lambda: _replace(admin / "ORIG_HEAD", git(repo, "rev-parse", "new").encode() + b"\n"),
        *unlocked,
    ]


def _replace(path: Path, content: bytes) -> None:
    _fill(path.with_name(f"{path.name}.lock"), content)
    path.with_name(f"{path.name}.lock").rename(path)


def _fill(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def let_it_look(live: Live, repo: Path, number: int) -> Picture:
    """Have the session look at everything, and wait until it has."""
    live.session.refresh()
    text = repo / "typed.txt"
    live.session.set_unsaved(str(text), "typed\n", number)
    return live.settled(text, number)


def settle(live: Live, worktree: Path) -> None:
    """Wait until the watches stand and what they told has been looked at: nothing is told by chance any more."""
    write(worktree, {"settled.txt": "settled\n"})
    live.until(lambda picture: "settled.txt" in (changed(picture, worktree.name) or ()))
    live.until_fresh()


LOCKS = ["initializing", "initialisiere", "of a person", None]


@pytest.mark.parametrize("lock", LOCKS)
def test_whoever_looks_in_each_pause_sees_nothing_of_it_before_the_end(
    repo: Path, linked: Path, lock: str | None
) -> None:
    new, begun = steps(repo, lock=lock)
    with watching(repo) as live:
        for number, step in enumerate(begun[:-1], 1):
            step()
            picture = let_it_look(live, repo, number)
            assert not [said for said in overlaps_of(picture) if "new" in said], number
            fresh = pictured(look(linked))
            assert overlaps_of(fresh) == []
            if lock == "initializing":
                assert "new" not in names(picture) + names(fresh), number
        begun[-1]()
        live.session.set_unsaved(str(repo / "typed.txt"), None, 0)
        live.until(lambda picture: "new" in names(picture) and state_of(picture, "new").changes is not None)
        live.until_fresh()
        write(new, {"README.md": "edited too\n"})
        live.until(lambda picture: len(picture.overlaps) == 1)


@pytest.mark.parametrize("lock", ["initializing", None])
@pytest.mark.parametrize("looks_after", range(15))
def test_it_is_there_at_the_end_wherever_the_session_looked(
    repo: Path, linked: Path, looks_after: int, lock: str | None
) -> None:
    """Once in one of the pauses, and nothing but what happens in the files brings it back."""
    new, begun = steps(repo, lock=lock)
    for step in begun[:looks_after]:
        step()
    with watching(repo) as live:
        settle(live, linked)
        for step in begun[looks_after:]:
            step()
        live.until(lambda picture: "new" in names(picture) and changed(picture, "new") == [])
        write(new, {"README.md": "edited too\n"})
        live.until(lambda picture: len(picture.overlaps) == 1)
        live.until_fresh()


@contextmanager
def slow_add(repo: Path, *arguments: str, language: str = "C") -> Iterator[Path]:
    """A real `git worktree add` that stops in the middle of its files until the block ends."""
    go, admin = repo.parent / "go", repo / ".git/worktrees/new"
    wait = f"#!/bin/sh\nuntil [ -e {shlex.quote(str(go))} ]; do sleep 0.02; done\nexec cat\n"
    write(repo.parent, {"slow": Executable(wait)})
    (repo / ".git/info").mkdir(exist_ok=True)
    (repo / ".git/info/attributes").write_text("a.txt filter=slow\n")
    git(repo, "config", "filter.slow.smudge", str(repo.parent / "slow"))
    command = ["git", "worktree", "add", "--quiet", *arguments, "-b", "new", str(repo.parent / "new")]
    adding = subprocess.Popen(command, cwd=repo, env=environment() | {"LC_ALL": language})
    try:
        eventually(lambda: (admin / "index.lock").exists() and (repo.parent / "new/README.md").exists())
        yield admin
    finally:
        go.touch()
        assert adding.wait() == 0
        git(repo, "config", "--remove-section", "filter.slow")


@pytest.mark.parametrize("arguments", [(), ("--lock", "--reason", "mine")])
@pytest.mark.parametrize("language", ["C", "de_DE.UTF-8"])
def test_a_worktree_that_git_is_making_overlaps_with_nobody(
    repo: Path, linked: Path, arguments: tuple[str, ...], language: str
) -> None:
    write(linked, {"z.txt": "added\n", "a.txt": "1\n2\nlinked\n"})
    with watching(repo) as live:
        with slow_add(repo, *arguments, language=language):
            picture = pictured(look(repo))
            assert "new" not in names(picture)
            assert overlaps_of(picture) == []
            assert "new" not in names(let_it_look(live, repo, 1))
        live.session.set_unsaved(str(repo / "typed.txt"), None, 0)
        live.until(lambda picture: "new" in names(picture) and changed(picture, "new") == [])
        live.until_fresh()


def test_one_that_git_did_not_finish_is_told_in_the_end(repo: Path, linked: Path) -> None:
    _, begun = steps(repo)
    for step in begun[:-3]:
        step()
    assert "new" not in names(pictured(look(repo)))
    long_ago = os.stat(repo).st_mtime - STILL_AT_WORK - 60
    os.utime(repo / ".git/worktrees/new/locked", (long_ago, long_ago))
    picture = pictured(look(repo))
    assert overlaps_of(picture) == []
    said = state_of(picture, "new").worktree.problem
    assert said is not None and "did not finish" in said
    git(repo, *shlex.split(said.partition("git ")[2]))
    assert "new" not in git(repo, "worktree", "list")


def test_what_is_not_checked_out_yet_is_not_deleted(repo: Path, linked: Path) -> None:
    """`worktree add --no-checkout`, `sparse-checkout set`, `checkout`: nothing is anybody's work until the end."""
    write(linked, {"css/a.css": "a\n"})
    commit(linked, {"a.txt": "1\n2\nlinked\n"})
    git(repo, "worktree", "add", "--quiet", "--no-checkout", "-b", "new", repo.parent / "new")
    for command in ((), ("sparse-checkout", "set", "css"), ("checkout", "--quiet")):
        if command:
            git(repo.parent / "new", *command)
        picture = pictured(look(repo))
        assert overlaps_of(picture) == []
        assert state_of(picture, "new").problem is None
        assert changed(picture, "new") == []


def test_commits_count_before_a_checkout(repo: Path, linked: Path) -> None:
    commit(linked)
    git(repo, "worktree", "add", "--quiet", "--no-checkout", "-b", "new", repo.parent / "new", "linked")
    assert list(changes_of(pictured(look(repo)), "new")) == ["README.md"]


def test_files_without_an_index_are_not_known(repo: Path, linked: Path) -> None:
    """Neither that all of it is deleted, nor that there is nothing."""
    commit(repo, {"README.md": "trunk\n"})
    (repo / ".git/worktrees/linked/index").unlink()
    picture = pictured(look(repo))
    said = state_of(picture, "linked").problem
    assert said is not None and "git reset" in said
    assert not [said for said in overlaps_of(picture) if "delete" in said]
    git(linked, "reset", "--quiet")
    assert state_of(pictured(look(repo)), "linked").problem is None


def test_a_clone_without_a_checkout(repo: Path, linked: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--no-checkout", str(repo), "clone")
    assert changes_of(pictured(look(tmp_path / "clone")), "clone") == {}


def _git_file_goes(repo: Path, linked: Path) -> Step:
    said = (linked / ".git").read_text()
    (linked / ".git").unlink()
    return lambda: (linked / ".git").write_text(said)


def _git_file_leads_elsewhere(repo: Path, linked: Path) -> Step:
    said = (linked / ".git").read_text()
    (linked / ".git").write_text(f"gitdir: {repo}/.git\n")
    return lambda: (linked / ".git").write_text(said)


def _folder_goes(repo: Path, linked: Path) -> Step:
    linked.rename(linked.parent / "away")
    return lambda: (linked.parent / "away").rename(linked)


def _folder_is_another(repo: Path, linked: Path) -> Step:
    """As where something is to be mounted."""
    linked.rename(linked.parent / "away")
    linked.mkdir()

    def back() -> None:
        linked.rmdir()
        (linked.parent / "away").rename(linked)

    return back


def _moved_half_way(repo: Path, linked: Path) -> Step:
    """`git worktree move` and `repair` rename the folder first."""
    linked.rename(linked.parent / "away")

    def back() -> None:
        git(linked.parent / "away", "worktree", "repair")
        git(repo, "worktree", "move", str(linked.parent / "away"), str(linked))

    return back


def _administration_goes(repo: Path, linked: Path) -> Step:
    admin = repo / ".git/worktrees/linked"
    admin.rename(repo / ".git/away")
    return lambda: (repo / ".git/away").rename(admin)


def _commondir_goes(repo: Path, linked: Path) -> Step:
    said = (repo / ".git/worktrees/linked/commondir").read_text()
    (repo / ".git/worktrees/linked/commondir").unlink()
    return lambda: (repo / ".git/worktrees/linked/commondir").write_text(said)


def _gitdir_goes(repo: Path, linked: Path) -> Step:
    said = (repo / ".git/worktrees/linked/gitdir").read_text()
    (repo / ".git/worktrees/linked/gitdir").unlink()
    return lambda: (repo / ".git/worktrees/linked/gitdir").write_text(said)


BREAKS = (
    *(_git_file_goes, _git_file_leads_elsewhere, _folder_goes, _folder_is_another, _moved_half_way),
    *(_administration_goes, _commondir_goes, _gitdir_goes),
)


@pytest.mark.parametrize("breaks", BREAKS)
@pytest.mark.parametrize("begins", ["broken", "whole"])
def test_a_worktree_comes_back_by_itself(
    repo: Path, linked: Path, breaks: Callable[[Path, Path], Step], begins: str
) -> None:
    """Whether the session saw it whole or not; what it changes afterwards is noticed, also in deeper directories."""
    write(linked, {"deep/er/x.txt": "x\n"})
    mend = breaks(repo, linked) if begins == "broken" else None
    with watching(repo) as live:
        settle(live, repo)
        if mend is None:
            mend = breaks(repo, linked)
        let_it_look(live, repo, 1)
        live.session.set_unsaved(str(repo / "typed.txt"), None, 0)
        mend()
        live.until(lambda picture: "deep/er/x.txt" in (changed(picture, "linked") or ()))
        live.until_fresh()
        write(linked, {"deep/er/y.txt": "y\n"})
        live.until(lambda picture: "deep/er/y.txt" in (changed(picture, "linked") or ()))


def test_the_first_linked_worktree_of_a_repository(repo: Path) -> None:
    with watching(repo) as live:
        shutil.rmtree(repo / ".git/worktrees", ignore_errors=True)
        new = add_worktree(repo, "new")
        live.until(lambda picture: "new" in names(picture))
        write(new, {"README.md": "edited\n"})
        live.until(lambda picture: changed(picture, "new") == ["README.md"])


@pytest.mark.skipif(not allows("mount"), reason="this machine does not allow: mount")
def test_a_folder_that_is_mounted_late(repo: Path, linked: Path) -> None:
    """No event tells of it."""
    linked.rename(linked.parent / "disk")
    linked.mkdir()
    with watching(repo) as live:
        settle(live, repo)
        assert changed(live.pictures[-1], "linked") is None
        subprocess.run(["mount", "--bind", str(linked.parent / "disk"), str(linked)], check=True)
        try:
            live.until(lambda picture: "README.md" in (changed(picture, "linked") or ()))
            live.until_fresh()
        finally:
            subprocess.run(["umount", "--lazy", str(linked)], check=True)
