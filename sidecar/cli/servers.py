"""`sidecar serve` and `sidecar mcp`: start a server, which is no part of this door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import click


@dataclass(frozen=True, slots=True)
class Servers:
    """What starts each server, and gives its exit status: the doors do not know each other."""

    language: Callable[[], int | None]
    mcp: Callable[[], int | None]


@click.command(short_help="The language server, for editors.")
@click.option("--stdio", is_flag=True, hidden=True, help="What it does anyway; editors add it.")
@click.option("--clientProcessId", "client", hidden=True, help="Given by editors; `initialize` says it too.")
@click.pass_obj
def serve(servers: Servers, stdio: bool, client: str | None) -> int:  # noqa: ARG001
    """Run the language server on standard input and output."""
    return servers.language() or 0


@click.command(short_help="The same answers over MCP, for agents.")
@click.pass_obj
def mcp(servers: Servers) -> int:
    """Run a server of the Model Context Protocol on standard input and output.

    An agent's client starts it: see docs/mcp.md. What changes a repository needs a person's consent.
    """
    try:
        return servers.mcp() or 0
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in ("mcp", "mcp_types", "pydantic", "anyio"):
            raise
        raise click.ClickException(
            "The MCP server needs more packages: pip install 'worktree-sidecar[mcp]'"
        ) from missing
