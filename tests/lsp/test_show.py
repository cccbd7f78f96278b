"""Problems are few and true, end to end: six worktrees that have changed the same thirty files, held against git."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types

from sidecar.lsp.documents import path_of
from tests.harness import add_worktree, commit, git, write
from tests.lsp.editor import Editor, editing
from tests.lsp.texts import TEXT, changed

pytestmark = pytest.mark.asyncio

FILES = [f"file-{number:02}.txt" for number in range(30)]
OTHERS = 5


@pytest.fixture
def crowd(repo: Path) -> Iterator[list[Path]]:
    """Six worktrees: in 25 files they conflict on one line, in 5 not; all have lines that merge, and one in common."""
    commit(repo, dict.fromkeys(FILES, TEXT))
    places = [add_worktree(repo, f"agent-{number}") for number in range(OTHERS + 1)]
    for number, place in enumerate(places):
        same = changed(20, "the same\n")
        apart = same.replace(f"line {2 * number + 7}\n", f"of {number}\n")
        write(place, dict.fromkeys(FILES[25:], apart))
        write(place, {name: apart.replace("line 3\n", f"agent {number}\n") for name in FILES[:25]})
    yield places


def problems(editor: Editor, place: Path) -> list[tuple[str, types.Diagnostic]]:
    """Every problem of a worktree's files, with the file's name."""
    found = []
    for uri, params in editor.published.items():
        path = Path(path_of(uri) or "")
        found += [(path.name, one) for one in params.diagnostics if path.parent == place]
    return found


async def test_six_worktrees_and_thirty_files_are_at_most_thirty_problems(crowd: list[Path]) -> None:
    mine, *others = crowd
    async with editing(mine, settings={}) as editor:
        await editor.until(lambda: len(problems(editor, mine)) >= 25)
        told = problems(editor, mine)
        assert len(told) <= 30
        assert sorted(name for name, _ in told) == [name for name in FILES if _conflicts(mine, others, name)]
        for _, one in told:
            assert (one.code, one.severity, one.range.start.line) == ("conflict", types.DiagnosticSeverity.Warning, 2)
            assert one.message == "Conflicts with agent-1, agent-2 and 3 more."
            assert len(one.related_information or ()) == OTHERS
        editor.open(mine / FILES[29])
        (lens,) = await editor.lenses(mine / FILES[29])
        assert lens.command is not None and lens.command.title.startswith("5 worktrees changed this file")
        new = {"settings": {"worktreeSidecar": {"show": "overlaps"}}}
        editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(**new))
        await editor.until(lambda: {str(one.code) for _, one in problems(editor, mine)} == {"conflict", "overlap"})


def _conflicts(mine: Path, others: list[Path], name: str) -> bool:
    """Whether git's merge of my file with that of any other stops."""
    base = mine.parent / "base.txt"
    base.write_text(TEXT)
    merges = [["merge-file", "--stdout", str(mine / name), str(base), str(other / name)] for other in others]
    return any("<<<<<<<" in git(mine, *merge, check=False) for merge in merges)


async def test_git_config_says_what_is_shown_and_can_change(crowd: list[Path]) -> None:
    mine = crowd[0]
    git(mine, "config", "sidecar.show", "overlaps")
    async with editing(mine, settings={}) as editor:
        await editor.until(lambda: {str(one.code) for _, one in problems(editor, mine)} == {"conflict", "overlap"})
        git(mine, "config", "sidecar.show", "conflicts")
        await editor.until(lambda: {str(one.code) for _, one in problems(editor, mine)} == {"conflict"})
