"""Objects, by libgit2 (sha1) and by git itself (sha256), held against git."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pygit2
import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from sidecar.git.objects import TREE_MODE, edit_tree, find_entry, read_blob, tree_of, write_commit, write_tree
from sidecar.git.process import GitError, Place, run
from sidecar.git.quarantine import Quarantine
from sidecar.model.changes import EXECUTABLE, FILE, SUBMODULE, SYMLINK, Entry
from tests.git.opening import opened, quarantined
from tests.harness import commit, git, init
from tests.model.examples import examples


@pytest.fixture(scope="module", params=["sha1", "sha256"])
def repository(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of each kind."""
    path = init(tmp_path_factory.mktemp("objects") / "r", f"--object-format={request.param}")
    commit(path, {"a.txt": "a\n", "d/b.txt": "b\n", "d/e/c.txt": "c\n"})
    return path


@pytest.fixture
def quarantine(repository: Path) -> Iterator[Quarantine]:
    with quarantined(opened(repository)) as opened_quarantine:
        yield opened_quarantine


def test_all_kinds_are_read(repository: Path, quarantine: Quarantine) -> None:
    git(repository, "tag", "--force", "-m", "A tag", "v1")
    for name, kind in (("HEAD", "commit"), ("HEAD^{tree}", "tree"), ("HEAD:a.txt", "blob"), ("v1", "tag")):
        oid = git(repository, "rev-parse", name)
        found, content = quarantine.objects.read(oid)
        assert found == kind
        assert git(repository, "hash-object", "-t", kind, "--stdin", input=content) == oid


def test_libgit2_remembers_nothing_of_what_is_read(repository: Path, quarantine: Quarantine) -> None:
    before = pygit2.settings.cached_memory[0]
    quarantine.objects.read(git(repository, "rev-parse", "HEAD^{tree}"))
    assert pygit2.settings.cached_memory[0] == before


def test_what_is_missing_is_an_error_and_the_next_is_read(repository: Path, quarantine: Quarantine) -> None:
    width = len(quarantine.objects.null)
    for oid in ("1" * width, quarantine.objects.null, "nonsense", "", "HEAD"):
        with pytest.raises(GitError):
            quarantine.objects.read(oid)
    assert read_blob(quarantine.objects, git(repository, "rev-parse", "HEAD:a.txt")) == b"a\n"


@examples(25)
@given(content=st.binary(max_size=200) | st.sampled_from([b"", b"\0", b"\n" * 70_000, bytes(range(256)) * 300]))
def test_writing_gives_gits_id(quarantine: Quarantine, content: bytes) -> None:
    oid = quarantine.objects.write("blob", content)
    assert oid == run(quarantine.plumbing, "hash-object", "--stdin", stdin=content).decode().strip()
    assert quarantine.objects.read(oid) == ("blob", content)
    assert quarantine.objects.write("blob", content) == oid


def test_from_many_threads(quarantine: Quarantine) -> None:
    contents = [b"%d\n" % number * (number * 50) for number in range(60)]
    with ThreadPoolExecutor(8) as pool:
        oids = list(pool.map(lambda content: quarantine.objects.write("blob", content), contents * 2))
        assert list(pool.map(lambda oid: read_blob(quarantine.objects, oid), oids)) == contents * 2


def test_the_empty_tree(repository: Path, quarantine: Quarantine) -> None:
    assert quarantine.objects.empty_tree == git(repository, "hash-object", "-t", "tree", "--stdin", input="")
    assert quarantine.objects.tree(quarantine.objects.empty_tree) == {}
    assert quarantine.objects.null == "0" * len(quarantine.objects.empty_tree)


ODD = ["a", "a.b", "a-b", "a/b", "ab", "A", " ", "new\nline", 'q"', "ü", "\udcff", "x" * 200, "%2e", "...", "-"]


def test_trees_with_odd_names_and_their_order(quarantine: Quarantine) -> None:
    """`a`, `a-b`, `a.b`, `a/`, `ab`: directories sort as if they ended in a slash."""
    blob = Entry(FILE, quarantine.objects.write("blob", b""))
    below = Entry(TREE_MODE, write_tree(quarantine.objects, {"in": blob}))
    entries = {name: blob for name in ODD if "/" not in name and name != "a"} | {"a": below, "z": below}
    oid = write_tree(quarantine.objects, entries)
    run(quarantine.plumbing, "fsck", "--strict", oid)
    listed = run(quarantine.plumbing, "ls-tree", "-z", oid).decode(errors="surrogateescape").split("\0")[:-1]
    assert [row.partition("\t")[2] for row in listed] == sorted(
        entries, key=lambda name: name.encode(errors="surrogateescape") + (b"/" if entries[name] == below else b"")
    )
    assert quarantine.objects.tree(oid) == entries


def test_entries_are_found(repository: Path, quarantine: Quarantine) -> None:
    objects = quarantine.objects
    tree = git(repository, "rev-parse", "HEAD^{tree}")
    assert find_entry(objects, tree, "d/e/c.txt") == Entry(FILE, git(repository, "rev-parse", "HEAD:d/e/c.txt"))
    assert find_entry(objects, tree, "d") == Entry(TREE_MODE, git(repository, "rev-parse", "HEAD:d"))
    for path in ("x", "d/x", "x/y", "a.txt/x", "d/e/c.txt/x"):
        assert find_entry(objects, tree, path) is None


