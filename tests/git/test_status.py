"""What is not committed in a worktree, in every way that it can be so."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest

from sidecar.git.objects import edit_tree, read_blob, tree_of
from sidecar.git.process import GitError
from sidecar.git.status import Uncommitted, read_uncommitted
from sidecar.model.changes import EXECUTABLE, FILE, SUBMODULE, SYMLINK
from tests.git.opening import opened, quarantined, worktree_at
from tests.harness import Content, Executable, Symlink, add_worktree, commit, git, git_bytes, init, tick, write

LIMIT = 1000

STAGED, UNSTAGED, UNTRACKED = ("staged",), ("unstaged",), ("untracked",)


@dataclass(frozen=True)
class Seen:
    """What was read: sources by path, contents by path (None: gone), modes, what was skipped, the tree of all of it."""

    sources: dict[str, tuple[str, ...]]
    content: dict[str, bytes | str | None]
    modes: dict[str, int]
    skipped: tuple[str, ...]
    tree: str


def see(worktree: Path, *, paths: tuple[str, ...] = (), trust: bool = False) -> Seen:
    """Read a worktree."""
    repository = opened(worktree, trust=trust)
    found = worktree_at(repository, worktree)
    with quarantined(repository) as quarantine:
        read: Uncommitted = read_uncommitted(repository, quarantine, found, LIMIT, paths)
        objects = quarantine.objects
        assert len({edit.path for edit in read.edits}) == len(read.edits)
        edits = {edit.path: edit.now for edit in read.edits}
        content: dict[str, bytes | str | None] = {}
        for path, now in edits.items():
            content[path] = None if now is None else now.oid if now.mode == SUBMODULE else read_blob(objects, now.oid)
        return Seen(
            {edit.path: edit.sources for edit in read.edits},
            content,
            {path: now.mode for path, now in edits.items() if now is not None},
            tuple(sorted(read.skipped)),
            edit_tree(objects, tree_of(objects, found.head) if found.head else objects.empty_tree, edits),
        )


def by_git(worktree: Path) -> str:
    """The tree that `git add --all` and a commit would make; changes the index."""
    git(worktree, "add", "--all")
    return git(worktree, "write-tree")


@pytest.fixture
def worktree(repo: Path) -> Path:
    """A worktree with files to change."""
    plain: dict[str, Content] = {"a.txt": "a\n", "b.txt": "b\n", "d/c.txt": "c\n"}
    commit(repo, {**plain, "run": Executable("#!\n"), "link": Symlink("a.txt")})
    return add_worktree(repo, "feat")


def test_nothing(worktree: Path) -> None:
    assert see(worktree).sources == {}


def test_each_source_by_itself(worktree: Path) -> None:
    write(worktree, {"a.txt": "staged\n", "new.txt": "staged\n"})
    git(worktree, "add", "a.txt", "new.txt")
    git(worktree, "rm", "--quiet", "d/c.txt")
    write(worktree, {"b.txt": "unstaged\n", "run": None, "un/tracked.txt": "u\n"})
    seen = see(worktree)
    assert seen.sources == {
        "a.txt": STAGED,
        "new.txt": STAGED,
        "d/c.txt": STAGED,
        "b.txt": UNSTAGED,
        "run": UNSTAGED,
        "un/tracked.txt": UNTRACKED,
    }
    assert seen.content == {
        "a.txt": b"staged\n",
        "new.txt": b"staged\n",
        "d/c.txt": None,
        "b.txt": b"unstaged\n",
        "run": None,
        "un/tracked.txt": b"u\n",
    }
    assert seen.tree == by_git(worktree)


def test_names_that_end_as_lines_do(worktree: Path) -> None:
    """Git takes a carriage return at the end of a line for a part of the line's end."""
    files = {"end": "plain\n", "end\r": "carriage return\n", "\r\nboth\r\n": "both\n", '"quoted"\r': "quoted\n"}
    write(worktree, files)
    seen = see(worktree)
    assert seen.content == {path: text.encode() for path, text in files.items()}
    assert seen.tree == by_git(worktree)


def test_staged_and_changed_again(worktree: Path) -> None:
    write(worktree, {"a.txt": "staged\n", "b.txt": "staged\n", "new.txt": "staged\n"})
    git(worktree, "add", "--all")
    write(worktree, {"a.txt": "and again\n", "b.txt": None, "new.txt": None})
    seen = see(worktree)
    both = ("staged", "unstaged")
    assert seen.sources == {"a.txt": both, "b.txt": both, "new.txt": both}
    assert seen.content == {"a.txt": b"and again\n", "b.txt": None, "new.txt": None}
    assert seen.tree == by_git(worktree)


