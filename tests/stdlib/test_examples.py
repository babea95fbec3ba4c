"""Every example of the table, compiled and run: documentation that cannot be wrong."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.kernel.prelude import PRELUDE
from rtfs_framework.lang.errors import LanguageError, ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.vectors import is_vector
from rtfs_framework.stdlib.library import BUILTINS
from rtfs_framework.testing.run import run_source

RECORDS = list(dict.fromkeys([*BUILTINS.values(), *PRELUDE.values()]))
EXAMPLES = [(record, *example) for record in RECORDS for example in record.examples]


def canonical(value):
    """Return a value with the entries of its maps in the order of their printed keys."""
    if value.__class__ is Map:
        return Map.of(sorted(((k, canonical(v)) for k, v in value.items()), key=lambda entry: write(entry[0])))
    return tuple(map(canonical, value)) if is_vector(value) else value


def run_with_a_host(source):
    """Return the value of a program whose host answers nil, and how often it was asked."""
    run, asked = Instance(compile_source(source, prelude=True)).start(), 0
    outcome = run.step()
    while not isinstance(outcome, Complete):
        asked += 1
        outcome = run.resume(None)
    return outcome.value, asked


@pytest.mark.parametrize(("record", "source", "expected"), EXAMPLES, ids=[f"{e[0].name}-{e[1]}" for e in EXAMPLES])
def test_example(record, source, expected):
    try:
        if record.effect is None:
            made = run_source(source)
        else:
            made, asked = run_with_a_host(source)
            assert asked > 0
        outcome = write(canonical(made))
    except (ProgramError, LanguageError) as error:
        outcome = f"!{error.kind}"
    assert outcome == expected


def test_every_name_has_an_example_and_every_function_a_line_of_documentation():
    shown = " ".join(source for record in RECORDS for source, _ in record.examples)
    pieces = set(shown.replace("(", " ").replace(")", " ").split())
    # What only renames a request to the host is shown under its first name.
    names = [n for n, record in {**PRELUDE, **BUILTINS}.items() if record.effect is None or n == record.name]
    assert [name for name in names if name not in pieces] == []
    assert [record.name for record in RECORDS if "\n" in record.doc or not record.doc.endswith(".")] == []
