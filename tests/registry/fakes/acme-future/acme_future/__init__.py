"""A plugin for a later plugin API."""
