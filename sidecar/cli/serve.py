"""`sidecar serve`: hand standard input and output to the language server."""

from __future__ import annotations

from collections.abc import Callable

import click


@click.command(short_help="The language server, for editors.")
@click.option("--stdio", is_flag=True, hidden=True, help="What it does anyway; editors add it.")
@click.option("--clientProcessId", "client", hidden=True, help="Given by editors; `initialize` says it too.")
@click.pass_obj
def serve(start: Callable[[], int | None], stdio: bool, client: str | None) -> int:  # noqa: ARG001
    """Run the language server on standard input and output."""
    return start() or 0
