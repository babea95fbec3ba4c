"""Positions as editors count them, and the smallest edit between two texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.cli.lsp.positions import UTF8, UTF16, UTF32, Positions

TEXT = "a\nb😀c\r\nd\re"


@pytest.mark.parametrize(("encoding", "place"), [(UTF8, (1, 5)), (UTF16, (1, 3)), (UTF32, (1, 2))])
def test_characters_are_units_of_the_encoding(encoding, place):
    offset = TEXT.index("c")
    assert Positions(TEXT, encoding).at(offset) == place
    assert Positions(TEXT, encoding).offset(*place) == offset


def test_lines_end_at_lf_cr_lf_and_cr_and_nowhere_else():
    assert [Positions(TEXT).at(TEXT.index(char))[0] for char in "abde"] == [0, 1, 2, 3]
    assert Positions("a\x0bb\u2028c").at(4) == (0, 4)


def test_a_position_beyond_the_end_means_the_end():
    assert Positions("ab\r\ncd").offset(0, 99) == 2
    assert Positions("ab\r\ncd").offset(9, 0) == 6


@given(st.text(st.sampled_from("a😀é\n\r")), st.sampled_from([UTF8, UTF16, UTF32]), st.data())
def test_offsets_come_back(text, encoding, data):
    offset = data.draw(st.integers(0, len(text)))
    if text[offset - 1 : offset + 1] != "\r\n":  # no position stands between the two
        positions = Positions(text, encoding)
        assert positions.offset(*positions.at(offset)) == offset


@given(st.text(st.sampled_from("ab()\n")), st.text(st.sampled_from("ab()\n")))
def test_an_edit_makes_the_one_text_of_the_other(before, after):
    edit_of = pytest.importorskip("rtfs_framework.cli.lsp.messages", exc_type=ImportError).edit_of
    edit, positions = edit_of(before, after, UTF16), Positions(before)
    places = (edit.range.start, edit.range.end)
    start, end = (positions.offset(place.line, place.character) for place in places)
    assert before[:start] + edit.new_text + before[end:] == after
