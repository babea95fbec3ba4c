"""Formatter: a concrete tree that loses nothing but white space, and the layout of that tree.

tokens   text -> the reader's own tokens, with comments and line ends between them
tree     tokens -> nodes: leaves, groups, prefixed forms; comments are entries of their group
styles   which part of a form stands where: special forms, pairs, bindings, calls
layout   nodes -> text
check    the text before and after: same forms, same comments
"""
