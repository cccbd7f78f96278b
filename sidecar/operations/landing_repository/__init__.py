"""Make the landing repository, where a merge finds what git and every hook find in trunk's checkout."""
