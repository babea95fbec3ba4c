"""Analyzer: forms to IR.

Names are resolved, special forms checked and lowered. Macros expand on demand, because what the head of a list means
depends on the scope it stands in.
"""
