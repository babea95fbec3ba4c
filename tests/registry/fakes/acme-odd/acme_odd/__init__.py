"""A plugin that declares netwrok."""
