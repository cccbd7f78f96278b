"""One Picture, once; and the overlaps of two that are named."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sidecar.model.changes import FILE, Entry
from sidecar.model.findings import Failure
from sidecar.model.overlaps import Overlap
from sidecar.model.picture import Integration
from sidecar.model.settings import Options
from sidecar.session.live import open_session
from sidecar.session.once import compare, find_worktree, look
from tests.git.leaving import children, descriptors
from tests.harness import add_worktree, commit, git, init, tick, write
from tests.harness import state_of as everything_of
from tests.session.pictures import changes_of, overlaps_of, pictured, shown, sources_of, state_of
from tests.session.watching import watching


@pytest.fixture
def pair(repo: Path) -> tuple[Path, Path]:
    """Two worktrees that conflict in line 2 of a.txt."""
    commit(repo, {"a.txt": "1\n2\n3\n", "b.txt": "b\n"})
    one, two = add_worktree(repo, "one"), add_worktree(repo, "two", branch="topic/two")
    commit(one, {"a.txt": "1\none\n3\n"})
    write(two, {"a.txt": "1\ntwo\n3\n", "c.txt": "c\n"})
    return one, two


def test_all_of_it(repo: Path, pair: tuple[Path, Path]) -> None:
    before = everything_of(repo)
    picture = pictured(look(repo))
    assert everything_of(repo) == before
    assert picture.number == 1
    assert picture.repository == f"{repo}/.git"
    assert picture.trunk is not None and picture.trunk.commit == git(repo, "rev-parse", "main")
    assert overlaps_of(picture) == ["conflict content a.txt one:a.txt:2-2 | two:a.txt:2-2"]
    (overlap,) = picture.overlaps
    first, second = overlap.sides
    assert (first.key, first.ref, first.sources) == (str(pair[0]), "one", ("committed",))
    assert (second.key, second.ref, second.sources) == (str(pair[1]), "topic/two", ("unstaged",))
    blobs = [git(repo, "hash-object", "--stdin", input=text) for text in ("1\n2\n3\n", "1\none\n3\n", "1\ntwo\n3\n")]
    assert (first.before, first.after) == (Entry(FILE, blobs[0]), Entry(FILE, blobs[1]))
    assert (second.before, second.after) == (Entry(FILE, blobs[0]), Entry(FILE, blobs[2]))
    assert sources_of(picture, "two") == {"a.txt": ("unstaged",), "c.txt": ("untracked",)}
    assert [state_of(picture, name).ahead for name in ("repo", "one", "two")] == [0, 1, 0]


def test_the_same_from_everywhere(repo: Path, pair: tuple[Path, Path]) -> None:
    (pair[0] / "deep").mkdir()
    seen = [pictured(look(folder)) for folder in (repo, pair[0], pair[1], pair[0] / "deep", repo / ".git")]
    assert all(picture == seen[0] for picture in seen)


def test_a_live_picture_is_the_same(repo: Path, pair: tuple[Path, Path]) -> None:
    with watching(repo) as live:
        live.until_fresh()


@pytest.mark.parametrize(
    ("do", "wanted"),
    [
        ("nothing", Integration("no-work")),
        ("commit", Integration("not-integrated")),
        ("edit", Integration("not-integrated")),
        ("merged", Integration("integrated", "ancestor")),
        ("merged and edited", Integration("not-integrated")),
    ],
)
def test_whether_work_is_in_trunk(repo: Path, do: str, wanted: Integration) -> None:
    linked = add_worktree(repo, "linked")
    if do not in ("nothing", "edit"):
        commit(linked, {"a.txt": "a\n"})
    if do.startswith("merged"):
        git(repo, "merge", "--quiet", "--no-ff", "--no-edit", "linked", env=tick(repo))
    if "edit" in do:
        write(linked, {"b.txt": "b\n"})
    assert state_of(pictured(look(repo)), linked).integration == wanted


def test_how_far_from_trunk(repo: Path) -> None:
    linked = add_worktree(repo, "linked")
    for number in range(3):
        commit(linked, {"a.txt": f"{number}\n"})
    for number in range(2):
        commit(repo, {"b.txt": f"{number}\n"})
    state = state_of(pictured(look(repo)), linked)
    assert (state.ahead, state.behind) == (3, 2)
    assert state.fork_point == git(repo, "merge-base", "main", "linked")
    git(linked, "merge", "--quiet", "--no-edit", "main", env=tick(linked))
    state = state_of(pictured(look(repo)), linked)
    assert (state.ahead, state.behind) == (4, 0)
    assert set(changes_of(pictured(look(repo)), linked)) == {"a.txt"}, "what it has from trunk is not its work"


def test_an_unrelated_history(repo: Path) -> None:
    """It can't be merged, which is said; its changes are all that it has."""
    linked = add_worktree(repo, "linked")
    git(linked, "switch", "--quiet", "--orphan", "other")
    commit(linked, {"x.txt": "x\n"})
    state = state_of(pictured(look(repo)), linked)
    assert state.problem is not None and "no history" in state.problem
    assert state.changes is not None and set(state.changes.changes) == {"x.txt"}


