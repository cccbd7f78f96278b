"""Read everything that a linked worktree holds, so that a release can prove that nothing is lost."""
