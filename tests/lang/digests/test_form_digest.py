"""The digest of a function's text: blanks and comments do not count, everything else does."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.source import Source

BODIES = [
    "{:a (g 1) :b (g 2)}",
    "{:b (g 2) :a (g 1)}",
    "{:k (g 1) :k 2}",
    "{:k 2}",
    "[:a (g 1) :b (g 2)]",
    "(list :a (g 1))",
    "#{(g 1) (g 2)}",
    "#{(g 2) (g 1)}",
    "0.0",
    "-0.0",
    "0",
    "##NaN",
    "nil",
    "'nil",
    '"nil"',
    ":nil",
    "'x",
    "`x",
    "#(g %)",
    "(fn [y] (g y))",
    "@x",
    "^{:a 1} (g 1)",
    "^{:a 2} (g 1)",
    '(fn ^:delegation :remote "a" [] 1)',
    '(fn ^:delegation {:target "a"} [] 1)',
    '(fn ^:delegation {:target "b"} [] 1)',
    '["a" "b"]',
    '["a\\" \\"b"]',
    '["resource://a" resource://b]',
    "[resource://a resource://b]",
    "2025-01-01T00:00:00Z",
    '"2025-01-01T00:00:00Z"',
    "00000000-0000-0000-0000-000000000001",
    '"00000000-0000-0000-0000-000000000001"',
]


def body_digest(body, blanks=" "):
    text = f"(defn g [x] x){blanks}(defn f [x]{blanks}{body})"
    signatures = compile_source(Source("p", text), delegatable=lambda name: name == "f").signatures
    assert not [each for each in signatures if each.name == "g" and each.body_digest]  # nobody asks for it
    return next(each.body_digest for each in signatures if each.name == "f")


def test_different_bodies_have_different_digests():
    made = {}
    for body in BODIES:
        made.setdefault(body_digest(body), []).append(body)
    assert [alike for alike in made.values() if len(alike) > 1] == []


@pytest.mark.parametrize("body", BODIES)
def test_where_a_body_stands_does_not_count(body):
    assert body_digest(body) == body_digest(body, "\n; a comment\n   ")
