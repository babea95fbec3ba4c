"""Working memory of rtfs_framework: an observer that keeps what runs did and learned, and commands that search it."""
