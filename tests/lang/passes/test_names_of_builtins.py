"""What passes and codegen know of library functions they know by their names: those of the table, never an alias.

An alias is resolved before any pass runs, so a line for one says nothing, and hides that the name itself has none.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from rtfs_framework.kernel import effects
from rtfs_framework.kernel.prelude import PRELUDE
from rtfs_framework.lang import codegen, passes
from rtfs_framework.lang.codegen import growth, metering, speculation, templates
from rtfs_framework.lang.passes import fuse, kinds, known, proofs, wants
from rtfs_framework.stdlib.library import BUILTINS

assert effects.call  # its import enters the host's names
LIBRARY = {**PRELUDE, **BUILTINS}
ALIASES = {name for name, record in LIBRARY.items() if name != record.name}
PYTHON = {"len"}
"""Names of Python's that codegen writes, and that are aliases too."""
FILES = sorted(path for package in (passes, codegen) for path in Path(package.__path__[0]).glob("*.py"))
TABLES = {
    "known": known.PLAIN | known.FOLDED | known.NUMERIC,
    "kinds": kinds.FAIL_FOR_NIL | kinds.COUNTS | kinds.FLOATS | kinds.ORDER | kinds._ALIKE,
    "wants": {name for name in wants._OPERATIONS | wants._ON_VECTORS | wants._SAME if name[0] != "%"},
    "proofs": proofs._NUMERIC | proofs._SAME_ITEMS.keys(),
    "fuse": fuse._STEPS.keys() | fuse._ENDS | fuse._ALIKE | fuse._NONE_FOUND.keys(),
    "metering": metering._CHEAP,
    "speculation": speculation._ITEMS,
    "growth": growth._OF_ITEMS,
    "templates": {name for name, _ in templates.TEMPLATES},
}


def words(path):
    """Return the words of the short texts in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not node.value.count(". "):
            yield from node.value.split()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_file_names_an_alias(path):
    assert ALIASES & set(words(path)) <= PYTHON


@pytest.mark.parametrize("table", TABLES)
def test_every_name_of_a_table_is_one_of_the_library(table):
    assert [name for name in TABLES[table] if name not in LIBRARY or LIBRARY[name].name != name] == []
