"""Remove a worktree after proving that its work is in trunk, and keep everything else restorable."""
