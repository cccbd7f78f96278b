"""The editor's unsaved texts as part of a worktree; each test says what a person has typed, and what is on disk."""

import codecs
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.model.changes import EXECUTABLE, FILE
from tests.harness import Content, Executable, Symlink, add_worktree, commit, git, init, write
from tests.session.pictures import changes_of, overlaps_of, sources_of
from tests.session.watching import Live, watching

TYPED = ("unsaved",)


@pytest.fixture
def linked(repo: Path) -> Path:
    plain: dict[str, Content] = {"a.txt": "1\n2\n3\n", "d/b.txt": "b\n"}
    commit(repo, {**plain, "run.sh": Executable("#!\n")})
    return add_worktree(repo, "linked")


@pytest.fixture
def live(repo: Path, linked: Path) -> Iterator[Live]:
    with watching(repo) as opened:
        yield opened


def _type(live: Live, path: Path, text: str | None, version: int = 1) -> dict[str, tuple[str, ...]]:
    """What the worktree `linked` has changed once the editor's text has been seen."""
    live.session.set_unsaved(str(path), text, version)
    if text is None:
        picture = live.until(lambda picture: str(path) not in picture.documents)
    else:
        picture = live.settled(path, version)
    return sources_of(picture, "linked")


def test_typing_and_undoing(live: Live, linked: Path) -> None:
    assert _type(live, linked / "a.txt", "1\n2\nthree\n") == {"a.txt": TYPED}
    after = changes_of(live.pictures[-1], linked)["a.txt"].after
    assert after is not None and live.session.content(after) == b"1\n2\nthree\n"
    assert _type(live, linked / "a.txt", "1\n2\n3\n", 2) == {}
    assert _type(live, linked / "a.txt", "1\n", 3) == {"a.txt": TYPED}
    assert _type(live, linked / "a.txt", None) == {}


def test_opening_changes_nothing(live: Live, linked: Path) -> None:
    assert _type(live, linked / "a.txt", "1\n2\n3\n") == {}
    assert _type(live, linked / "d/b.txt", "b\n") == {}
    write(linked, {"a.txt": "edited\n"})
    live.until(lambda picture: sources_of(picture, linked) == {"a.txt": ("unstaged",)})


def test_typed_on_top_of_what_is_uncommitted(live: Live, linked: Path) -> None:
    write(linked, {"a.txt": "staged\n", "new.txt": "new\n"})
    git(linked, "add", "a.txt")
    write(linked, {"a.txt": "unstaged\n"})
    live.until(lambda picture: len(changes_of(picture, linked)) == 2)
    live.session.set_unsaved(str(linked / "new.txt"), "typed\n", 1)
    assert _type(live, linked / "a.txt", "typed\n") == {
        "a.txt": ("staged", "unstaged", "unsaved"),
        "new.txt": ("untracked", "unsaved"),
    }


def test_saving_makes_it_an_edit_on_disk(live: Live, linked: Path) -> None:
    _type(live, linked / "a.txt", "typed\n")
    write(linked, {"a.txt": "typed\n"})
    live.until(lambda picture: sources_of(picture, linked) == {"a.txt": ("unstaged",)})


def test_a_conflict_without_saving(live: Live, repo: Path, linked: Path) -> None:
    write(repo, {"a.txt": "1\nTWO\n3\n"})
    live.until(lambda picture: "a.txt" in changes_of(picture, repo))
    live.session.set_unsaved(str(linked / "a.txt"), "1\nzwei\n3\n", 1)
    picture = live.settled(linked / "a.txt", 1)
    (overlap,) = picture.overlaps
    assert (overlap.verdict, [side.sources for side in overlap.sides]) == ("conflict", [("unstaged",), TYPED])
    live.session.set_unsaved(str(linked / "a.txt"), "1\nTWO\n3\n", 2)
    assert live.settled(linked / "a.txt", 2).overlaps[0].verdict == "identical"
    live.session.set_unsaved(str(linked / "a.txt"), None, 3)
    live.until(lambda picture: not picture.overlaps)
    live.until_fresh()


def test_a_file_that_is_not_on_disk_yet(live: Live, linked: Path) -> None:
    assert _type(live, linked / "fresh/new.txt", "typed\n") == {"fresh/new.txt": TYPED}
    change = changes_of(live.pictures[-1], linked)["fresh/new.txt"]
    assert change.before is None and change.after is not None and change.after.mode == FILE


