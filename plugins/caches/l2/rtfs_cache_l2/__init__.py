"""The cache layer `l2`: remembers inference replies in SQLite, across runs and processes."""