def test_the_tree_of_a_commit_or_tag(repository: Path, quarantine: Quarantine) -> None:
    git(repository, "tag", "--force", "-m", "A tag", "v2")
    tree = git(repository, "rev-parse", "HEAD^{tree}")
    for name in ("HEAD", "v2", "HEAD^{tree}"):
        assert tree_of(quarantine.objects, git(repository, "rev-parse", name)) == tree


def test_virtual_commits_are_the_same_every_time(repository: Path, quarantine: Quarantine) -> None:
    objects = quarantine.objects
    head = git(repository, "rev-parse", "HEAD")
    oid = write_commit(objects, objects.empty_tree, (head, head))
    assert oid == write_commit(objects, objects.empty_tree, (head, head))
    assert oid != write_commit(objects, objects.empty_tree, (head,))
    run(quarantine.plumbing, "fsck", "--strict", "--no-dangling", oid)
    assert run(quarantine.plumbing, "log", "-1", "--format=%T %P", oid).decode().split() == [
        objects.empty_tree,
        head,
        head,
    ]


PATHS = st.sampled_from(["a", "b", "a/b", "a/b/c", "a/x", "a-b", "a.b/c", "d/e/f", "d/e", "d", "ab"])
KINDS = st.sampled_from([FILE, EXECUTABLE, SYMLINK, SUBMODULE])
FILES = st.dictionaries(PATHS, st.tuples(KINDS, st.integers(0, 3)), max_size=6)
EDITS = st.dictionaries(PATHS, st.none() | st.tuples(KINDS, st.integers(0, 3)), max_size=5)


def _without_clashes(files: dict[str, tuple[int, int] | None]) -> dict[str, tuple[int, int] | None]:
    """The longer of two paths gives way where one would be a file and a directory."""
    there = {path for path, file in files.items() if file is not None}
    return {
        path: file
        for path, file in files.items()
        if file is None or not any(path.startswith(other + "/") for other in there)
    }


@examples(60)
@given(before=FILES, edits=EDITS)
def test_editing_a_tree_is_what_an_index_makes_of_it(
    quarantine: Quarantine,
    before: dict[str, tuple[int, int] | None],
    edits: dict[str, tuple[int, int] | None],
) -> None:
    """`git update-index --index-info` and `write-tree`, where a file put in place of a directory replaces it."""
    before, edits = _without_clashes(before), _without_clashes(edits)
    objects = quarantine.objects
    blobs = [objects.write("blob", b"%d" % number) for number in range(4)]

    def entry(file: tuple[int, int]) -> Entry:
        return Entry(file[0], blobs[file[1]] if file[0] != SUBMODULE else "1" * len(blobs[0]))

    def git_tree(files: dict[str, Entry]) -> str:
        place = quarantine.plumbing.plus(GIT_INDEX_FILE=str(quarantine.root / "index"))
        (quarantine.root / "index").unlink(missing_ok=True)
        rows = "".join(f"{file.mode:o} {file.oid}\t{path}\0" for path, file in files.items())
        run(place, "update-index", "-z", "--index-info", stdin=rows.encode())
        return run(place, "write-tree", "--missing-ok").decode().strip()

    start = {path: entry(file) for path, file in before.items() if file is not None}
    changes = {path: entry(file) if file is not None else None for path, file in edits.items()}
    note(f"{start} {changes}")
    expected = {path: file for path, file in start.items() if path not in changes}
    for path, new in changes.items():
        if new is not None:
            for other in list(expected):
                if other.startswith(path + "/") or path.startswith(other + "/"):
                    del expected[other]
            expected[path] = new
    tree = git_tree(start)
    assert edit_tree(objects, tree, changes) == git_tree(expected)


def test_a_dead_process_is_replaced(repository: Path) -> None:
    """Git may be killed by somebody; what is asked next is answered."""
    with quarantined(opened(repository)) as quarantine:
        oid = git(repository, "rev-parse", "HEAD:a.txt")
        before = {child.pid for child in psutil.Process().children()}
        assert read_blob(quarantine.objects, oid) == b"a\n"
        for child in psutil.Process().children():
            if child.pid not in before:
                child.kill()
                child.wait()
        try:
            assert read_blob(quarantine.objects, oid) == b"a\n"
        except GitError:
            assert read_blob(quarantine.objects, oid) == b"a\n"


def test_a_quarantine_that_is_gone(repository: Path) -> None:
    """Reading what is not there any more is an error of git's."""
    with quarantined(opened(repository)) as quarantine:
        oid = quarantine.objects.write("blob", b"lost\n")
        (quarantine.root / "objects").rename(quarantine.root / "moved")
        with pytest.raises(GitError):
            read_blob(quarantine.objects, oid)


def test_objects_are_where_git_finds_them(repository: Path, quarantine: Quarantine) -> None:
    oid = quarantine.objects.write("blob", b"found\n")
    place = Place(str(repository), {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(quarantine.root / "objects")})
    assert run(place, "cat-file", "-p", oid) == b"found\n"
