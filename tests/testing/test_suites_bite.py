"""The contract suites fail what breaks the contract: each defect here is one that has been shipped somewhere."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import (
    CacheKey,
    CacheRecord,
    CacheStats,
    CapabilityEntry,
    CapabilityError,
    Consult,
    DelegationPlan,
    InferenceReply,
    LocalPure,
    PlanSource,
    RemoteModel,
    Usage,
)
from rtfs_framework.lang.types.model import Primitive
from rtfs_framework.testing.conformance import CacheConformance, CapabilityConformance, ProviderConformance
from rtfs_framework.testing.conformance.engine import EngineConformance
from rtfs_framework.testing.fakes import ScriptedProvider


def failing(suite, tmp_path):
    """Return the tests of a suite that fail."""
    failed = set()
    for name in dir(suite):
        if name.startswith("test_"):
            test = getattr(suite, name)
            try:
                test(tmp_path) if "tmp_path" in test.__code__.co_varnames[: test.__code__.co_argcount] else test()
            except AssertionError:
                failed.add(name)
    return failed


class Layer:
    """A right cache layer of a few lines; the wrong ones below change one thing."""

    def __init__(self, settings, capacity):
        self.clock, self.ttl, self.capacity = settings.clock, settings.ttl, capacity
        self.records = {}
        self.counts = dict.fromkeys(("hits", "misses", "puts", "evictions", "expiries"), 0)

    def slot(self, key):
        return key.namespace, key.digest

    def stale(self, record):
        return record.expires_at is not None and self.clock.now() >= record.expires_at

    def get(self, key):
        record = self.records.pop(self.slot(key), None)
        if record is None or self.stale(record):
            self.counts["misses"] += 1
            self.counts["expiries"] += record is not None
            return None
        self.records[self.slot(key)] = record
        self.counts["hits"] += 1
        return record

    def room(self):
        return self.capacity

    def victim(self):
        return next(iter(self.records))

    def put(self, key, value, ttl=None):
        slot, now = self.slot(key), self.clock.now()
        lifetime = self.ttl if ttl is None else ttl
        self.records.pop(slot, None)
        while len(self.records) >= self.room():
            del self.records[self.victim()]
            self.counts["evictions"] += 1
        expires_at = None if lifetime is None else now + lifetime
        self.records[slot] = CacheRecord(value=value, stored_at=now, expires_at=expires_at)
        self.counts["puts"] += 1

    def invalidate(self, key):
        return self.records.pop(self.slot(key), None) is not None

    def clear(self):
        self.records.clear()

    def stats(self):
        return CacheStats(size=len(self.records), capacity=self.capacity, **self.counts)

    def close(self):
        pass


class EvictsTheNewest(Layer):
    def victim(self):
        return list(self.records)[-1]


class HoldsOneMore(Layer):
    def room(self):
        return self.capacity + 1


class ServesStale(Layer):
    def stale(self, record):
        return False


class CountsStaleAsHit(Layer):
    def get(self, key):
        record = self.records.get(self.slot(key))
        stale = record is not None and self.stale(record)
        found = super().get(key)
        if stale:
            self.counts["hits"] += 1
            self.counts["misses"] -= 1
        return found


class MixesHalves(Layer):
    def slot(self, key):
        return hash(key.namespace) ^ hash(key.digest)


class JoinsHalves(Layer):
    def slot(self, key):
        return key.namespace + key.digest


class LooksAtParts(Layer):
    def slot(self, key):
        return key.namespace, key.digest, key.parts


class ForgetsTtl(Layer):
    def put(self, key, value, ttl=None):
        super().put(key, value, None)


class ReadsAreNoUses(Layer):
    def get(self, key):
        before = dict(self.records)
        found = super().get(key)
        if found is not None:
            self.records = before
        return found


class MiscountsPuts(Layer):
    def put(self, key, value, ttl=None):
        super().put(key, value, ttl)
        self.counts["puts"] += self.slot(key) in self.records and len(self.records) == self.capacity


def cache_suite(kind):
    class Suite(CacheConformance):
        def make(self, settings, capacity):
            return kind(settings, capacity)

    return Suite()


@pytest.mark.parametrize(
    ("kind", "caught_by"),
    [
        (EvictsTheNewest, "test_the_least_recently_used_goes_first"),
        (HoldsOneMore, "test_the_bound_is_never_exceeded"),
        (ServesStale, "test_a_stale_read_is_a_miss"),
        (CountsStaleAsHit, "test_a_stale_read_is_a_miss"),
        (MixesHalves, "test_halves_of_keys_do_not_collide"),
        (JoinsHalves, "test_halves_of_keys_do_not_collide"),
        (LooksAtParts, "test_halves_of_keys_do_not_collide"),
        (ForgetsTtl, "test_a_put_may_bring_its_own_ttl"),
        (ReadsAreNoUses, "test_the_least_recently_used_goes_first"),
        (MiscountsPuts, "test_counters_add_up"),
    ],
)
def test_a_wrong_cache_is_caught(kind, caught_by, tmp_path):
    assert caught_by in failing(cache_suite(kind), tmp_path)


def test_a_right_cache_passes_but_for_threads(tmp_path):
    assert failing(cache_suite(Layer), tmp_path) <= {"test_threads_share_a_layer"}


class Engine:
    """A right engine; the wrong ones below change one thing."""

    def __init__(self):
        self.asked = 0

    def claims(self):
        return ["ai-*"]

    def decide(self, context):
        return self.plan(context)

    def plan(self, context, **changes):
        away = context.symbol.startswith("ai-")
        target = RemoteModel("cloud") if away else LocalPure()
        plan = DelegationPlan(target=target, reasoning="by its name", source=PlanSource.ENGINE)
        return attrs.evolve(plan, **changes)


class ClaimsTooLittle(Engine):
    def claims(self):
        return ["ai-draft*"]


class ConsultsUnclaimed(Engine):
    def decide(self, context):
        return Consult(RemoteModel("cloud"), "where?") if "math" in context.symbol else self.plan(context)

    def conclude(self, context, consult, answer):
        return self.plan(context)


class ChangesItsMind(Engine):
    def decide(self, context):
        self.asked += 1
        return self.plan(context, confidence=1 / self.asked)


class GivesNoReason(Engine):
    def decide(self, context):
        return self.plan(context, reasoning=" ")


class ReadsAClock(Engine):
    def decide(self, context):
        return self.plan(context, created_at=5.0)


class LearnsClaims(Engine):
    def decide(self, context):
        self.asked += 1
        return self.plan(context)

    def claims(self):
        return ["*" if self.asked else "ai-*"]


@pytest.mark.parametrize(
    ("kind", "caught_by"),
    [
        (Engine, None),
        (ClaimsTooLittle, "test_claims_cover_what_is_sent_away"),
        (ConsultsUnclaimed, "test_claims_cover_what_is_sent_away"),
        (ChangesItsMind, "test_the_same_context_gets_an_equal_plan"),
        (GivesNoReason, "test_plans_are_complete"),
        (ReadsAClock, "test_plans_are_complete"),
        (LearnsClaims, "test_claims_do_not_change"),
    ],
)
def test_a_wrong_engine_is_caught(kind, caught_by, tmp_path):
    class Suite(EngineConformance):
        def make(self, settings):
            return kind()

    assert failing(Suite(), tmp_path) == ({caught_by} if caught_by else set())


class Provider:
    """A right provider; the wrong ones below change one thing."""

    made = 0

    def fingerprint(self):
        return "right-1"

    async def infer(self, request):
        return InferenceReply(text=str(request.args))

    async def aclose(self):
        pass


class AnswersTwice(Provider):
    async def infer(self, request):
        return InferenceReply(text="x", data=1, structured=True)


class AnswersNothing(Provider):
    async def infer(self, request):
        return InferenceReply()


class OwesTokens(Provider):
    async def infer(self, request):
        return InferenceReply(text="x", usage=Usage(-1, 0))


class Wavers(Provider):
    async def infer(self, request):
        Provider.made += 1
        return InferenceReply(text=str(Provider.made))


class HasAFingerprintPerInstance(Provider):
    def fingerprint(self):
        return str(id(self))


@pytest.mark.parametrize(
    ("kind", "caught_by"),
    [
        (Provider, None),
        (AnswersTwice, "test_a_reply_holds_exactly_one_answer"),
        (AnswersNothing, "test_a_reply_holds_exactly_one_answer"),
        (OwesTokens, "test_a_reply_holds_exactly_one_answer"),
        (Wavers, "test_a_deterministic_provider_repeats_itself"),
        (HasAFingerprintPerInstance, "test_the_fingerprint_is_a_steady_text"),
    ],
)
def test_a_wrong_provider_is_caught(kind, caught_by, tmp_path):
    class Suite(ProviderConformance):
        deterministic = True

        def make(self):
            return kind()

    failed = failing(Suite(), tmp_path)
    assert caught_by in failed if caught_by else not failed


def test_a_provider_that_should_refuse_and_does_not_is_caught(tmp_path):
    class Suite(ProviderConformance):
        def make(self):
            return Provider()

        def refused(self):
            return [(ScriptedProvider(["an answer"]), next(iter(self.requests())))]

    assert failing(Suite(), tmp_path) == {"test_failures_are_provider_errors"}


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


@pytest.mark.parametrize(
    ("changes", "caught_by"),
    [
        ({}, None),
        ({"handler": later}, None),
        ({"summary": " "}, "test_the_record_says_what_it_does"),
        ({"names": ("two words",)}, "test_the_record_says_what_it_does"),
        ({"names": ("7up",)}, "test_the_record_says_what_it_does"),
        ({"returns": Primitive.INT}, "test_replies_are_values_of_the_declared_type"),
        ({"handler": lambda request: [request.args]}, "test_replies_are_values_of_the_declared_type"),
        ({"parameters": ()}, "test_accepted_arguments_fit_the_declared_parameters"),
        ({"handler": lambda _request: "whatever"}, "test_refusals_are_typed"),
    ],
)
def test_a_wrong_capability_is_caught(changes, caught_by, tmp_path):
    class Suite(CapabilityConformance):
        def make(self):
            return attrs.evolve(SHOUT, **changes)

        def accepted(self):
            return [("hello",)]

        def refused(self):
            return [(3,)]

    failed = failing(Suite(), tmp_path)
    assert caught_by in failed if caught_by else not failed


def test_keys_are_equal_whatever_their_parts_say():
    assert CacheKey("a", "b", (("x", "y"),)) == CacheKey("a", "b")
