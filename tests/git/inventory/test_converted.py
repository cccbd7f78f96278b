"""Files that are not stored as they are on the disk: what a checkout gives back is no loss, all else is told."""

import hashlib
from pathlib import Path

import pytest

from tests.git.inventory.taking import codes, take
from tests.harness import commit, git, init, write
from tests.harness.states import Standing, build_standing


@pytest.fixture
def standing(tmp_path: Path) -> Standing:
    return build_standing(tmp_path)


def _attributes(at: Standing, text: str) -> None:
    (at.main / ".git/info/attributes").write_text(text)


def _filter(at: Standing, home: Path, name: str, clean: str, smudge: str) -> None:
    """A filter of the person's own."""
    for key, value in (("clean", clean), ("smudge", smudge)):
        git(at.main, "config", "--file", str(home / ".gitconfig"), f"filter.{name}.{key}", value)


@pytest.mark.parametrize("content", ["one\r\ntwo\r\n", "one\r\ntwo\n"])
@pytest.mark.parametrize("attributes", ["* text", "* text eol=crlf", "* text=auto", "* ident text"])
def test_line_ends_are_no_change(standing: Standing, content: str, attributes: str) -> None:
    _attributes(standing, attributes + "\n")
    write(standing.worktree, {"windows.txt": content})
    assert codes(take(standing.worktree)) == set()
    write(standing.worktree, {"windows.txt": content + "three\r\n"})
    assert codes(take(standing.worktree)) == {"uncommitted"}


def test_line_ends_by_setting(standing: Standing) -> None:
    write(standing.worktree, {"windows.txt": "one\r\ntwo\r\n"})
    assert codes(take(standing.worktree)) == {"uncommitted"}
    standing.git("config", "core.autocrlf", "true")
    assert codes(take(standing.worktree)) == set()


def test_an_encoding_is_no_change(standing: Standing) -> None:
    write(standing.worktree, {".gitattributes": "wide.txt working-tree-encoding=UTF-16LE text\n"})
    commit(standing.worktree, {"wide.txt": "wide\n".encode("utf-16-le")})
    assert codes(take(standing.worktree)) == set()
    write(standing.worktree, {"wide.txt": "other\n".encode("utf-16-le")})
    assert codes(take(standing.worktree)) == {"uncommitted"}


def test_a_filter_of_the_persons_own_is_believed_if_it_gives_all_back(standing: Standing, home: Path) -> None:
    _filter(standing, home, "rot", "tr a-m b-n", "tr b-n a-m")
    _attributes(standing, "src/b.txt filter=rot\n")
    write(standing.worktree, {"src/b.txt": "a\n"})
    assert codes(take(standing.worktree)) == set()
    write(standing.worktree, {"src/b.txt": "d\n"})
    assert codes(take(standing.worktree)) == {"uncommitted"}


def test_a_filter_of_the_persons_own_that_drops_something_is_not(standing: Standing, home: Path) -> None:
    _filter(standing, home, "drop", "sed /SECRET/d", "cat")
    _attributes(standing, "src/b.txt filter=drop\n")
    write(standing.worktree, {"src/b.txt": "b\nSECRET\n"})
    assert codes(take(standing.worktree)) == {"hidden-changes"}


@pytest.mark.parametrize(("trust", "expected"), [(False, {"hidden-changes"}), (True, set())])
def test_a_filter_of_the_repository_is_asked_only_where_trusted(
    standing: Standing, trust: bool, expected: set[str]
) -> None:
    standing.git("config", "filter.rot.clean", "tr a-m b-n")
    standing.git("config", "filter.rot.smudge", "tr b-n a-m")
    _attributes(standing, "src/b.txt filter=rot\n")
    write(standing.worktree, {"src/b.txt": "a\n"})
    assert codes(take(standing.worktree, trust=trust)) == expected


def test_a_filter_that_nobody_defines_is_none(standing: Standing) -> None:
    _attributes(standing, "src/b.txt filter=unknown\n")
    assert codes(take(standing.worktree)) == set()
    write(standing.worktree, {"src/b.txt": "edited\n"})
    assert codes(take(standing.worktree)) == {"uncommitted"}


def test_large_files_are_known_by_their_pointers(standing: Standing) -> None:
    """Git LFS itself is not needed, and not run: the shared store and the pointer say it all."""
    content = b"large " * 100_000
    name = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize {len(content)}\n"
    standing.git("config", "filter.lfs.clean", "false")
    commit(standing.worktree, {"large.bin": pointer})
    git(standing.main, "merge", "--quiet", "--ff-only", "feat-1")
    _attributes(standing, "*.bin filter=lfs\n")
    assert codes(take(standing.worktree)) == set()
    write(standing.worktree, {"large.bin": content})
    assert codes(take(standing.worktree)) == {"hidden-changes"}
    stored = standing.main / ".git/lfs/objects" / name[:2] / name[2:4] / name
    stored.parent.mkdir(parents=True)
    stored.write_bytes(content)
    assert codes(take(standing.worktree)) == set()
    write(standing.worktree, {"large.bin": content[:-1] + b"!"})
    assert codes(take(standing.worktree)) == {"uncommitted"}


def test_links_that_are_files_where_there_are_no_links(tmp_path: Path) -> None:
    standing = build_standing(tmp_path)
    standing.git("config", "core.symlinks", "false")
    (standing.worktree / "link").unlink()
    write(standing.worktree, {"link": "src/a.txt"})
    assert codes(take(standing.worktree)) == set()
    write(standing.worktree, {"link": "src/b.txt"})
    assert codes(take(standing.worktree)) == {"uncommitted"}


def test_modes_count_for_nothing_where_everything_is_executable(standing: Standing) -> None:
    """As on a file system that keeps no modes: git's own file has one too."""
    standing.git("config", "core.fileMode", "false")
    for path in standing.worktree.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o755)
    assert codes(take(standing.worktree)) == set()
    (standing.worktree / ".git").chmod(0o644)
    assert codes(take(standing.worktree)) == {"hidden-changes"}


def test_many_files_at_once(tmp_path: Path) -> None:
    main = init(tmp_path / "main")
    commit(main, {f"f{number}\n.txt": "x\ny\n" for number in range(300)})
    git(main, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    (main / ".git/info/attributes").write_text("* text\n")
    write(tmp_path / "linked", {f"f{number}\n.txt": "x\r\ny\r\n" for number in range(300)})
    write(tmp_path / "linked", {"f7\n.txt": "x\r\nz\r\n"})
    assert take(tmp_path / "linked").files.unstaged == ("f7\n.txt",)