def test_a_file_that_was_deleted_under_the_editor(live: Live, linked: Path) -> None:
    """The text is still there to be saved."""
    (linked / "a.txt").unlink()
    live.until(lambda picture: sources_of(picture, linked) == {"a.txt": ("unstaged",)})
    assert _type(live, linked / "a.txt", "typed\n")["a.txt"][-1] == "unsaved"
    after = changes_of(live.pictures[-1], linked)["a.txt"].after
    assert after is not None and live.session.content(after) == b"typed\n"


def test_the_mode_stays(live: Live, linked: Path) -> None:
    _type(live, linked / "run.sh", "#!/bin/sh\n")
    after = changes_of(live.pictures[-1], linked)["run.sh"].after
    assert after is not None and after.mode == EXECUTABLE


def test_a_byte_order_mark_that_the_editor_keeps_to_itself(live: Live, linked: Path) -> None:
    write(linked, {"bom.txt": codecs.BOM_UTF8 + b"text\n"})
    live.until(lambda picture: "bom.txt" in changes_of(picture, linked))
    assert _type(live, linked / "bom.txt", "text\n") == {"bom.txt": ("untracked",)}
    _type(live, linked / "bom.txt", "typed\n", 2)
    after = changes_of(live.pictures[-1], linked)["bom.txt"].after
    assert after is not None and live.session.content(after) == codecs.BOM_UTF8 + b"typed\n"
    assert _type(live, linked / "bom.txt", "\ufefftext\n", 3) == {"bom.txt": ("untracked",)}


def test_line_ends(live: Live, linked: Path) -> None:
    write(linked, {"crlf.txt": b"1\r\n2\r\n"})
    live.until(lambda picture: "crlf.txt" in changes_of(picture, linked))
    assert _type(live, linked / "crlf.txt", "1\r\n2\r\n") == {"crlf.txt": ("untracked",)}
    assert _type(live, linked / "crlf.txt", "1\r\n2\r\n3\r\n", 2) == {"crlf.txt": ("untracked", "unsaved")}


MIXED = "1\n2\r\n3\n4\n5\n"


@pytest.mark.parametrize("text", [MIXED.replace("\r\n", "\n"), MIXED.replace("\r", "").replace("\n", "\r\n"), MIXED])
def test_line_ends_that_an_editor_evens_out_are_no_edit(live: Live, linked: Path, text: str) -> None:
    """And what is typed then is all that counts."""
    commit(linked, {"mixed.txt": MIXED})
    live.until(lambda picture: sources_of(picture, linked) == {"mixed.txt": ("committed",)})
    assert _type(live, linked / "mixed.txt", text) == {"mixed.txt": ("committed",)}
    assert _type(live, linked / "mixed.txt", text.replace("4", "four"), 2) == {"mixed.txt": ("committed", "unsaved")}
    after = changes_of(live.pictures[-1], linked)["mixed.txt"].after
    assert after is not None and live.session.content(after) == MIXED.replace("4", "four").encode()
    assert _type(live, linked / "mixed.txt", text, 3) == {"mixed.txt": ("committed",)}


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_an_editor_that_tells_line_feeds_only(live: Live, linked: Path, end: str) -> None:
    """Emacs, for one, whatever the file has; a lone CR ends a line, too."""
    commit(linked, {"ends.txt": f"1{end}2{end}3{end}"})
    live.until(lambda picture: sources_of(picture, linked) == {"ends.txt": ("committed",)})
    assert _type(live, linked / "ends.txt", "1\n2\n3\n") == {"ends.txt": ("committed",)}
    _type(live, linked / "ends.txt", "1\ntwo\n3\n", 2)
    after = changes_of(live.pictures[-1], linked)["ends.txt"].after
    assert after is not None and live.session.content(after) == f"1{end}two{end}3{end}".encode()


def test_what_another_changed_on_a_line_that_was_evened_out_is_no_conflict(
    live: Live, repo: Path, linked: Path
) -> None:
    """Nor is it one where this worktree has typed somewhere else."""
    commit(repo, {"mixed.txt": MIXED})
    git(linked, "merge", "--quiet", "--ff-only", "main")
    commit(repo, {"mixed.txt": MIXED.replace("2", "two")})
    live.until_fresh()
    for version, text in enumerate((MIXED, MIXED.replace("5", "five")), 1):
        live.session.set_unsaved(str(linked / "mixed.txt"), text.replace("\r\n", "\n"), version)
        found = live.settled(linked / "mixed.txt", version).overlaps
        assert [overlap.verdict for overlap in found] == ["clean"] * (version - 1)


