"""Keeps each linked worktree's last present state under a ref, so that one that vanishes can be restored."""
