"""One day in a real host: its own session, engines, reads, breakers and learning, on a clock that is turned by hand.

Every call is a whole call of a program. The models are plug-ins that answer as the world says, and turn the clock by
what that takes. Afterwards one answer in twenty is rated, as a person would.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time, thread_time
from types import ModuleType
from typing import Any
from unittest.mock import patch

import attrs

from benchmarks.delegation_day.world import DAY, NAMES, Model, World, reply_tokens, seconds_of
from benchmarks.vendors import Vendor
from rtfs_framework.api import (
    FailureKind,
    InferenceReply,
    LocalModel,
    ProviderUnavailable,
    Usage,
)
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.deciding.delegate import Delegator
from rtfs_framework.orchestrator.recording.records import CallRecord
from rtfs_framework.orchestrator.running.program import LoadedProgram
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.load import load_catalog
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing.clock import FakeClock

RATED = 0.05
"""The share of answers of which somebody says whether they are right."""
_MIDNIGHT = 1_700_006_400.0
_FIRST = 100
"""Calls whose time does not count: what they use is imported."""
_REFUSED = 0.02
"""Seconds until a connection is refused."""
_USUAL_CALLS = 100_000
"""With more calls a day than these, many callers ask at once: the clock moves less with each. With fewer the day is
shorter: breakers look at the last minute, in which there must be calls."""
_QUALITY = {"strong": 0.8, "north": 0.8, "south": 0.8, "spare": 0.7, "weak": 0.65}
"""What the models' vendors say of them."""
_PROGRAM = """
(defn answer "Answer question number n: is the answer right?" [n] : :bool false)
(defn main [n] (answer n))
"""
LEARNED = """
[delegation]
engine = "steady"
attempts = 6
[engines.steady]
plugin = "resilient"
primary = "{primary}"
fallback = [{fallback}]
retries = 1
backoff = "10 ms"
{more}
[delegation.static_routes]
answer = [{route}]
[journal]
enabled = false
[health]
shared = false
"""
ADAPTIVE = """
[engines.learned]
plugin = "adaptive"
base = "static"
exploration = 0.02
[engines.learned.weights]
feedback = 6.0
"""
"""Quality is what this caller wants: it counts as much as all else together, and more."""


@attrs.frozen(slots=True, kw_only=True)
class Policy:
    """Who decides: an engine of the tree, and the route below it."""

    name: str
    primary: str
    route: tuple[str, ...]
    more: str = ""
    plugins: str = "static,resilient,l1"
    extra: tuple[ModuleType | Any, ...] = ()
    """Plug-ins that the benchmark brings along."""

    def toml(self) -> str:
        """Return the configuration."""
        tables = "".join(
            f'[delegation.local_models.{name}]\nprovider = "{name}"\nquality = {_QUALITY[name]}\n'
            f"[health.targets.local-{name}]\nminimum_calls = 5\n"
            for name in NAMES
        )
        last = [name for name in self.route if name != "spare"]
        quoted = ", ".join(f'"local-{name}"' for name in self.route)
        fallback = ", ".join(f'"local-{name}"' for name in (*last, *(n for n in NAMES if n not in last)))
        return LEARNED.format(primary=self.primary, fallback=fallback, more=self.more, route=quoted) + tables


def adaptive() -> Policy:
    """Return `resilient(adaptive(static))`."""
    return Policy(
        name="adaptive", primary="learned", route=NAMES, more=ADAPTIVE, plugins="static,resilient,adaptive,l1"
    )


def always(name: str) -> Policy:
    """Return a route to one model, with the others for when it is down."""
    return Policy(name=f"always {name}", primary="static", route=(name,))


@attrs.define(slots=True)
class Trace:
    """What came of a day: by call, in their order."""

    chosen: list[int] = attrs.field(factory=list)
    """Which model was asked first, by its place in `NAMES`."""
    right: list[bool] = attrs.field(factory=list)
    cost: list[float] = attrs.field(factory=list)
    failed: list[bool] = attrs.field(factory=list)
    """Whether no model gave a usable answer in the end."""
    slowest: float = 0.0
    """Seconds of processor time of the slowest decision."""
    seconds: float = 0.0
    """Of processor time, all calls together."""


def day(policy: Policy, world: World, calls: int, seed: int, told: Callable[[int], None] = lambda _: None) -> Trace:
    """Return what a policy does with the calls of a day."""
    dice, trace = random.Random(f"{seed} calls"), Trace()
    now = _Now(world, random.Random(f"{seed} models"), min(1.0, _USUAL_CALLS / calls))
    phases, place = world.phases, -1
    length = min(DAY, DAY * calls / _USUAL_CALLS)
    with _program(policy, now) as (session, program), _timed() as timed:
        for folding in getattr(session.host.learning, "foldings", ()):
            folding.checked = False  # checking and copying each state takes most of the time, and changes nothing
        for number in range(calls):
            share = number / calls
            now.until(share * length)
            while place + 1 < len(phases) and phases[place + 1].start <= share:
                place += 1
                now.models = phases[place].models
                _reprice(session, now.models, world.asked.mean_tokens)
            question = dice.randrange(len(world.asked.tokens))
            began = process_time()
            result = program.call("main", (question,))
            trace.seconds += process_time() - began
            if number == _FIRST:
                timed.slowest = 0.0
            record = result.calls[0]
            _note(trace, record, right=result.value is True)
            if dice.random() < RATED and record.target != "local-pure":
                _rate(session, record, 1.0 if result.value is True else 0.0)
            if number % 1_000 == 0:
                told(number)
        trace.slowest = timed.slowest
    return trace


