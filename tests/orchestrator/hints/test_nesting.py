"""The results of hints are those of wrappers, nested in the published order, although nothing here wraps anything.

A reference model of that nesting, over targets that follow scripts, beside the host's own loop: the same answers and
errors, the same targets asked at the same moments, the same clock in the end.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from random import Random

import attrs
import pytest

from rtfs_framework.api import (
    CapabilityError,
    FailureKind,
    InferenceReply,
    ProviderTimeout,
    ProviderUnavailable,
)
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.effort import effort

MOST_DELAY, MOST_WAIT, FOR_EVER = 10.0, 30.0, float("inf")


class FailedError(Exception):
    """A call that failed: `said` is what its program sees, `kind` what it is evidence of."""

    def __init__(self, said, kind="safe"):
        self.said, self.kind = said, kind


@attrs.define
class Script:
    """What a target does, one thing after the other: an outcome, and the seconds that it takes."""

    name: str
    does: list
    clock: FakeClock
    idempotent: bool
    log: list
    at: int = 0
    kinds: list = attrs.field(factory=list)

    def next(self, budget):
        """Do the next thing, within so many seconds."""
        outcome, seconds = self.does[self.at % len(self.does)]
        self.at += 1
        self.log.append((self.name, round(self.clock.monotonic(), 6)))
        if seconds > budget:
            self.clock.advance(max(budget, 0.0))
            raise FailedError("late", "unsure")
        self.clock.advance(seconds)
        if outcome in ("safe", "unsure", "here"):
            raise FailedError(f"{self.name} {self.at}", outcome)
        return f"{outcome} {self.name} {self.at}"

    def may_be_asked(self):
        """Tell whether it may be asked (again), by what its failures are evidence of."""
        return all(each == "safe" or (each in ("unsure", "misfit") and self.idempotent) for each in self.kinds)


# -- the reference: each hint a wrapper, told the seconds that it has --------------------------------------------------


def calling(script):
    def call(budget):
        try:
            return script.next(budget)
        except FailedError as error:
            script.kinds.append(error.kind)
            raise

    return call


def validation(script, inner, on):
    def call(budget):
        value = inner(budget)
        if on and not value.startswith("good"):
            script.kinds.append("misfit")
            raise FailedError("misfit", "misfit")
        return value

    return call


def fallback(clock, inner, other):
    def call(budget):
        began = clock.monotonic()
        try:
            return inner(budget)
        except FailedError:
            left = budget - (clock.monotonic() - began)
            if other is None or left <= 1e-9 or not other.may_be_asked():
                raise
            return calling(other)(left)

    return call


def retry(world, script, inner, hint):
    def call():
        script.kinds, repeats = [], 0
        if world.other is not None:
            world.other.kinds = []
        while True:
            try:
                return inner()
            except FailedError:  # noqa: PERF203 - that is what a retry is
                if hint is None or repeats >= hint[0] or not script.may_be_asked():
                    raise
                wait = min(hint[1] * hint[2] ** repeats, max(MOST_DELAY, hint[1]))
                world.clock.advance(wait)
                repeats += 1

    return call


@attrs.define
class World:
    """What hints keep between the calls of one symbol."""

    clock: FakeClock
    hints: dict
    script: Script
    other: Script | None
    tokens: float = 0.0
    filled: float = 0.0
    bad: int = 0
    open_until: float | None = None
    kept: OrderedDict = attrs.field(factory=OrderedDict)
    counts: dict = attrs.field(factory=lambda: dict.fromkeys(("calls", "failed", "kept"), 0))

    def __attrs_post_init__(self):
        self.tokens, self.filled = float(self.hints["rate"][1] if self.hints["rate"] else 0), self.clock.monotonic()

    def rate_limit(self, inner):
        def call():
            if self.hints["rate"]:
                pace, burst = self.hints["rate"]
                now = self.clock.monotonic()
                self.tokens, self.filled = min(burst, self.tokens + (now - self.filled) * pace), now
                wait = max(0.0, (1 - self.tokens) / pace)
                if wait > MOST_WAIT:
                    raise FailedError("too early")
                self.tokens -= 1
                self.clock.advance(wait if wait > 1e-9 / pace else 0.0)
            return inner()

        return call

    def circuit_breaker(self, inner):
        def call():
            if not self.hints["breaker"]:
                return inner()
            threshold, cooldown = self.hints["breaker"]
            if self.open_until is not None and self.clock.monotonic() < self.open_until:
                raise FailedError("open")
            try:
                value = inner()
            except FailedError:
                self.bad += 1
                if self.open_until is not None or self.bad >= threshold:
                    self.open_until, self.bad = self.clock.monotonic() + cooldown, 0
                raise
            self.bad, self.open_until = 0, None
            return value

        return call

    def cache(self, inner):
        def call(key):
            if not self.hints["cache"]:
                return inner()
            ttl, entries = self.hints["cache"]
            if key in self.kept and self.clock.monotonic() < self.kept[key][1]:
                self.kept.move_to_end(key)
                self.counts["kept"] += 1
                return self.kept[key][0]
            self.kept.pop(key, None)
            value = inner()
            self.kept[key] = value, self.clock.monotonic() + ttl
            while len(self.kept) > entries:
                self.kept.popitem(last=False)
            return value

        return call

    def metrics(self, inner):
        def call(key):
            self.counts["calls"] += 1
            try:
                return inner(key)
            except FailedError:
                self.counts["failed"] += 1
                raise

        return call

    def nested(self):
        """Return all of them around the target, in the published order."""
        made = validation(self.script, calling(self.script), self.hints["validation"])
        made = fallback(self.clock, made, self.other)
        timed = lambda: made(self.hints["timeout"] or FOR_EVER)  # noqa: E731 - the wrapper of `timeout`
        repeated = retry(self, self.script, timed, self.hints["retry"])
        return self.metrics(self.cache(self.circuit_breaker(self.rate_limit(repeated))))


# -- the host ----------------------------------------------------------------------------------------------------------


KEYS = {
    "cache": ("cache", ("ttl-ms", "max-entries")),
    "circuit-breaker": ("breaker", ("failure-threshold", "cooldown-ms")),
    "rate-limit": ("rate", ("requests-per-second", "burst")),
    "retry": ("retry", ("max-retries", "backoff-ms", "backoff-multiplier")),
    "timeout": ("timeout", ("timeout-ms",)),
}
GOOD = Keyword("and"), Keyword("string"), (Keyword("matches-regex"), "good.*")
"""The type of strings that begin with "good"."""


def hint_map(hints, number):
    """Return the hints as values of a program; `number` keeps what one example left from the next."""
    found = {"metrics": {"name": f"m{number}"}}
    for name, (ours, keys) in KEYS.items():
        said = hints[ours] if isinstance(hints[ours], tuple) else (hints[ours],)
        pairs = zip(keys, said, strict=True) if hints[ours] else ()
        found[name] = {key: value * 1000 if key.endswith("-ms") else value for key, value in pairs}
    found["fallback"] = {"capability": "other"} if hints["fallback"] else None
    found["validation"] = {"validate-schema": GOOD} if hints["validation"] else None
    keyed = {
        name: Map.wrap({Keyword(key): value for key, value in said.items()}) if said else None
        for name, said in found.items()
    }
    return Map.wrap(keyed)


PROGRAM = """
(defn ^:delegation :local-model "m" ask "Ask." [x :string] :string "own")
(defn main [h x]
  ^{HINTS}
  (try [(cond (:model h) (ask x) (:once h) (call :once x) :else (call :target x)) nil]
    (catch _ e [nil (getMessage e)])))
