"""The table is whole: every row has parameters, arity, types, purity, documentation and examples that agree."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel import effects, pmap, tickets
from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.lang.check.signatures import _of_types, ways
from rtfs_framework.stdlib.library import BUILTINS
from rtfs_framework.stdlib.table import builtin

LIBRARY = {**BUILTINS, **HOST}

assert effects.call  # its import enters the host's names
RECORDS = list({record.name: record for record in LIBRARY.values()}.values())
each_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)


@each_record
def test_a_row_is_whole(record):
    assert record.doc.endswith(".")
    assert record.examples
    assert record.types
    assert record.effect in (None, "capability", "context", "ticket")


@each_record
def test_parameters_arity_and_types_agree(record):
    words = record.signature.split()
    many = "&" in words
    named = words[: words.index("&")] if many else words
    low, high = sum(not word.endswith("?") for word in named), len(named)
    assert (record.low, record.high) == (low, None if many else high)
    assert len(_of_types(record.types)) == len(record.ways)
    for count in range(record.low, (high if many else record.high) + 2):
        assert bool(ways(record.name, record, count)) == (many or count <= high), f"{count} arguments"
    assert not ways(record.name, record, record.low - 1)


def test_a_function_without_types_cannot_enter_the_table():
    with pytest.raises(ValueError, match="is no type"):

        @builtin("no-such-function", ("(no-such-function)", "nil"), doc="Nothing.")
        def nothing(value):
            return value

    assert "no-such-function" not in BUILTINS


def test_the_table_of_the_library_has_nothing_of_the_host():
    assert {record.function.__module__.rpartition(".")[0] for record in BUILTINS.values()} == {"rtfs_framework.stdlib"}
    assert {record.function.__module__ for record in HOST.values()} == {
        "rtfs_framework.kernel.effects",
        pmap.__name__,
        tickets.__name__,
    }
