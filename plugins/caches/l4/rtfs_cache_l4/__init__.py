"""The cache layer `l4`: keeps compiled programs in an SQLite file, bounded by number and by size."""
