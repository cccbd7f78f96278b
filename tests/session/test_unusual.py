"""Unusual repositories: a right answer, held against git's own merges, or a plain word that there is none."""

import os
from pathlib import Path

import pytest

from sidecar.session.once import look
from tests.harness import add_worktree, commit, commit_index, git, init, tick, write
from tests.session.pictures import changes_of, overlaps_of, pictured, sources_of, state_of
from tests.session.unusual import FILES, MEETINGS, agree, begin, keeps_up, numbered, work


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """An empty repository."""
    return init(tmp_path / "main")


def test_nothing_unusual(main: Path) -> None:
    one, two = begin(main)
    work(one, two)
    agree(main, MEETINGS)
    keeps_up(main, one)


def test_split_index(main: Path) -> None:
    git(main, "config", "core.splitIndex", "true")
    one, two = begin(main)
    for worktree in (main, one, two):
        git(worktree, "update-index", "--split-index")
    work(one, two)
    shared = git(one, "rev-parse", "--path-format=absolute", "--shared-index-path")
    assert Path(shared).exists()
    agree(main, MEETINGS)
    keeps_up(main, one)


def test_sparse_index(main: Path) -> None:
    one, two = begin(main)
    git(one, "sparse-checkout", "set", "--cone", "--sparse-index", "deep")
    git(two, "sparse-checkout", "set", "--cone", "--sparse-index", "deep")
    assert not (one / "other").exists()
    work(one, two)
    assert "other/\n" in git(one, "ls-files", "--sparse") + "\n"
    agree(main, MEETINGS)
    keeps_up(main, one)


@pytest.mark.parametrize("cone", ["--cone", "--no-cone"])
def test_sparse_checkout(main: Path, cone: str) -> None:
    """What is not checked out is not deleted; that the other one changes it is no meeting."""
    one, two = begin(main)
    git(one, "sparse-checkout", "set", cone, *(["deep"] if cone == "--cone" else ["/*", "!/other/"]))
    assert not (one / "other").exists()
    work(one, two)
    commit(two, {"hot.txt": numbered(l3="two"), "new.txt": "new\n", "other/alone.txt": numbered(l1="two")})
    assert set(changes_of(agree(main, MEETINGS), one)) == {"hot.txt", "cold.txt", "deep/er/same.txt"}
    keeps_up(main, one)


def test_sha256(tmp_path: Path) -> None:
    main = init(tmp_path / "main", "--object-format=sha256")
    one, two = begin(main)
    work(one, two)
    agree(main, MEETINGS)
    keeps_up(main, one)


@pytest.mark.needs_git(2, 45)
@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_reftable(tmp_path: Path, object_format: str) -> None:
    main = init(tmp_path / "main", "--ref-format=reftable", f"--object-format={object_format}")
    one, two = begin(main)
    work(one, two)
    agree(main, MEETINGS)
    keeps_up(main, one)


@pytest.mark.needs_git(2, 45)
def test_work_that_trunk_got_by_fast_forward_on_reftables(tmp_path: Path) -> None:
    """The branch's reflog tells it from no work, and is no file."""
    main = init(tmp_path / "main", "--ref-format=reftable")
    one, two = begin(main)
    commit(one, {"hot.txt": numbered(l3="one")})
    git(main, "merge", "--quiet", "--ff-only", "one")
    picture = pictured(look(main))
    assert state_of(picture, one).integration.state == "integrated"
    assert state_of(picture, two).integration.state == "no-work"


def test_external_filters(main: Path) -> None:
    """As git-lfs does it: what is stored is something else than what is on disk."""
    for key, program in {"clean": "sed s/secret/stored/", "smudge": "sed s/stored/secret/", "required": "true"}.items():
        git(main, "config", f"filter.store.{key}", program)
    commit(main, {**FILES, ".gitattributes": "hot.txt filter=store\n", "hot.txt": numbered(l1="secret")})
    one, two = add_worktree(main, "one"), add_worktree(main, "two")
    assert b"secret" in (two / "hot.txt").read_bytes()
    work(one, two)
    for worktree in (one, two):
        write(worktree, {"hot.txt": numbered(l1="secret", l3=f"{worktree.name} secret")})
    picture = agree(main, MEETINGS, trusted=True)
    stored = changes_of(picture, two)["hot.txt"].after
    assert stored is not None and stored.oid == git(two, "hash-object", "hot.txt")
    keeps_up(main, one, trusted=True)


