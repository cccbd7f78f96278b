"""See where git worktrees of one repository meet, before they are merged."""

__version__ = "0.1.0"