@attrs.define(slots=True)
class _Timed:
    """How long decisions took."""

    slowest: float = 0.0


@contextmanager
def _timed() -> Iterator[_Timed]:
    """Time each decision that any host of this process makes, without what is done with it."""
    found, decide = _Timed(), Delegator.decide

    def timed(*arguments: Any) -> Any:
        began = thread_time()
        made = decide(*arguments)
        found.slowest = max(found.slowest, thread_time() - began)
        return made

    with patch.object(Delegator, "decide", timed):
        yield found


def _note(trace: Trace, record: CallRecord, *, right: bool) -> None:
    """Write down what came of a call."""
    tried = [each.attempt.target for each in record.attempts]
    first = f"local-model {tried[0].id}" if tried and isinstance(tried[0], LocalModel) else record.target
    failed = not record.target.startswith("local-model ") or bool(record.error_kind)
    trace.chosen.append(NAMES.index(first.removeprefix("local-model ")) if first.startswith("local-model ") else -1)
    trace.right.append(right and not failed)
    trace.cost.append(record.cost or 0.0)
    trace.failed.append(failed)


def _rate(session: Session, record: CallRecord, value: float) -> None:
    """Say what an answer is worth; who does not learn is not told."""
    rated = getattr(session.host.learning, "rated", None)
    if rated is not None:
        rated(record, value)


def _reprice(session: Session, models: Any, tokens: float) -> None:
    """Let the vendors' prices be what they are now, as an installed list of prices would."""
    for name in NAMES:
        instance = session.host.pool.instances[LocalModel(name)]
        cost = models[name].price * tokens / 1e6
        if instance.spec.request_cost != cost:
            instance.spec = attrs.evolve(instance.spec, request_cost=cost)


@attrs.define(slots=True)
class _Now:
    """The time of day and what the models do at it."""

    world: World
    dice: random.Random
    pace: float
    """How much of a request's time the clock moves: less where many callers ask at once."""
    models: Any = None
    clock: FakeClock = attrs.field(factory=lambda: FakeClock(wall=_MIDNIGHT))

    def until(self, seconds: float) -> None:
        """Let the time come at which the next call is made."""
        self.clock.advance(max(0.0, seconds - self.clock.steady))

    def answer(self, name: str, question: int) -> InferenceReply:
        """Return what a model says, after the time that it takes."""
        model: Model = self.models[name]
        if model.down or self.dice.random() < model.errors:
            self.clock.advance(_REFUSED * self.pace)
            raise ProviderUnavailable(name, "the connection was refused", failure=FailureKind.SAFE)
        self.clock.advance(seconds_of(model, self.dice) * self.pace)
        asked = self.world.asked
        usage = Usage(asked.tokens[question], reply_tokens())
        if self.dice.random() < model.invalid:
            return InferenceReply(data="I cannot say", structured=True, usage=usage)
        if name in ("weak", "strong"):
            right = (asked.weak if name == "weak" else asked.strong)[question]
        else:
            right = self.dice.random() < model.quality
        return InferenceReply(data=right, structured=True, usage=usage)


def _vendor(name: str, now: _Now) -> Vendor:
    return Vendor(name, lambda request: now.answer(name, int(str(request.args[0]))))


@contextmanager
def _program(policy: Policy, now: _Now) -> Iterator[tuple[Session, LoadedProgram]]:
    """Give a program in a host of its own."""
    who = Provenance("benchmarks", "0", "benchmarks")
    with TemporaryDirectory() as folder:
        path = Path(folder, "delegation.toml")
        path.write_text(policy.toml(), encoding="utf-8")
        environ = {"RTFS_HOME": folder, "RTFS_PLUGINS": policy.plugins}
        catalog = load_catalog(environ, extra_plugins=policy.extra)
        catalog = attrs.evolve(catalog, providers={name: (_vendor(name, now).entry(), who) for name in NAMES})
        with Session.open(
            config_path=path, environ=environ, catalog=catalog, clock=now.clock, journal=False
        ) as session:
            program = session.load(Source("day.rtfs", _PROGRAM))
            # As a server does once it has started: a whole collection of garbage walks all modules, some 40 ms.
            gc.collect()
            gc.freeze()
            try:
                yield session, program
            finally:
                gc.unfreeze()