def test_external_filters_of_an_untrusted_repository(main: Path, tmp_path: Path) -> None:
    """They don't run, not even a required one; what they would change is compared as it is on disk."""
    one, two = begin(main)
    commit(main, {".gitattributes": "* filter=store\n"})
    work(one, two)
    for worktree in (one, two):
        write(worktree, {".gitattributes": "hot.txt filter=store\n"})
    git(main, "config", "filter.store.clean", f"touch {tmp_path / 'ran'}; cat")
    git(main, "config", "filter.store.required", "true")
    picture = pictured(look(main))
    assert MEETINGS[2] in overlaps_of(picture)
    assert not (tmp_path / "ran").exists()


def test_custom_merge_driver(main: Path, home: Path) -> None:
    """The person's own driver decides."""
    (home / ".gitconfig").write_text('[merge "ours"]\n\tdriver = true\n')
    commit(main, {**FILES, ".gitattributes": "hot.txt merge=ours\n"})
    one, two = add_worktree(main, "one"), add_worktree(main, "two")
    work(one, two)
    expected = [*MEETINGS[:2], MEETINGS[2].replace("conflict", "clean")]
    agree(main, expected, home=home)
    keeps_up(main, one)


def test_custom_merge_driver_of_the_repository(main: Path) -> None:
    """Where the repository is not trusted git's own merge decides, and that is said."""
    commit(main, {**FILES, ".gitattributes": "hot.txt merge=ours\n"})
    git(main, "config", "merge.ours.driver", "true")
    one, two = add_worktree(main, "one"), add_worktree(main, "two")
    work(one, two)
    notes = {overlap.path: overlap.note for overlap in agree(main, MEETINGS).overlaps}
    assert "not trusted" in (notes.pop("hot.txt") or "")
    assert not any(notes.values())


def test_merge_union(main: Path) -> None:
    commit(main, {**FILES, ".gitattributes": "hot.txt merge=union\n"})
    one, two = add_worktree(main, "one"), add_worktree(main, "two")
    work(one, two)
    agree(main, [*MEETINGS[:2], MEETINGS[2].replace("conflict", "clean")])
    keeps_up(main, one)


def test_submodules(main: Path, tmp_path: Path) -> None:
    """Two commits of one library, one made on the other, so git takes the later; and one that only one has changed."""
    library = init(tmp_path / "library")
    for number in range(3):
        commit(library, {"library.txt": f"version {number}\n"})
    versions = git(library, "rev-list", "--reverse", "HEAD").split()
    allow = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always"}
    commit(main, FILES)
    for name in ("lib", "quiet"):
        git(main, "submodule", "--quiet", "add", library.as_uri(), name, env=allow)
        git(main / name, "checkout", "--quiet", versions[0])
    commit(main)
    one, two = add_worktree(main, "one"), add_worktree(main, "two")
    work(one, two)
    for worktree, version in ((one, versions[1]), (two, versions[2])):
        git(worktree, "submodule", "--quiet", "update", "--init", env=allow)
        git(worktree / "lib", "checkout", "--quiet", version)
    git(one / "quiet", "checkout", "--quiet", versions[2])
    write(one / "quiet", {"untracked.txt": "not of this repository\n"})
    expected = [*MEETINGS, "clean submodule lib one:lib:1-1 | two:lib:1-1"]
    picture = pictured(look(main))
    assert overlaps_of(picture) == expected
    assert set(changes_of(picture, one)) == {"hot.txt", "cold.txt", "deep/er/same.txt", "lib", "quiet"}
    keeps_up(main, one)


def test_several_merge_bases(main: Path) -> None:
    """Two branches that have merged each other's first commit: git merges the bases first, so it is asked whole."""
    one, two = begin(main)
    first = {"one": commit(one, {"hot.txt": numbered(l3="first one")})}
    first["two"] = commit(two, {"cold.txt": numbered(l3="first two")})
    for worktree, other in ((one, first["two"]), (two, first["one"])):
        git(worktree, "merge", "--quiet", "--no-edit", other, env=tick(worktree))
    assert len(git(main, "merge-base", "--all", "one", "two").split()) == 2
    commit(one, {"hot.txt": numbered(l3="one again")})
    write(two, {"hot.txt": numbered(l3="two again")})
    agree(
        main,
        [
            "conflict content hot.txt one:hot.txt:3-3 | two:hot.txt:3-3",
        ],
    )
    keeps_up(main, one)


