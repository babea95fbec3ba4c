"""Signals of targets, and who may be asked now: circuit breakers, latency, load, shared with other processes."""
