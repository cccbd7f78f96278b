"""What a worktree can be made of."""

import os
from collections.abc import Callable
from pathlib import Path

from tests.harness import Content, Executable, Symlink, commit, git, write
from tests.operations.round_trip.portrait import administrative

Put = Callable[[Path], object]


def everything(worktree: Path) -> None:
    write(worktree, {"a": "staged\n", "staged": "new\n"})
    git(worktree, "add", "--all")
    write(worktree, {"a": "unstaged\n", "untracked": "u\n"})
    write(worktree, {"d/run": Executable("x")})
    write(worktree, {"link": Symlink("/etc/passwd")})
    git(worktree, "rm", "--quiet", "--cached", "d/b")
    (worktree / "empty/inner").mkdir(parents=True)


def _odd_names(worktree: Path) -> None:
    names: list[bytes] = [
        b"\xff\xfe", b"new\nline", b"carriage\r", b'"quoted"', b" space ", b"back\\slash", b"-dash", b":(top)x",
        b"#hash", b"tab\t", b"m/.gitmodules", b".gitmodules", b"git~1", b"sub/GI7EBA~1", b".git ", b"x\\.git", b"...",
        b".git\xe2\x80\x8c", "ä".encode(), "a\u0308".encode(), b"\x01\x7f", b"p/" * 30 + b"deep", b"n" * 255, b"*?[",
        b".gitattributes.d/x", b".lock", b"a.lock", b"%2e%2e", b"=", b"@{0}", b"HEAD", b"snapshot.json",
    ]  # fmt: skip
    files: dict[str | bytes, Content] = dict.fromkeys(names, "odd\n")
    write(worktree, files)


def _modes(worktree: Path) -> None:
    for mode in (0o600, 0o640, 0o444, 0o755, 0o711, 0o4755, 0o2755, 0o777, 0o000, 0o200):
        path = worktree / f"mode-{mode:o}"
        path.write_text(f"{mode}\n")
        path.chmod(mode)
        directory = worktree / f"directory-{mode:o}"
        directory.mkdir()
        (directory / "file").write_text("x")
        directory.chmod(mode | 0o1000 if mode == 0o777 else mode)


def _attributes(worktree: Path) -> None:
    os.setxattr(worktree / "a", "user.note", b"kept\0\xff")
    os.setxattr(worktree / "d", "user.empty", b"")


def _old_times(worktree: Path) -> None:
    os.utime(worktree / "a", ns=(1, 1))
    os.utime(worktree / "d/b", ns=(2**33 * 10**9, 2**33 * 10**9 - 1))
    os.utime(worktree / "d", ns=(5, 999_999_999))


def _links(worktree: Path) -> None:
    write(worktree, {"to-d": Symlink("d"), "up": Symlink("../.."), "self": Symlink("self"), "x/loop": Symlink("..")})
    write(worktree, {"odd": Symlink(b"\xff\n"), "long": Symlink("l" * 4000)})


def _line_ends_and_filters(worktree: Path) -> None:
    git(worktree, "config", "filter.upper.clean", "tr a-z A-Z")
    git(worktree, "config", "core.autocrlf", "true")
    files = {
        ".gitattributes": "*.up filter=upper\n*.id ident\n",
        "x.up": "low\n",
        "y.id": "$Id$\n",
        "z.txt": "a\r\nb\r\n",
    }
    write(worktree, files)
    git(worktree, "add", "--all")


def _big(worktree: Path) -> None:
    with open(worktree / "big", "wb") as file:
        for number in range(40):
            file.write(bytes([number]) * (1 << 20))
    write(worktree, {"exact": b"x" * (1 << 20), "more": b"y" * ((1 << 20) + 1), "zero": b""})


def _split(worktree: Path) -> None:
    git(worktree, "update-index", "--split-index")
    write(worktree, {"later": "later\n"})
    git(worktree, "add", "later")
    git(worktree, "update-index", "--assume-unchanged", "a")
    assert list(administrative(worktree).glob("sharedindex.*"))


def _sparse(worktree: Path) -> None:
    write(worktree, {f"{top}/{name}": name for top in ("in", "out", "out/deep") for name in ("1", "2")})
    commit(worktree, message="More")
    git(worktree, "sparse-checkout", "init", "--cone", "--sparse-index")
    git(worktree, "sparse-checkout", "set", "in")
    write(worktree, {"in/1": "edited\n"})
    assert b"sdir" in (administrative(worktree) / "index").read_bytes()


