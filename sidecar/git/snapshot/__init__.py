"""A linked worktree as one commit, and back again, byte for byte (docs/architecture.md, "Snapshots")."""
