"""What a terminal gets beside the command: completions for its shells, and the page of `man sidecar`."""

import re
from collections.abc import Iterator, Mapping

import click
from click.shell_completion import get_completion_class

from sidecar import __version__
from sidecar.cli.app import sidecar

COMPLETIONS = {"bash": "sidecar.bash", "zsh": "_sidecar", "fish": "sidecar.fish"}
"""The file of each shell, named as the shell looks for it."""


def completion_texts() -> Mapping[str, str]:
    """The files, by their names: what click prints for `_SIDECAR_COMPLETE=bash_source sidecar` and the like."""
    return {name: _source(shell) for shell, name in COMPLETIONS.items()}


def _source(shell: str) -> str:
    made = get_completion_class(shell)
    assert made is not None
    one = made(sidecar, {}, "sidecar", "_SIDECAR_COMPLETE")
    return (one.source_template % one.source_vars()).strip() + "\n"


def manual_text() -> str:
    """The page, in the macros of man(7)."""
    context = click.Context(sidecar, info_name="sidecar", **sidecar.context_settings)
    parts = [
        f'.TH SIDECAR 1 "" "worktree-sidecar {__version__}" "Worktree Sidecar"',
        ".SH NAME",
        "sidecar \\- see where git worktrees meet, merge them, and let go of them without loss",
        ".SH SYNOPSIS",
        "\\fBsidecar\\fR [\\fB\\-C\\fR \\fIDIR\\fR] \\fICOMMAND\\fR [\\fIARGUMENT\\fR...]",
        ".SH DESCRIPTION",
        *_paragraphs(sidecar.help or ""),
        ".SH OPTIONS",
        *_options(sidecar, context),
        ".SH COMMANDS",
    ]
    for name, command in sorted(sidecar.commands.items()):
        parts += _command(name, command, context)
    parts += [
        ".SH SEE ALSO",
        ".BR git\\-worktree (1),",
        ".BR git\\-merge (1)",
    ]
    return "\n".join(parts) + "\n"


def _command(name: str, command: click.Command, above: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=above)
    usage = " ".join(command.collect_usage_pieces(context)[1:])
    yield f".SS {_plain(f'sidecar {name} {usage}'.rstrip())}"
    yield from _paragraphs(command.help or "")
    yield from _options(command, context)


def _paragraphs(text: str) -> Iterator[str]:
    for index, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if index:
            yield ".PP"
        yield _plain(" ".join(paragraph.split()))


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        if record is not None:
            yield ".TP"
            yield f"\\fB{_plain(record[0])}\\fR"
            yield _plain(record[1])


def _plain(text: str) -> str:
    """Text that troff takes as it is."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
