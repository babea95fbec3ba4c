"""Flows: for every place that may ask the host, what its arguments, and whether it is reached, depend on."""
