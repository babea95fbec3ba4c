"""Passes over the IR: each one file and one function from program to program.

`mutual` is about meaning (constant space for tail calls); optimisations come here too.
"""
