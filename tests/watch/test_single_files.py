"""Single files anywhere: followed by every way of watching, there or not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.watch.events import FilesTarget
from tests.watch.support import Watching

KEY = "some files"


def _write(file: Path) -> None:
    file.write_text("other\n")


def _replace(file: Path) -> None:
    draft = file.with_name("draft")
    draft.write_text("draft\n")
    draft.rename(file)


def _remove(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize("change", [_write, _replace, _remove])
def test_a_file_that_is_there(tmp_path: Path, watching: Watching, change: Callable[[Path], None]) -> None:
    file = tmp_path / "file"
    file.write_text("first\n")
    watching.follow(FilesTarget(KEY, frozenset({str(file)})))
    watching.tells_git(lambda: change(file), KEY)


def test_a_file_that_is_not_there_yet(tmp_path: Path, watching: Watching) -> None:
    file = tmp_path / "not/there/yet"
    watching.follow(FilesTarget(KEY, frozenset({str(file)})))

    def make() -> None:
        file.parent.mkdir(parents=True)
        file.write_text("new\n")

    watching.tells_git(make, KEY)


def test_a_file_behind_links(tmp_path: Path, watching: Watching) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/file").write_text("first\n")
    (tmp_path / "link").symlink_to("real/file")
    watching.follow(FilesTarget(KEY, frozenset({str(tmp_path / "link")})))
    watching.tells_git(lambda: (tmp_path / "real/file").write_text("other\n"), KEY)
