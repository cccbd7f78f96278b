"""The editor's door: it translates Pictures into the Language Server Protocol, and decides nothing."""
