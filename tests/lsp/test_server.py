"""The main job, end to end: a real server over real repositories."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from lsprotocol import types

from sidecar.lsp.documents import path_of
from tests.harness import add_worktree, commit, git, git_bytes, init, write
from tests.lsp.editor import Editor, editing

pytestmark = pytest.mark.asyncio

TEXT = "".join(f"line {number}\n" for number in range(1, 21))


def changed(number: int, new: str) -> str:
    """The text with another line in place of one."""
    return TEXT.replace(f"line {number}\n", new)


@pytest.fixture
def base(repo: Path) -> Path:
    """Trunk with a file of twenty lines."""
    commit(repo, {"a.txt": TEXT, "b.txt": TEXT})
    return repo


@pytest.fixture
def mine(base: Path) -> Path:
    return add_worktree(base, "mine")


@pytest.fixture
def theirs(base: Path) -> Path:
    return add_worktree(base, "theirs", branch="feature/theirs")


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
        assert message(editor, theirs / "a.txt") == "Conflicts with mine (branch mine), which changed line 5."


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


@pytest.mark.xfail(strict=True, reason="a session takes the text of a clean document for an edit")
async def test_a_clean_document_does_not_hide_what_happens_to_its_file(mine: Path, theirs: Path) -> None:
    write(theirs, {"a.txt": changed(5, "theirs\n")})
    async with editing(mine) as editor:
        editor.open(mine / "a.txt")
        await editor.until(lambda: editor.pictures)
        write(mine, {"a.txt": changed(5, "by a shell\n")})
        await editor.until(lambda: editor.pictures[-1].overlaps, seconds=5)
        editor.type(mine / "a.txt", changed(5, "by a shell\n"))
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("conflict", 5, 5)])


async def test_new_and_removed_worktrees_are_noticed(base: Path, mine: Path) -> None:
    commit(mine, {"a.txt": changed(5, "mine\n")})
    async with editing(mine) as editor:
        await editor.until(lambda: editor.pictures)
        later = add_worktree(base, "later")
        commit(later, {"a.txt": changed(5, "later\n")})
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("conflict", 5, 5)])
        assert "later (branch later)" in message(editor, mine / "a.txt")
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


SIDES = {
    "both change": (changed(5, "mine\n"), changed(5, "theirs\nand more\n")),
    "they delete": (changed(5, "mine\n"), changed(5, "")),
    "I delete": (changed(5, ""), changed(5, "theirs\n")),
    "I delete the first line": (changed(1, ""), changed(1, "theirs\n")),
    "they delete the last line": (changed(20, "mine\n"), changed(20, "")),
    "both add at the end": (TEXT + "mine\n", TEXT + "theirs\nand more"),
    "two conflicts": (changed(5, "mine\n").replace("line 15\n", "m\n"), changed(5, "").replace("line 15\n", "t\nt\n")),
}
LANDINGS = {
    "a change": (changed(5, "mine\n"), changed(15, "theirs\n")),
    "a deletion": (changed(5, "mine\nmore\n"), changed(15, "")),
    "an insertion": (changed(5, ""), changed(15, "line 15\nnew\n")),
    "an insertion at the end": (changed(5, "mine\n"), TEXT + "new"),
}


@pytest.mark.parametrize("sides", SIDES.values(), ids=SIDES)
@pytest.mark.parametrize("crlf", [False, True], ids=["LF", "CRLF"])
async def test_taking_their_lines_ends_the_conflict(
    mine: Path, theirs: Path, sides: tuple[str, str], crlf: bool
) -> None:
    async with _two_sides(mine, theirs, sides, crlf) as (editor, merged):
        file = mine / "a.txt"
        places = await editor.until(lambda: editor.codes(file))
        for count in range(len(places), 0, -1):
            assert [code for code, *_ in editor.codes(file)] == ["conflict"] * count
            await _take(editor, file, editor.codes(file)[0][1])
            await editor.until(partial(_has_conflicts, editor, file, count - 1))
        assert editor.texts[file.as_uri()][1].rstrip() == merged
        write(mine, {"a.txt": editor.texts[file.as_uri()][1]})
        await editor.until(lambda: {code for code, *_ in editor.codes(file)} <= {"identical"})


@pytest.mark.parametrize("sides", LANDINGS.values(), ids=LANDINGS)
@pytest.mark.parametrize("crlf", [False, True], ids=["LF", "CRLF"])
async def test_taking_lines_that_merge_cleanly_puts_them_where_git_would(
    mine: Path, theirs: Path, sides: tuple[str, str], crlf: bool
) -> None:
    async with _two_sides(mine, theirs, sides, crlf) as (editor, merged):
        file = mine / "a.txt"
        ((code, line, _),) = await editor.until(lambda: editor.codes(file))
        assert code == "overlap"
        await _take(editor, file, line)
        assert editor.texts[file.as_uri()][1].rstrip() == merged


@asynccontextmanager
async def _two_sides(mine: Path, theirs: Path, sides: tuple[str, str], crlf: bool) -> AsyncIterator[tuple[Editor, str]]:
    """An editor with my file open, and what git makes of the two sides if theirs win."""
    eol = "\r\n" if crlf else "\n"
    base, my_text, their_text = (text.replace("\n", eol) for text in (TEXT, *sides))
    commit(mine, {"a.txt": base}, "Same")
    git(theirs, "reset", "--quiet", "--hard", "mine")
    write(mine, {"a.txt": my_text})
    write(theirs, {"a.txt": their_text})
    versions = {"ours": my_text, "base": base, "other": their_text}
    write(mine.parent, versions)
    paths = [str(mine.parent / name) for name in versions]
    merged = git_bytes(mine, "merge-file", "--theirs", "--stdout", *paths).decode().rstrip()
    async with editing(mine) as editor:
        editor.open(mine / "a.txt")
        yield editor, merged


async def _take(editor: Editor, file: Path, line: int) -> None:
    takes = [action.edit for action in await editor.actions(file, line) if action.title.startswith("Take")]
    assert takes[0] is not None
    editor.apply(takes[0])


def _has_conflicts(editor: Editor, file: Path, count: int) -> bool:
    return [code for code, *_ in editor.codes(file)].count("conflict") == count


async def test_hover_and_lens(mine: Path, theirs: Path) -> None:
    write(mine, {"a.txt": changed(5, "mine\n")})
    write(theirs, {"a.txt": changed(5, "theirs\n")})
    async with editing(mine) as editor:
        editor.open(mine / "a.txt")
        await editor.until(lambda: editor.codes(mine / "a.txt"))
        identifier = types.TextDocumentIdentifier((mine / "a.txt").as_uri())
        hover = await editor.client.text_document_hover_async(types.HoverParams(identifier, types.Position(4, 1)))
        assert hover is not None and isinstance(hover.contents, types.MarkupContent)
        assert "```diff\n-line 5\n+theirs\n```" in hover.contents.value
        (lens,) = await editor.client.text_document_code_lens_async(types.CodeLensParams(identifier)) or ()
        assert lens.command is not None and lens.command.title == "theirs changed this file too (conflict)"


async def test_compare_opens_the_other_file(base: Path, mine: Path, theirs: Path) -> None:
    write(mine, {"a.txt": changed(5, "mine\n")})
    write(theirs, {"a.txt": changed(5, "theirs\n")})
    async with editing(mine) as editor:
        await editor.until(lambda: editor.codes(mine / "a.txt"))
        answer = await editor.command({"uri": (mine / "a.txt").as_uri()})
        assert answer["left"] == (theirs / "a.txt").as_uri() and answer["right"] == (mine / "a.txt").as_uri()
        assert editor.shown == [(theirs / "a.txt").as_uri()]
        assert await editor.command({"uri": (mine / "b.txt").as_uri()}) is None
        assert editor.messages == ["No other worktree has changed b.txt."]
        commit(base, {"a.txt": changed(5, "trunk\n")})
        await editor.until(lambda: len(editor.codes(mine / "a.txt")) == 2)
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


async def test_the_picture_is_sent_as_status_prints_it(base: Path, mine: Path, theirs: Path) -> None:
    write(mine, {"a.txt": changed(5, "mine\n")})
    write(theirs, {"a.txt": changed(5, "theirs\n")})
    async with editing(mine) as editor:
        await editor.until(lambda: editor.pictures and editor.pictures[-1].overlaps)
        picture = editor.pictures[-1]
        assert (picture.schema, picture.repository) == (1, str(base / ".git"))
        assert [worktree.name for worktree in picture.worktrees] == ["repo", "mine", "theirs"]
        assert [side.worktree for side in picture.overlaps[0].sides] == ["mine", "theirs"]


async def test_several_folders_and_repositories_and_their_coming_and_going(
    base: Path, mine: Path, theirs: Path, tmp_path: Path
) -> None:
    second = init(tmp_path / "second" / "repo")
    commit(second, {"a.txt": TEXT})
    other = add_worktree(second, "other")
    write(second, {"a.txt": changed(5, "second\n")})
    write(other, {"a.txt": changed(5, "other\n")})
    write(mine, {"a.txt": changed(5, "mine\n")})
    write(theirs, {"a.txt": changed(5, "theirs\n")})
    (tmp_path / "plain").mkdir()
    async with editing(tmp_path / "plain", mine, theirs) as editor:
        await editor.until(lambda: editor.codes(mine / "a.txt") and editor.codes(theirs / "a.txt"))
        assert editor.codes(second / "a.txt") == []
        _folders(editor, added=[tmp_path / "second"])
        editor.open(second / "a.txt")
        await editor.until(lambda: [code for code, *_ in editor.codes(second / "a.txt")] == ["conflict", "trunk-edit"])
        await editor.until(lambda: [code for code, *_ in editor.codes(other / "a.txt")] == ["conflict"])
        both = {str(base / ".git"), str(second / ".git")}
        await editor.until(lambda: {picture.repository for picture in editor.pictures} == both)
        _folders(editor, removed=[theirs])
        await editor.until(lambda: editor.codes(theirs / "a.txt") == [])
        editor.close(second / "a.txt")
        await editor.until(lambda: editor.codes(second / "a.txt") == [] and editor.codes(other / "a.txt") == [])
        assert editor.codes(mine / "a.txt") == [("conflict", 5, 5)]
        assert editor.messages == []


def _folders(editor: Editor, added: list[Path] = [], removed: list[Path] = []) -> None:  # noqa: B006 (only read)
    event = types.WorkspaceFoldersChangeEvent(
        [types.WorkspaceFolder(path.as_uri(), path.name) for path in added],
        [types.WorkspaceFolder(path.as_uri(), path.name) for path in removed],
    )
    editor.client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))


async def test_a_document_of_an_unknown_repository_opens_it(mine: Path, theirs: Path, tmp_path: Path) -> None:
    write(mine, {"a.txt": changed(5, "mine\n")})
    write(theirs, {"a.txt": changed(5, "theirs\n")})
    async with editing() as editor:
        editor.open(mine / "a.txt")
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("conflict", 5, 5)])
        assert editor.codes(theirs / "a.txt") == []


async def test_a_folder_that_becomes_a_repository_is_found_at_the_next_save(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    write(folder, {"a.txt": TEXT})
    async with editing(folder) as editor:
        editor.open(folder / "a.txt")
        await editor.until(lambda: editor.logged)
        init(folder)
        commit(folder)
        other = add_worktree(folder, "other")
        write(other, {"a.txt": changed(5, "other\n")})
        editor.type(folder / "a.txt", changed(5, "mine\n"))
        editor.save(folder / "a.txt")
        await editor.until(lambda: [code for code, *_ in editor.codes(folder / "a.txt")] == ["conflict", "trunk-edit"])


async def test_a_folder_that_is_reached_by_a_link_keeps_its_name(mine: Path, theirs: Path, tmp_path: Path) -> None:
    write(mine, {"a.txt": changed(5, "mine\n"), "b.txt": changed(5, "mine\n")})
    write(theirs, {"a.txt": changed(5, "theirs\n"), "b.txt": changed(5, "theirs\n")})
    (tmp_path / "a link").symlink_to(mine)
    linked = tmp_path / "a link"
    async with editing(linked) as editor:
        editor.open(linked / "a.txt")
        await editor.until(lambda: editor.codes(linked / "a.txt") and editor.codes(linked / "b.txt"))
        assert editor.published.keys() == {(linked / "a.txt").as_uri(), (linked / "b.txt").as_uri()}


@pytest.mark.parametrize("name", ["sp ace", "ümläut", "a#b%20c", "-dash", "bi\u202edi", os.fsdecode(b"byte\xff")])
async def test_odd_names_of_worktrees_and_files(base: Path, theirs: Path, name: str) -> None:
    odd = base.parent / name
    git(base, "worktree", "add", "--quiet", "-b", "odd", "--", str(odd))
    write(odd, {"a.txt": changed(5, "odd\n"), name: "odd\n"})
    write(theirs, {"a.txt": changed(5, "theirs\n"), name: "theirs\n"})
    async with editing(odd, theirs) as editor:
        await editor.until(lambda: editor.codes(odd / "a.txt") and editor.codes(odd / name))
        said = message(editor, theirs / "a.txt")
        assert "\u202e" not in said and "(branch odd), which changed line 5." in said


async def test_settings_of_the_editor_win_and_can_change(base: Path, mine: Path) -> None:
    git(base, "branch", "develop")
    commit(base, {"a.txt": changed(5, "main\n")})
    write(mine, {"a.txt": changed(5, "mine\n")})
    async with editing(mine, options={"trusted": False, "settings": {"trunk": "develop"}}) as editor:
        await editor.until(lambda: editor.pictures and editor.pictures[-1].trunk.branch == "develop")
        new = {"settings": {"worktreeSidecar": {"trunk": "main"}}}
        editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(**new))
        await editor.until(lambda: editor.pictures[-1].trunk.branch == "main")
        await editor.until(lambda: "trunk-conflict" in [code for code, *_ in editor.codes(mine / "a.txt")])


async def test_settings_are_asked_for_when_the_client_does_not_send_them(base: Path, mine: Path) -> None:
    git(base, "branch", "develop")
    git(base, "branch", "next")
    async with editing(mine, settings={"trunk": "develop"}) as editor:
        await editor.until(lambda: editor.pictures and editor.pictures[-1].trunk.branch == "develop")
        editor.settings = {"trunk": "next"}
        editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))
        await editor.until(lambda: editor.pictures[-1].trunk.branch == "next")


@pytest.mark.parametrize("kind", ["empty", "bare"])
async def test_a_repository_without_commits_or_files_is_fine(tmp_path: Path, kind: str) -> None:
    folder = init(tmp_path / kind, *(["--bare"] if kind == "bare" else []))
    async with editing(folder) as editor:
        await editor.until(lambda: editor.pictures or editor.logged)
        assert "Traceback" not in "".join(editor.logged + editor.messages)
        assert editor.messages == []


async def test_a_broken_worktree_is_a_sentence_and_the_others_go_on(base: Path, mine: Path, theirs: Path) -> None:
    broken = add_worktree(base, "broken")
    write(mine, {"a.txt": changed(5, "mine\n")})
    write(theirs, {"a.txt": changed(5, "theirs\n")})
    (base / ".git" / "worktrees" / "broken" / "HEAD").write_text("nonsense\n")
    async with editing(mine) as editor:
        await editor.until(lambda: editor.codes(mine / "a.txt") == [("conflict", 5, 5)])
        await editor.until(lambda: any("broken" in line for line in editor.logged))
        assert "Traceback" not in "".join(editor.logged + editor.messages)
        shutil.rmtree(broken)


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