def _flags(worktree: Path) -> None:
    write(worktree, {"new": "n\n", "b": "b\n", "c": "c\n"})
    git(worktree, "add", "b", "c")
    git(worktree, "add", "--intent-to-add", "new")
    git(worktree, "update-index", "--assume-unchanged", "a")
    git(worktree, "update-index", "--skip-worktree", "d/b")
    write(worktree, {"a": "hidden\n", "d/b": "hidden\n"})


def _index_version_4(worktree: Path) -> None:
    write(worktree, {f"some/long/prefix/{number}": f"{number}" for number in range(200)})
    git(worktree, "add", "--all")
    git(worktree, "update-index", "--index-version=4")


def _merging(worktree: Path) -> None:
    git(worktree, "branch", "theirs")
    commit(worktree, {"a": "mine\n"})
    git(worktree, "checkout", "--quiet", "theirs")
    commit(worktree, {"a": "theirs\n", "e": "theirs\n"})
    git(worktree, "checkout", "--quiet", "feat")
    git(worktree, "merge", "theirs", check=False)
    git(worktree, "branch", "-D", "theirs", "--quiet")
    write(worktree, {"f": "f\n"})
    git(worktree, "add", "f")


def _resolved(worktree: Path) -> None:
    _merging(worktree)
    write(worktree, {"a": "both\n"})
    git(worktree, "add", "a")
    git(worktree, "write-tree")


def _cached_tree(worktree: Path) -> None:
    write(worktree, {"d/e/f": "staged\n"})
    git(worktree, "add", "--all")
    git(worktree, "write-tree")


def _annotated_tag(worktree: Path) -> None:
    lost = git(worktree, "commit-tree", "-m", "Tagged", "HEAD^{tree}")
    git(worktree, "tag", "-a", "-m", "Mine", "mine", lost)
    git(worktree, "update-ref", "refs/worktree/mine", "refs/tags/mine")
    git(worktree, "update-ref", "refs/worktree/blob", git(worktree, "hash-object", "-w", "--stdin", input="blob\n"))
    git(worktree, "tag", "--delete", "mine")


def _configured(worktree: Path) -> None:
    for key, value in (("remote", "origin"), ("merge", "refs/heads/up"), ("description", "two\nlines"), ("x", "-v")):
        git(worktree, "config", "--add", f"branch.feat.{key}", value)


def _reset_to_and_fro(worktree: Path) -> None:
    for number in range(5):
        commit(worktree, {"a": f"{number}\n"})
        if number % 2:
            git(worktree, "reset", "--quiet", "--hard", "HEAD~2")
    git(worktree, "checkout", "--quiet", "--detach")
    commit(worktree, {"a": "detached\n"})
    git(worktree, "checkout", "--quiet", "feat")


def _junk_named_git(worktree: Path) -> None:
    write(worktree, {"sub/.git/nothing": "not a repository\n", "sub/file": "file\n", "other/.GIT": "x", "other/y": "y"})


def _relative(worktree: Path) -> None:
    home = administrative(worktree)
    (worktree / ".git").write_text(f"gitdir: {os.path.relpath(home, worktree)}\n")
    (home / "gitdir").write_text(f"{os.path.relpath(worktree / '.git', home)}\n")


def _head_as_a_link(worktree: Path) -> None:
    head = administrative(worktree) / "HEAD"
    head.write_text("ref:refs/heads/feat\n")


PUTS: dict[str, Put] = {
    "nothing": lambda worktree: None,
    "everything": everything,
    "odd names": _odd_names,
    "modes": _modes,
    "attributes": _attributes,
    "old times": _old_times,
    "links": _links,
    "line ends and filters": _line_ends_and_filters,
    "big files": _big,
    "split index": _split,
    "sparse index": _sparse,
    "flags": _flags,
    "index version 4": _index_version_4,
    "a merge with conflicts": _merging,
    "a resolved conflict": _resolved,
    "a cached tree": _cached_tree,
    "tags and blobs under refs/worktree": _annotated_tag,
    "configuration of the branch": _configured,
    "resets": _reset_to_and_fro,
    "files named like git's": _junk_named_git,
    "relative links": _relative,
    "HEAD without a space": _head_as_a_link,
}
