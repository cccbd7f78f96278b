"""`sidecar hook --install` and `--uninstall`: for people; what a client calls is in `sidecar.agents`, and not here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sidecar.cli.options import DONE, FAILED, agree, answered, here
from sidecar.model.words import escape, escape_lines

if TYPE_CHECKING:
    from sidecar.operations.agent_hooks import HookPlan, Scope

NAMES = ("claude", "codex", "copilot", "cursor", "gemini", "kilo", "opencode", "qwen", "vscode")
FOUND = "all"
"""Stands for the clients that are found here."""


@click.command("hook", short_help="Have agents told where their edits meet others.")
@click.option("--install", metavar="CLIENT", is_flag=False, flag_value=FOUND, help="Have this client call it.")
@click.option("--uninstall", metavar="CLIENT", is_flag=False, flag_value=FOUND, help="Take that out again.")
@click.option("--all", "everywhere", is_flag=True, help="For CLIENT: every one that is found here.")
@click.option("--user", "scope", flag_value="user", default="user", help="In your own settings (the default).")
@click.option("--project", "scope", flag_value="project", help="In this worktree's files, to be committed.")
@click.option("--dry-run", "-n", is_flag=True, help="Only show the changes.")
@click.option("--yes", "-y", is_flag=True, help="Consent to the changes as shown.")
@click.option("--client", metavar="CLIENT", hidden=True)
@click.option("--event", metavar="EVENT", hidden=True)
def hook(
    install: str | None,
    uninstall: str | None,
    everywhere: bool,
    scope: str,
    dry_run: bool,
    yes: bool,
    client: str | None,  # noqa: ARG001
    event: str | None,  # noqa: ARG001
) -> int:
    """Have the clients of agents call the sidecar, so that an agent is told where its edits meet other worktrees.

    CLIENT is claude, codex, copilot, cursor, gemini, kilo, opencode, qwen or vscode. The client then runs
    sidecar hook --client CLIENT with one JSON object on standard input, which exits with 0 whatever happens.
    """
    if (install is None) == (uninstall is None):
        raise click.UsageError("Give --install CLIENT or --uninstall CLIENT")
    name = install or uninstall or FOUND
    if name != FOUND and (name not in NAMES or everywhere):
        raise click.UsageError(f"{name} is none of {', '.join(NAMES)}, or not the only one with --all")
    plans = _plan(name, scope, remove=uninstall is not None)
    changing = [plan for plan in plans if plan.changes]
    for plan in changing:
        click.echo(f"{escape(str(plan.path))}\n{escape_lines(plan.difference)}", err=True)
    if not changing:
        click.echo("Nothing is to be changed.", err=True)
    if not changing or dry_run:
        return DONE
    if not agree("Change these files?" if len(changing) > 1 else "Change this file?", yes=yes):
        return FAILED
    from sidecar.operations.agent_hooks import CLIENTS, apply_hooks

    for plan in changing:
        if (failure := apply_hooks(plan)) is not None:
            answered(failure)
        todo = CLIENTS[plan.client].todo if install is not None else "It calls the sidecar no more."
        click.echo(f"{CLIENTS[plan.client].title}: {todo}", err=True)
    return DONE


def _plan(name: str, scope: str, *, remove: bool) -> Sequence[HookPlan]:
    """Plan what is to be changed for one client, or all that are found; refuse where a file is not understood."""
    from sidecar.operations.agent_hooks import found_clients, has_edits_refused, plan_hooks, project_of

    folder = answered(project_of(here())) if scope == "project" else here()
    names = found_clients() if name == FOUND else (name,)
    if not names:
        click.echo("No client of an agent is found here.", err=True)
    blocks = has_edits_refused(folder)
    where: Scope = "project" if scope == "project" else "user"
    return [answered(plan_hooks(one, where, folder, blocks=blocks, remove=remove)) for one in names]
