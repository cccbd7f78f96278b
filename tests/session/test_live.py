"""What a session notices, deed by deed; each test waits for the Picture and then holds it against a fresh look."""

import os
import shutil
import threading
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from sidecar.model.changes import Entry
from sidecar.model.findings import Failure
from sidecar.model.picture import Picture
from sidecar.model.settings import Options
from sidecar.session.live import Session, open_session
from tests.git.leaving import eventually, quarantines
from tests.harness import add_worktree, commit, git, init, write
from tests.session.pictures import changes_of, overlaps_of, sources_of, state_of
from tests.session.watching import DEADLINE, watching, what_is_seen


@pytest.fixture
def linked(repo: Path) -> Path:
    """A worktree that has edited README.md, where `main` has a.txt too."""
    commit(repo, {"a.txt": "1\n2\n3\n"})
    path = add_worktree(repo, "linked")
    write(path, {"README.md": "edited\n"})
    return path


def test_an_edit_and_its_undoing(repo: Path, linked: Path) -> None:
    with watching(repo) as live:
        write(repo, {"README.md": "otherwise\n"})
        live.until(lambda picture: [overlap.verdict for overlap in picture.overlaps] == ["conflict"])
        live.until_fresh()
        write(repo, {"README.md": "# Repository\n"})
        live.until(lambda picture: not picture.overlaps)
        live.until_fresh()


def test_a_commit_changes_the_source(repo: Path, linked: Path) -> None:
    with watching(linked) as live:
        assert sources_of(live.pictures[-1], linked) == {"README.md": ("unstaged",)}
        git(linked, "add", "--all")
        live.until(lambda picture: sources_of(picture, linked) == {"README.md": ("staged",)})
        commit(linked)
        live.until(lambda picture: sources_of(picture, linked) == {"README.md": ("committed",)})
        assert state_of(live.until_fresh(), linked).ahead == 1


def test_trunk_moves_on(repo: Path, linked: Path) -> None:
    with watching(linked) as live:
        commit(repo, {"README.md": "trunk's\n"})
        live.until(lambda picture: [overlap.sides[1].key for overlap in picture.overlaps] == [""])
        live.until_fresh()
        git(repo, "reset", "--quiet", "--hard", "HEAD~1")
        live.until(lambda picture: not picture.overlaps)
        live.until_fresh()


def test_a_merge_into_trunk(repo: Path, linked: Path) -> None:
    commit(linked)
    with watching(repo) as live:
        assert state_of(live.pictures[-1], linked).integration.state == "not-integrated"
        git(repo, "merge", "--quiet", "linked")
        live.until(lambda picture: state_of(picture, linked).integration.state == "integrated")
        live.until_fresh()


def test_worktrees_come_and_go(repo: Path, linked: Path) -> None:
    def names(picture: Picture) -> list[str]:
        return [state.worktree.name for state in picture.worktrees]

    with watching(repo) as live:
        new = add_worktree(repo, "new")
        live.until(lambda picture: "new" in names(picture))
        write(new, {"README.md": "third\n"})
        live.until(lambda picture: len(picture.overlaps) == 1)
        nested = add_worktree(repo, ".claude/worktrees/nested")
        write(nested, {"README.md": "fourth\n"})
        live.until(lambda picture: len(picture.overlaps) == 3)
        live.until_fresh()
        git(repo, "worktree", "move", str(new), str(new.parent / "moved"))
        live.until(lambda picture: "moved" in names(picture))
        write(new.parent / "moved", {"b.txt": "in its new place\n"})
        live.until(lambda picture: "b.txt" in changes_of(picture, "moved"))
        git(repo, "worktree", "remove", "--force", str(nested))
        live.until(lambda picture: "nested" not in names(picture))
        live.until_fresh()


def test_a_worktree_is_locked(repo: Path, linked: Path) -> None:
    with watching(repo) as live:
        git(repo, "worktree", "lock", "--reason", "busy", str(linked))
        live.until(lambda picture: state_of(picture, linked).worktree.locked == "busy")
        git(repo, "worktree", "unlock", str(linked))
        live.until(lambda picture: state_of(picture, linked).worktree.locked is None)