ENCODINGS = {
    "UTF-16": "utf-16",
    "UTF-16LE": "utf-16-le",
    "utf-16be": "utf-16-be",
    "UTF-32": "utf-32",
    "iso-8859-1": "latin-1",
    "cp1252": "cp1252",
    "SHIFT-JIS": "shift-jis",
}


@pytest.mark.parametrize("name", [*ENCODINGS, "UTF-16LE-BOM"])
def test_a_text_in_another_encoding_is_graded_as_git_would_store_it(repo: Path, linked: Path, name: str) -> None:
    sign = {"SHIFT-JIS": "\u65e5"}.get(name, "\u00fc")

    def on_disk(text: str) -> bytes:
        if name == "UTF-16LE-BOM":
            return codecs.BOM_UTF16_LE + text.encode("utf-16-le")
        return text.encode(ENCODINGS[name])

    for where in (repo, linked):
        write(where, {".gitattributes": f"text.txt working-tree-encoding={name}\n"})
    text = f"one {sign}\ntwo\nthree\nfour\n"
    commit(repo, {"text.txt": on_disk(text)})
    git(linked, "checkout", "--quiet", "--force", "--detach", "main")
    commit(repo, {"text.txt": on_disk(text.replace("two", "TWO"))})
    with watching(repo) as live:
        assert _type(live, linked / "text.txt", text) == {}
        typed = text.replace("two", f"zwei {sign}")
        assert _type(live, linked / "text.txt", typed, 2) == {"text.txt": TYPED}
        after = changes_of(live.pictures[-1], linked)["text.txt"].after
        assert after is not None and live.session.content(after) == typed.encode()
        (overlap,) = live.pictures[-1].overlaps
        regions = [(region.start, region.end) for region in overlap.sides[0].regions]
        assert (overlap.verdict, regions) == ("conflict", [(2, 2)])
        graded = overlaps_of(live.pictures[-1])
        write(linked, {"text.txt": on_disk(typed)})
        live.session.set_unsaved(str(linked / "text.txt"), None, 3)
        assert (
            overlaps_of(live.until(lambda picture: sources_of(picture, linked) == {"text.txt": ("unstaged",)}))
            == graded
        )


def test_a_text_that_its_encoding_cannot_hold_is_left_as_it_is_on_disk(repo: Path, linked: Path) -> None:
    commit(linked, {".gitattributes": "a.txt working-tree-encoding=iso-8859-1\n"})
    with watching(repo) as live:
        assert _type(live, linked / "a.txt", "\u65e5\n") == {".gitattributes": ("committed",)}
        assert "a.txt" in _type(live, linked / "a.txt", "\u00fc\n", 2)


def test_line_ends_that_git_would_normalise(repo: Path, linked: Path) -> None:
    """Typing a text with other line ends only changes nothing that git would store."""
    commit(linked, {".gitattributes": "* text=auto\n"})
    with watching(repo) as live:
        assert _type(live, linked / "a.txt", "1\r\n2\r\n3\r\n") == {".gitattributes": ("committed",)}
        assert "a.txt" in _type(live, linked / "a.txt", "1\r\n2\r\nthree\r\n", 2)


def test_a_file_that_is_not_utf8(live: Live, linked: Path) -> None:
    """The editor's text says nothing about its bytes."""
    write(linked, {"latin.txt": "é\n".encode("latin-1")})
    live.until(lambda picture: "latin.txt" in changes_of(picture, linked))
    assert _type(live, linked / "latin.txt", "é typed\n") == {"latin.txt": ("untracked",)}


def test_a_text_that_no_utf8_can_hold(live: Live, linked: Path) -> None:
    """Half a surrogate pair, as JavaScript can have it."""
    assert _type(live, linked / "a.txt", "\ud800\n") == {"a.txt": TYPED}


def test_a_nested_worktree_has_its_own_files(repo: Path, linked: Path) -> None:
    nested = add_worktree(repo, linked / "in/nested")
    with watching(repo) as live:
        assert _type(live, nested / "a.txt", "typed\n") == {}
        assert sources_of(live.pictures[-1], nested) == {"a.txt": TYPED}


