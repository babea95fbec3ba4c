"""Values that are read back: quickly where they are plain, and never otherwise than the reader reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.lang.analyzer import readback
from rtfs_framework.lang.analyzer.readback import read_value
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.maps import Map, equal
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword

ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.from_regex(r"[a-z][a-z0-9-]*", fullmatch=True).map(Keyword),
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.lists(st.tuples(ATOMS, inner), max_size=4).map(Map.of),
    max_leaves=12,
)


@given(VALUES)
def test_what_was_written_is_read_back(value):
    assert equal(read_value(Source("v", write(value))), value)


@given(st.text("[]{}():\"a1-0 .\n#;'`~@^,ntrufalsei\\", max_size=14))
def test_the_quick_way_reads_nothing_otherwise(text):
    quick = readback.read_plain(text)
    if quick is not readback.OTHER:
        assert equal(quick, readback._any(Source("v", text)))
        assert write(quick) == write(readback._any(Source("v", text)))


def test_common_values_go_the_quick_way():
    for text in ("[10]", '[1 "two" :three {:a [true nil]}]', "{}", '"é"'):
        assert readback.read_plain(text) is not readback.OTHER


@pytest.mark.parametrize("text", ["", "1 2", "[1", "]", "{1}", "#(inc %)", "@x", "[^:a 1]", "'x"])
def test_other_texts_are_refused(text):
    with pytest.raises(LanguageError):
        read_value(Source("v", text))