def test_staged_and_put_back_on_disk(worktree: Path) -> None:
    """The present state is as in HEAD, yet the index is not: both facts are kept."""
    write(worktree, {"a.txt": "staged\n"})
    git(worktree, "add", "--all")
    write(worktree, {"a.txt": "a\n"})
    seen = see(worktree)
    assert seen.sources == {"a.txt": ("staged", "unstaged")}
    assert seen.content == {"a.txt": b"a\n"}
    assert seen.tree == by_git(worktree)


def test_an_intended_addition(worktree: Path) -> None:
    write(worktree, {"new.txt": "new\n", "gone.txt": "gone\n"})
    git(worktree, "add", "--intent-to-add", "new.txt", "gone.txt")
    write(worktree, {"gone.txt": None})
    seen = see(worktree)
    assert seen.sources["new.txt"] == UNSTAGED
    assert seen.content["new.txt"] == b"new\n"
    assert seen.content.get("gone.txt") is None
    assert seen.tree == by_git(worktree)


def test_a_rename_in_the_index(worktree: Path) -> None:
    git(worktree, "mv", "a.txt", "moved.txt")
    seen = see(worktree)
    assert seen.content == {"a.txt": None, "moved.txt": b"a\n"}
    assert seen.sources == {"a.txt": STAGED, "moved.txt": STAGED}


@pytest.mark.parametrize("resolved", [False, True])
def test_a_merge_that_stopped(worktree: Path, repo: Path, resolved: bool) -> None:
    """The present state is what is on disk: with markers, until somebody has taken them out."""
    commit(worktree, {"a.txt": "ours\n", "b.txt": "ours\n", "d/c.txt": None, "both.txt": "ours\n"})
    commit(repo, {"a.txt": "theirs\n", "b.txt": None, "d/c.txt": "theirs\n", "both.txt": "theirs\n"})
    git(worktree, "merge", "--quiet", "main", check=False, env=tick(worktree))
    if resolved:
        write(worktree, {"a.txt": "resolved\n", "both.txt": "resolved\n", "b.txt": None})
    seen = see(worktree)
    expected = b"resolved\n" if resolved else (worktree / "a.txt").read_bytes()
    assert seen.content["a.txt"] == expected
    assert seen.sources["a.txt"] == UNSTAGED
    assert seen.tree == by_git(worktree)


def test_kinds_of_files(worktree: Path) -> None:
    links: dict[str, Content] = {"link": Symlink("b.txt"), "new": Symlink("nowhere")}
    write(worktree, {"a.txt": Executable("a\n"), "run": "#!\n", **links})
    (worktree / "run").chmod(0o644)
    seen = see(worktree)
    assert seen.modes == {"a.txt": EXECUTABLE, "run": FILE, "link": SYMLINK, "new": SYMLINK}
    assert seen.content["new"] == b"nowhere"
    assert seen.tree == by_git(worktree)


def test_kinds_that_change_places(worktree: Path) -> None:
    """A file becomes a directory, a directory a file, a link a file, a file a link."""
    (worktree / "a.txt").unlink()
    (worktree / "d/c.txt").unlink()
    (worktree / "d").rmdir()
    (worktree / "link").unlink()
    plain: dict[str, Content] = {"a.txt/in/side": "i\n", "d": "d\n", "link": "l\n"}
    write(worktree, {**plain, "b.txt": Symlink("d")})
    assert see(worktree).tree == by_git(worktree)


@pytest.mark.parametrize("value", ["false", "no", "0", "off"])
def test_without_file_modes(repo: Path, worktree: Path, value: str) -> None:
    git(repo, "config", "core.fileMode", value)
    write(worktree, {"a.txt": Executable("a\n"), "new.sh": Executable("#!\n"), "b.txt": Executable("changed\n")})
    seen = see(worktree)
    assert seen.modes == {"new.sh": FILE, "b.txt": FILE}
    assert seen.tree == by_git(worktree)


def test_flags_that_hide(worktree: Path) -> None:
    """What `git add` would pass over is not part of the present state."""
    git(worktree, "update-index", "--assume-unchanged", "a.txt")
    git(worktree, "update-index", "--skip-worktree", "b.txt")
    write(worktree, {"a.txt": "hidden\n", "b.txt": None})
    assert see(worktree).sources == {}


def test_sparse_checkout(repo: Path, worktree: Path) -> None:
    git(worktree, "sparse-checkout", "set", "--no-cone", "/a.txt", "/new.txt")
    assert not (worktree / "d").exists()
    write(worktree, {"a.txt": "changed\n", "new.txt": "new\n"})
    assert see(worktree).sources == {"a.txt": UNSTAGED, "new.txt": UNTRACKED}


def test_sparse_index(repo: Path, worktree: Path) -> None:
    commit(repo, {"deep/er/x.txt": "x\n", "deep/y.txt": "y\n"})
    git(worktree, "merge", "--quiet", "main")
    git(worktree, "sparse-checkout", "set", "--cone", "--sparse-index", "d")
    write(worktree, {"d/c.txt": "changed\n"})
    seen = see(worktree)
    assert seen.sources == {"d/c.txt": UNSTAGED}
    assert seen.tree == by_git(worktree)


