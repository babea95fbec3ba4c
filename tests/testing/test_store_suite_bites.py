"""The store suites fail what breaks the contract."""

from __future__ import annotations

from time import sleep

import pytest

from rtfs_framework.api import PluginError
from rtfs_framework.testing.conformance import MirrorConformance, StoreConformance
from rtfs_framework.testing.memory_store import MemoryStore


class Strips(MemoryStore):
    def get(self, digest, most):
        found = super().get(digest, most)
        return None if found is None else found.strip()


class SaysEmpty(MemoryStore):
    def get(self, digest, most):
        return super().get(digest, most) or b""


class Folders(MemoryStore):
    def read(self, name, most):
        found = super().read(name, most)
        return b"" if found is None and any(each.startswith(f"{name}/") for each in self.kept_names) else found


class Reorders(MemoryStore):
    def missing(self, digests):
        return sorted(super().missing(digests))


class Unbounded(MemoryStore):
    def _bounded(self, data, most):
        return data


class OffByOne(MemoryStore):
    def _bounded(self, data, most):
        return super()._bounded(data, most + 1)


class Truncates(MemoryStore):
    def _bounded(self, data, most):
        return None if data is None else data[:most]


class Trusting(MemoryStore):
    def read(self, name, most):
        return self._bounded(self.kept_names.get(name), most)


class TrustsDigests(MemoryStore):
    def missing(self, digests):
        return [digest for digest in digests if digest not in self.kept_blobs]


class NoWayOut(MemoryStore):
    def read(self, name, most):
        try:
            return super().read(name, most)
        except PluginError as error:
            raise PluginError("acme", error.problem, code=error.code) from error


class Unsorted(MemoryStore):
    def names(self, prefix):
        return iter(reversed(list(super().names(prefix))))


class ByParts(MemoryStore):
    def names(self, prefix):
        return (name for name in super().names(prefix) if not prefix or name.startswith(prefix.rstrip("/") + "/"))


class Twice(MemoryStore):
    def blobs(self):
        return iter([*super().blobs()] * 2)


class SaysReadOnly(MemoryStore):
    def _writable(self):
        pass


class FirstWins(MemoryStore):
    def point(self, name, data):
        self.kept_names.setdefault(self.faults.name(name), data)


class TakesAnything(MemoryStore):
    def put(self, digest, data):
        self.kept_blobs[self.faults.digest(digest)] = data


class PointsAnywhere(MemoryStore):
    def point(self, name, data):
        self.kept_names[name] = data


class ForgetsAtOnce(MemoryStore):
    def forget(self, names, digests):
        for name in names:
            self.kept_names.pop(self.faults.name(name), None)
        for digest in digests:
            self.kept_blobs.pop(self.faults.digest(digest), None)


class ForgetsMore(MemoryStore):
    def forget(self, names, digests):
        super().forget([each for each in self.kept_names if any(each.startswith(name) for name in names)], digests)


class ForgetsNothing(MemoryStore):
    def forget(self, names, digests):
        super().forget([*names][:0], [*digests][:0])


class InSteps(MemoryStore):
    def point(self, name, data):
        for end in range(0, len(data), 500):
            super().point(name, data[:end])
            sleep(0.005)
        super().point(name, data)


def suite(kind, forgetful=False):
    kept = {}

    class Suite(StoreConformance):
        def make(self, place):
            tables = ({}, {}) if forgetful else kept.setdefault(place, ({}, {}))
            return kind(*tables)

    return Suite()


def test_a_right_store_passes(failing):
    assert failing(suite(MemoryStore)) == set()


def test_a_right_mirror_passes(failing):
    class Suite(MirrorConformance):
        def filled(self, blobs, names):
            return MemoryStore(dict(blobs), dict(names), read_only=True)

    assert failing(Suite()) == set()


@pytest.mark.parametrize(
    ("kind", "test"),
    [
        (Strips, "test_what_is_there_is_read_as_it_was"),
        (SaysEmpty, "test_what_is_not_there_is_none"),
        (Folders, "test_what_is_not_there_is_none"),
        (Reorders, "test_missing_tells_what_is_not_there"),
        (Unbounded, "test_more_than_was_asked_for_is_refused"),
        (OffByOne, "test_more_than_was_asked_for_is_refused"),
        (Truncates, "test_more_than_was_asked_for_is_refused"),
        (Trusting, "test_what_is_no_name_is_refused"),
        (NoWayOut, "test_what_is_no_name_is_refused"),
        (TrustsDigests, "test_what_is_no_digest_is_refused"),
        (Unsorted, "test_names_are_listed_by_their_beginning"),
        (ByParts, "test_names_are_listed_by_their_beginning"),
        (Twice, "test_blobs_are_listed"),
        (FirstWins, "test_the_next_store_has_what_was_written"),
        (TakesAnything, "test_bytes_of_another_digest_are_not_stored"),
        (PointsAnywhere, "test_nothing_is_written_under_what_is_no_name"),
        (ForgetsAtOnce, "test_nothing_is_written_under_what_is_no_name"),
        (ForgetsMore, "test_what_is_forgotten_is_gone"),
        (ForgetsNothing, "test_what_is_forgotten_is_gone"),
        (InSteps, "test_a_name_is_set_as_one_step"),
    ],
)
def test_a_wrong_one_fails(failing, kind, test):
    assert test in failing(suite(kind))


def test_one_that_forgets_fails(failing):
    assert "test_the_next_store_has_what_was_written" in failing(suite(MemoryStore, forgetful=True))


def test_one_that_says_it_is_only_read_and_is_not_fails(failing):
    assert "test_what_is_only_read_is_never_changed" in failing(
        suite(lambda *tables: SaysReadOnly(*tables, read_only=True))
    )


def test_one_that_does_not_list_must_say_so_by_an_error(failing):
    class Suite(MirrorConformance):
        lists_names = lists_blobs = False

        def filled(self, blobs, names):
            return MemoryStore(dict(blobs), dict(names))

    assert failing(Suite()) == {"test_names_are_listed_by_their_beginning", "test_blobs_are_listed"}