def test_a_worktree_breaks_and_is_repaired(repo: Path, linked: Path) -> None:
    with watching(repo) as live:
        said = (linked / ".git").read_text()
        (linked / ".git").write_text("nonsense\n")
        live.session.refresh()
        live.until(lambda picture: state_of(picture, linked).worktree.problem)
        live.until_fresh()
        (linked / ".git").write_text(said)
        live.session.refresh()
        live.until(lambda picture: state_of(picture, linked).unread is None)
        assert live.until_fresh().unknown == ()


def test_rules_of_what_is_ignored(repo: Path, linked: Path) -> None:
    write(linked, {"out/a.txt": "1\n", "b.log": "1\n"})
    with watching(repo) as live:
        assert set(changes_of(live.pictures[-1], linked)) == {"README.md", "out/a.txt", "b.log"}
        write(linked, {".gitignore": "out/\n*.log\n"})
        live.until(lambda picture: set(changes_of(picture, linked)) == {"README.md", ".gitignore"})
        write(linked, {".gitignore": "*.log\n"})
        live.until(lambda picture: "out/a.txt" in changes_of(picture, linked))
        write(linked, {"out/deep/b.txt": "in a directory that was ignored\n"})
        live.until(lambda picture: "out/deep/b.txt" in changes_of(picture, linked))
        live.until_fresh()


def test_attributes(repo: Path, linked: Path) -> None:
    write(repo, {"README.md": "otherwise\n"})
    with watching(repo) as live:
        assert live.pictures[-1].overlaps[0].verdict == "conflict"
        write(repo, {".gitattributes": "README.md merge=union\n"})
        live.until(lambda picture: picture.overlaps[0].verdict == "clean")
        live.until_fresh()
        (repo / ".gitattributes").unlink()
        live.until(lambda picture: picture.overlaps[0].verdict == "conflict")
        write(repo, {".git/info/attributes": "README.md merge=union\n"})
        live.until(lambda picture: picture.overlaps[0].verdict == "clean")


def test_trunk_is_configured(repo: Path, linked: Path) -> None:
    git(repo, "branch", "dev", commit(linked))
    with watching(repo) as live:
        assert state_of(live.pictures[-1], linked).ahead == 1
        git(repo, "config", "sidecar.trunk", "dev")
        live.until(lambda picture: picture.trunk and picture.trunk.branch == "dev")
        assert state_of(live.until_fresh(), linked).ahead == 0
        git(repo, "config", "sidecar.trunk", "nothing")
        live.until(lambda picture: picture.problem and "nothing" in picture.problem)
        git(repo, "config", "--unset", "sidecar.trunk")
        live.until(lambda picture: picture.trunk and picture.trunk.branch == "main")
        live.until_fresh()


def test_trunk_is_deleted_and_comes_back(repo: Path, linked: Path) -> None:
    git(repo, "checkout", "--quiet", "--detach")
    with watching(repo) as live:
        git(repo, "branch", "-D", "main")
        live.until(lambda picture: picture.problem and picture.trunk is None)
        write(linked, {"new.txt": "while there is no trunk\n"})
        live.until_fresh()
        git(repo, "branch", "main")
        live.until(lambda picture: picture.trunk)
        live.until_fresh()


def test_the_first_commit(tmp_path: Path) -> None:
    empty = init(tmp_path / "empty")
    with watching(empty) as live:
        assert live.pictures[-1].trunk is not None and live.pictures[-1].trunk.commit is None
        write(empty, {"a.txt": "1\n"})
        live.until(lambda picture: sources_of(picture, empty) == {"a.txt": ("untracked",)})
        commit(empty)
        live.until(lambda picture: picture.trunk and picture.trunk.commit)
        live.until_fresh()


def test_a_bare_repository(tmp_path: Path, repo: Path) -> None:
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(repo), str(bare))
    with watching(bare) as live:
        assert live.pictures[-1].overlaps == ()
        for name in ("one", "two"):
            git(bare, "worktree", "add", "--quiet", "-b", name, str(tmp_path / name))
            write(tmp_path / name, {"README.md": f"{name}\n"})
        live.until(lambda picture: [overlap.verdict for overlap in picture.overlaps] == ["conflict"])
        live.until_fresh()


