"""Laws of grammars over generated types: whatever is written by a grammar is read as the type that it was made of."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.jsontext import load
from rtfs_framework.lang.types.coerce import from_json
from rtfs_framework.lang.types.schema import to_json_schema
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.testing.effort import effort
from rtfs_provider_llama.grammar import GrammarError, gbnf

pytestmark = pytest.mark.needs("rtfs-provider-llama")

TEXTS = 5
"""Texts that are drawn of each grammar."""


@settings(max_examples=effort(200), deadline=None)
@given(data=st.data())
def test_what_a_grammar_allows_is_read_as_its_type(data, types, names, gbnf_of) -> None:
    type_ = data.draw(types)
    schema = to_json_schema(type_, names.get)
    try:
        grammar = gbnf(schema)
    except GrammarError as refused:
        assert str(refused)  # noqa: PT017 - what may be refused, and how often, is the test below
        return
    draw = random.Random(data.draw(st.integers(0, 2**32)))
    for _ in range(TEXTS):
        text = gbnf_of(grammar).sample(draw)
        assert text == text.strip()
        try:
            from_json(type_, load(text), names.get)
        except ProgramError as error:
            pytest.fail(f"{show_type(type_)} takes no {text}: {error}\n{json.dumps(schema)}\n{grammar}")
