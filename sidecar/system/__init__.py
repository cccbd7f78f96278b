"""The machine: which processes are inside a worktree, this program once more, and memory."""
