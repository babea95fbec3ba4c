"""Conformance cases: language facts as data (TOML), run against the real compiler and kernel."""
