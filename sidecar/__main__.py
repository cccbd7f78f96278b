"""Run the command `sidecar`: put the doors together."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sidecar.model.picture import Picture
    from sidecar.session.live import Session
    from sidecar.session.wire import Message

FOR_PEOPLE = ("--install", "--uninstall", "--help", "-h")
"""The options of `sidecar hook` that a person gives; with any other arguments an agent's client calls it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    if arguments is None and sys.argv[1:2] == ["hook"] and _is_called_by_a_client(sys.argv[2:]):
        from sidecar.agents.hook import run as run_hook  # agents wait for it: nothing else is imported

        run_hook(sys.argv[2:])
        return 0
    if arguments is None and sys.argv[1:] == ["session-process"]:
        from sidecar.system.detached import leave_parent

        leave_parent()
        from sidecar.operations.session_process import run as run_session

        return run_session({"printed-status": _print_status, "printed-check": _print_check})
    from sidecar.cli.app import Servers, run
    from sidecar.system.streams import use_utf8

    if arguments is None:
        use_utf8()
    return run(arguments, Servers(_serve, _serve_mcp))


def _is_called_by_a_client(arguments: Sequence[str]) -> bool:
    for_people = any(given.partition("=")[0] in FOR_PEOPLE for given in arguments)
    return not for_people and sys.stdin is not None and not sys.stdin.isatty()


def _print_status(session: Session, picture: Picture, message: Message) -> Message | None:
    from sidecar.cli.answers import give_printed_status  # loads what prints, once somebody asks

    return give_printed_status(session, picture, message)


def _print_check(session: Session, picture: Picture, message: Message) -> Message | None:
    from sidecar.cli.answers import give_printed_check

    return give_printed_check(session, picture, message)


def _serve() -> int | None:
    from sidecar.session.starting import prepare

    prepare()  # the session's process loads while this one loads the protocol
    from sidecar.lsp.server import serve

    return serve()


def _serve_mcp() -> int:
    from sidecar.agents.mcp import serve

    return serve()


if __name__ == "__main__":
    sys.exit(main())
