"""What git says and does: the only importer of pygit2 and the only spawner of git."""