"""
NAMES = ("metrics", "cache", "circuit-breaker", "rate-limit", "retry", "timeout", "fallback", "validation")
CONFIG = """
[security]
grant = ["*"]
[delegation]
on_exhausted = "error"
[delegation.local_models.m]
provider = "m"
idempotent = true
[health]
state = "disabled"
[hints]
cache = "any"
max_retries = 3
"""


EVIDENCE = {"safe": FailureKind.SAFE, "unsure": FailureKind.UNCERTAIN, "here": FailureKind.HERE}


class Real:
    """The host, with targets that do what scripts say."""

    def __init__(self, clock):
        self.clock, self.scripts, self.program = clock, {}, None

    def capability(self, name):
        def answer(request):
            try:
                return self.scripts[name].next(request.deadline)
            except FailedError as error:
                raise CapabilityError(error.said, failure=EVIDENCE[error.kind]) from None

        return answer

    def model(self, request):
        try:
            return InferenceReply(text=self.scripts["target"].next(request.timeout))
        except FailedError as error:
            if error.kind == "unsure":
                return ProviderTimeout("m", error.said)
            return ProviderUnavailable("m", error.said, failure=EVIDENCE[error.kind])


@pytest.fixture
def host(kit, source, capability, monkeypatch):
    """Return the host, with one program that is called again and again."""
    clock = FakeClock()

    async def pause(seconds):
        clock.advance(seconds)
        await asyncio.sleep(0)

    for place in ("dispatch", "hinting"):
        monkeypatch.setattr(f"rtfs_framework.orchestrator.performing.{place}.pause", pause)
    real = Real(clock)
    made = [
        capability("target", real.capability("target"), idempotent=True),
        capability("once", real.capability("target")),
        capability("other", real.capability("other"), idempotent=True),
    ]
    catalog = kit.catalog(kit.provider("m", real.model), capabilities=made)
    with kit.open(catalog, CONFIG, clock=clock, journal=False) as session:
        hints = " ".join(f":runtime.learning.{name} (get (:hints h) {chr(34)}{name}{chr(34)})" for name in NAMES)
        real.program = session.load(source(PROGRAM.replace("HINTS", hints)))
        yield real


def example(number):
    """Return hints, what the targets do, the calls with the pauses before them, and what is called."""
    chance = Random(number)

    def script(outcomes, most):
        seconds = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0)
        return [(chance.choice(outcomes), chance.choice(seconds)) for _ in range(chance.randint(2, most))]

    def perhaps(*ways):
        found = tuple(chance.choice(way) for way in ways)
        return None if chance.random() < 0.5 else found[0] if len(ways) == 1 else found

    hints = {
        "cache": perhaps((0.75, 6.05, 60.05), (1, 2, 3)),
        "breaker": perhaps((1, 2, 3), (0.85 + number * 1e-6, 5.15 + number * 1e-6)),
        "rate": perhaps((0.03 + number * 1e-9, 0.3 + number * 1e-9, 3.0 + number * 1e-9), (1, 2, 3)),
        "retry": perhaps((0, 1, 2, 3), (0.0, 0.1, 3.0), (1.0, 2.0)),
        "timeout": perhaps((0.35, 0.75, 1.55)),
        "fallback": chance.random() < 0.5,
        "validation": chance.random() < 0.5,
    }
    kind = chance.choice(("target", "once", "model"))
    if kind == "model":  # the host repeats requests to models by itself, and tells them of replies that do not fit
        hints = {**hints, "validation": False, "retry": hints["retry"] or (0, 0.0, 1.0)}
    target = script(("good", "good", "poor", "safe", "unsure", "unsure", "here"), 9)
    other = script(("good", "poor", "poor", "safe", "unsure", "here"), 5)
    calls = [(chance.choice("abc"), chance.choice((0.0, 0.33, 4.07))) for _ in range(chance.randint(2, 8))]
    return hints, target, other, calls, kind


def said_of(message):
    """Return what a message says, in the words of the reference."""
    for words, said in (
        ("open for", "open"),
        ("its place comes", "too early"),
        ("the hint runtime.learning.validation", "misfit"),
    ):
        if words in message:
            return said
    return message.rpartition(": ")[2]


def test_results_are_those_of_the_published_nesting(host):
    for number in range(effort(80)):
        found, wanted = both(host, number)
        assert found == wanted, f"example {number}: {example(number)}"


def both(host, number):
    """Make the calls of an example at the host and in the reference; return all that can be seen of them."""
    hints, target, other, calls, kind = example(number)
    seen, wanted, log, clock = [], [], [], FakeClock(steady=host.clock.monotonic())
    script = Script("t", target, clock, kind != "once", log)
    world = World(clock, hints, script, Script("o", other, clock, True, log) if hints["fallback"] else None)
    nested = world.nested()
    for key, gap in calls:
        clock.advance(gap)
        try:
            wanted.append(nested(key))
        except FailedError as error:
            wanted.append(f"failed: {error.said}")
    real_log, totals = [], dict.fromkeys(("calls", "failed", "kept"), 0)
    host.scripts = {
        "target": Script("t", target, host.clock, True, real_log),
        "other": Script("o", other, host.clock, True, real_log),
    }
    around = {"hints": hint_map(hints, number), "model": kind == "model", "once": kind == "once"}
    given = Map.wrap({Keyword(name): value for name, value in around.items()})
    for key, gap in calls:
        host.clock.advance(gap)
        result = host.program.call("main", (given, f"{key} {number}"))
        value, error = result.value
        seen.append(value if error is None else f"failed: {said_of(error)}")
        for name, count in totals.items():
            totals[name] = count + result.summary.metrics[f"m{number}"][name]
    ended = [round(each.monotonic(), 6) for each in (host.clock, clock)]
    return (seen, real_log, ended[0], totals), (wanted, log, ended[1], world.counts)
