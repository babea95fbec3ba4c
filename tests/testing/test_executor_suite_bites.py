"""The executor suite fails what breaks the contract: pieces that are mixed up, redone, kept back or cut."""

from __future__ import annotations

import pytest

from rtfs_framework.api import Ended, PluginError
from rtfs_framework.testing.conformance import ExecutorConformance
from rtfs_framework.testing.inline_executor import InlineExecutor


class Mixes(InlineExecutor):
    def next(self, timeout):
        found = super().next(timeout)
        return found and Ended(index=self.handed[0], result=found.result, why=found.why)


class Cuts(InlineExecutor):
    def submit(self, index, piece):
        super().submit(index, piece[: 1 << 16])


class TellsTwice(InlineExecutor):
    told = None

    def next(self, timeout):
        self.told, again = (super().next(timeout), None) if self.told is None else (None, self.told)
        return again or self.told


class ForgetsWhy(InlineExecutor):
    def next(self, timeout):
        found = super().next(timeout)
        return found and Ended(index=found.index, result=found.result)


class GoesOn(InlineExecutor):
    def cancel(self):
        pass


class InventsOne(InlineExecutor):
    def next(self, timeout):
        return super().next(timeout) or Ended(index=-1, why="nothing was there")


def suite(kind):
    class Suite(ExecutorConformance):
        def made(self, work):
            return kind(work)

        def out_of_reach(self, work):
            raise PluginError("acme", "no cluster", code="E0830", way_out="start one")

    return Suite()


def test_a_right_one_passes(failing):
    assert failing(suite(InlineExecutor)) == set()


@pytest.mark.parametrize(
    ("kind", "test"),
    [
        (Mixes, "test_every_piece_comes_back_once_under_its_index"),
        (Cuts, "test_large_pieces_travel"),
        (TellsTwice, "test_a_piece_that_breaks_is_told_with_its_reason_and_others_go_on"),
        (ForgetsWhy, "test_a_piece_that_breaks_is_told_with_its_reason_and_others_go_on"),
        (GoesOn, "test_what_is_cancelled_ends"),
        (InventsOne, "test_nothing_comes_of_nothing"),
    ],
)
def test_a_wrong_one_fails(failing, monkeypatch, kind, test):
    from rtfs_framework.testing.conformance import executor

    monkeypatch.setattr(executor, "sleep", lambda _: None)
    monkeypatch.setattr(executor, "_PATIENCE", 0.5)
    made = suite(kind)
    for name in dir(made):
        if name.startswith("test_") and name != test:
            monkeypatch.setattr(type(made), name, lambda _: None)
    assert failing(made, (KeyError,)) == {test}
