"""The contract of executors: each piece comes back once, whole, under its index; what is lost is told, never redone."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from rtfs_framework.api import Ended, Executor, PluginError, Work
from rtfs_framework.testing.conformance.base import Conformance, check

_PATIENCE = 60.0
_BYTES = bytes(range(256))
_BREAKS = b"break"


def reversed_bytes(piece: bytes) -> bytes:
    """Return a piece backwards: workers find this function by its name."""
    if piece == _BREAKS:
        raise ValueError("a piece that breaks")
    return piece[::-1]


def slowly(piece: bytes) -> bytes:
    """Return a piece after a while."""
    sleep(0.2)
    return piece


class ExecutorConformance(Conformance):
    """For an executor: inherit, and give `made` and `out_of_reach`."""

    @abstractmethod
    def made(self, work: Work) -> Executor:
        """Return a new one over workers that run."""

    @abstractmethod
    def out_of_reach(self, work: Work) -> Executor:
        """Try to make one of a cluster that is not there."""

    def test_every_piece_comes_back_once_under_its_index(self) -> None:
        """Whatever its bytes are, and however many there are."""
        pieces = {number: (_BYTES * number)[: 37 * number] for number in range(40)}
        with self._one(reversed_bytes) as executor:
            check(executor.places() >= 1, "there is a place for a piece")
            found = {each.index: each.result for each in _all(executor, pieces)}
        check(found == {index: piece[::-1] for index, piece in pieces.items()}, "each piece has its own result")

    def test_large_pieces_travel(self) -> None:
        """Of a megabyte."""
        with self._one(reversed_bytes) as executor:
            (found,) = _all(executor, {7: _BYTES * 4096})
        check(found.result == _BYTES[::-1] * 4096, "a large piece comes back whole")

    def test_a_piece_that_breaks_is_told_with_its_reason_and_others_go_on(self) -> None:
        """It is not done again."""
        with self._one(reversed_bytes) as executor:
            found = {each.index: each for each in _all(executor, {0: b"ab", 1: _BREAKS, 2: b"cd"})}
            again = executor.next(0.0)
        check(found[1].result is None and "a piece that breaks" in found[1].why, "what broke it is said")
        check((found[0].result, found[2].result) == (b"ba", b"dc"), "the others are done")
        check(again is None, "nothing is told twice")

    def test_an_index_may_be_handed_out_again_once_it_was_lost(self) -> None:
        """And has the result of its last piece."""
        with self._one(reversed_bytes) as executor:
            (lost,) = _all(executor, {5: _BREAKS})
            (found,) = _all(executor, {5: b"xy"})
        check(lost.result is None and found.result == b"yx", "the second attempt counts")

    def test_nothing_comes_of_nothing(self) -> None:
        """Whoever waits waits no longer than asked."""
        with self._one(reversed_bytes) as executor:
            check(executor.next(0.0) is None, "there is no piece")

    def test_what_is_cancelled_ends(self) -> None:
        """What was done before is told; what is told as done has its result."""
        with self._one(slowly) as executor:
            for index in range(3 * executor.places() + 8):
                executor.submit(index, b"%d" % index)
            executor.cancel()
            told = []
            while (found := executor.next(0.5)) is not None:
                told.append(found)
            check(len({each.index for each in told}) == len(told), "each is told once at most")
            check(all(each.result in (None, b"%d" % each.index) for each in told), "what is done has its result")
            check(any(each.result is None for each in told) or len(told) < 8, "not everything was done all the same")

    def test_what_cannot_be_reached_says_so(self) -> None:
        """By its code, with a way out."""
        try:
            self.out_of_reach(reversed_bytes).close()
        except PluginError as error:
            check(error.code == "E0830" and bool(error.way_out), "the error has its code and a way out")
        else:
            check(False, "a cluster that is not there is an error")

    @contextmanager
    def _one(self, work: Work) -> Iterator[Executor]:
        executor = self.made(work)
        try:
            yield executor
        finally:
            executor.close()


def _all(executor: Executor, pieces: dict[int, bytes]) -> list[Ended]:
    """Hand out pieces as there are places for them, and return all that is told."""
    waiting, told, until = list(pieces.items()), list[Ended](), monotonic() + _PATIENCE
    while len(told) < len(pieces):
        check(monotonic() < until, f"{len(told)} of {len(pieces)} pieces were told within {_PATIENCE:g} s")
        under_way = len(pieces) - len(waiting) - len(told)
        for _ in range(min(len(waiting), executor.places() - under_way)):
            executor.submit(*waiting.pop(0))
        found = executor.next(1.0)
        if found is not None:
            told.append(found)
    return told
