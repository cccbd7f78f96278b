"""Read source text by tree-sitter: what it defines, uses and imports. Pure: it asks neither git nor the disk."""
