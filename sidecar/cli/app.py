"""The command `sidecar`: its global options, and how every command ends."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence

import click

from sidecar import __version__
from sidecar.cli.check import check
from sidecar.cli.keep import keep
from sidecar.cli.merge import merge
from sidecar.cli.opening import open_worktree
from sidecar.cli.overlaps import overlaps
from sidecar.cli.plan import plan
from sidecar.cli.release import release
from sidecar.cli.restore import restore
from sidecar.cli.serve import serve
from sidecar.cli.status import status
from sidecar.cli.watch import watch
from sidecar.model.messages import escape

INTERRUPTED, BROKEN_PIPE = 130, 141
"""The exit statuses that a shell gives a command ended by SIGINT and SIGPIPE."""


class _Commands(click.Group):
    """Says itself how a command ends whose reader went away; click would call it an error."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            ended = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())  # what is still buffered goes there when Python ends
            return BROKEN_PIPE
        return ended


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="sidecar %(version)s")
@click.option("-C", "directory", metavar="DIR", type=click.Path(exists=True, file_okay=False), help="Run in DIR.")
def sidecar(directory: str | None) -> None:
    """See where git worktrees of one repository meet, bring them into trunk, and let go of them without loss.

    A worktree is named by the last part of its path, by its branch or by its path.

    Exit status: 0 done, or nothing in the way; 2 a conflict found, or refused; 1 an error.
    """
    if directory is not None:
        os.chdir(directory)


for _command in (serve, status, overlaps, check, watch, open_worktree, plan, merge, release, restore, keep):
    sidecar.add_command(_command)


def run(arguments: Sequence[str] | None, start_server: Callable[[], int | None]) -> int:
    """Run one command and give its exit status; `arguments` as in `sys.argv[1:]`, which None stands for.

    `start_server` is what `serve` calls: the doors do not know each other.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        ended: int | None = sidecar.main(arguments, prog_name="sidecar", standalone_mode=False, obj=start_server)
    except click.Abort:
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as missing:
        click.echo(missing.format_message(), err=True)
        return 1
    except click.UsageError as wrong:
        asked = wrong.ctx.command_path if wrong.ctx else "sidecar"
        click.echo(f"sidecar: {escape(wrong.format_message()).rstrip('.')}. See {asked} --help.", err=True)
        return 1
    except click.ClickException as failed:
        failed.show()
        return 1
    except OSError as failed:
        about = f"{escape(os.fsdecode(failed.filename))}: " if isinstance(failed.filename, str | bytes) else ""
        click.echo(f"sidecar: {about}{failed.strerror or failed}.", err=True)
        return 1
    return ended or 0
