"""Taking the other side's lines, end to end: git then says that the two are the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.harness import commit, git, git_bytes, write
from tests.lsp.editor import Editor, editing
from tests.lsp.texts import TEXT, changed

pytestmark = pytest.mark.asyncio


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


async def test_lines_that_were_taken_are_called_identical_though_the_files_differ(mine: Path, theirs: Path) -> None:
    sides = (changed(5, "mine\n"), changed(5, "theirs\n").replace("line 15\n", "theirs alone\n"))
    async with _two_sides(mine, theirs, sides, crlf=False) as (editor, _):
        file = mine / "a.txt"
        await editor.until(lambda: editor.codes(file) == [("conflict", 5, 5)])
        await _take(editor, file, 5)
        await editor.until(lambda: editor.codes(file) == [("identical", 5, 5), ("overlap", 15, 15)])


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
