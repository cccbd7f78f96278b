"""Run the command `sidecar`: its global options, its commands, and how every one of them ends.

A command is imported when it is called: all of them together take longer than most answers.
"""

from __future__ import annotations

import os
from collections import UserDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import click

from sidecar import __version__
from sidecar.model.words import escape
from sidecar.system.streams import flush_output, take_streams

INTERRUPTED, BROKEN_PIPE = 130, 141
"""The exit statuses that a shell gives a command ended by SIGINT and SIGPIPE."""


NAMES = (
    *("serve", "mcp", "status", "overlaps", "check", "watch", "plan", "doctor"),
    *("open", "merge", "update", "release", "restore", "keep", "intended", "hook", "uninstall"),
)
"""The commands."""


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


def _load(name: str) -> click.Command:
    """Import a command; KeyError where there is none of that name."""
    match name:
        case "serve":
            return serve
        case "mcp":
            return mcp
        case "status":
            from sidecar.cli.status import status as found
        case "overlaps":
            from sidecar.cli.overlaps import overlaps as found
        case "check":
            from sidecar.cli.check import check as found
        case "watch":
            from sidecar.cli.watch import watch as found
        case "plan":
            from sidecar.cli.merge import plan_merges as found
        case "doctor":
            from sidecar.cli.doctor import doctor as found
        case "open":
            from sidecar.cli.open import open_worktree as found
        case "merge":
            from sidecar.cli.merge import merge as found
        case "update":
            from sidecar.cli.update import update as found
        case "release":
            from sidecar.cli.release import release as found
        case "restore":
            from sidecar.cli.restore import restore as found
        case "keep":
            from sidecar.cli.keep import keep as found
        case "intended":
            from sidecar.cli.intended import intended as found
        case "hook":
            from sidecar.cli.hook import hook as found
        case "uninstall":
            from sidecar.cli.uninstall import uninstall as found
        case _:
            raise KeyError(name)
    return found


class _Commands(UserDict[str, click.Command]):
    """The commands by their names, in click's own place for them; each is imported when it is asked for."""

    def __getitem__(self, name: str) -> click.Command:
        return _load(name)


class _Sidecar(click.Group):
    """Says itself how a command ends whose reader went away; click would call it an error."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            return BROKEN_PIPE


@click.group(
    cls=_Sidecar,
    commands=_Commands(dict.fromkeys(NAMES, click.Command(None))),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="sidecar %(version)s")
@click.option("-C", "directory", metavar="DIR", type=click.Path(exists=True, file_okay=False), help="Run in DIR.")
def sidecar(directory: str | None) -> None:
    """See where git worktrees of one repository meet, bring them into trunk, and let go of them without loss.

    A worktree is named by the last part of its path, by its branch or by its path.

    Exit status: 0 done, or nothing in the way; 2 a conflict found, or refused; 1 an error.
    """
    if directory is not None:
        os.chdir(directory)


def run(arguments: Sequence[str] | None, servers: Servers) -> int:
    """Run one command and give its exit status; `arguments` as in `sys.argv[1:]`, which None stands for.

    `servers` are what `serve` and `mcp` start: the doors do not know each other.
    """
    if not take_streams():
        click.echo("sidecar: There is no standard output to answer on. Nothing was done.", err=True)
        return 1
    failed: OSError | None = None
    try:
        ended = _run(arguments, servers)
    except OSError as error:
        ended, failed = 1, error
    unprinted = flush_output()
    if isinstance(unprinted, BrokenPipeError):
        return BROKEN_PIPE
    if unprinted is not None:
        click.echo(f"sidecar: The answer can't be printed: {unprinted.strerror}.", err=True)
        return 1
    if failed is not None:
        about = f"{escape(os.fsdecode(failed.filename))}: " if isinstance(failed.filename, str | bytes) else ""
        click.echo(f"sidecar: {about}{failed.strerror or failed}.", err=True)
    return ended


def _run(arguments: Sequence[str] | None, servers: Servers) -> int:
    """Give the exit status of a command; OSError where that is what ended it."""
    try:
        ended: int | None = sidecar.main(arguments, prog_name="sidecar", standalone_mode=False, obj=servers)
    except click.Abort:
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as missing:
        click.echo(missing.format_message(), err=True)
        return 1
    except click.UsageError as wrong:
        asked = wrong.ctx.command_path if wrong.ctx else "sidecar"
        said = escape(wrong.format_message())
        click.echo(f"sidecar: {said}{'' if said.endswith(('.', '?')) else '.'} See {asked} --help.", err=True)
        return 1
    except click.ClickException as failed:
        failed.show()
        return 1
    return ended or 0
