"""Capabilities of rtfs_framework: files under roots that are granted, and data of them in pieces."""
