"""Bring one worktree into trunk: planned, agreed to, made in a landing repository, verified, landed as a whole."""
