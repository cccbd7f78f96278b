"""The main job, end to end: a real server over real repositories."""

from pathlib import Path

import pytest
from lsprotocol import types

from sidecar.lsp.documents import path_of
from tests.harness import add_worktree, commit, git, write
from tests.lsp.editor import Editor, editing
from tests.lsp.texts import TEXT, changed

pytestmark = pytest.mark.asyncio


def message(editor: Editor, path: Path) -> str:
    return editor.published[path.as_uri()].diagnostics[0].message


async def test_two_commits_that_conflict_are_told_on_their_lines(mine: Path, theirs: Path) -> None:
    commit(mine, {"a.txt": changed(5, "mine\n")})
    commit(theirs, {"a.txt": changed(5, "theirs\nand more\n")})
    async with editing(mine) as editor:
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("conflict", 5, 5)])
        (found,) = editor.published[(mine / "a.txt").as_uri()].diagnostics
        assert found.message == "Conflicts with theirs (branch feature/theirs), which changed lines 5-6."
        assert found.severity == types.DiagnosticSeverity.Warning
        assert found.code_description and Path(path_of(found.code_description.href) or "").is_file()
        (related,) = found.related_information or ()
        assert related.location.uri == (theirs / "a.txt").as_uri()
        assert (related.location.range.start.line, related.location.range.end.line) == (4, 5)
        assert editor.published.keys() == {(mine / "a.txt").as_uri()}
        editor.open(theirs / "a.txt")
        await editor.until(lambda: editor.codes(theirs / "a.txt") == [("conflict", 5, 6)])
        assert message(editor, theirs / "a.txt") == "Conflicts with mine, which changed line 5."


async def test_typing_without_saving_is_told_and_undoing_clears_it(mine: Path, theirs: Path) -> None:
    write(theirs, {"a.txt": changed(5, "theirs\n")})
    async with editing(mine) as editor:
        editor.open(mine / "a.txt")
        await editor.until(lambda: editor.pictures)
        version = editor.type(mine / "a.txt", changed(5, "typed\n"))
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("conflict", 5, 5)])
        assert editor.published[(mine / "a.txt").as_uri()].version == version
        editor.type(mine / "a.txt", "above\n" + changed(5, "typed\n"))
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("conflict", 6, 6)])
        editor.type(mine / "a.txt", TEXT)
        await editor.until(lambda: editor.codes(mine / "a.txt") == [])


async def test_closing_without_saving_takes_the_typed_text_back(mine: Path, theirs: Path) -> None:
    write(theirs, {"a.txt": changed(5, "theirs\n")})
    async with editing(mine) as editor:
        editor.open(mine / "a.txt")
        editor.type(mine / "a.txt", changed(5, "typed\n"))
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("conflict", 5, 5)])
        editor.close(mine / "a.txt")
        await editor.until(lambda: editor.codes(mine / "a.txt") == [])


async def test_what_a_shell_does_elsewhere_appears_and_goes(mine: Path, theirs: Path) -> None:
    commit(mine, {"a.txt": changed(5, "mine\n")})
    async with editing(mine) as editor:
        editor.open(mine / "a.txt")
        await editor.until(lambda: editor.pictures)
        write(theirs, {"a.txt": changed(5, "theirs\n")})
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("conflict", 5, 5)])
        write(theirs, {"a.txt": changed(15, "theirs\n")})
        await editor.until(lambda: [code for code, *_ in editor.codes(mine / "a.txt")] == ["overlap"])
        write(theirs, {"a.txt": changed(5, "mine\n")})
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("identical", 5, 5)])
        git(theirs, "restore", "a.txt")
        await editor.until(lambda: editor.codes(mine / "a.txt") == [])


async def test_a_clean_document_does_not_hide_what_happens_to_its_file(mine: Path, theirs: Path) -> None:
    write(theirs, {"a.txt": changed(5, "theirs\n")})
    async with editing(mine) as editor:
        editor.open(mine / "a.txt")
        await editor.until(lambda: editor.pictures)
        write(mine, {"a.txt": changed(5, "by a shell\n")})
        await editor.until(lambda: editor.pictures[-1].overlaps)
        editor.type(mine / "a.txt", changed(5, "by a shell\n"))
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("conflict", 5, 5)])


async def test_new_and_removed_worktrees_are_noticed(base: Path, mine: Path) -> None:
    commit(mine, {"a.txt": changed(5, "mine\n")})
    async with editing(mine) as editor:
        await editor.until(lambda: editor.pictures)
        later = add_worktree(base, "later")
        commit(later, {"a.txt": changed(5, "later\n")})
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("conflict", 5, 5)])
        assert "Conflicts with later, " in message(editor, mine / "a.txt")
        git(base, "worktree", "remove", "--force", str(later))
        await editor.until(lambda: editor.codes(mine / "a.txt") == [])


async def test_trunk_moving_on_is_told(base: Path, mine: Path) -> None:
    commit(mine, {"a.txt": changed(5, "mine\n")})
    async with editing(mine) as editor:
        await editor.until(lambda: editor.pictures)
        commit(base, {"a.txt": changed(5, "trunk\n")})
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("trunk-conflict", 5, 5)])
        (found,) = editor.published[(mine / "a.txt").as_uri()].diagnostics
        assert found.message == "Conflicts with trunk (branch main), which changed line 5."
        assert [related.location.uri for related in found.related_information or ()] == [(base / "a.txt").as_uri()]


