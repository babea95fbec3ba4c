"""Reasoning is taken off a text the same way, whole or in pieces of any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_provider_openai.thoughts import ThoughtFilter, without_thoughts

PARTS = st.sampled_from(["<think>", "</think>", "<thinking>", "</thinking>", "<", "th", "ink>", " ", "\n", "a", "ä "])


def in_pieces(text, size):
    strain = ThoughtFilter()
    return "".join(strain.feed(text[at : at + size]) for at in range(0, len(text), size)) + strain.finish()


@given(st.lists(PARTS, max_size=12).map("".join), st.integers(1, 9))
def test_pieces_of_any_size_give_the_same(text, size):
    assert in_pieces(text, size) == in_pieces(text, max(len(text), 1))


@given(st.text(), st.integers(1, 9))
def test_a_text_that_does_not_begin_with_a_block_is_left_alone(text, size):
    if not text.lstrip().startswith("<"):
        assert in_pieces(text, size) == text


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>a</think>b", "b"),
        ("\n <think>\na\n</think>\n\n b\n", "b\n"),
        ("<think>a</thinking>b", "b"),
        ("<think>never ended", ""),
        ("<thinking>a <think> b</thinking>c", "c"),
        ("a <think>b</think>", "a <think>b</think>"),
        ("<thin", "<thin"),
        ("a</think>b", "b"),
        ("<p>x</p>", "<p>x</p>"),
        (" " * 2000 + "<think>x</think>", " " * 2000 + "<think>x</think>"),
        ("", ""),
    ],
)
def test_what_is_reasoning(text, answer):
    assert without_thoughts(text) == answer
