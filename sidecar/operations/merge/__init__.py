"""Bringing one worktree into trunk: planned, agreed to, made aside, verified, and landed wholly or not at all."""
