"""Ask git, and have it act: the only package that imports pygit2 or starts git."""
