"""The commands of `workspace/executeCommand`: plan, consent, apply, a file an operation."""
