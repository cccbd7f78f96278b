"""Folders, repositories and settings, end to end: what is opened, and what is said when it can't be."""

import os
import shutil
from pathlib import Path

import pytest
from lsprotocol import types

from tests.harness import add_worktree, commit, git, init, write
from tests.lsp.editor import Editor, editing
from tests.lsp.texts import TEXT, changed

pytestmark = pytest.mark.asyncio


def message(editor: Editor, path: Path) -> str:
    return editor.published[path.as_uri()].diagnostics[0].message


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
        await editor.until(lambda: editor.closed == [str(second / ".git")])
        assert editor.codes(mine / "a.txt") == [("conflict", 5, 5)]
        assert editor.messages == []


def _folders(editor: Editor, added: list[Path] = [], removed: list[Path] = []) -> None:  # noqa: B006 (only read)
    event = types.WorkspaceFoldersChangeEvent(
        [types.WorkspaceFolder(path.as_uri(), path.name) for path in added],
        [types.WorkspaceFolder(path.as_uri(), path.name) for path in removed],
    )
    editor.client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))


@pytest.mark.parametrize("how", ["init", "clone", "clone around it"])
async def test_an_open_folder_that_becomes_a_repository(base: Path, tmp_path: Path, how: str) -> None:
    """Nobody tells of it; its open documents are graded, too."""
    plain = tmp_path / "plain"
    folder = plain / "deep" if how == "clone around it" else plain
    folder.mkdir(parents=True)
    write(folder, {"open.txt": TEXT})
    async with editing(folder) as editor:
        editor.open(folder / "open.txt")
        await editor.until(lambda: any("is in no git repository" in line for line in editor.logged))
        if how == "init":
            init(plain)
        else:
            git(tmp_path, "clone", "--quiet", "--no-checkout", str(base), "cloned")
            (tmp_path / "cloned/.git").rename(plain / ".git")
        commit(plain, {"more.txt": "more\n"})
        other = add_worktree(plain, tmp_path / "other-of-plain")
        name = str((folder / "open.txt").relative_to(plain))
        write(other, {name: changed(5, "other\n")})
        editor.type(folder / "open.txt", changed(5, "mine\n"))
        await editor.until(lambda: "conflict" in [code for code, *_ in editor.codes(folder / "open.txt")])


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


async def test_a_file_that_is_open_under_two_names_is_told_under_both(mine: Path, theirs: Path, tmp_path: Path) -> None:
    write(mine, {"a.txt": changed(5, "mine\n")})
    write(theirs, {"a.txt": changed(5, "theirs\n")})
    (tmp_path / "a link").symlink_to(mine)
    linked = tmp_path / "a link"
    async with editing(mine) as editor:
        editor.open(mine / "a.txt")
        await editor.until(lambda: editor.codes(mine / "a.txt"))
        editor.open(linked / "a.txt")
        await editor.until(lambda: editor.codes(linked / "a.txt") and editor.codes(mine / "a.txt"))
        editor.type(linked / "a.txt", changed(7, "mine\n"))
        await editor.until(lambda: [code for code, *_ in editor.codes(linked / "a.txt")] == ["overlap"])
        assert [code for code, *_ in editor.codes(mine / "a.txt")] == ["conflict"]


async def test_odd_names_of_worktrees_and_files(base: Path, theirs: Path) -> None:
    names = ["sp ace", "ümläut", "a#b%20c", "-dash", "bi\u202edi", os.fsdecode(b"byte\xff")]
    places = [base.parent / name for name in names]
    write(theirs, {"a.txt": changed(5, "theirs\n"), **dict.fromkeys(names, "theirs\n")})
    for number, odd in enumerate(places):
        git(base, "worktree", "add", "--quiet", "-b", f"odd-{number}", "--", str(odd))
        write(odd, {"a.txt": changed(5, f"odd {number}\n"), odd.name: "odd\n"})
    async with editing(*places, theirs) as editor:
        files = [file for odd in places for file in (odd / "a.txt", odd / odd.name, theirs / odd.name)]

        def related() -> list[str]:
            told = editor.published.get((theirs / "a.txt").as_uri())
            return [
                one.message for found in (told.diagnostics if told else ()) for one in found.related_information or ()
            ]

        await editor.until(lambda: all(map(editor.codes, files)) and len(related()) == len(names))
        (found,) = editor.published[(theirs / "a.txt").as_uri()].diagnostics
        assert found.message == "Conflicts with -dash, a#b%20c and 4 more."
        for number in range(len(names)):
            assert any(f"(branch odd-{number}) changed line 5." in one for one in related())
        assert "\u202e" not in f"{found.message}{related()}"


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
