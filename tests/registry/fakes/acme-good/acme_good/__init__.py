"""A plugin with nothing wrong."""