def test_another_branch_is_checked_out(repo: Path, linked: Path) -> None:
    commit(linked)
    with watching(repo) as live:
        git(linked, "switch", "--quiet", "-c", "other", "main")
        picture = live.until(lambda picture: state_of(picture, linked).worktree.branch == "other")
        live.until(lambda picture: not changes_of(picture, linked))
        git(linked, "switch", "--quiet", "--orphan", "orphan")
        live.until(lambda picture: state_of(picture, linked).worktree.head is None)
        live.until_fresh()
        git(linked, "switch", "--quiet", "linked")
        picture = live.until(lambda picture: "README.md" in changes_of(picture, linked))
        assert sources_of(picture, linked) == {"README.md": ("committed",)}


def test_the_quarantine_is_deleted(repo: Path, linked: Path, temporary: Path) -> None:
    """As a clean-up of the temporary directory may do."""
    write(repo, {"README.md": "otherwise\n"})
    with watching(repo) as live:
        for path in quarantines(temporary):
            if path.is_dir():
                path.rename(temporary / f"gone-{path.name}")
        write(linked, {"README.md": "otherwise again\n", "a.txt": "1\n2\n3\n4\n"})
        live.until(lambda picture: "a.txt" in changes_of(picture, linked))
        live.until_fresh()
        write(repo, {"a.txt": "0\n1\n2\n3\n"})
        live.until(lambda picture: len(picture.overlaps) == 2)
        live.until_fresh()
        assert live.session.content(_after(live.pictures[-1], repo, "a.txt")) == b"0\n1\n2\n3\n"


def test_the_memory_that_it_may_take_is_used_up(repo: Path, linked: Path, memory: Path, temporary: Path) -> None:
    write(repo, {"README.md": "otherwise\n"})
    with watching(repo) as live:
        assert len(quarantines(memory)) == len(quarantines(temporary)) == 2
        with (memory / "large").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 256 << 20)
            write(linked, {"README.md": "otherwise again\n"})
            live.until(lambda picture: picture.overlaps)
            live.until_fresh()
        (memory / "large").unlink()
        assert quarantines(memory) == [] and len(quarantines(temporary)) == 2
        write(repo, {"README.md": "as it was\n"})
        live.until_fresh()


def test_a_broken_configuration_is_repaired(repo: Path, linked: Path) -> None:
    said = (repo / ".git/config").read_text()
    with watching(repo) as live:
        (repo / ".git/config").write_text("[core\n")
        live.until(lambda picture: picture.problem)
        (repo / ".git/config").write_text(said)
        live.until(lambda picture: picture.problem is None)
        write(linked, {"new.txt": "new\n"})
        live.until(lambda picture: "new.txt" in changes_of(picture, linked))
        live.until_fresh()


def test_a_folder_vanishes_and_comes_back(repo: Path, linked: Path) -> None:
    with watching(repo) as live:
        linked.rename(linked.parent / "away")
        live.until(lambda picture: state_of(picture, "linked").worktree.missing)
        live.until_fresh()
        (linked.parent / "away").rename(linked)
        live.until(lambda picture: state_of(picture, "linked").changes is not None)
        live.until_fresh()


def test_the_repositorys_own_rules_of_what_is_ignored(repo: Path, linked: Path) -> None:
    write(linked, {"new.txt": "new\n"})
    with watching(repo) as live:
        write(repo, {".git/info/exclude": "new.txt\n"})
        live.until(lambda picture: set(changes_of(picture, linked)) == {"README.md"})
        live.until_fresh()


def test_every_git_is_killed(repo: Path, linked: Path) -> None:
    write(repo, {"README.md": "otherwise\n"})
    with watching(repo) as live:
        for child in psutil.Process().children():
            if child.name() == "git":
                child.kill()
        write(linked, {"README.md": "# Repository\nbelow\n"})
        live.until(lambda picture: b"below" in (live.session.content(_after(picture, linked)) or b""))
        live.until_fresh()


def _after(picture: Picture, worktree: Path, path: str = "README.md") -> Entry:
    after = changes_of(picture, worktree)[path].after
    assert after is not None
    return after


def test_the_repository_is_deleted(tmp_path: Path) -> None:
    """A sentence in the Picture, and a session that still can be closed."""
    repository = init(tmp_path / "gone")
    commit(repository, {"a.txt": "1\n"})
    with watching(repository) as live:
        shutil.rmtree(repository)
        live.session.refresh()
        live.until(lambda picture: picture.problem)


