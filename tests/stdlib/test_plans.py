"""`plan-step`: a plain map that prints, travels and reads back equal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.api import ProgramError, read_value, write
from rtfs_framework.lang.equality import equal
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.stdlib.plans import plan_step

WORDS = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | WORDS.map(Keyword)
)
DATA = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(WORDS.map(Keyword), inner, max_size=3).map(lambda found: Map.of(found.items()))
    ),
    max_leaves=12,
)


@given(WORDS.map(Keyword), st.lists(DATA, max_size=3))
def test_a_step_reads_back_as_what_it_is(name, data):
    step = plan_step(name, *data)
    found = read_value(write(step))
    assert equal(found, step)
    assert write(found) == write(step)
    assert (found.get(Keyword("plan-step")), len(found.get(Keyword("args")))) == (name, len(data))


@pytest.mark.parametrize("name", ["process", 5, None, ()])
def test_a_step_is_named_by_a_keyword(name):
    with pytest.raises(ProgramError, match="expected keyword"):
        plan_step(name)
