"""Tests of Worktree Sidecar; `harness` builds the repositories that they run on."""
