"""Find the language servers that an editor runs."""

import psutil

from scripts.editor.codeserver import CodeServer


def is_server(process: psutil.Process) -> bool:
    try:
        return process.name() == "sidecar" and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def newest_server(editor: CodeServer, but: psutil.Process | None = None) -> psutil.Process | None:
    """The server of the window that was opened last; None while there is none, or while it is still `but`."""
    family = psutil.Process(editor.process.pid).children(recursive=True)
    servers = [it for it in family if is_server(it)]
    newest = max(servers, key=lambda it: it.create_time(), default=None)
    return None if newest == but else newest
