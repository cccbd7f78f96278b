"""In the editor, files of one number and lists to which both append are told once, as information."""

from pathlib import Path

import pytest
from lsprotocol import types

from tests.harness import commit, git, write
from tests.lsp.editor import editing

pytestmark = pytest.mark.asyncio

NAME = "migrations/0002_{}.py"


async def test_it_is_told_with_the_other_file_and_goes_with_the_number(base: Path, mine: Path, theirs: Path) -> None:
    commit(base, {"migrations/0001_first.py": "1\n"}, "Begin")
    for folder in (mine, theirs):
        git(folder, "merge", "--quiet", "main")
    commit(theirs, {NAME.format("theirs"): "theirs\n"}, "Theirs")
    write(mine, {NAME.format("mine"): "mine\n"})
    file = mine / NAME.format("mine")
    async with editing(mine, settings={}) as editor:
        editor.open(file)
        await editor.until(lambda: editor.codes(file) == [("same-number", 1, 1)])
        (found,) = editor.published[file.as_uri()].diagnostics
        assert found.severity == types.DiagnosticSeverity.Information
        assert found.message == (
            "Has the same number as migrations/0002_theirs.py, which theirs (branch feature/theirs) added; "
            "git merges both without a word. Both are number 2 of their directory."
        )
        assert found.code_description is not None and found.code_description.href.endswith("/same-number.md")
        assert await editor.lenses(file) == []
        git(theirs, "mv", NAME.format("theirs"), "migrations/0003_theirs.py")
        await editor.until(lambda: editor.codes(file) == [])


async def test_a_list_to_which_both_append_and_that_git_merges_is_told_once(
    base: Path, mine: Path, theirs: Path
) -> None:
    routes = "routes = [\n    1,\n]\n\n\n\nothers = [\n    1,\n]\n"
    commit(base, {"routes.py": routes, ".gitattributes": "*.py merge=union\n"}, "Begin")
    for folder, line in ((mine, "    2,\n"), (theirs, "    3,\n")):
        git(folder, "merge", "--quiet", "main")
        write(folder, {"routes.py": routes.replace("]\n", f"{line}]\n")})
    async with editing(mine, settings={}) as editor:
        editor.open(mine / "routes.py")
        await editor.until(lambda: editor.codes(mine / "routes.py") == [("both-append", 3, 3)])
        (found,) = editor.published[(mine / "routes.py").as_uri()].diagnostics
        assert found.severity == types.DiagnosticSeverity.Information
        assert found.message.endswith("Both add lines at the end of the same list, so both may be meant.")
        write(theirs, {"routes.py": routes})
        await editor.until(lambda: editor.codes(mine / "routes.py") == [])
