"""A plugin that declares none."""
