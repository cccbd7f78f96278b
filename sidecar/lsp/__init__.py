"""The editor's door: it translates Pictures into the Language Server Protocol, and decides nothing."""

from sidecar.lsp.serve import serve

__all__ = ["serve"]
