"""Read what the client at the other end can do, once, from `initialize`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lsprotocol.types import InitializeParams, MarkupKind

SECTION = "worktreeSidecar"
"""Under which name the client keeps our settings."""


@dataclass(frozen=True, slots=True)
class Client:
    """The abilities that change what we say, and the encoding that counts characters (utf-8, utf-16 or utf-32).

    The last ones are what it asked for in the initialization options: `picture`, the messages `sidecar/picture`;
    `waits`, the outcome of an operation as the answer of its command, however long that takes; `consents`, the requests
    `sidecar/consent`; `more_fixes`, quick fixes beyond six as the argument of a command of its own; `hover_links`,
    commands as links in a hover, where it shows the message of a diagnostic by itself; `merge_editor`, to open what is
    to be resolved itself; `results`, the messages `sidecar/result`, with next steps on buttons.
    """

    encoding: str = "utf-16"
    related_information: bool = False
    code_description: bool = False
    action_literals: bool = False
    document_changes: bool = False
    markdown: bool = False
    show_document: bool = False
    diff_editor: bool = False
    lens_refresh: bool = False
    configuration: bool = False
    progress: bool = False
    picture: bool = False
    waits: bool = False
    consents: bool = False
    more_fixes: bool = False
    hover_links: bool = False
    merge_editor: bool = False
    results: bool = False


def read_client(params: InitializeParams, encoding: str) -> Client:
    """Give the client of `initialize`; `encoding` is the one that was settled with it."""
    capabilities = params.capabilities
    experimental = capabilities.experimental
    hover_formats = _get(capabilities, "text_document", "hover", "content_format") or ()
    return Client(
        encoding=encoding,
        related_information=bool(_get(capabilities, "text_document", "publish_diagnostics", "related_information")),
        code_description=bool(_get(capabilities, "text_document", "publish_diagnostics", "code_description_support")),
        action_literals=bool(_get(capabilities, "text_document", "code_action", "code_action_literal_support")),
        document_changes=bool(_get(capabilities, "workspace", "workspace_edit", "document_changes")),
        markdown=MarkupKind.Markdown in hover_formats,
        show_document=bool(_get(capabilities, "window", "show_document", "support")),
        diff_editor=isinstance(experimental, Mapping) and experimental.get("diffEditor") is True,
        lens_refresh=bool(_get(capabilities, "workspace", "code_lens", "refresh_support")),
        configuration=bool(_get(capabilities, "workspace", "configuration")),
        progress=bool(_get(capabilities, "window", "work_done_progress")),
        picture=_asks_for(params, "picture"),
        waits=_asks_for(params, "waits"),
        consents=_asks_for(params, "consents"),
        more_fixes=_asks_for(params, "moreFixes"),
        hover_links=_asks_for(params, "hoverLinks"),
        merge_editor=_asks_for(params, "mergeEditor"),
        results=_asks_for(params, "results"),
    )


def read_options(params: InitializeParams) -> tuple[bool | None, Mapping[str, object] | None]:
    """Read (`trusted`, `settings`) of the initialization options; None for what the client did not send."""
    options = params.initialization_options
    if not isinstance(options, Mapping):
        return None, None
    settings = options.get("settings")
    trusted = options["trusted"] is True if "trusted" in options else None
    return trusted, settings if isinstance(settings, Mapping) else None


def _asks_for(params: InitializeParams, name: str) -> bool:
    options = params.initialization_options
    return isinstance(options, Mapping) and options.get(name) is True


def read_section(settings: object) -> Mapping[str, object] | None:
    """Give our settings in those of `workspace/didChangeConfiguration`; None when they are not there."""
    section = settings.get(SECTION) if isinstance(settings, Mapping) else None
    return section if isinstance(section, Mapping) else None


def _get(value: Any, *names: str) -> Any:
    for name in names:
        value = getattr(value, name, None)
    return value
