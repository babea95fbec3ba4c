"""Whatever a source changes about what a place is asked, or whether, the flows have told. On random programs.

Two runs that differ in one source alone are compared place by place: that is what a flow promises, seen from outside,
for compiled programs with all passes.
"""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from record_programs import Programs
from runs import leaks

from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.flows import walk
from rtfs_framework.lang.flows.library import NEVER_FAIL
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.values import Keyword, Symbol
from rtfs_framework.lang.vectors import List
from rtfs_framework.stdlib.library import BUILTINS
from rtfs_framework.testing.effort import effort

SCALARS = (None, True, 0, -3, 10**30, 1.5, float("nan"), float("inf"), "", "12", "[1]", Keyword("a"), Symbol("s"))
VALUES = (*SCALARS, (), (1, (2,)), List([1]), Map.of([(Keyword("a"), 1)]), Set.of([1]), lambda x: x)


def found(seeds, counted=None, depth=4):
    """Return (seed, text, leak) of every leak in some programs."""
    counted = Counter() if counted is None else counted
    for seed in seeds:
        text = Programs(seed).text(depth)
        try:
            artifact = compile_source(text, flows=True)
        except LanguageError:
            continue
        counted["programs"] += 1
        counted["floating"] += not artifact.flows.masks and "call" in text
        for leak in leaks(artifact, seed, counted):
            yield seed, text, leak


@pytest.mark.parametrize("part", range(4))
def test_flows_hold_whatever_a_source_changes(part):
    counted = Counter()
    start = part * 1000
    assert next(found(range(start, start + effort(25)), counted), None) is None
    assert counted["seen"] > counted["programs"]  # there was something to see
    assert counted["told apart"] > counted["seen"]  # and not everything was said to flow everywhere
    assert counted["floating"] <= 1


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(10))
def test_they_hold_in_many_programs(part):
    start = 100_000 + part * 1000
    assert next(found(range(start, start + 800)), None) is None


class TestPlantedBugs:
    """An analysis that forgets something is found out."""

    def test_branches(self, monkeypatch):
        plain = walk.Walk.branches
        monkeypatch.setattr(walk.Walk, "branches", lambda self, _, span, bodies: plain(self, 0, span, bodies))
        assert next(found(range(300)), None)

    def test_failures(self, monkeypatch):
        def steady(self, mask, span, told=0):
            self.steady = False

        monkeypatch.setattr(walk.Walk, "may_fail", steady)
        assert next(found(range(300)), None)

    def test_columns(self, monkeypatch):
        from rtfs_framework.lang.flows.values import Sources

        plain = Sources.under
        monkeypatch.setattr(Sources, "under", lambda self, view, key: plain(self, view, "a" if key == "b" else key))
        assert next(found(range(300)), None)


@pytest.mark.parametrize("name", sorted(NEVER_FAIL))
def test_what_never_fails_never_does(name):
    record = BUILTINS[name]
    most = record.low + 2 if record.high is None else record.high
    calls = [args for count in range(record.low, min(most, 3) + 1) for args in product(VALUES, repeat=count)]
    for args in calls:
        record.function(*args)  # an error would end the test
    assert len(calls) > 1