@pytest.mark.parametrize("option", ["--split-index", "--untracked-cache", "--fsmonitor"])
def test_what_the_index_may_carry(worktree: Path, option: str) -> None:
    git(worktree, "update-index", option, check=False)
    write(worktree, {"a.txt": "changed\n", "new.txt": "new\n"})
    assert see(worktree).sources == {"a.txt": UNSTAGED, "new.txt": UNTRACKED}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("status.showUntrackedFiles", "no"),
        ("status.showUntrackedFiles", "normal"),
        ("status.relativePaths", "true"),
        ("status.short", "true"),
        ("status.branch", "true"),
        ("status.showStash", "true"),
        ("status.renames", "copies"),
        ("diff.renames", "copies"),
        ("diff.ignoreSubmodules", "all"),
        ("color.status", "always"),
        ("core.quotePath", "true"),
        ("core.checkStat", "minimal"),
        ("core.preloadIndex", "false"),
        ("column.status", "always"),
    ],
)
def test_settings_that_change_what_status_shows(repo: Path, worktree: Path, key: str, value: str) -> None:
    git(worktree, "stash", "--quiet", check=False)
    git(repo, "config", key, value)
    git(worktree, "mv", "a.txt", "m.txt")
    write(worktree, {"b.txt": "longer than before\n", "un/träcked/x.txt": "u\n"})
    assert set(see(worktree).sources) == {"a.txt", "m.txt", "b.txt", "un/träcked/x.txt"}


def test_files_that_git_ignores(worktree: Path, home: Path) -> None:
    write(worktree, {".gitignore": "*.log\n!keep.log\nout/\na.txt\n", "x.log": "", "keep.log": "", "out/x": ""})
    write(worktree, {"a.txt": "tracked, so not ignored\n"})
    assert see(worktree).sources == {".gitignore": UNTRACKED, "keep.log": UNTRACKED, "a.txt": UNSTAGED}
    write(home, {".config/git/ignore": "keep.*\n"})
    assert "keep.log" in see(worktree).sources, "the worktree's own rules are stronger"
    write(home, {".config/git/ignore": "personal\n"})
    write(worktree, {"personal": ""})
    assert "personal" not in see(worktree).sources


def test_other_repositories_inside(repo: Path, worktree: Path) -> None:
    """Their files are their own; so are those of nested worktrees."""
    commit(init(worktree / "inner"), {"x.txt": "x\n"})
    init(worktree / "in/empty")
    add_worktree(repo, worktree / "nested")
    (worktree / "hollow").mkdir()
    assert see(worktree).sources == {}


def test_submodules(repo: Path, worktree: Path, tmp_path: Path) -> None:
    library = init(tmp_path / "library")
    first = commit(library, {"lib.txt": "1\n"})
    git(worktree, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "lib")
    seen = see(worktree)
    assert seen.sources == {".gitmodules": STAGED, "lib": STAGED}
    assert (seen.modes["lib"], seen.content["lib"]) == (SUBMODULE, first)
    commit(worktree)
    write(worktree / "lib", {"lib.txt": "edited\n", "new.txt": "n\n"})
    assert see(worktree).sources == {}, "what is not committed in a submodule is no change of the commit it is at"
    second = commit(worktree / "lib")
    seen = see(worktree)
    assert (seen.sources, seen.content) == ({"lib": UNSTAGED}, {"lib": second})
    git(worktree, "submodule", "--quiet", "deinit", "--force", "lib")
    assert see(worktree).sources == {}, "a submodule that is not checked out"


