"""`sidecar keep`: what the guard of a server or of `sidecar watch` starts; nobody else needs it."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict

import click


@click.command(hidden=True)
def keep() -> None:
    """Keep the states of worktrees that standard input asks for."""
    from sidecar.operations.guard.writing import answer  # --help and serve do without

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing temporary is left
    for done in answer(sys.stdin.buffer):
        click.echo(json.dumps(asdict(done)))
