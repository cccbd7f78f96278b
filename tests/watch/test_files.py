"""What happens to files, told by every way of watching."""

import os
from pathlib import Path

import pytest

from tests.harness import add_worktree, commit, init, write
from tests.watch.conftest import Open
from tests.watch.support import Watching, paths, plain, tells, worktree

BACKENDS = ["inotify", "watchfiles", "polling"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write(init(tmp_path / "place"), {"a.txt": "a\n", "d/b.txt": "b\n", "d/e/c.txt": "c\n"})
    return tmp_path / "place"


@pytest.fixture
def followed(place: Path, watching: Watching) -> Watching:
    watching.follow(worktree(place))
    return watching


def test_a_write_in_place(place: Path, followed: Watching) -> None:
    followed.after(lambda: (place / "d/b.txt").write_text("other\n"), "d/b.txt")


def test_a_write_of_the_same_length(place: Path, followed: Watching) -> None:
    followed.after(lambda: (place / "a.txt").write_text("b\n"), "a.txt")


def test_a_new_file(place: Path, followed: Watching) -> None:
    followed.after(lambda: (place / "new.txt").write_text("n\n"), "new.txt")


def test_an_empty_new_file(place: Path, followed: Watching) -> None:
    followed.after(lambda: (place / "d/e/new.txt").touch(), "d/e/new.txt")


def test_a_removed_file(place: Path, followed: Watching) -> None:
    followed.after(lambda: (place / "d/e/c.txt").unlink(), "d/e/c.txt")


def test_a_renamed_file_under_both_names(place: Path, followed: Watching) -> None:
    followed.after(lambda: (place / "a.txt").rename(place / "d/z.txt"), "a.txt", "d/z.txt")


def test_a_renamed_directory_under_both_names(place: Path, followed: Watching) -> None:
    followed.after(lambda: (place / "d").rename(place / "x"), "d/b.txt", "d/e/c.txt", "x/b.txt", "x/e/c.txt")
    followed.after(lambda: (place / "x/e/c.txt").write_text("later\n"), "x/e/c.txt")


def test_a_removed_directory(place: Path, followed: Watching) -> None:
    def remove() -> None:
        for path in ("d/e/c.txt", "d/b.txt"):
            (place / path).unlink()
        (place / "d/e").rmdir()
        (place / "d").rmdir()

    followed.after(remove, "d/b.txt", "d/e/c.txt")


def test_a_directory_in_place_of_a_file_and_back(place: Path, followed: Watching) -> None:
    def to_directory() -> None:
        (place / "a.txt").unlink()
        write(place, {"a.txt/inside": "i\n"})

    def to_file() -> None:
        (place / "a.txt/inside").unlink()
        (place / "a.txt").rmdir()
        (place / "a.txt").write_text("file\n")

    followed.after(to_directory, "a.txt/inside")
    followed.after(to_file, "a.txt")


def test_an_atomic_replacement(place: Path, followed: Watching) -> None:
    def replace() -> None:
        (place / "d/.b.txt.swp").write_text("new\n")
        (place / "d/.b.txt.swp").replace(place / "d/b.txt")

    followed.after(replace, "d/b.txt")


def test_a_backup_and_a_new_file_as_vim_writes(place: Path, followed: Watching) -> None:
    def save() -> None:
        (place / "a.txt").rename(place / "a.txt~")
        (place / "a.txt").write_text("new\n")
        (place / "a.txt~").unlink()

    followed.after(save, "a.txt")


def test_the_executable_bit(place: Path, followed: Watching) -> None:
    followed.after(lambda: (place / "d/b.txt").chmod(0o755), "d/b.txt")


def test_a_symbolic_link_and_not_what_it_leads_to(place: Path, followed: Watching, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", {"f.txt": "f\n"})
    followed.after(lambda: (place / "link").symlink_to(tmp_path / "elsewhere"), "link")
    batches = followed.after(
        lambda: ((tmp_path / "elsewhere/f.txt").write_text("g\n"), (place / "d/b.txt").write_text("s\n")), "d/b.txt"
    )
    assert not {path for path in paths(batches) if path.startswith("link/")}


def test_a_directory_moved_in_from_outside(place: Path, followed: Watching, tmp_path: Path) -> None:
    write(tmp_path / "out", {"p/q.txt": "q\n"})
    followed.after(lambda: (tmp_path / "out").rename(place / "in"), "in/p/q.txt")
    followed.after(lambda: (place / "in/p/r.txt").write_text("r\n"), "in/p/r.txt")


def test_a_directory_moved_out(place: Path, followed: Watching, tmp_path: Path) -> None:
    followed.after(lambda: (place / "d").rename(tmp_path / "gone"), "d/b.txt", "d/e/c.txt")
    batches = followed.after(
        lambda: ((tmp_path / "gone/b.txt").write_text("g\n"), (place / "a.txt").write_text("s\n")), "a.txt"
    )
    assert "d/b.txt" not in paths(batches)


def test_names_with_spaces_and_beyond_ascii(place: Path, followed: Watching) -> None:
    followed.after(lambda: write(place, {"ö ä/한 글.txt": "x\n", "-n\n.txt": "y\n"}), "ö ä/한 글.txt", "-n\n.txt")


@pytest.mark.parametrize("backend", BACKENDS)
def test_names_that_are_not_utf8(place: Path, backend: str, watch: Open) -> None:
    odd = os.fsdecode(b"caf\xe9.txt")
    followed = watch(backend=backend)
    followed.follow(worktree(place))
    followed.after(lambda: (place / "d" / odd).write_text("x\n"), f"d/{odd}")
    followed.after(lambda: (place / "a.txt").write_text("and on it goes\n"), "a.txt")


def test_reading_wakes_nobody(place: Path, followed: Watching) -> None:
    followed.after(lambda: os.utime(place / "d/b.txt", (0, 0)), "d/b.txt")  # so old that reading moves its access time
    followed.after(lambda: (place / "d/e/c.txt").write_text("1\n"), "d/e/c.txt")

    def read_then_write() -> None:
        (place / "d/b.txt").read_text()
        list((place / "d").iterdir())
        (place / "d/e/c.txt").write_text("2\n")

    assert not tells(followed.after(read_then_write, "d/e/c.txt"), "d/b.txt")


def test_ignored_directories_by_nested_rules(place: Path, followed: Watching) -> None:
    write(
        place,
        {
            ".gitignore": "/build/\nnode_modules/\n",
            "d/.gitignore": "made/\n!kept/\n",
            "build/x.o": "",
            "d/made/y": "",
            "d/kept/z": "",
            "d/e/node_modules/m/i.js": "",
        },
    )
    since = len(followed.heard.batches)
    followed.watcher.rewalk(str(place))
    followed.heard.until(lambda batches: any(batch.rescan for batch in batches), since)
    batches = followed.after(
        lambda: write(
            place,
            {
                "build/x.o": "1",
                "d/made/y": "1",
                "d/e/node_modules/m/i.js": "1",
                "d/e/node_modules/n/new.js": "1",
                "d/kept/z": "1",
            },
        ),
        "d/kept/z",
    )
    assert not {path for path in paths(batches) if "build" in path or "made" in path or "node_modules" in path}


def test_a_new_directory_that_is_ignored_is_not_told(place: Path, followed: Watching) -> None:
    followed.after(lambda: (place / ".gitignore").write_text("out/\n"), ".gitignore")
    batches = followed.after(lambda: write(place, {"out/deep/x": "", "d/out/y": "", "d/b.txt": "s\n"}), "d/b.txt")
    batches += followed.after(lambda: write(place, {"out/deep/x": "2", "a.txt": "s\n"}), "a.txt")
    assert not {path for path in paths(batches) if "out" in path.split("/")}


def test_git_directories_and_nested_worktrees_are_not_entered(place: Path, watching: Watching) -> None:
    write(place, {".claude/worktrees/w/f.txt": "f\n"})
    watching.follow(worktree(place, nested=frozenset({".claude/worktrees/w"})))
    batches = watching.after(
        lambda: write(place, {".claude/worktrees/w/f.txt": "g\n", ".git/description": "x\n", "a.txt": "s\n"}), "a.txt"
    )
    assert paths(batches) <= {"a.txt"}


def test_a_linked_worktree_inside_is_not_entered_even_if_nobody_said_so(place: Path, watching: Watching) -> None:
    commit(place, {}, "Begin")
    inner = add_worktree(place, ".claude/worktrees/w")
    watching.follow(worktree(place))
    write(inner, {"d/b.txt": "g\n", "d/new/c.txt": ""})
    batches = watching.after(lambda: (place / "d/b.txt").write_text("s\n"), "d/b.txt")
    assert not {path for path in paths(batches) if path.startswith(".claude/worktrees/w")}


def test_everything_is_told_on_one_thread_of_its_own(place: Path, followed: Watching) -> None:
    for number in range(5):
        followed.after((place / f"{number}").touch, f"{number}")
    assert len(followed.heard.threads) == 1


def test_what_needs_no_git(tmp_path: Path, watching: Watching) -> None:
    write(tmp_path / "p", {"src/a": "", "skip/b": ""})
    watching.follow(plain(tmp_path / "p", "skip"))
    batches = watching.after(lambda: write(tmp_path / "p", {"skip/b": "1", "src/a": "1"}), "src/a")
    assert "skip/b" not in paths(batches)
