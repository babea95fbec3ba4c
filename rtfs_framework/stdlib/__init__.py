"""The standard library: pure functions, one family per file, one table (`table.BUILTINS`).

A builtin takes and returns RTFS values, raises only `ProgramError`, and never does I/O.
"""
