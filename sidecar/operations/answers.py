"""Answer from a session's Picture what commands and hooks ask, in the words that they print: they have nothing to load.

What is rarely asked for is imported where it is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from sidecar.model.findings import Failure
from sidecar.model.picture import Picture, Undone, problems
from sidecar.operations.presence import CLIENTS
from sidecar.session.host import Answer, with_uses
from sidecar.session.live import Session
from sidecar.session.wire import Message

if TYPE_CHECKING:
    from sidecar.model.schema import Json
    from sidecar.session.check import CheckedFile


Answers = Mapping[str, Answer]


class Checked(NamedTuple):
    """What is known of the files of a check, who is there, and what (by worktree) takes trunk back in them."""

    files: Sequence[CheckedFile]
    agents: Sequence[Json]
    undone: Sequence[tuple[str, Undone]]


def give_news(session: Session, picture: Picture, message: Message) -> Message:
    """Give {"news": [[mark, text, is a conflict]]} for the worktree `key`: of its `paths`, or all conflicts."""
    from sidecar.operations.picture_news import broken_use_news, overlap_news

    key = str(message["key"])
    if "paths" not in message:
        return {"news": overlap_news(picture, key, only_conflicts=True)}
    picture = with_uses(session, picture, message)
    return {"news": [*overlap_news(picture, key), *broken_use_news(picture, key)]}


def give_status(session: Session, picture: Picture, message: Message) -> Message | None:
    """Give {"status": what `status --json` prints}; `pid` is the process that asks."""
    from sidecar.model.schema import status_object
    from sidecar.operations.who_is_there import objects_of, users_of

    if not sees_the_same(picture, message):
        return None
    picture = with_uses(session, picture, message)
    return {"status": status_object(picture, *objects_of(users_of(picture, int(message["pid"]), session.opened)))}


def give_check(session: Session, picture: Picture, message: Message) -> Message | None:
    """Give {"check": what `check --json` prints of these `places` (absolute paths), "problems": [[name, sentence]]}."""
    from sidecar.session.check import object_of

    found = check_in(session, picture, message)
    if found is None:
        return None
    return {"check": object_of(found.files, found.agents, found.undone), "problems": problems(picture)}


def check_in(session: Session, picture: Picture, message: Message) -> Checked | None:
    """Check the `places` (absolute paths) of a question; None where the one who asks has to look."""
    from sidecar.operations.who_is_there import agents_in
    from sidecar.session.check import check_path, others_in, undone_in

    if not sees_the_same(picture, message):
        return None
    picture = with_uses(session, picture, message)
    files: list[CheckedFile] = []
    for place in message["places"]:
        found = check_path(picture, str(place))
        if isinstance(found, Failure):
            return None
        files += found
    missing: list[str] = []

    def taken_back(key: str) -> Sequence[Undone]:
        found = session.taken_back(picture, key)
        missing.extend([key] if found is None else [])
        return found or ()

    undone = undone_in(files, taken_back)
    return None if missing else Checked(files, agents_in(picture, others_in(files), session.opened), undone)


def give_undone(session: Session, picture: Picture, message: Message) -> Message | None:
    """Give {"undone": [all that the worktree `key` takes back of trunk]}, to be decoded."""
    found = session.taken_back(picture, str(message["key"]))
    return None if found is None else {"undone": found}


def sees_the_same(picture: Picture, message: Message) -> bool:
    """Tell whether who asks would find the same agents, and nothing of a killed operation, which it would clear up."""
    from sidecar.operations.records import has_nothing_left

    return message.get("clients") == os.environ.get(CLIENTS) and has_nothing_left(picture.repository)


ANSWERS: Answers = MappingProxyType(
    {"news": give_news, "status": give_status, "check": give_check, "undone": give_undone}
)
"""By the word that asks."""
