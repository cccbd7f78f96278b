"""Ask what the hook asks of the live picture, by a function each: the only way from an agent's door to git.

A session that runs already answers; where none does, one Picture is computed for the question alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sidecar.operations.news import News
from sidecar.session.asking import begin_to_ask
from sidecar.system.files import read_regular
from sidecar.system.place import Place

if TYPE_CHECKING:
    from sidecar.agents.dialects import Edit
    from sidecar.model.findings import Failure
    from sidecar.model.picture import Picture
    from sidecar.operations.presence import Agent

MOST_TEXT = 1024 * 1024
"""Bytes of a file that is about to be edited, or quoted."""


def ask_meetings(place: Place, paths: Sequence[str]) -> Callable[[], list[News]]:
    """Ask how these files (absolute paths) of a worktree meet what others changed; give what waits for the answer."""
    inside = _inside(place, paths)
    asked = _begin_to_ask_news(place, paths=inside)

    def wait() -> list[News]:
        told = asked()
        return _look_at_paths(place, inside) if told is None else told

    return wait


def _look_at_paths(place: Place, inside: Sequence[str]) -> list[News]:
    from sidecar.model.settings import Options
    from sidecar.operations.picture_news import broken_use_news, overlap_news
    from sidecar.session.at_paths import look_at_paths  # loads libgit2

    picture = _known(look_at_paths(place.top, inside, Options()))
    return [*overlap_news(picture, place.top), *broken_use_news(picture, place.top)]


def refused(place: Place, edits: Sequence[Edit]) -> list[News]:
    """Give the conflicts that these edits would make, where the person wants to have such edits refused once."""
    from pathlib import Path

    from sidecar.git.repository import open_repository
    from sidecar.model.findings import Failure
    from sidecar.model.settings import Options
    from sidecar.operations.picture_news import denial, files_to_quote
    from sidecar.session.at_paths import look_at_paths
    from sidecar.session.reader import settings_of
    from sidecar.session.unsaved import Unsaved

    repository = open_repository(Path(place.top))
    if isinstance(repository, Failure) or settings_of(repository, Options())["hookBlocks"] is not True:
        return []
    texts = dict(zip(_inside(place, [edit.path for edit in edits]), map(_planned, edits), strict=True))
    planned = {path: Unsaved(text, 1) for path, text in texts.items() if text is not None}
    picture = _known(look_at_paths(place.top, list(texts), Options(), planned))
    quoted = {path: os.fsdecode(_read(path) or b"") for path in files_to_quote(picture, place.top)}
    return denial(picture, place.top, quoted)


def conflicts(place: Place) -> list[News]:
    """Give every conflict of a worktree."""
    told = _begin_to_ask_news(place)()
    if told is not None:
        return told
    from sidecar.operations.picture_news import overlap_news

    return overlap_news(_look(place), place.top, only_conflicts=True)


def overview(place: Place, others: Sequence[Agent]) -> list[News]:
    """Say which other worktrees are open, and the conflicts of this one."""
    from sidecar.model.picture import locate
    from sidecar.operations.picture_news import overview_news

    picture = _look(place)
    located = locate(picture, place.top)
    return overview_news(picture, located[0], others) if located is not None else []


def _begin_to_ask_news(place: Place, **about: object) -> Callable[[], list[News] | None]:
    """Ask a session what it has for who edits in this worktree, of some `paths` or all conflicts; None: none tells."""
    asked = begin_to_ask(place, {"ask": "news", "key": place.top, **about})

    def wait() -> list[News] | None:
        told = asked().get("news")
        return None if told is None else [News(*one) for one in told]

    return wait


def _look(place: Place) -> Picture:
    from pathlib import Path

    from sidecar.model.settings import Options
    from sidecar.session.asking import ask_picture

    picture: Picture | Failure | None = ask_picture(Path(place.top), Options(), prove=False)
    if picture is None:
        from sidecar.session.once import look  # loads libgit2

        picture = look(Path(place.top), Options(), prove=False)
    return _known(picture)


def _known(picture: Picture | Failure) -> Picture:
    """Give the Picture; ValueError, which the hook logs, where there is none."""
    from sidecar.model.findings import Failure

    if isinstance(picture, Failure):
        raise ValueError(picture.message)
    return picture


def _inside(place: Place, paths: Sequence[str]) -> list[str]:
    return [os.path.relpath(path, place.top).replace(os.sep, "/") for path in paths]


def _planned(edit: Edit) -> bytes | None:
    """Give what a file will have after an edit; None where the client does not tell, or it is not text."""
    if edit.content is not None:
        return edit.content.encode("utf-8", "surrogatepass")
    present = _read(edit.path)
    if edit.replaced is None or present is None:
        return None
    old, new = (part.encode("utf-8", "surrogatepass") for part in edit.replaced)
    return present.replace(old, new, -1 if edit.everywhere else 1) if old and old in present else None


def _read(path: str) -> bytes | None:
    try:
        return read_regular(path, MOST_TEXT)
    except OSError:
        return None
