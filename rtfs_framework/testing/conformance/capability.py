"""The contract of capabilities: a record that says what it does, replies that are values, errors that are typed."""

from __future__ import annotations

import inspect
import re
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import anyio
import anyio.to_thread
import attrs

from rtfs_framework.api import CapabilityEntry, CapabilityError, CapabilityRequest, Later, ProgramError, Value
from rtfs_framework.lang.equality import equal
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.types.check import violation
from rtfs_framework.lang.values import ErrorValue, Keyword, Resource, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import GrownVector, List
from rtfs_framework.registry.contracts import odd_types
from rtfs_framework.testing.conformance.base import Conformance, check

Args = tuple[Value, ...]

_LOOKS, _PATIENCE = 50, 5.0
"""How often a job is looked at, and for how many seconds in all at most."""
_NAME = re.compile(r"""[^\s()\[\]{}"',;@^`~:#\d][^\s()\[\]{}"',;@^`~]*""")
_PLAIN = frozenset({type(None), bool, int, float, str, Keyword, Symbol, ErrorValue, Timestamp, Uuid, Resource})
_MANY = frozenset({tuple, GrownVector, List, Set})


class CapabilityConformance(Conformance):
    """Inherit, and give `make` and `accepted`; the calls are made for real."""

    @abstractmethod
    def make(self) -> CapabilityEntry:
        """Return the record that the plugin offers."""

    @abstractmethod
    def accepted(self) -> Iterable[Args]:
        """Return arguments that the capability performs."""

    def refused(self) -> Iterable[Args]:
        """Return arguments that it must refuse with a `CapabilityError` or `ProgramError`."""
        return ()

    def test_the_record_says_what_it_does(self) -> None:
        """An id, one line of summary, effects in words, and names that programs can write."""
        entry = self.make()
        check(bool(entry.id.strip()), f"an id of {entry.id!r}")
        check(bool(entry.summary.strip()) and "\n" not in entry.summary, f"a summary of {entry.summary!r}")
        check(all(effect.strip() for effect in entry.effects), f"effects of {entry.effects!r}")
        for name in entry.names:
            check(_NAME.fullmatch(name) is not None, f"no program can write the name {name!r}")

    def test_its_types_are_those_of_the_language(self) -> None:
        """Or names that say what a value means (`:url`, `Document`): none that is nearly a type, for any value fits."""
        entry = self.make()
        _ = entry.parameters, entry.returns  # texts that spell no types are told here
        for remark in odd_types(entry):
            raise AssertionError(remark)

    def test_replies_are_values_of_the_declared_type(self) -> None:
        """What comes back is an RTFS value through and through (a vector is a tuple, a map a `Map`)."""
        entry = self.make()
        for args in self.accepted():
            reply = _perform(entry, args)
            if isinstance(reply, Later):
                continue
            check(_is_value(reply), f"{args!r} got {reply!r}, which holds what is no RTFS value")
            if entry.returns is not None:
                wrong = violation(entry.returns, reply)
                check(wrong is None, f"{args!r}: the reply is not of the declared type: {wrong}")

    def test_calls_that_may_overlap_do(self) -> None:
        """An `order_independent` (or `blocking`) handler performs several calls at once, each as if it were alone."""
        entry = self.make()
        if not (entry.order_independent or entry.blocking):
            return
        calls = [args for args in self.accepted() for _ in range(3)]

        async def perform() -> None:
            async def one(args: Args) -> None:
                reply = await _performed(entry, args)
                if isinstance(reply, Later):
                    return
                check(_is_value(reply), f"{args!r}, among others, got {reply!r}, which holds what is no RTFS value")
                wrong = None if entry.returns is None else violation(entry.returns, reply)
                check(wrong is None, f"{args!r}, among others: the reply is not of the declared type: {wrong}")

            async with anyio.create_task_group() as group:
                for args in calls:
                    group.start_soon(one, args)

        try:
            anyio.run(perform)
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises is what is wrong with it
            found = getattr(error, "exceptions", (error,))[0]
            raise AssertionError(f"calls at once: {found}") from found

    def test_what_is_promised_is_one_job_and_can_be_collected(self) -> None:
        """Whoever goes on with a run asks again: by one key there is one job, and collecting it changes nothing."""
        entry = self.make()
        for number, args in enumerate(self.accepted()):
            request = CapabilityRequest(entry.id, args, key=f"{'ab' * 16}:1:{number}")
            promise = anyio.run(_called, entry, entry.handler, request)
            if not isinstance(promise, Later):
                continue
            if entry.idempotent:
                again = anyio.run(_called, entry, entry.handler, request)
                check(isinstance(again, Later) and again.id == promise.id, f"by the same key another job: {again!r}")
            if entry.collect is not None:
                first, second = (anyio.run(_collected, entry, request, promise) for _ in range(2))
                check(_is_value(first), f"{args!r} got {first!r}, which holds what is no RTFS value")
                check(equal(first, second), f"the same job was answered {first!r}, and then {second!r}")

    def test_accepted_arguments_fit_the_declared_parameters(self) -> None:
        """As many as are declared, each of its type."""
        entry = self.make()
        if entry.parameters is None:
            return
        for args in self.accepted():
            check(len(args) == len(entry.parameters), f"{len(args)} arguments for {len(entry.parameters)} parameters")
            for type_, value in zip(entry.parameters, args, strict=True):
                wrong = violation(type_, value)
                check(wrong is None, f"{args!r}: {wrong}")

    def test_refusals_are_typed(self) -> None:
        """What cannot be done is a `CapabilityError` or `ProgramError` with words in it."""
        entry = self.make()
        for args in self.refused():
            words = _refusal(entry, args)
            check(bool(words.strip()), f"{args!r}: an error without words")


