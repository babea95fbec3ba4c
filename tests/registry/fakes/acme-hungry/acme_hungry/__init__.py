"""A plugin that declares network,files."""
