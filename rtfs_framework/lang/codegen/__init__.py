"""Codegen: IR to CPython `ast`. `program.emit_program` is the only entry.

Generated names: locals `<name>_<number>` (never two underscores in a row), top-level names `G__...`, builtins
`B__...`, constants `C__<n>`, checkers `K__<n>`, runtime helpers `rt_...` (listed in `kernel/support.py`). A node's
line number is an index into the span table, so that every Python version can tell the exact place of an error without
any cost at run time.
"""
