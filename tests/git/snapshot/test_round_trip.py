"""What a worktree can be made of, held, destroyed and brought back."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.git.snapshot import Restored, Snapshot, SnapshotFacts, read_snapshot, restore_snapshot, write_snapshot
from tests.git.opening import opened, worktree_at
from tests.git.snapshot.portrait import administrative, destroy, hold, portrait, refused, restored, without
from tests.harness import Content, Executable, Symlink, add_worktree, commit, git, git_bytes, init, write

Put = Callable[[Path], object]


def _everything(worktree: Path) -> None:
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
    "everything": _everything,
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


WITH_SHA256 = (
    "everything",
    "split index",
    "sparse index",
    "index version 4",
    "a resolved conflict",
    "tags and blobs under refs/worktree",
)


@pytest.fixture
def object_format() -> str:
    return "sha1"


@pytest.fixture
def pair(object_format: str, tmp_path: Path) -> tuple[Path, Path]:
    """A repository and a worktree `feat` of it."""
    repo = init(tmp_path / "repo", f"--object-format={object_format}")
    commit(repo, {"a": "a\n", "d/b": "b\n", ".gitignore": "*.secret\n/out/\n"})
    worktree = add_worktree(repo, "feat")
    commit(worktree, {"c": "c\n"})
    return repo, worktree


@pytest.mark.parametrize(
    ("object_format", "name"), [*(("sha1", name) for name in PUTS), *(("sha256", name) for name in WITH_SHA256)]
)
def test_everything_comes_back(name: str, pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    PUTS[name](worktree)
    before = portrait(worktree, "feat")
    index = (administrative(worktree) / "index").read_bytes()
    quick = hold(repo, worktree, rehash=False)
    snapshot = hold(repo, worktree)
    assert quick.tree == snapshot.tree
    assert portrait(worktree, "feat") == before
    assert git(repo, "fsck", "--strict", "--no-dangling") == ""
    destroy(repo, worktree, "feat")
    back = restored(opened(repo), snapshot.commit, worktree)
    assert (back.path, back.branch, back.branches, back.notes) == (str(worktree), "feat", (), ())
    after = portrait(worktree, "feat")
    assert without(after, snapshot.unheld) == without(before, snapshot.unheld)
    if name != "split index":
        assert (administrative(worktree) / "index").read_bytes() == index
    git(repo, "gc", "--quiet", "--prune=now")
    assert git(repo, "fsck", "--strict", "--no-dangling") == ""
    assert [path.name for path in worktree.parent.iterdir() if "sidecar" in path.name] == []
    assert list((repo / ".git/sidecar").iterdir()) == []


def test_only_what_is_named_is_missing(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    write(worktree, {"my.secret": "s\n", "out/x": "x\n", "kept/my.secret": "s\n", "a.txt": "x"})
    commit(init(worktree / "inner"), {"f": "f"})
    os.mkfifo(worktree / "fifo")
    os.link(worktree / "a.txt", worktree / "b.txt")
    snapshot = hold(repo, worktree)
    assert {(item.code, item.path) for item in snapshot.unheld} == {
        ("ignored", "my.secret"),
        ("ignored", "out"),
        ("ignored", "kept/my.secret"),
        ("nested-repository", "inner"),
        ("special-file", "fifo"),
        ("hard-link", "a.txt"),
        ("hard-link", "b.txt"),
    }
    facts = read_snapshot(opened(repo), snapshot.commit)
    assert isinstance(facts, SnapshotFacts)
    assert {item.code for item in facts.unheld} == {"nested-repository", "special-file", "hard-link"}
    assert (facts.name, facts.path, facts.branch, facts.files) == ("feat", str(worktree), "feat", snapshot.files)
    held = git_bytes(repo, "grep", "-a", "-e", "secret", snapshot.commit, "--", ":!files/.gitignore", check=False)
    assert b"my.secret" not in held
    destroy(repo, worktree, "feat")
    restored(opened(repo), snapshot.commit, worktree)
    assert sorted(path.name for path in worktree.iterdir()) == sorted(
        [".git", ".gitignore", "a", "a.txt", "b.txt", "c", "d", "inner", "kept"]
    )
    assert list((worktree / "inner").iterdir()) == list((worktree / "kept").iterdir()) == []


def test_into_another_place(pair: tuple[Path, Path], tmp_path: Path) -> None:
    repo, worktree = pair
    _everything(worktree)
    before = portrait(worktree, "feat")
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    other = tmp_path / "new/place with space"
    restored(opened(repo), snapshot.commit, other)
    assert portrait(other, "feat") == before
    assert git(other, "rev-parse", "--show-toplevel") == str(other)


def test_into_an_empty_directory(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    before = portrait(worktree, "feat")
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    worktree.mkdir()
    restored(opened(repo), snapshot.commit, worktree)
    assert portrait(worktree, "feat") == before


@pytest.mark.parametrize("kind", ["file", "directory", "link", "dangling link"])
def test_nothing_that_is_there_is_overwritten(kind: str, pair: tuple[Path, Path], tmp_path: Path) -> None:
    repo, worktree = pair
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    target = tmp_path / "target"
    if kind == "file":
        worktree.write_text("mine")
    elif kind == "directory":
        write(worktree, {"mine": "mine"})
    else:
        worktree.symlink_to(target)
        if kind == "link":
            target.mkdir()
    failure = refused(opened(repo), snapshot.commit, worktree)
    assert failure.code == "path-taken"
    assert str(worktree) in failure.message
    assert git(repo, "branch", "--list", "feat") == ""
    assert not list((repo / ".git/worktrees").glob("*"))
    if kind == "link":
        assert list(target.iterdir()) == []


def test_twice(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    _everything(worktree)
    before = portrait(worktree, "feat")
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    restored(opened(repo), snapshot.commit, worktree)
    assert restored(opened(repo), snapshot.commit, worktree).path == str(worktree)
    assert portrait(worktree, "feat") == before
    write(worktree, {"a": "newer\n"})
    assert refused(opened(repo), snapshot.commit, worktree).code == "path-taken"
    assert (worktree / "a").read_text() == "newer\n"
    second = restored(opened(repo), snapshot.commit, worktree.with_name("second"))
    assert (second.branch, second.branches) == ("feat-restored", (("feat", "feat-restored"),))
    assert git(repo, "rev-parse", "feat") == git(repo, "rev-parse", "feat-restored")


def test_a_branch_that_went_on_is_theirs(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    git(worktree, "config", "branch.feat.description", "mine")
    tip, log = git(worktree, "rev-parse", "HEAD"), git(worktree, "reflog", "show", "--format=%H %gs", "feat")
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    git(repo, "branch", "feat", "main")
    git(repo, "branch", "feat-restored", "main")
    back = restored(opened(repo), snapshot.commit, worktree)
    assert (back.branch, back.branches) == ("feat-restored-2", (("feat", "feat-restored-2"),))
    assert any("feat-restored-2" in note for note in back.notes)
    assert git(worktree, "rev-parse", "HEAD") == tip
    assert git(repo, "rev-parse", "feat") == git(repo, "rev-parse", "main")
    assert git(worktree, "reflog", "show", "--format=%H %gs", "feat-restored-2") == log
    assert git(worktree, "config", "branch.feat-restored-2.description") == "mine"


def test_a_branch_whose_name_is_a_directory_now(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    git(repo, "branch", "feat/more")
    assert restored(opened(repo), snapshot.commit, worktree).branch == "feat-restored"


def test_a_rebase_goes_on_after_its_branch_got_another_name(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    commit(worktree, {"z": "z\n"})
    git(worktree, "rebase", "-i", "HEAD~2", env={"GIT_SEQUENCE_EDITOR": "sed -i 1s/pick/edit/"})
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    git(repo, "branch", "feat", "main")
    restored(opened(repo), snapshot.commit, worktree)
    git(worktree, "rebase", "--continue", env={"GIT_EDITOR": "true"})
    assert git(worktree, "symbolic-ref", "--short", "HEAD") == "feat-restored"
    assert git(repo, "rev-parse", "feat") == git(repo, "rev-parse", "main")


def test_names_of_administrative_directories_that_are_taken(pair: tuple[Path, Path], tmp_path: Path) -> None:
    repo, worktree = pair
    snapshot = hold(repo, worktree)
    destroy(repo, worktree, "feat")
    other = add_worktree(repo, tmp_path / "x/feat", branch="other")
    back = restored(opened(repo), snapshot.commit, worktree)
    assert Path(back.git_dir).name == "feat1"
    assert git(other, "status", "--porcelain") == git(worktree, "status", "--porcelain") == ""


def test_only_the_directory_vanished(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    _everything(worktree)
    before = portrait(worktree, "feat")
    snapshot = hold(repo, worktree)
    home = administrative(worktree)
    (home / "notes").write_text("younger than the snapshot")
    os.rename(worktree, worktree.with_name("gone"))
    back = restored(opened(repo), snapshot.commit, worktree)
    assert back.kept_administrative
    assert (back.git_dir, back.branch, back.branches) == (str(home), "feat", ())
    assert (home / "notes").read_text() == "younger than the snapshot"
    (home / "notes").unlink()
    after = portrait(worktree, "feat")
    assert {**after, "admin/": None} == {**before, "admin/": None}


def test_the_main_worktree_is_refused(repo: Path) -> None:
    repository = opened(repo)
    failure = write_snapshot(repository, worktree_at(repository, repo))
    assert not isinstance(failure, Snapshot)
    assert failure.code == "main-worktree"


def test_a_worktree_whose_git_file_was_swapped_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    repo, worktree = pair
    repository = opened(repo)
    listed = worktree_at(repository, worktree)
    (worktree / ".git").write_text(f"gitdir: {init(tmp_path / 'evil')}/.git\n")
    failure = write_snapshot(repository, listed)
    assert not isinstance(failure, Snapshot)
    assert failure.code == "unreadable-worktree"


def test_what_is_too_large_is_left_out_or_refused(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    write(worktree, {"large": b"x" * 5000, "small": b"y" * 100})
    repository = opened(repo)
    snapshot = hold(repo, worktree, largest=1000)
    assert ("too-large", "large") in {(item.code, item.path) for item in snapshot.unheld}
    objects = git(repo, "count-objects", "-v")
    failure = write_snapshot(repository, worktree_at(repository, worktree), most=1000)
    assert not isinstance(failure, Snapshot)
    assert failure.code == "too-large"
    assert git(repo, "count-objects", "-v") == objects


def test_nothing_of_the_repository_runs(pair: tuple[Path, Path], tmp_path: Path) -> None:
    repo, worktree = pair
    canary = tmp_path / "canary"
    evil = f"touch {canary}; cat"
    git(repo, "config", "extensions.worktreeConfig", "true")
    for key in ("filter.evil.clean", "filter.evil.smudge", "core.fsmonitor", "diff.external", "core.sshCommand"):
        git(worktree, "config", "--worktree", key, evil)
        git(repo, "config", key, evil)
    for hook in ("post-index-change", "reference-transaction", "post-checkout"):
        path = repo / f".git/hooks/{hook}"
        path.write_text(f"#!/bin/sh\ntouch {canary}\n")
        path.chmod(0o755)
    write(worktree, {".gitattributes": "* filter=evil diff=evil\n", "new": "x\n"})
    repository = opened(repo)
    for quick in (False, True):
        snapshot = write_snapshot(repository, worktree_at(repository, worktree), rehash=not quick)
        assert isinstance(snapshot, Snapshot)
        back = restore_snapshot(repository, snapshot.commit, str(tmp_path / f"back-{quick}"))
        assert isinstance(back, Restored), back
    assert not canary.exists()


def test_what_nobody_changed_is_the_same_snapshot(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    repository = opened(repo)
    _everything(worktree)
    first = hold(repo, worktree, rehash=False)
    again = hold(repo, worktree, rehash=False, previous=first)
    assert (again.commit, again.written) == (first.commit, 0)
    write(worktree, {"untracked": "v\n"})
    third = hold(repo, worktree, rehash=False, previous=again)
    assert third.commit != first.commit
    assert third.written == 2
    destroy(repo, worktree, "feat")
    restored(repository, third.commit, worktree)
    assert (worktree / "untracked").read_text() == "v\n"
    assert stat.S_IMODE((worktree / "d/run").stat().st_mode) == 0o755


def test_history_with_a_hole_is_told_and_does_no_harm(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    lost = commit(worktree, {"lost": "lost\n"})
    git(worktree, "reset", "--quiet", "--hard", "HEAD^")
    blob = git(worktree, "rev-parse", f"{lost}:lost")
    (repo / ".git/objects" / blob[:2] / blob[2:]).unlink()
    snapshot = hold(repo, worktree)
    assert ("missing-object", lost) in {(item.code, item.path) for item in snapshot.unheld}
    assert lost not in snapshot.parents
    destroy(repo, worktree, "feat")
    assert git(repo, "fsck", "--connectivity-only", "--no-dangling") == ""
    restored(opened(repo), snapshot.commit, worktree)


def test_a_commit_that_head_descends_from_is_no_parent(pair: tuple[Path, Path]) -> None:
    repo, worktree = pair
    left = commit(worktree, {"x": "1"})
    git(worktree, "reset", "--quiet", "--hard", "HEAD^")
    right = commit(worktree, {"x": "2"})
    git(worktree, "reset", "--quiet", "--hard", "HEAD^")
    assert set(hold(repo, worktree).parents) == {left, right}


def test_from_a_bare_repository(tmp_path: Path) -> None:
    source = init(tmp_path / "source")
    commit(source, {"a": "a\n"})
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", source, bare)
    worktree = bare / "feat"
    git(bare, "worktree", "add", "--quiet", "-b", "feat", worktree)
    _everything_but_d(worktree)
    before = portrait(worktree, "feat")
    snapshot = hold(bare, worktree)
    destroy(bare, worktree, "feat")
    restored(opened(bare), snapshot.commit, worktree)
    assert portrait(worktree, "feat") == before


def _everything_but_d(worktree: Path) -> None:
    write(worktree, {"a": "staged\n"})
    git(worktree, "add", "--all")
    write(worktree, {"a": "unstaged\n", "new": "new\n"})
