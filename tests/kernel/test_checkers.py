"""Checkers of declared types: large vectors that fitted are known again, a few of them, and always charged."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel import checkers
from rtfs_framework.kernel.checkers import fits, make_checker
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.types.model import Primitive, VectorType
from rtfs_framework.lang.types.names import no_names

INTEGERS = VectorType(Primitive.INT)


def test_a_few_large_vectors_are_kept():
    kept: dict = {}
    check = [make_checker(INTEGERS, no_names, kept) for _ in range(6)]
    vectors = [tuple(range(n, n + 100)) for n in range(6)]
    for each, vector in zip(check, vectors, strict=True):
        assert each(vector) is vector
    assert list(kept.values()) == vectors[2:]
    assert check[0]((1, 2)) == (1, 2)
    assert list(kept.values()) == vectors[2:]


def test_what_does_not_fit_is_not_kept():
    kept: dict = {}
    check = make_checker(INTEGERS, no_names, kept)
    for _ in range(3):
        assert not fits(check, (*range(100), "a"))
        with pytest.raises(ProgramError, match=r"expected :int, got string"):
            check((*range(100), "a"))
    assert kept == {}


def test_a_kept_vector_is_charged_and_not_walked_again(monkeypatch):
    charged = []
    monkeypatch.setattr(checkers, "charge", charged.append)
    walked = []

    class Watched(int):
        """An integer that tells when its class is asked for."""

        @property
        def __class__(self):
            walked.append(self)
            return int

    check = make_checker(INTEGERS, no_names, {})
    vector = (*range(99), Watched(5))
    for _ in range(3):
        check(vector)
    assert charged == [100, 100]
    assert len(walked) == 1


def test_a_program_keeps_what_it_checked_and_memory_counts_it():
    artifact = compile_source("(defn total [v : [:vector :int]] : :int (reduce + 0 v))")
    instance = Instance(artifact)
    host = PureHost()
    host.finish(instance.start())
    vector = tuple(range(1000))
    assert [host.finish(instance.call("total", (vector,))) for _ in range(3)] == [499500] * 3
    assert [value is vector for value in instance._names["C__kept"].values()] == [True]
