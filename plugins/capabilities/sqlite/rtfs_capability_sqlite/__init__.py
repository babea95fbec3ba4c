"""Capabilities of rtfs_framework: SQL for SQLite files that are granted by name."""