@pytest.mark.parametrize("sooner", ["one", "main"])
def test_what_is_as_in_one_of_several_merge_bases_conflicts_all_the_same(main: Path, sooner: str) -> None:
    """Each has merged the other's first commit and put its file back: as it is in one merge base, but not in both."""
    one, two = begin(main)
    first: dict[str, str] = {}
    for name in sorted(("one", "main"), key=lambda name: name != sooner):
        path, folder = (("cold.txt", one), ("hot.txt", main))[name == "main"]
        first[name] = commit(folder, {path: numbered(l3=f"first in {name}")})
    for folder, other, path in ((one, first["main"], "hot.txt"), (main, first["one"], "cold.txt")):
        git(folder, "merge", "--quiet", "--no-commit", "--no-ff", other, env=tick(folder))
        commit(folder, {path: numbered()}, "Put it back")
    assert set(git(main, "merge-base", "--all", "one", "main").split()) == set(first.values())
    commit(main, {"hot.txt": numbered(l3="trunk again")})
    agree(main, ["conflict content hot.txt one:hot.txt:3-3 | trunk:hot.txt:3-3"])
    commit(one, {"cold.txt": numbered(l3="one again")})
    agree(
        main,
        [
            "conflict content cold.txt one:cold.txt:3-3 | trunk:cold.txt:3-3",
            "conflict content hot.txt one:hot.txt:3-3 | trunk:hot.txt:3-3",
        ],
    )
    keeps_up(main, two)


def test_an_orphan_branch(main: Path) -> None:
    """Nothing in common, so git would not merge them; everybody else meets as ever."""
    one, two = begin(main)
    work(one, two)
    orphan = add_worktree(main, "orphan", detach=True)
    git(orphan, "checkout", "--quiet", "--orphan", "fresh")
    picture = pictured(look(main))
    assert [said for said in overlaps_of(picture) if "orphan" not in said] == MEETINGS
    commit(orphan, {"hot.txt": "mine\n"})
    picture = pictured(look(main))
    assert overlaps_of(picture) == MEETINGS
    assert "shares no history" in (state_of(picture, orphan).problem or "")
    keeps_up(main, one)


@pytest.mark.parametrize("doing", ["merge", "rebase", "rebase --interactive", "cherry-pick", "revert", "am", "bisect"])
def test_in_the_middle_of_something(main: Path, doing: str) -> None:
    """The files are what counts, conflict markers included, and HEAD as it stands."""
    one, two = begin(main)
    work(one, two)
    busy = add_worktree(main, "busy", branch="busy-branch")
    commit(busy, {"other/alone.txt": numbered(l4="busy")})
    commit(busy, {"hot.txt": numbered(l3="busy")})
    _stop(busy, doing)
    picture = pictured(look(main))
    assert [said for said in overlaps_of(picture) if "busy" not in said] == MEETINGS
    met = [said for said in overlaps_of(picture) if "busy" in said and "hot.txt" in said]
    assert any("two:" in said for said in met), overlaps_of(picture)
    assert state_of(picture, busy).problem is None
    keeps_up(main, one)


def _stop(busy: Path, doing: str) -> None:
    """Begin something in a worktree and leave it in the middle."""
    env = {**tick(busy), "GIT_SEQUENCE_EDITOR": "sed -i 's/^pick/edit/'", "GIT_EDITOR": "true"}
    if doing == "bisect":
        git(busy, "bisect", "start", "HEAD", "HEAD~2")
        write(busy, {"hot.txt": numbered(l3="while looking")})
        return
    if doing == "am":
        git(busy, "checkout", "--quiet", "-b", "receiving", "one")
        patch = git(busy, "format-patch", "--stdout", "busy-branch~1..busy-branch")
        git(busy, "am", "--quiet", "--3way", input=patch + "\n", check=False, env=env)
    elif doing == "revert":
        commit(busy, {"hot.txt": numbered(l3="busy again")})
        git(busy, "revert", "--no-edit", "HEAD~1", check=False, env=env)
    elif doing == "rebase --interactive":
        git(busy, "rebase", "--quiet", "--interactive", "HEAD~1", check=False, env=env)
    else:
        git(busy, doing, "one", check=False, env=env)
    state = git(busy, "rev-parse", "--path-format=absolute", "--git-dir")
    left = {"rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"}
    assert left & {*os.listdir(state)}, f"{doing} did not stop"


