"""Ask the machine about files, mounts, processes, and the links between a worktree and its repository."""
