"""Benchmarks: `python -m benchmarks`. One run, one table; a ratio always has its peer measured in the same run."""
