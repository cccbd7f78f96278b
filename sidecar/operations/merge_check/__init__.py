"""The person's checking command on merges that nobody has made yet: what alone is fine, and together is not."""