def test_special_files(worktree: Path) -> None:
    """No FIFO is ever opened, and neither it nor a socket is work that git could keep."""
    os.mkfifo(worktree / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(worktree)
        listening.bind("socket")
        (worktree / "a.txt").unlink()
        os.mkfifo(worktree / "a.txt")
        write(worktree, {"b.txt": "changed\n"})
        seen = see(worktree)
    assert seen.sources == {"a.txt": UNSTAGED, "b.txt": UNSTAGED}
    assert seen.skipped == ("a.txt",)


def test_files_over_the_limit(worktree: Path) -> None:
    write(worktree, {"a.txt": b"x" * (LIMIT + 1), "b.txt": b"x" * LIMIT, "new.txt": b"x" * (LIMIT + 1)})
    seen = see(worktree)
    assert seen.sources == {"a.txt": UNSTAGED, "b.txt": UNSTAGED, "new.txt": ("untracked",)}
    assert seen.skipped == ("a.txt", "new.txt")


def test_a_file_that_was_only_touched(worktree: Path) -> None:
    os.utime(worktree / "a.txt", (1, 1))
    assert see(worktree).sources == {}


def test_line_ends_that_git_would_normalise(repo: Path, worktree: Path) -> None:
    commit(worktree, {".gitattributes": "* text=auto\n"})
    write(worktree, {"a.txt": "a\r\n", "b.txt": "b\r\nmore\r\n", "new.txt": "n\r\n"})
    seen = see(worktree)
    assert seen.sources == {"b.txt": UNSTAGED, "new.txt": UNTRACKED}
    assert seen.content == {"b.txt": b"b\nmore\n", "new.txt": b"n\n"}
    assert seen.tree == by_git(worktree)


@pytest.mark.parametrize(
    ("attributes", "disk", "stored"),
    [
        ("sub/* working-tree-encoding=UTF-16LE\n", "ü\n".encode("utf-16-le"), "ü\n".encode()),
        ("* ident\n", b"$Id: 123 $\n", b"$Id$\n"),
        ("* eol=crlf\n", b"x\r\n", b"x\n"),
        ("* -text\n", b"x\r\n", b"x\r\n"),
    ],
)
def test_gits_own_conversions(worktree: Path, attributes: str, disk: bytes, stored: bytes) -> None:
    commit(worktree, {".gitattributes": attributes})
    write(worktree, {"sub/new.txt": disk})
    seen = see(worktree)
    assert seen.content["sub/new.txt"] == stored
    assert seen.tree == by_git(worktree)


NAMES = [
    *("with space", " lead", "trail ", "new\nline", "tab\there", 'quo"te', '"quoted"', "back\\slash", "-dash"),
    *(":colon", ":(top)x", "*glob?[a]", "#hash", "!bang", "ünï", "\x01", "a\u2028b", os.fsdecode(b"\xff\xfe")),
]


def test_names_of_all_kinds(worktree: Path) -> None:
    write(worktree, {name: f"{number}\n" for number, name in enumerate(NAMES)})
    write(worktree, {f"{name}/in": "x\n" for name in ("dir \n", '"d')})
    seen = see(worktree)
    assert set(seen.sources) == {*NAMES, "dir \n/in", '"d/in'}
    assert [seen.content[name] for name in NAMES] == [b"%d\n" % number for number in range(len(NAMES))]
    assert seen.tree == by_git(worktree)
    for name in NAMES:
        assert set(see(worktree, paths=(name,)).sources) == {name}


def test_some_paths_only(worktree: Path) -> None:
    """Paths are taken by the letter; a directory means all below it."""
    write(worktree, {"a.txt": "x\n", "b.txt": "x\n", "d/c.txt": "x\n", "d/new.txt": "x\n", "?.txt": "x\n"})
    assert set(see(worktree, paths=("a.txt",)).sources) == {"a.txt"}
    assert set(see(worktree, paths=("?.txt",)).sources) == {"?.txt"}
    assert set(see(worktree, paths=("d",)).sources) == {"d/c.txt", "d/new.txt"}
    assert set(see(worktree, paths=("d/new.txt", "gone.txt", "b.txt")).sources) == {"d/new.txt", "b.txt"}


def test_an_unborn_branch(repo: Path, worktree: Path) -> None:
    git(worktree, "checkout", "--quiet", "--orphan", "fresh")
    write(worktree, {"a.txt": "changed\n", "new.txt": "n\n"})
    seen = see(worktree)
    assert seen.sources["a.txt"] == ("staged", "unstaged")
    assert seen.sources["b.txt"] == STAGED
    assert seen.tree == by_git(worktree)


def test_a_worktree_without_an_index(worktree: Path, repo: Path) -> None:
    """To git all files are untracked then, and all are staged as gone; which nobody has done."""
    (repo / ".git/worktrees/feat/index").unlink()
    with pytest.raises(GitError, match="git reset"):
        see(worktree)


def test_reading_writes_nothing_to_the_users_store(repo: Path, worktree: Path) -> None:
    write(worktree, {"a.txt": "changed\n", "new.txt": "n\n"})
    before = git(repo, "count-objects"), (repo / ".git/worktrees/feat/index").stat().st_mtime_ns
    see(worktree)
    assert (git(repo, "count-objects"), (repo / ".git/worktrees/feat/index").stat().st_mtime_ns) == before


def test_taken_out_of_the_index_only(worktree: Path) -> None:
    git(worktree, "rm", "--quiet", "--cached", "a.txt", "b.txt")
    write(worktree, {"b.txt": "changed\n"})
    seen = see(worktree)
    assert {path: set(sources) >= {"staged", "untracked"} for path, sources in seen.sources.items()} == {
        "a.txt": True,
        "b.txt": True,
    }
    assert seen.tree == by_git(worktree)
    assert git_bytes(worktree, "status", "--porcelain") != b""
