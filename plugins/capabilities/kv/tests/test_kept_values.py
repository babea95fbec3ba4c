"""Values as text: what is taken reads back as itself, and what would not is never kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rtfs_capability_kv.arguments import text_of
from rtfs_framework.api import CapabilityError, Keyword, LanguageError, Map, digest, read_value, write
from rtfs_framework.lang.maps import Set
from rtfs_framework.lang.values import ErrorValue, Resource, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import List

WORDS = st.text(st.sampled_from('aué\\"#<{(: ;\n\0\ud800\udc00\U0001f600'), max_size=6) | st.sampled_from(
    ["nil", "true", "#<a>", '#uuid("a")', "\\ud800", "2026-01-02T03:04:05Z", "c0ffee00-0000-4000-8000-000000000000"]
)
KINDS = (Keyword, Symbol, Timestamp, Uuid, Resource, lambda text: ErrorValue("Generic", text))
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), WORDS,
    *(WORDS.map(make) for make in KINDS), st.just(len),
)  # fmt: skip


def _within(inner):
    rows = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(rows, rows.map(List), rows.map(Set.of), st.lists(st.tuples(inner, inner), max_size=3).map(Map.of))


@given(st.recursive(LEAVES, _within, max_leaves=4))
def test_a_value_is_kept_just_where_its_text_reads_back(value):
    written = write(value)
    try:
        reads_back = write(read_value(written)) == written
    except LanguageError:
        reads_back = False
    try:
        kept = text_of(value, 1_000_000)
    except CapabilityError:
        assert not reads_back
        return
    assert reads_back
    assert digest(read_value(kept)) == digest(value)
    kept.encode()
