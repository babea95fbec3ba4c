"""Words of others: what is hidden is hidden quickly, whatever they are made of, and what is shown is one plain line."""

from __future__ import annotations

import json

import pytest

from rtfs_framework.api import blotter, one_line

SECRET = "sk-secret-4711-abcdefghijklmnopqrstuvwxyz0123456789"
LONG = 1 << 17


@pytest.mark.parametrize("unit", ["\\", "%25", "&#0", "\\0", "\\u{0", "s", "c2st", "73", " ", "\\n", "c \\n"])
def test_no_text_keeps_the_search_busy_for_long(unit):
    """Each of these took minutes while a mark could be repeated without bound; the suite's time limit would end it."""
    text = unit * (LONG // len(unit)) + SECRET
    assert SECRET not in blotter([SECRET])(text)


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
def test_escapes_of_escapes_are_seen(levels):

    text = SECRET.replace("-", '"')
    secret = text
    for _ in range(levels):
        text = json.dumps(text)
    assert blotter([secret])(text).count("[secret]") == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        (" two\r\nlines\t", "two lines"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\u202eb\u2066", "a\\u202eb\\u2066"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("a\ud83db", "a\\ud83db"),
        ("a\U000e0041b", "a\\U000e0041b"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("größe 漢字 🙂", "größe 漢字 🙂"),
        ("", ""),
        ("x" * 301, "x" * 299 + "…"),
    ],
)
def test_foreign_words_on_one_line(text, shown):
    assert one_line(text) == shown


def test_a_very_long_text_is_not_looked_at_whole():
    assert len(one_line("\x1b" * 10_000_000)) == 300
