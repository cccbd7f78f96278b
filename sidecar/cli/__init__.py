"""The terminal's door: one file a command group; it asks the session, shows, and decides nothing."""
