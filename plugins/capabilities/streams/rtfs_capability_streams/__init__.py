"""Streams for rtfs_framework: sources, positions, states and bounded queues in one SQLite file."""
