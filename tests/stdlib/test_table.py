"""The table is whole: every row has parameters, arity, types, purity, documentation and examples that agree."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel import effects
from rtfs_framework.lang.check.signatures import ways
from rtfs_framework.stdlib.library import BUILTINS
from rtfs_framework.stdlib.table import builtin

assert effects.call  # its import enters the host's names
RECORDS = list({record.name: record for record in BUILTINS.values()}.values())
each_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)


@each_record
def test_a_row_is_whole(record):
    assert record.doc.endswith(".")
    assert record.examples
    assert record.types
    assert record.effect in (None, "capability", "context")


@each_record
def test_parameters_arity_and_types_agree(record):
    words = record.signature.split()
    many = "&" in words
    named = words[: words.index("&")] if many else words
    low, high = sum(not word.endswith("?") for word in named), len(named)
    assert (record.low, record.high) == (low, None if many else high)
    possible = ways(record.types)
    assert len(possible) == len(record.ways)
    for count in range(record.low, (high if many else record.high) + 2):
        assert any(way.admits(count) for way in possible) == (many or count <= high), f"{count} arguments"
    assert not any(way.admits(record.low - 1) for way in possible)


def test_a_function_without_types_cannot_enter_the_table():
    with pytest.raises(ValueError, match="is no type"):

        @builtin("no-such-function", ("(no-such-function)", "nil"), doc="Nothing.")
        def nothing(value):
            return value

    assert "no-such-function" not in BUILTINS
