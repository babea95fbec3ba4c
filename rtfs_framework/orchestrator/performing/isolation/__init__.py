"""Handlers in child processes: what crosses, what the child may do, and how it is ended."""
