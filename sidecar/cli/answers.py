"""Print a status and a check for a person: in the command, or in a session, which has loaded what that takes."""

from __future__ import annotations

import os
from collections.abc import Sequence

from rich.text import Text

from sidecar.cli.options import problem_lines, status_of_check, unknown_lines
from sidecar.cli.output import Output, Printed
from sidecar.cli.render import broken_use_block, checked_blocks, text_of
from sidecar.cli.status_table import status_blocks
from sidecar.model.messages import undone_clause
from sidecar.model.picture import Picture, watch_sentence
from sidecar.model.words import escape, shown
from sidecar.operations.answers import Checked, check_in, sees_the_same
from sidecar.operations.who_is_there import InUse, users_of
from sidecar.session.host import with_uses
from sidecar.session.live import Session
from sidecar.session.watch_notes import watch_notes
from sidecar.session.wire import Message

MOST_WIPED = 3
"""How many wipes are told of: the newest ones."""


def print_status(picture: Picture, users: InUse, output: Output) -> Printed:
    """Print a status, with who watches the repository; on standard error what was wiped, and what setups came to."""
    watching = [Text(watch_sentence(note), style="dim") for note in watch_notes(picture.repository)]
    blocks = [*status_blocks(picture, users, output.columns), *watching]
    return Printed(text_of(blocks, output), (*_wiped(picture), *_setups(picture)))


def print_check(found: Checked, pictures: Sequence[Picture], names: Sequence[str], output: Output) -> Printed:
    """Print what is known of the files of a check; on standard error what is unusual in their repositories.

    `names` are the paths as the person gave them.
    """
    files, agents, undone = found
    unknown = list(dict.fromkeys(one for file in files for one in file.unknown))
    status = status_of_check(files)
    err = tuple(line for picture in pictures for line in problem_lines(picture, unknown))
    below = "".join(f"{line}\n" for line in unknown_lines(unknown))
    if not undone and not any(file.meetings or file.elsewhere or file.broken for file in files):
        nobody = "Nobody else is known to have changed" if unknown else "Nobody else has changed"
        return Printed(f"{nobody} {', '.join(map(escape, names))}.\n{below}", err, status)
    taken = [(one.path, undone_clause(one, _branch(pictures))) for _, one in undone]
    blocks = checked_blocks(files, agents, taken, output.columns, is_all=not unknown)
    blocks += [broken_use_block(file.broken, file.worktree.key) for file in files if file.broken]
    return Printed(text_of(blocks, output) + below, err, status)


def give_printed_status(session: Session, picture: Picture, message: Message) -> Message | None:
    """Give {"printed-status": a status as it is printed for that `output`}; `pid` is the process that asks."""
    if not sees_the_same(picture, message):
        return None
    picture = with_uses(session, picture, message)
    users = users_of(picture, int(message["pid"]), session.opened)
    return {"printed-status": print_status(picture, users, _output(message))}


def give_printed_check(session: Session, picture: Picture, message: Message) -> Message | None:
    """Give {"printed-check": a check of the `places` (absolute paths; as given: `names`) as printed for `output`}."""
    found = check_in(session, picture, message)
    if found is None:
        return None
    names = [str(name) for name in message["names"]]
    return {"printed-check": print_check(found, [picture], names, _output(message))}


def _output(message: Message) -> Output:
    columns, terminal, variables = message["output"]
    return Output(int(columns), bool(terminal), {str(name): str(value) for name, value in variables.items()})


def _wiped(picture: Picture) -> list[str]:
    """Say what was wiped and is not restored, until somebody has dismissed it or let go of it."""
    if not os.path.isdir(os.path.join(picture.repository, "sidecar", "receipts")):
        return []
    from sidecar.operations.guard.wiped import unanswered

    found = unanswered(picture.repository)[:MOST_WIPED]
    return [f"{escape(one.sentence)} Bring it back: sidecar restore {one.receipt}" for one in found]


def _setups(picture: Picture) -> list[str]:
    """Say which setups of worktrees are running, failed, or never ended."""
    noted = [state.worktree for state in picture.worktrees if os.path.exists(f"{state.worktree.git_dir}/sidecar/setup")]
    if not noted:
        return []
    from sidecar.operations.setup import setup_sentence

    return [said for one in noted if (said := setup_sentence(one.git_dir, one.name))]


def _branch(pictures: Sequence[Picture]) -> str:
    trunk = next((picture.trunk for picture in pictures if picture.trunk is not None), None)
    return shown(trunk.branch) if trunk is not None else "trunk"
