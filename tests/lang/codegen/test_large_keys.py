"""Integers beyond Python's words as keys of literals: they are found like any other, with any set of passes."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.passes.table import ALL

EDGE = 1 << 63
KEYS = [0, -1, EDGE - 1, EDGE, EDGE + 1, 1 - EDGE, -EDGE, -EDGE - 1, 10**40, -(10**40)]


@pytest.mark.parametrize("passes", [ALL, frozenset[str]()], ids=["all", "none"])
@pytest.mark.parametrize("key", KEYS)
def test_a_literal_has_what_was_written_in_it(key, passes):
    text = f"""
    (let [k {key} m {{{key} :a "x" 1}}]
      [(get m k) (get {{{key} :a}} {key}) (contains? m k) (count (assoc m k :b)) (get (assoc m k :b) {key})
       (= m (assoc {{"x" 1}} k :a)) (contains? #{{{key}}} k) (contains? #{{k}} {key}) (count (dissoc m k))
       (match m {{{key} v}} v _ :none)])
    """
    value = PureHost().finish(Instance(compile_source(text, passes=passes)).start())
    assert [str(each) for each in value] == [":a", ":a", "True", "2", ":b", "True", "True", "True", "1", ":a"]
