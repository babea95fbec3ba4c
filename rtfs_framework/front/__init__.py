"""The front door for Python: what `import rtfs_framework as rtfs` offers beside sessions and errors."""
