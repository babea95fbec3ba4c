"""Expander: macros. Core macros rewrite forms; a program's own macros are compiled and run by a callback."""