async def test_an_edit_on_trunk_itself_is_told_while_there_are_linked_worktrees(base: Path) -> None:
    async with editing(base) as editor:
        editor.open(base / "a.txt")
        await editor.until(lambda: editor.pictures)
        version = editor.type(base / "a.txt", changed(5, "typed\n"))
        add_worktree(base, "other")
        await editor.until(lambda: editor.codes(base / "a.txt") == [("trunk-edit", 5, 5)])
        assert editor.published[(base / "a.txt").as_uri()].version == version
        git(base, "worktree", "remove", "../other")
        await editor.until(lambda: editor.codes(base / "a.txt") == [])


async def test_which_version_is_meant_is_asked(base: Path, mine: Path, theirs: Path) -> None:
    write(mine, {"a.txt": changed(5, "mine\n")})
    write(theirs, {"a.txt": changed(5, "theirs\n")})
    async with editing(mine) as editor:
        await editor.until(lambda: editor.codes(mine / "a.txt"))
        commit(base, {"a.txt": changed(5, "trunk\n")})
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("trunk-conflict", 5, 5)])
        (both,) = editor.published[(mine / "a.txt").as_uri()].diagnostics
        assert both.message == "Conflicts with trunk and theirs."
        answer = await editor.command({"uri": (mine / "a.txt").as_uri(), "worktree": None})
        assert Path(path_of(answer["left"]) or "").read_text() == changed(5, "trunk\n")
        answer = await editor.command({"uri": (mine / "a.txt").as_uri()})
        assert len(editor.questions) == 1 and len(editor.questions[0]) == 2
        assert answer is not None


async def test_a_client_with_a_diff_editor_opens_it_itself(base: Path, mine: Path, theirs: Path) -> None:
    write(mine, {"a.txt": changed(5, "mine\n")})
    write(theirs, {"a.txt": changed(5, "theirs\n")})
    commit(base, {"a.txt": changed(15, "trunk\n")})
    async with editing(mine, capabilities={"experimental": {"diffEditor": True}}) as editor:
        await editor.until(lambda: len(editor.codes(mine / "a.txt")) == 2)
        answer = await editor.command({"uri": (mine / "a.txt").as_uri()})
        assert [(choice["worktree"], choice["title"]) for choice in answer["choices"]] == [
            ("theirs", "theirs (branch feature/theirs): conflict"),
            (None, "trunk (branch main)"),
        ]
        answer = await editor.command({"uri": (mine / "a.txt").as_uri(), "worktree": "theirs"})
        assert (answer["left"], answer["title"]) == ((theirs / "a.txt").as_uri(), "a.txt: theirs ↔ mine")
        assert (editor.shown, editor.questions) == ([], [])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_typing_beyond_the_basic_plane_keeps_the_text_whole(mine: Path, theirs: Path, encoding: str) -> None:
    text = TEXT.replace("line 5\n", "x = '😋' # é\x0c漢\r\n")
    commit(mine, {"a.txt": text})
    git(theirs, "reset", "--quiet", "--hard", "mine")
    write(theirs, {"a.txt": text.replace("😋", "theirs")})
    async with editing(mine, capabilities={"general": {"positionEncodings": [encoding]}}) as editor:
        editor.open(mine / "a.txt")
        column = {"utf-8": 9, "utf-16": 7, "utf-32": 6}[encoding]
        length = {"utf-8": 19, "utf-16": 14, "utf-32": 13}[encoding]
        place = types.Range(types.Position(4, 5), types.Position(4, column))
        identifier = types.VersionedTextDocumentIdentifier(2, (mine / "a.txt").as_uri())
        change = types.TextDocumentContentChangePartial(place, "😋😋")
        editor.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("conflict", 5, 5)])
        (found,) = editor.published[(mine / "a.txt").as_uri()].diagnostics
        assert found.range.end.character == length + {"utf-8": 4, "utf-16": 2, "utf-32": 1}[encoding]


async def test_what_could_not_be_read_is_never_taken_for_nothing(base: Path, mine: Path, theirs: Path) -> None:
    """An open file is told of it, the picture has it, and no command says that nobody else has changed a file."""
    index = Path(git(theirs, "rev-parse", "--absolute-git-dir")) / "index"
    said = index.read_bytes()
    commit(theirs, {"a.txt": changed(5, "theirs\n")})
    write(mine, {"a.txt": changed(5, "mine\n")})
    index.write_bytes(b"junk")
    async with editing(mine) as editor:
        editor.open(mine / "a.txt")
        editor.open(mine / "b.txt")
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("conflict", 5, 5), ("unknown", 1, 1)])
        assert editor.codes(mine / "b.txt") == [("unknown", 1, 1)]
        (one,) = editor.pictures[-1].unknown
        assert (one.worktree, one.path) == ("theirs", None) and "not committed in theirs" in one.reason
        assert await editor.command({"uri": (mine / "b.txt").as_uri()}) is None
        assert editor.messages[-1].startswith("No other worktree is known to have changed b.txt. What is not committed")
        index.write_bytes(said)
        await editor.until(lambda: editor.codes(mine / "b.txt") == [])


@pytest.mark.parametrize("options", [None, {"picture": False}, {"picture": "yes"}])
async def test_a_client_that_does_not_ask_for_pictures_gets_none(mine: Path, theirs: Path, options: object) -> None:
    """Some warn their users of every notification that they don't know."""
    write(mine, {"a.txt": changed(5, "mine\n")})
    write(theirs, {"a.txt": changed(5, "theirs\n")})
    async with editing(mine, options=options) as editor:
        await editor.until(lambda: editor.codes(mine / "a.txt"))
        write(theirs, {"a.txt": changed(6, "theirs\n")})
        await editor.until(lambda: editor.codes(mine / "a.txt") != [("conflict", 5, 5)])
        assert editor.pictures == []
