"""URIs and paths, both ways."""

import os
from pathlib import Path

import pytest
from lsprotocol.types import TextDocumentItem

from sidecar.lsp.documents import Folder, file_uri, open_document, path_of, plain_uri, repository_root, within


@pytest.mark.parametrize(
    "name",
    ["plain.py", "with space", "ümlaut", "100%", "a#b?c", "😋", "a:b@c", os.fsdecode(b"not-utf8-\xff"), "back\\slash"],
)
def test_every_name_survives_the_way_to_a_uri_and_back(name: str) -> None:
    path = f"/directory/{name}"
    assert plain_uri(path).isascii()
    assert path_of(plain_uri(path)) == path
    assert path_of(file_uri(path, [Folder("file:///alias", "/directory")])) == f"/alias/{name}"


def test_what_clients_encode_more_strictly_is_the_same_path() -> None:
    assert path_of("file:///a%3Ab/c%40d") == "/a:b/c@d"


@pytest.mark.parametrize(
    "uri", ["untitled:Untitled-1", "git:/a/b?x", "vscode-notebook-cell:/a#1", "http://x/y", "file:///a%00b"]
)
def test_only_files_have_a_path(uri: str) -> None:
    assert path_of(uri) is None


def test_a_file_is_named_below_the_innermost_folder_as_the_client_spells_it() -> None:
    folders = [Folder("file:///home/me", "/real"), Folder("file:///inner/", "/real/inner")]
    assert file_uri("/real/inner/a b", folders) == "file:///inner/a%20b"
    assert file_uri("/real/innermost", folders) == "file:///home/me/innermost"
    assert file_uri("/elsewhere", folders) == "file:///elsewhere"


def test_a_folder_contains_itself_and_not_its_neighbour() -> None:
    assert within("/a", "/a") and within("/a/b", "/a") and within("/a", "/")
    assert not within("/ab", "/a")


def test_an_open_document_is_known_by_its_real_path(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / ".git").mkdir()
    (tmp_path / "link").symlink_to("real")
    uri = (tmp_path / "link" / "a.py").as_uri()
    document = open_document(TextDocumentItem(uri, "python", 3, "x"), 7)
    assert document is not None
    assert (document.uri, document.path, document.root) == (uri, str(tmp_path / "real/a.py"), str(tmp_path / "real"))
    assert (document.version, document.stamp) == (3, 7)


def test_what_git_keeps_for_itself_is_no_document_of_a_worktree(tmp_path: Path) -> None:
    uri = (tmp_path / ".git" / "COMMIT_EDITMSG").as_uri()
    assert open_document(TextDocumentItem(uri, "git-commit", 1, ""), 1) is None


def test_the_nearest_git_directory_or_file_is_the_root(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    nested = tmp_path / "a" / "nested"
    nested.mkdir(parents=True)
    assert repository_root(str(nested)) == str(tmp_path)
    (nested / ".git").write_text("gitdir: elsewhere")
    assert repository_root(str(nested / "b" / "c")) == str(nested)
