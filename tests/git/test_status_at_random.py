"""Uncommitted work at random: its tree is what `git add --all` and a commit would make, read whole or path by path."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, note
from hypothesis import strategies as st

from tests.git.test_status import by_git, see
from tests.harness import Content, Executable, Symlink, add_worktree, commit, git, init, write
from tests.model.examples import examples

FILES = ("a.txt", "b c.txt", "d/a.txt", "d/e/ü.txt", "run.sh", "link", "kept.log")
NEW = (*FILES, "new.txt", "d/new.txt", "x/y.txt", "a.txt/in.txt", "d", "new.log", "d/e")

Deed = Callable[[Path, str, int], object]


def _free(path: Path) -> None:
    """Make room for something else."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()
    for above in path.parents:
        if above.is_symlink() or above.is_file():
            above.unlink()


def _put(worktree: Path, name: str, content: Content) -> None:
    _free(worktree / name)
    write(worktree, {name: content})


def _write(worktree: Path, name: str, number: int) -> None:
    _put(worktree, name, f"{number % 4}\n" * (number % 3))


def _crlf(worktree: Path, name: str, number: int) -> None:
    _put(worktree, name, b"%d\r\nx\r\n" % (number % 2))


def _executable(worktree: Path, name: str, number: int) -> None:
    _put(worktree, name, Executable(f"{number % 2}\n"))


def _link(worktree: Path, name: str, number: int) -> None:
    _put(worktree, name, Symlink(("a.txt", "nowhere", "d")[number % 3]))


def _delete(worktree: Path, name: str, number: int) -> None:
    if os.path.lexists(worktree / name):
        _free(worktree / name)


def _stage(worktree: Path, name: str, number: int) -> None:
    git(worktree, "add", "--all", "--force", "--", f":(literal){name}", check=False)


def _take_out(worktree: Path, name: str, number: int) -> None:
    git(worktree, "rm", "-r", "--quiet", "--cached", "--", f":(literal){name}", check=False)


def _intend(worktree: Path, name: str, number: int) -> None:
    git(worktree, "add", "--intent-to-add", "--", f":(literal){name}", check=False)


def _touch(worktree: Path, name: str, number: int) -> None:
    if (worktree / name).is_file():
        os.utime(worktree / name, (number, number))


def _attributes(worktree: Path, name: str, number: int) -> None:
    _put(worktree, ".gitattributes", ("* text=auto\n", "*.txt eol=crlf\n", "*.txt ident\n", "* -text\n")[number % 4])


def _ignore(worktree: Path, name: str, number: int) -> None:
    _put(worktree, ".gitignore", ("*.log\n", "x/\n", "d/e\n!ü.txt\n")[number % 3])


DEEDS: tuple[Deed, ...] = (
    *(_write, _write, _crlf, _executable, _link, _delete, _delete),
    *(_stage, _stage, _take_out, _intend, _touch, _attributes, _ignore),
)
STEPS = st.lists(st.tuples(st.sampled_from(DEEDS), st.sampled_from(NEW), st.integers(0, 30)), min_size=1, max_size=10)


@examples(20)
@given(steps=STEPS)
def test_the_tree_is_what_git_would_commit(steps: list[tuple[Deed, str, int]]) -> None:
    with TemporaryDirectory() as place:
        main = init(Path(place) / "main")
        plain: dict[str, Content] = {name: f"{name}\n" for name in FILES}
        commit(main, {**plain, "run.sh": Executable("#!\n"), "link": Symlink("a.txt")})
        worktree = add_worktree(main, "work")
        for deed, name, number in steps:
            note(f"{deed.__name__} {name!r} {number}")
            deed(worktree, name, number)
        seen = see(worktree)
        note(f"{seen.sources}")
        for path in seen.sources:
            alone = see(worktree, paths=(path,))
            assert alone.sources[path] == seen.sources[path]
            assert alone.content[path] == seen.content[path]
        assert not seen.skipped
        assert seen.tree == by_git(worktree)
        changed = git(worktree, "diff", "--cached", "--no-renames", "--name-only", "-z", "HEAD").split("\0")
        assert set(changed) - {""} <= set(seen.sources)
