"""Where a program may leave the kernel: calls, and functions that are handed on."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.source import Source


def sites(text):
    made = compile_source(Source("a.rtfs", text), delegatable=lambda name: name == "f")
    return [(each.name, each.place.line, each.place.column) for each in made.sites]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(f 1)", [("f", 2, 1)]),
        ("(map f [1 2])", [("f", 2, 6)]),
        ("(let [g f] (g 1))", [("f", 2, 9)]),
        ("{:k f}", [("f", 2, 5)]),
        ("(f (f 1))", [("f", 2, 1), ("f", 2, 4)]),
        ("(f f)", [("f", 2, 1), ("f", 2, 4)]),
        ("(apply f [1])", [("f", 2, 8)]),
        ("(-> 1 f)", [("f", 2, 1)]),
        ("(map inc [1])", []),
    ],
)
def test_a_function_that_may_go_elsewhere_is_a_site_wherever_it_is_named(text, found) -> None:
    """A program that only hands it on leaves the kernel all the same: `(map f xs)` calls it."""
    assert sorted(sites(f"(defn f [x] x)\n{text}")) == sorted(found)
