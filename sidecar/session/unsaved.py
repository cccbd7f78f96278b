"""An editor's text as the bytes that saving it would write."""

from __future__ import annotations

import codecs
from dataclasses import replace
from pathlib import Path

from sidecar.session.reading import Unsaved


def as_saved(path: str, held: Unsaved) -> Unsaved:
    """The text with the byte order mark that the file has on disk, which editors keep to themselves.

    Raises UnicodeDecodeError for a file that is not UTF-8: the editor's text says nothing about its bytes then.
    """
    try:
        content = Path(path).read_bytes()
    except OSError:
        return held
    content.decode("utf-8")
    mark = codecs.BOM_UTF8
    if content.startswith(mark) and not held.text.startswith(mark):
        return replace(held, text=mark + held.text)
    return held
