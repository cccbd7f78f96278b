"""A conflict is quiet as soon as it is resolved, end to end: typed, saved, staged, committed; and back if given up."""

from pathlib import Path

import pytest

from tests.harness import add_worktree, commit, git
from tests.lsp.editor import Editor, editing
from tests.lsp.texts import changed

pytestmark = pytest.mark.asyncio

BOTH = changed(5, "mine\ntrunk\n")


def conflicts(editor: Editor, place: Path) -> list[str]:
    """The codes of the problems of a worktree's file, and whom they name."""
    params = editor.published.get((place / "a.txt").as_uri())
    return [f"{one.code}: {one.message}" for one in (params.diagnostics if params else ())]


async def until_read(editor: Editor, place: Path, *, staged: int) -> None:
    """Wait for the picture of so many staged files, by which all else that git wrote is read, too."""

    def is_read() -> bool:
        states = editor.pictures[-1].worktrees if editor.pictures else ()
        return any(one.path == str(place) and one.changes.staged == staged for one in states)

    await editor.until(is_read)


@pytest.mark.parametrize("doing", ["merge", "rebase"])
async def test_what_is_resolved_is_quiet_from_the_first_letter_to_the_commit(
    base: Path, mine: Path, doing: str
) -> None:
    file = mine / "a.txt"
    commit(mine, {"a.txt": changed(5, "mine\n")})
    commit(base, {"a.txt": changed(5, "trunk\n"), "c.txt": "trunk\n"})
    async with editing(mine) as editor:
        await editor.until(lambda: editor.codes(file) == [("trunk-conflict", 5, 5)])
        git(mine, doing, "--quiet", "main", check=False)
        assert "<<<<<<<" in file.read_text()
        await editor.until(lambda: conflicts(editor, mine) == [])
        told = len(editor.pictures)
        editor.open(file)
        editor.type(file, BOTH)
        editor.save(file)
        git(mine, "add", "a.txt")
        git(mine, "-c", "core.editor=true", doing, "--continue")
        await editor.until(lambda: (own := editor.pictures[-1].worktrees[1]).behind == 0 and own.ahead > 0)
        assert conflicts(editor, mine) == []
        seen = [one for picture in editor.pictures[told:] for one in picture.overlaps if one.verdict == "conflict"]
        assert seen == [], "nor was anything told in between"


async def test_what_is_given_up_is_a_conflict_again(base: Path, mine: Path) -> None:
    file = mine / "a.txt"
    commit(mine, {"a.txt": changed(5, "mine\n")})
    commit(base, {"a.txt": changed(5, "trunk\n")})
    async with editing(mine) as editor:
        await editor.until(lambda: editor.codes(file) == [("trunk-conflict", 5, 5)])
        git(mine, "merge", "--quiet", "main", check=False)
        await editor.until(lambda: conflicts(editor, mine) == [])
        git(mine, "merge", "--abort")
        await editor.until(lambda: editor.codes(file) == [("trunk-conflict", 5, 5)])


async def test_others_who_conflict_are_told_in_the_middle_of_a_merge(base: Path, mine: Path, theirs: Path) -> None:
    """With the lines as they are resolved; the one that is merged hears nothing."""
    third = add_worktree(base, "third")
    for place in (mine, theirs, third):
        commit(place, {"a.txt": changed(5, f"{place.name}\n")})
    async with editing(mine, theirs, third) as editor:
        both = ["conflict: Conflicts with theirs and third."]
        await editor.until(lambda: conflicts(editor, mine) == both)
        git(mine, "merge", "--quiet", "feature/theirs", check=False)
        (mine / "a.txt").write_text(changed(5, "mine\ntheirs\n"))
        alone = ["conflict: Conflicts with third, which changed line 5."]
        await editor.until(lambda: (conflicts(editor, mine), conflicts(editor, theirs)) == (alone, alone))


async def test_a_merge_into_trunks_own_checkout_is_no_edit_of_trunk(base: Path, mine: Path) -> None:
    commit(mine, {"a.txt": changed(5, "mine\n"), "b.txt": changed(5, "mine\n")})
    commit(base, {"a.txt": changed(5, "trunk\n")})
    async with editing(base) as editor:
        await editor.until(lambda: editor.pictures)
        git(base, "merge", "--quiet", "mine", check=False)
        await until_read(editor, base, staged=1)
        assert editor.codes(base / "b.txt") == []
        git(base, "merge", "--abort")
        (base / "b.txt").write_text(changed(7, "edited\n"))
        await editor.until(lambda: ("trunk-edit", 7, 7) in editor.codes(base / "b.txt"))
