"""Bring one worktree into trunk: planned, agreed to, made and verified in a landing repository, landed as a whole."""
