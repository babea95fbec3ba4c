"""The capability suite fails what breaks the contract."""

from __future__ import annotations

import time

import anyio
import anyio.lowlevel
import attrs
import pytest

from rtfs_framework.api import CapabilityEntry, CapabilityError
from rtfs_framework.lang.types.model import Primitive
from rtfs_framework.testing.conformance import CapabilityConformance


def shout(request):
    if not isinstance(request.args[0], str):
        raise CapabilityError("only text can be shouted")
    return request.args[0].upper()


SHOUT = CapabilityEntry(
    id="shout",
    summary="Says it loud.",
    handler=shout,
    parameters=(Primitive.STRING,),
    returns=Primitive.STRING,
    names=("shout", "shout!"),
)


async def later(request):
    return shout(request)


class Alone:
    """Cannot bear company."""

    def __init__(self):
        self.under = 0

    async def __call__(self, request):
        self.under += 1
        try:
            await anyio.lowlevel.checkpoint()
            if self.under > 1:
                raise CapabilityError("busy")
            return shout(request)
        finally:
            self.under -= 1


def slowly(request):
    time.sleep(0.001)
    return shout(request)


@pytest.mark.parametrize(
    ("changes", "caught_by"),
    [
        ({}, None),
        ({"handler": later}, None),
        ({"handler": later, "order_independent": True}, None),
        ({"handler": slowly, "blocking": True}, None),
        ({"handler": Alone()}, None),
        ({"handler": Alone(), "order_independent": True}, "test_calls_that_may_overlap_do"),
        ({"summary": " "}, "test_the_record_says_what_it_does"),
        ({"names": ("two words",)}, "test_the_record_says_what_it_does"),
        ({"names": ("7up",)}, "test_the_record_says_what_it_does"),
        ({"returns": Primitive.INT}, "test_replies_are_values_of_the_declared_type"),
        ({"handler": lambda request: [request.args]}, "test_replies_are_values_of_the_declared_type"),
        ({"parameters": ()}, "test_accepted_arguments_fit_the_declared_parameters"),
        ({"handler": lambda _request: "whatever"}, "test_refusals_are_typed"),
    ],
)
def test_a_wrong_capability_is_caught(changes, caught_by, failing):
    class Suite(CapabilityConformance):
        def make(self):
            return attrs.evolve(SHOUT, **changes)

        def accepted(self):
            return [("hello",)]

        def refused(self):
            return [(3,)]

    failed = failing(Suite())
    assert caught_by in failed if caught_by else not failed
