"""Analyzer: forms to IR. Names are resolved, special forms checked and lowered; macros expand on demand, because what
the head of a list means depends on the scope it stands in. `analyze.analyze_program` is the only entry.
"""