def test_many_files_at_once(repo: Path, linked: Path) -> None:
    with watching(repo) as live:
        write(linked, {f"many/{number // 50}/{number}.txt": f"{number}\n" for number in range(500)})
        live.until(lambda picture: len(changes_of(picture, linked)) == 501)
        shutil.rmtree(linked / "many")
        live.until(lambda picture: len(changes_of(picture, linked)) == 1)
        live.until_fresh()


def test_a_save_grades_its_own_file_again_and_no_other(repo: Path, linked: Path) -> None:
    names = [f"{number}.txt" for number in range(5)]
    for worktree in (repo, linked):
        write(worktree, dict.fromkeys(names, f"{worktree.name}\n"))
    with watching(repo) as live:
        before = {overlap.path: overlap for overlap in live.until_fresh().overlaps}
        assert before.keys() == set(names)
        write(linked, {"3.txt": "otherwise\n", "moved.txt": "new\n"})
        (linked / "a.txt").unlink()
        live.until(lambda picture: changes_of(picture, linked).keys() >= {"a.txt", "moved.txt"})
        after = {overlap.path: overlap for overlap in live.until_fresh().overlaps}
        assert {path for path in after if after[path] is not before[path]} == {"3.txt"}


def test_a_save_that_changes_nothing_gives_no_picture(repo: Path, linked: Path) -> None:
    with watching(repo) as live:
        live.until_fresh()
        before = len(live.pictures)
        os.utime(linked / "README.md")
        write(linked, {"a.txt": "1\n2\n3\n"})
        write(linked, {"last.txt": "now\n"})
        live.until(lambda picture: "last.txt" in changes_of(picture, linked))
        seen = [
            (what_is_seen(picture), [state.bytes for state in picture.worktrees])
            for picture in live.pictures[before - 1 :]
        ]
        assert all(one != next_one for one, next_one in pairwise(seen))
        assert "a.txt" not in {path for picture in live.pictures[before:] for path in changes_of(picture, linked)}


@pytest.mark.parametrize("watcher", ["auto", "polling"])
def test_however_it_is_watched(repo: Path, linked: Path, watcher: str) -> None:
    with watching(repo, Options(editor={"watcher": watcher})) as live:
        assert (live.session.watch_report()[0] == "polling") == (watcher == "polling")
        write(linked, {"new/deep/a.txt": "new\n"})
        live.until(lambda picture: "new/deep/a.txt" in changes_of(picture, linked))


def test_contents_of_an_overlap(repo: Path, linked: Path) -> None:
    write(repo, {"README.md": "otherwise\n"})
    with watching(repo) as live:
        (overlap,) = live.pictures[-1].overlaps
        assert overlaps_of(live.pictures[-1]) == [
            "conflict content README.md repo:README.md:1-1 | linked:README.md:1-1"
        ]
        contents = [
            live.session.content(entry)
            for side in overlap.sides
            for entry in (side.before, side.after)
            if entry is not None
        ]
        assert contents == [b"# Repository\n", b"otherwise\n", b"# Repository\n", b"edited\n"]


def test_closing_from_the_callback_and_twice(repo: Path) -> None:
    """A door may close a session because of what a Picture says."""
    opened, done = threading.Event(), threading.Event()
    sessions: list[Session] = []

    def take(picture: Picture) -> None:
        opened.wait()
        sessions[0].close()
        done.set()

    session = open_session(repo, Options(), take)
    assert not isinstance(session, Failure)
    sessions.append(session)
    opened.set()
    assert done.wait(DEADLINE)
    session.close()
    session.close()


def test_no_picture_after_closing(repo: Path, linked: Path) -> None:
    with watching(repo) as live:
        live.until_fresh()
    count = len(live.pictures)
    write(linked, {"late.txt": "late\n"})
    live.session.refresh()
    live.session.set_unsaved(str(linked / "a.txt"), "typed\n", 1)
    eventually(lambda: not any(thread.name == "sidecar-session" for thread in threading.enumerate()))
    assert len(live.pictures) == count


def test_two_sessions_of_one_repository(repo: Path, linked: Path) -> None:
    with watching(repo) as one, watching(linked) as two:
        assert one.session.repository == two.session.repository == str(repo / ".git")
        write(linked, {"new.txt": "new\n"})
        for live in (one, two):
            live.until(lambda picture: "new.txt" in changes_of(picture, linked))
            live.until_fresh()