def _perform(entry: CapabilityEntry, args: Args) -> Value | Later:
    """Perform one call in an event loop of its own."""
    return anyio.run(_performed, entry, args)


async def _performed(entry: CapabilityEntry, args: Args) -> Value | Later:
    """Perform one call, as a host does; the promise itself where only somebody outside has the answer."""
    request = CapabilityRequest(entry.id, args)
    reply = await _called(entry, entry.handler, request)
    if not isinstance(reply, Later) or entry.collect is None:
        return reply
    return await _collected(entry, request, reply)


async def _called(
    entry: CapabilityEntry, function: Callable[[CapabilityRequest], Any], request: CapabilityRequest
) -> Any:
    """Call a handler: at once, with something to wait for, or in a worker thread."""
    reply = await anyio.to_thread.run_sync(function, request) if entry.blocking else function(request)
    return await reply if inspect.isawaitable(reply) else reply


async def _collected(entry: CapabilityEntry, request: CapabilityRequest, promise: Later) -> Value:
    """Collect a promised answer."""
    assert entry.collect is not None  # noqa: S101 - looked at by whoever asks
    for _ in range(_LOOKS):
        reply: Value | Later = await _called(entry, entry.collect, attrs.evolve(request, job=promise.id))
        if not isinstance(reply, Later):
            return reply
        await anyio.sleep(min(reply.look, _PATIENCE / _LOOKS))
    raise AssertionError(f"job {promise.id!r} has no answer after {_LOOKS} looks")


def _refusal(entry: CapabilityEntry, args: Args) -> str:
    """Return the words with which a call is refused."""
    try:
        reply = _perform(entry, args)
    except (CapabilityError, ProgramError) as error:
        return str(error)
    raise AssertionError(f"{args!r} got {reply!r} instead of an error")


def _is_value(value: object) -> bool:
    if isinstance(value, Map):
        return all(_is_value(key) and _is_value(item) for key, item in value.items())
    if value.__class__ in _MANY:
        return all(map(_is_value, value))  # type: ignore[call-overload]
    return value.__class__ in _PLAIN or (callable(value) and not isinstance(value, type))