@pytest.mark.parametrize("value", ["true", "input"])
def test_autocrlf(main: Path, home: Path, value: str) -> None:
    """Line ends that git would normalize are no change, and don't hide a conflict either."""
    (home / ".gitconfig").write_text(f"[core]\n\tautocrlf = {value}\n\tsafecrlf = false\n")
    one, two = begin(main)
    work(one, two)
    for path in ("other/alone.txt", "hot.txt"):
        file = two / path
        file.write_bytes(file.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    assert "other/alone.txt" not in changes_of(agree(main, MEETINGS, home=home), two)
    keeps_up(main, one)


def test_ignore_case(main: Path) -> None:
    """As on macOS and Windows; on a disk that tells case apart, a file of the other case is git's to judge."""
    git(main, "config", "core.ignoreCase", "true")
    one, two = begin(main)
    work(one, two)
    git(one, "mv", "other/alone.txt", "other/passing")
    git(one, "mv", "other/passing", "other/ALONE.txt")
    commit_index(one, "Case")
    write(two, {"other/alone.txt": numbered(l7="two")})
    renamed = "clean content other/ALONE.txt one:other/ALONE.txt:7-7 | two:other/alone.txt:1-1"
    agree(main, [*MEETINGS, renamed])
    keeps_up(main, one)


def test_files_above_the_size_cap(main: Path) -> None:
    """They are left out, and that is said by name; the rest is compared as ever."""
    git(main, "config", "sidecar.maxFileSize", "1")
    commit(main, {**FILES, "large.txt": "small as yet\n"})
    one, two = add_worktree(main, "one"), add_worktree(main, "two")
    work(one, two)
    for worktree in (one, two):
        write(worktree, {"large.txt": f"{worktree.name}\n" * 400_000})
    picture = pictured(look(main))
    assert overlaps_of(picture) == MEETINGS
    for worktree in (one, two):
        assert "large.txt" in (state_of(picture, worktree).problem or "")
    keeps_up(main, one)


def test_binary_files(main: Path) -> None:
    commit(main, FILES)
    commit(main, {name: bytes(range(256)) for name in ("pixels", "same", "mine")})
    one, two = add_worktree(main, "one"), add_worktree(main, "two")
    work(one, two)
    for worktree in (one, two):
        write(worktree, {"pixels": worktree.name.encode() + b"\0" * 9, "same": b"\0alike"})
    write(one, {"mine": b"\0one"})
    agree(
        main,
        [
            *MEETINGS,
            "conflict binary pixels one:pixels:1-1 | two:pixels:1-1",
            "identical content same one:same:1-1 | two:same:1-1",
        ],
    )
    keeps_up(main, one, "pixels")


def test_content_that_is_not_utf8(main: Path) -> None:
    """Latin-1 is lines like any other; UTF-16 has NULs and is binary to git."""
    latin, wide = numbered(l1="é").encode("latin-1"), numbered().encode("utf-16")
    commit(main, FILES)
    commit(main, {"latin.txt": latin, "wide.txt": wide})
    one, two = add_worktree(main, "one"), add_worktree(main, "two")
    work(one, two)
    for worktree in (one, two):
        text = numbered(l1="é", l5=f"ü {worktree.name}")
        write(worktree, {"latin.txt": text.encode("latin-1"), "wide.txt": text.encode("utf-16")})
    agree(
        main,
        [
            *MEETINGS,
            "conflict content latin.txt one:latin.txt:5-5 | two:latin.txt:5-5",
            "conflict binary wide.txt one:wide.txt:1-1 | two:wide.txt:1-1",
        ],
    )
    keeps_up(main, one, "latin.txt")


def test_paths_that_are_not_utf8(main: Path) -> None:
    path = os.fsdecode(b"caf\xe9/na\xefve.txt")
    commit(main, {**FILES, path: numbered()})
    one, two = add_worktree(main, "one"), add_worktree(main, "two")
    work(one, two)
    write(one, {path: numbered(l8="one")})
    write(two, {path: numbered(l8="two")})
    picture = agree(main, [f"conflict content {path} one:{path}:8-8 | two:{path}:8-8", *MEETINGS])
    assert sources_of(picture, one)[path] == ("unstaged",)
    keeps_up(main, one, path)
