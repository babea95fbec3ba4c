"""Every example of the table, compiled and run: documentation that cannot be wrong."""

from __future__ import annotations

import pytest

from rtfs_framework.lang.errors import LanguageError, ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.values import is_vector

running = pytest.importorskip("rtfs_framework.testing.run")
library = pytest.importorskip("rtfs_framework.stdlib.library")

RECORDS = list(dict.fromkeys(library.BUILTINS.values()))
EXAMPLES = [(record.name, *example) for record in RECORDS for example in record.examples]


def canonical(value):
    """Return a value with the entries of its maps in the order of their printed keys."""
    if value.__class__ is Map:
        return Map.of(sorted(((k, canonical(v)) for k, v in value.items()), key=lambda entry: write(entry[0])))
    return tuple(map(canonical, value)) if is_vector(value) else value


@pytest.mark.parametrize(("name", "source", "expected"), EXAMPLES)
def test_example(name, source, expected):
    assert name
    try:
        outcome = write(canonical(running.run_source(source)))
    except (ProgramError, LanguageError) as error:
        outcome = f"!{error.kind}"
    assert outcome == expected


def test_every_name_has_an_example_and_every_function_a_line_of_documentation():
    shown = " ".join(source for record in RECORDS for source, _ in record.examples)
    pieces = set(shown.replace("(", " ").replace(")", " ").split())
    # What only renames a request to the host is shown under its first name.
    names = [n for n, record in library.BUILTINS.items() if record.effect is None or n == record.name]
    assert [name for name in names if name not in pieces] == []
    assert [record.name for record in RECORDS if "\n" in record.doc or not record.doc.endswith(".")] == []
