"""The capability suite fails what breaks the contract."""

from __future__ import annotations

import time

import anyio
import anyio.lowlevel
import attrs
import pytest

from rtfs_framework.api import CapabilityEntry, CapabilityError, Later
from rtfs_framework.lang.types.model import Primitive
from rtfs_framework.testing.conformance import CapabilityConformance


def shout(request):
    if not isinstance(request.args[0], str):
        raise CapabilityError("only text can be shouted")
    return request.args[0].upper()


JOBS = "test_what_is_promised_is_one_job_and_can_be_collected"
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


def promised(request):
    shout(request)
    return Later(id=f"job-{request.key}", look=0.01)


def collected(request):
    return "HELLO" if request.job.startswith("job-") else Later(id=request.job)


class Counts:
    """Says something else each time."""

    def __init__(self):
        self.calls = 0

    def job(self, request):
        self.calls += 1
        return Later(id=f"{self.calls}")

    def answer(self, _request):
        self.calls += 1
        return "HELLO"[: self.calls]


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
        ({"handler": promised}, None),
        ({"handler": promised, "collect": collected, "idempotent": True}, None),
        ({"handler": promised, "collect": slowly, "blocking": True}, None),
        ({"handler": promised, "collect": later}, None),
        ({"handler": promised, "collect": lambda _request: 3}, "test_replies_are_values_of_the_declared_type"),
        ({"handler": promised, "collect": promised}, JOBS),
        ({"handler": promised, "collect": lambda _request: [3]}, JOBS),
        ({"handler": promised, "collect": Counts().answer}, JOBS),
        ({"handler": Counts().job, "idempotent": True}, JOBS),
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
