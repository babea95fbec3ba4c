"""The language: source text in, a CPython code object out. Pure: no I/O, no clock, no plugin system.

The stages, in order (each imports only the ones before it): source, diagnostics, values, errors, forms, reader,
expander, ir, analyzer, passes, codegen, pipeline.
"""
