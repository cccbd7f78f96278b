"""Keep each worktree's recent present states under refs, so that what vanishes or is wiped can be restored."""