def test_an_empty_repository(tmp_path: Path) -> None:
    empty = init(tmp_path / "empty")
    picture = pictured(look(empty))
    assert picture.trunk is not None and picture.trunk.commit is None
    assert (picture.overlaps, picture.problem) == ((), None)
    write(empty, {"a.txt": "a\n"})
    assert sources_of(pictured(look(empty)), empty) == {"a.txt": ("untracked",)}


def test_a_bare_repository(tmp_path: Path, repo: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(repo), "bare.git")
    (state,) = pictured(look(tmp_path / "bare.git")).worktrees
    assert (state.worktree.bare, state.changes, state.problem, state.worktree.problem) == (True, None, None, None)


def test_a_merge_stopped_halfway_and_another_that_edits(repo: Path, pair: tuple[Path, Path]) -> None:
    git(pair[1], "stash", "--quiet")
    git(pair[1], "merge", "--quiet", "one")
    commit(repo, {"a.txt": "1\nmain\n3\n"})
    git(pair[1], "merge", "--quiet", "main", check=False, env=tick(pair[1]))
    state = state_of(pictured(look(repo)), pair[1])
    assert state.problem is None
    assert state.changes is not None and "a.txt" in state.changes.changes


@pytest.mark.parametrize("code", ["not-a-repository", "no-trunk", "git-missing"])
def test_why_there_is_no_picture(code: str, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = repo
    if code == "not-a-repository":
        folder = tmp_path
    elif code == "no-trunk":
        git(repo, "config", "sidecar.trunk", "nothing")
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    seen = look(folder)
    assert isinstance(seen, Failure) and seen.code == code
    assert compare(folder, "main", "main") == seen
    if code != "no-trunk":
        assert open_session(folder, Options(), lambda picture: None) == seen


def _compared(repo: Path, first: str, second: str) -> list[str]:
    found = compare(repo, first, second)
    assert not isinstance(found, Failure), found
    assert found.unknown == ()
    return [shown(overlap) for overlap in found.overlaps]


def test_two_that_are_named(repo: Path, pair: tuple[Path, Path]) -> None:
    wanted = ["conflict content a.txt one:a.txt:2-2 | two:a.txt:2-2"]
    assert _compared(repo, "one", "two") == wanted
    assert _compared(repo, "one", "topic/two") == wanted
    assert _compared(repo, "refs/heads/one", str(pair[1])) == wanted
    assert _compared(repo, "../one", "../two") == wanted
    git(pair[0], "branch", "--move", "refs/heads/odd")
    assert _compared(repo, "refs/heads/odd", "two") == wanted


def test_commits_are_compared_as_they_are(repo: Path, pair: tuple[Path, Path]) -> None:
    """A worktree's name means what is in it now, a commit only what was committed."""
    head = git(repo, "rev-parse", "one")
    commit(repo, {"a.txt": "1\nmain\n3\n"})
    assert _compared(repo, head, "HEAD") == [f"conflict content a.txt {head}:a.txt:2-2 | HEAD:a.txt:2-2"]
    assert _compared(repo, "one", "topic/two~0") == []
    git(repo, "tag", "-m", "Tag", "v1", "one")
    assert _compared(repo, "v1", "main")[0].startswith("conflict content a.txt v1:")


@pytest.mark.parametrize("name", ["nothing", "-d", "--output=x", "one:a.txt", "HEAD^{tree}"])
def test_a_name_of_nothing(repo: Path, pair: tuple[Path, Path], name: str) -> None:
    failure = compare(repo, "one", name)
    assert isinstance(failure, Failure)
    assert failure.code == "unknown-name"
    assert "one, two" in failure.message


def test_a_name_of_two(repo: Path, tmp_path: Path) -> None:
    add_worktree(repo, tmp_path / "x/same", branch="first")
    add_worktree(repo, tmp_path / "y/same", branch="second")
    failure = compare(repo, "same", "main")
    assert isinstance(failure, Failure) and failure.code == "ambiguous-name"
    assert not isinstance(compare(repo, "first", "second"), Failure)
    states = pictured(look(repo)).worktrees
    found = find_worktree(states, "same", tmp_path / "x")
    assert not isinstance(found, Failure) and found is not None and found.worktree.branch == "first"


def test_a_name_wins_over_a_branch(repo: Path) -> None:
    add_worktree(repo, "x", branch="y")
    add_worktree(repo, "y", branch="x")
    found = find_worktree(pictured(look(repo)).worktrees, "x", repo)
    assert not isinstance(found, Failure) and found is not None and found.worktree.branch == "y"


def test_an_empty_name_is_no_worktree(repo: Path, pair: tuple[Path, Path]) -> None:
    """A script's unset variable must not release the worktree in which it runs."""
    found = find_worktree(pictured(look(pair[0])).worktrees, "", pair[0])
    assert isinstance(found, Failure) and found.code == "unknown-name"


def test_without_history_in_common(repo: Path, pair: tuple[Path, Path]) -> None:
    git(pair[1], "stash", "--quiet", "--include-untracked")
    git(pair[1], "switch", "--quiet", "--orphan", "other")
    commit(pair[1], {"x.txt": "x\n"})
    failure = compare(repo, "one", "two")
    assert isinstance(failure, Failure) and failure.code == "unrelated"


def test_looking_again_and_again_leaks_nothing(repo: Path, pair: tuple[Path, Path]) -> None:
    look(repo)
    before = descriptors(), children()
    for _ in range(3):
        look(repo)
        compare(repo, "one", "two")
    with watching(repo):
        pass
    assert (descriptors(), children()) == before


def test_sessions_leak_nothing(repo: Path, pair: tuple[Path, Path]) -> None:
    with watching(repo):
        pass
    before = descriptors()
    for _ in range(3):
        with watching(repo) as live:
            live.session.set_unsaved(str(pair[0] / "a.txt"), "typed\n", 1)
            live.settled(pair[0] / "a.txt", 1)
    assert descriptors() == before


def test_a_blob_that_is_not_here(repo: Path, pair: tuple[Path, Path]) -> None:
    """As in a partial clone: what it is needed for is a problem, and everything else goes on."""
    three = add_worktree(repo, "three")
    commit(three, {"a.txt": "1\nthree\n3\n", "b.txt": "three\n"})
    commit(pair[0], {"b.txt": "one\n"})
    missing = git(three, "rev-parse", "HEAD:a.txt")
    (repo / ".git/objects" / missing[:2] / missing[2:]).unlink()
    picture = pictured(look(repo))
    pairs = {frozenset(name for _, name in unknown.parties) for unknown in picture.unknown}
    assert pairs == {frozenset(("one", "three")), frozenset(("two", "three"))}
    assert {unknown.path for unknown in picture.unknown} == {"a.txt"}
    assert "conflict content a.txt one:a.txt:2-2 | two:a.txt:2-2" in overlaps_of(picture)
    assert set(changes_of(picture, three)) == {"a.txt", "b.txt"}


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_both_object_formats(tmp_path: Path, object_format: str) -> None:
    repository = init(tmp_path / "r", f"--object-format={object_format}")
    commit(repository, {"a.txt": "1\n2\n3\n", "old.txt": "".join(f"{n}\n" for n in range(9))})
    one, two = add_worktree(repository, "one"), add_worktree(repository, "two")
    write(one, {"a.txt": "1\none\n3\n"})
    git(one, "mv", "old.txt", "new.txt")
    write(two, {"a.txt": "1\ntwo\n3\n"})
    git(two, "rm", "--quiet", "old.txt")
    with watching(repository) as live:
        assert overlaps_of(live.until_fresh()) == [
            "conflict content a.txt one:a.txt:2-2 | two:a.txt:2-2",
            "conflict rename/delete new.txt one:new.txt:1-1 | two:old.txt:1-1",
        ]
        write(two, {"a.txt": "1\none\n3\n"})
        live.until(lambda picture: picture.overlaps[0].verdict == "identical")
        entry = live.pictures[-1].overlaps[0].sides[0].after
        assert entry is not None
        live.session.content(entry)
    assert live.session.content(entry) in (None, b"1\none\n3\n"), "after closing: nothing, but no crash either"


@contextmanager
def _nobody() -> Iterator[None]:
    """Root takes on the user who may do least; its git does so too."""
    os.setresgid(65534, 65534, 0)
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_files_and_folders_that_may_not_be_read(
    repo: Path, pair: tuple[Path, Path], temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    for name in ("GIT_CONFIG_GLOBAL", "HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, os.devnull)
    write(one, {"secret.txt": "mine\n", "open.txt": "ours\n", "closed/new.txt": "mine\n"})
    look(repo)
    for folder in (repo, one, two, temporary):
        subprocess.run(["chown", "--recursive", "65534:65534", folder], check=True)
    for above in repo.parents[:4]:
        above.chmod(above.stat().st_mode | 0o055)
    (one / "secret.txt").chmod(0)
    (one / "closed").chmod(0)
    two.chmod(0)
    with _nobody():
        picture = pictured(look(repo))
    two.chmod(0o755)
    untracked = ("untracked",)
    assert sources_of(picture, one) == {"a.txt": ("committed",), "open.txt": untracked, "secret.txt": untracked}
    said = state_of(picture, one).problem
    assert said is not None and "secret.txt" in said
    assert sources_of(picture, two) == {}
    assert {(unknown.name(), unknown.path) for unknown in picture.unknown} == {
        ("one", "closed"),
        ("one", "secret.txt"),
        ("two", None),
    }
    assert changes_of(picture, repo) == {}


def test_two_that_left_trunk_before_and_after_it_moved_a_file(repo: Path) -> None:
    """They have no path in common, and yet git's merge, which follows trunk's rename, stops."""
    commit(repo, {"old.txt": "".join(f"{number}\n" for number in range(9))})
    early = add_worktree(repo, "early")
    git(repo, "mv", "old.txt", "new.txt")
    commit(repo)
    late = add_worktree(repo, "late")
    write(early, {"old.txt": "early\n" + "".join(f"{number}\n" for number in range(1, 9))})
    write(late, {"new.txt": "late\n" + "".join(f"{number}\n" for number in range(1, 9))})
    assert overlaps_of(pictured(look(repo))) == [
        "conflict content new.txt early:old.txt:1-1 | late:new.txt:1-1",
        "clean content new.txt early:old.txt:1-1 | trunk:new.txt:1-1",
    ]


def test_overlaps_with_trunk_are_as_whole_as_others(repo: Path) -> None:
    """A conflict without markers says so, whichever side trunk is on."""
    commit(repo, {"a.txt": "1\n2\n3\n"})
    early = add_worktree(repo, "early")
    commit(repo, {"a.txt": None})
    write(early, {"a.txt": "1\ntwo\n3\n"})
    (overlap,) = pictured(look(repo)).overlaps
    assert (overlap.kind, overlap.paired, overlap.sides[1].after) == ("modify/delete", False, None)


def test_overlaps_are_sorted_by_path_and_then_by_party(repo: Path, pair: tuple[Path, Path]) -> None:
    three = add_worktree(repo, "three")
    for number, folder in enumerate((pair[0], pair[1], three)):
        write(folder, {"z.txt": f"{number}\n", "a.txt": f"{number}\n"})
    commit(repo, {"a.txt": "trunk\n"})
    overlaps: tuple[Overlap, ...] = pictured(look(repo)).overlaps
    parties = [(overlap.path, *(side.name or "trunk" for side in overlap.sides)) for overlap in overlaps]
    assert parties == [
        ("a.txt", "one", "three"),
        ("a.txt", "one", "two"),
        ("a.txt", "one", "trunk"),
        ("a.txt", "three", "two"),
        ("a.txt", "three", "trunk"),
        ("a.txt", "two", "trunk"),
        ("z.txt", "one", "three"),
        ("z.txt", "one", "two"),
        ("z.txt", "three", "two"),
    ]
    assert all(overlap.sides[1].key == "" for overlap in overlaps if None in (side.name for side in overlap.sides))


def test_a_file_that_happens_to_be_alike_takes_no_part(tmp_path: Path) -> None:
    """What git merges onto a name that is taken is also what a file is that nobody has touched."""
    main = init(tmp_path / "main")
    commit(main, {"low/note.txt": "a\nb\nc\nd\ne\nf\n", "low/er/note.txt": "1\n2\n3\n4\n5\n6\n"})
    one, two = add_worktree(main, "one"), add_worktree(main, "two")
    commit(one, {"note.txt": "p\nq\nr\ns\n", "low/note.txt": "1\n2\n3\n4\n5\n6\n"})
    git(two, "mv", "low/note.txt", "note.txt")
    assert overlaps_of(pictured(look(main))) == ["conflict add/add note.txt one:note.txt:1-4 | two:note.txt:1-6"]
