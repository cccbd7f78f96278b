"""What the client at the other end can do, read once from `initialize`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lsprotocol.types import InitializeParams, MarkupKind

SECTION = "worktreeSidecar"
"""Under which name the client keeps our settings."""


@dataclass(frozen=True, slots=True)
class Client:
    """The abilities that change what we say, and the encoding that counts characters (utf-8, utf-16 or utf-32)."""

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


def read_client(params: InitializeParams, encoding: str) -> Client:
    """The client of `initialize`; `encoding` is the one that was settled with it."""
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
    )


def read_options(params: InitializeParams) -> tuple[bool | None, Mapping[str, object] | None]:
    """(`trusted`, `settings`) of the initialization options; None for what the client did not send."""
    options = params.initialization_options
    if not isinstance(options, Mapping):
        return None, None
    settings = options.get("settings")
    trusted = options["trusted"] is True if "trusted" in options else None
    return trusted, settings if isinstance(settings, Mapping) else None


def read_section(settings: object) -> Mapping[str, object] | None:
    """Our settings in those of `workspace/didChangeConfiguration`; None when they are not there."""
    section = settings.get(SECTION) if isinstance(settings, Mapping) else None
    return section if isinstance(section, Mapping) else None


def _get(value: Any, *names: str) -> Any:
    for name in names:
        value = getattr(value, name, None)
    return value
