"""Keep the documents that are open in the editor, as typed; find where a URI lies on disk.

pygls keeps documents too, but splits their lines where LSP does not (at a form feed, for example), which garbles them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes, urlsplit

from lsprotocol.types import (
    TextDocumentContentChangeEvent,
    TextDocumentContentChangePartial,
    TextDocumentItem,
)

from sidecar.lsp.positions import offset_at

_SAFE = "/!$&'()*+,;=:@-._~"
_DIRECTORY_END = ("/", os.sep)


@dataclass(frozen=True, slots=True)
class Document:
    """One open document.

    `path` is absolute with every link followed; `root` the directory above it that has a `.git`, if any.
    `version` is the client's and starts anew whenever the document is opened; `stamp` is ours and only grows.
    `edited` says that the text has changed since it was opened or saved.
    """

    uri: str
    path: str
    root: str | None
    version: int
    stamp: int
    text: str
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    """A workspace folder: the client's URI, and the real path of it."""

    uri: str
    path: str


def open_document(item: TextDocumentItem, stamp: int) -> Document | None:
    """Give the document that was opened; None unless it is a file outside git's own directories."""
    path = path_of(item.uri)
    if path is None:
        return None
    real = os.path.realpath(path)
    if ".git" in Path(real).parts:
        return None
    return Document(item.uri, real, repository_root(real), item.version, stamp, item.text)


def change_document(
    document: Document,
    changes: Iterable[TextDocumentContentChangeEvent],
    version: int,
    stamp: int,
    encoding: str,
) -> Document:
    """Give the document after the changes of one `textDocument/didChange`, each on top of the one before."""
    text = document.text
    for change in changes:
        if isinstance(change, TextDocumentContentChangePartial):
            start = offset_at(text, change.range.start, encoding)
            end = offset_at(text, change.range.end, encoding)
            text = text[:start] + change.text + text[max(start, end) :]
        else:
            text = change.text
    return replace(document, text=text, version=version, stamp=stamp, edited=True)


def repository_root(path: str) -> str | None:
    """Give the nearest directory, the path itself or above it, that has a `.git`."""
    place = Path(path)
    return next((str(above) for above in (place, *place.parents) if (above / ".git").exists()), None)


def path_of(uri: str) -> str | None:
    """Give the absolute path of a `file:` URI, decoded as `os.fsdecode` does; None for any other."""
    parts = urlsplit(uri)
    if parts.scheme != "file" or "%00" in parts.path:
        return None
    if sys.platform == "win32":
        from urllib.request import url2pathname  # brings an HTTP client along

        return url2pathname(f"//{parts.netloc}{parts.path}" if parts.netloc else parts.path)
    path = os.fsdecode(unquote_to_bytes(parts.path))
    return path if path.startswith("/") else None


def plain_uri(path: str) -> str:
    """Give the `file:` URI of an absolute path."""
    if sys.platform == "win32":
        from urllib.request import pathname2url

        return f"file:{pathname2url(path)}"
    return f"file://{quote(os.fsencode(path), safe=_SAFE)}"


def within(path: str, folder: str) -> bool:
    """Tell whether an absolute path is the folder, or lies in it."""
    return path == folder or path.startswith(folder if folder.endswith(_DIRECTORY_END) else folder + "/")


def file_uri(path: str, folders: Iterable[Folder]) -> str:
    """Give the URI by which the client knows a path that is not open: spelled like the innermost folder around it."""
    around = [folder for folder in folders if within(path, folder.path)]
    if not around:
        return plain_uri(path)
    folder = max(around, key=lambda found: len(found.path))
    rest = path[len(folder.path.rstrip("/")) + 1 :]
    return f"{folder.uri.rstrip('/')}/{quote(os.fsencode(rest), safe=_SAFE)}" if rest else folder.uri
