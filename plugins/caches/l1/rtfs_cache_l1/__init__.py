"""The cache layer `l1`: remembers delegation plans in memory, bounded and with a time to live."""