def test_files_that_are_no_work_of_this_worktree(repo: Path, linked: Path, tmp_path: Path) -> None:
    """Ignored, in another repository, in a submodule, behind a link, in git's own directory, outside of everything."""
    library = init(tmp_path / "library")
    commit(library, {"lib.txt": "lib\n"})
    git(linked, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "sub")
    commit(init(linked / "inner"), {"x.txt": "x\n"})
    write(linked, {".gitignore": ".env\nout/\n", ".env": "A=1\n"})
    write(linked, {"link": Symlink("a.txt"), "to-d": Symlink("d")})
    commit(linked)
    outside = [".env", "out/x.txt", "sub/lib.txt", "sub/new.txt", "inner/x.txt", "link", "to-d/b.txt", ".git/x", ".git"]
    with watching(repo) as live:
        before = sources_of(live.pictures[-1], linked)
        for path in (*(linked / name for name in outside), repo / ".git/COMMIT_EDITMSG", tmp_path / "elsewhere.txt"):
            assert _type(live, path, "typed\n") == before, path
            assert sources_of(live.pictures[-1], repo) == {}, path


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_opening_a_file_that_is_hidden_from_git(repo: Path, linked: Path, flag: str) -> None:
    git(linked, "update-index", flag, "a.txt")
    write(linked, {"a.txt": "hidden\n"})
    with watching(repo) as live:
        assert _type(live, linked / "a.txt", "hidden\n") == {}


def test_texts_over_the_limit(repo: Path, linked: Path) -> None:
    git(repo, "config", "sidecar.maxFileSize", "1")
    with watching(repo) as live:
        assert _type(live, linked / "a.txt", "x" * (1 << 20)) == {"a.txt": TYPED}
        assert _type(live, linked / "a.txt", "x" * (1 << 20) + "x", 2) == {}


@pytest.mark.parametrize("path", ["x\0y", "a" * 300, "a.txt/below", "d", "", "/", "../linked/../out.txt"])
def test_odd_paths_do_no_harm(live: Live, linked: Path, path: str) -> None:
    live.session.set_unsaved(f"{linked}/{path}", "typed\n", 1)
    write(linked, {"still.txt": "alive\n"})
    live.until(lambda picture: "still.txt" in changes_of(picture, linked))
    assert "out.txt" not in changes_of(live.pictures[-1], linked)


def test_a_pipe_is_never_opened(live: Live, linked: Path) -> None:
    os.mkfifo(linked / "pipe")
    live.session.set_unsaved(str(linked / "pipe"), "typed\n", 1)
    write(linked, {"still.txt": "alive\n"})
    live.until(lambda picture: "still.txt" in changes_of(picture, linked))


def test_a_file_that_becomes_a_pipe_under_the_editor(live: Live, linked: Path) -> None:
    _type(live, linked / "a.txt", "typed\n")
    (linked / "a.txt").unlink()
    os.mkfifo(linked / "a.txt")
    live.session.set_unsaved(str(linked / "a.txt"), "typed again\n", 2)
    write(linked, {"still.txt": "alive\n"})
    live.until(lambda picture: "still.txt" in changes_of(picture, linked))


def test_many_texts_at_once(live: Live, linked: Path) -> None:
    for number in range(40):
        for version in range(5):
            live.session.set_unsaved(str(linked / f"new-{number}.txt"), f"{version}\n", version)
    live.until(lambda picture: all(picture.documents.get(str(linked / f"new-{n}.txt")) == 4 for n in range(40)))
    changes = changes_of(live.pictures[-1], linked)
    contents = {live.session.content(change.after) for change in changes.values() if change.after}
    assert (len(changes), contents) == (40, {b"4\n"})


def test_a_branch_is_switched_under_the_editor(live: Live, linked: Path) -> None:
    """The text is kept, and compared with what is now committed."""
    _type(live, linked / "a.txt", "typed\n")
    git(linked, "switch", "--quiet", "-c", "other")
    commit(linked, {"b.txt": "b\n"})
    live.until(lambda picture: sources_of(picture, linked) == {"a.txt": TYPED, "b.txt": ("committed",)})


@pytest.mark.parametrize(
    "text",
    [
        "1\nTWO\n3\n",
        "1\nzwei\n3\n",
        "1\n2\n3\n4\n",
        "",
        "1\r\ntwo\r\n3\r\n",
        "1\ntwo\n3",
        "\ufeff1\n2\n3\n",
        "ü\U0001f600\n2\n",
    ],
)
def test_a_text_is_graded_as_it_will_be_when_saved(live: Live, repo: Path, linked: Path, text: str) -> None:
    write(repo, {"a.txt": "1\nTWO\n3\n"})
    live.until(lambda picture: "a.txt" in changes_of(picture, repo))
    _type(live, linked / "a.txt", text)
    typed = overlaps_of(live.pictures[-1])
    write(linked, {"a.txt": text})
    assert _type(live, linked / "a.txt", None, 2).get("a.txt") in (None, ("unstaged",), TYPED)
    saved = live.until_fresh()
    assert overlaps_of(saved) == typed
