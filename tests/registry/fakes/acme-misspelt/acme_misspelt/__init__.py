"""A plugin with one hook misspelt, one not marked, and one right."""
