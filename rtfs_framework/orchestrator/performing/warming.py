"""Making models ready that are likely asked soon: what engines propose, within bounds, billed and recorded.

In: ends of calls, what engines learned. Out: models that are loaded, or, where their provider cannot do that by itself,
were sent a request of a few tokens. Off by default. A thread looks after each call and once a minute; it asks engines
(`propose`) and takes what is likely enough. A request passes rules, guards, rates and budgets like any, and stands in
the journal under a run of its own; loading asks nobody anything.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from math import inf
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.errors import ProviderError
from rtfs_framework.api.experience import MOST_EXPERIENCES
from rtfs_framework.api.learning import Warm
from rtfs_framework.api.provider import InferenceRequest, Message
from rtfs_framework.api.targets import LocalModel, RemoteModel, show_target
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.orchestrator.performing.budgets.estimate import bound_of, prices_of
from rtfs_framework.orchestrator.performing.controls import BusyError
from rtfs_framework.orchestrator.performing.own_calls import OwnCalls
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.registry.faults import PluginFault, ask

if TYPE_CHECKING:
    from rtfs_framework.api.experience import Situation
    from rtfs_framework.api.plans import Candidate
    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.api.values import Clock
    from rtfs_framework.orchestrator.config.model import WarmingSpec
    from rtfs_framework.orchestrator.deciding.engines import Engine
    from rtfs_framework.orchestrator.deciding.facts import AnyEmbedder
    from rtfs_framework.orchestrator.deciding.learned import Learned
    from rtfs_framework.orchestrator.performing.models import Models
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance, ProviderPool
    from rtfs_framework.orchestrator.recording.events import EventBus
    from rtfs_framework.orchestrator.recording.journal.run import Chain
    from rtfs_framework.orchestrator.recording.records import CallRecord

SYMBOL = "delegate/warm-up"
"""In whose name models are warmed."""
_EVERY = 60.0
_TIMEOUT = 30.0
_TOKENS = 16
_DAY = 86_400.0
_NANO = 1e9
_MOST_RECENT = 16
_MOST_PROPOSED = 256
_MOST_NEAR = 8
"""Functions that engines hear of as being like the latest one."""
_MODELS = (LocalModel, RemoteModel)
_WORDS = "Answer with the word: ready."
_HOUR = 3600.0
_STEP = 0.05
_RELAX = 0.05
"""By how much a high bar is lowered in an hour: an engine that was wrong is tried again."""
_LEAST, _MOST = 0.5, 0.98
"""What is less likely than not is never warmed; what is as good as sure always may be."""
_AIM = 0.8
"""Of the share that may be wasted: what is aimed at, so that chance rarely leads above it."""


@attrs.frozen(slots=True, kw_only=True)
class Context:
    """What a proposal may rest on."""

    hour: int
    """Of the day, by the host's clock, in UTC."""
    recent: tuple[str, ...] = ()
    """The functions that were called last, the latest at the end; none where nothing was since the last look."""
    near: tuple[tuple[str, float], ...] = ()
    """Functions that are like the latest one, the nearest first, each with how near it is."""
    candidates: tuple[Candidate, ...] = ()


@attrs.define(slots=True, eq=False, kw_only=True)
class Heat:
    """Which targets are warm, and what may still be warmed: so many an hour, and only what is likely enough.

    How likely that is follows from what came of earlier warm-ups: each that nobody asked for raises the least, each
    that somebody did lowers it, in such steps that in the long run about a share of `wasted` is for nothing, however
    sure of itself an engine is (the rule of adaptive conformal inference: Gibbs and Candes, 2021).
    """

    horizon: float
    """Seconds for which a target stays warm."""
    per_hour: int
    wasted: float = 0.2
    """The share of warm-ups that may be for nothing."""
    least: float = attrs.field(init=False)
    """How likely a target must be asked, for now."""
    _used: dict[ExecTarget, float] = attrs.field(factory=dict, init=False)
    _warmed: deque[float] = attrs.field(factory=deque, init=False)
    _pending: dict[ExecTarget, float] = attrs.field(factory=dict, init=False)
    """Warmed and not asked since."""
    _looked: float = attrs.field(default=inf, init=False)

    @least.default
    def _first(self) -> float:
        return 1.0 - self.wasted

    def used(self, target: ExecTarget, now: float) -> None:
        """Note that a target was asked."""
        self._settle(now)
        if self._pending.pop(target, None) is not None:
            self._learn(lost=0.0)
        self._used[target] = now

    def is_warm(self, target: ExecTarget, now: float) -> bool:
        """Tell whether a target was asked, or warmed, within the horizon."""
        return now - max(self._used.get(target, -inf), self._pending.get(target, -inf)) <= self.horizon

    def chosen(self, proposed: Iterable[Warm], now: float) -> Iterator[Warm]:
        """Yield what is to be warmed, the best first: not what is warm, and nothing above the bounds."""
        self._settle(now)
        for each in sorted(proposed, key=lambda warm: -warm.worth):
            if len(self._warmed) >= self.per_hour or each.worth < self.least:
                return
            if each.target is not None and not self.is_warm(each.target, now):
                self._warmed.append(now)
                self._pending[each.target] = now
                yield each

    def _settle(self, now: float) -> None:
        """Count what nobody asked for in time."""
        while self._warmed and now - self._warmed[0] >= _HOUR:
            self._warmed.popleft()
        for target in [each for each, since in self._pending.items() if now - since > self.horizon]:
            del self._pending[target]
            self._learn(lost=1.0)
        first, relaxed = self._first(), _RELAX * max(0.0, now - self._looked) / _HOUR
        if self.least > first:
            self.least = max(first, self.least - relaxed)
        self._looked = now

    def _learn(self, lost: float) -> None:
        self.least = min(max(self.least + _STEP * (lost - _AIM * self.wasted), _LEAST), _MOST)


@attrs.define(slots=True, eq=False, kw_only=True)
class Warming:
    """Warms the models of one host."""

    spec: WarmingSpec
    proposing: tuple[Engine, ...]
    """The engines that propose."""
    learned: Learned
    pool: ProviderPool
    candidates: Callable[[], tuple[Candidate, ...]]
    models: Models
    clock: Clock
    events: EventBus
    tenant: str
    begin: Callable[[str], Chain | None]
    """Begins a run of that id in the journal."""
    embedder: AnyEmbedder | None = None
    """By which functions are found to be like one another."""
    threaded: bool = True
    heat: Heat = attrs.field(init=False)
    calls: OwnCalls = attrs.field(init=False)
    spent: float = attrs.field(default=0.0, init=False)
    """US dollars on `_day`."""
    _day: int = attrs.field(default=0, init=False)
    _recent: deque[str] = attrs.field(factory=lambda: deque(maxlen=_MOST_RECENT), init=False)
    _latest: Situation | None = attrs.field(default=None, init=False)
    """Of the latest call, where a layer of experience is on."""
    _fresh: bool = attrs.field(default=False, init=False)
    """Whether a call has ended since the last look."""
    _lock: Lock = attrs.field(factory=Lock, init=False)
    _wake: Event = attrs.field(factory=Event, init=False)
    _thread: Thread | None = attrs.field(default=None, init=False)
    _stop: Callable[[], object] | None = attrs.field(default=None, init=False)
    _closed: bool = attrs.field(default=False, init=False)

    @heat.default
    def _cold(self) -> Heat:
        return Heat(horizon=self.spec.idle, per_hour=self.spec.per_hour, wasted=self.spec.wasted)

    @calls.default
    def _own_calls(self) -> OwnCalls:
        return OwnCalls(symbol=SYMBOL, events=self.events, tenant=self.tenant, begin=self.begin)

    @property
    def on(self) -> bool:
        """Tell whether anything may be warmed."""
        return self.spec.per_hour > 0 and bool(self.proposing) and not self._closed

    def ended(self, record: CallRecord) -> None:
        """Take note of a call that is over, and look soon.

        Of one that carries marks no engine hears, for a program may choose by them what it calls: what is warmed
        because of that would tell it to a model that does not accept them.
        """
        if not self.on or record.decision is None:
            return
        told = record.labelled is None or not record.labelled.label
        target, now = record.decision.plan.target, self.clock.monotonic()
        with self._lock:
            if isinstance(target, _MODELS) and record.cache not in ("l2 hit", "similar hit"):
                self.heat.used(target, now)
            if told:
                self._recent.append(record.symbol)
                self._latest = record.situation
                self._fresh = True
            if self.threaded and self._thread is None:
                self._thread = Thread(target=self._watch, name="rtfs warming", daemon=True)
                self._thread.start()
        if told:
            self._wake.set()

    def look(self) -> list[Warm]:
        """Return what is to be warmed now; it counts as warmed."""
        context = self._context()
        proposed = [each for engine in self.proposing for each in self._proposals(engine, context)]
        with self._lock:
            return list(self.heat.chosen(proposed, self.clock.monotonic()))

    async def warm(self, chosen: Iterable[Warm]) -> None:
        """Make the models ready, one after the other: by loading them where a provider can, which costs nothing."""
        for each in chosen:
            instance = None if each.target is None else self.pool.get(each.target)
            if instance is None or self._closed:
                continue
            if _loads(instance):
                await self._load(instance)
            elif self._affordable(instance):
                await self._ask(instance)

    def close(self) -> None:
        """Stop what is under way, and end the run in the journal."""
        self._closed = True
        self._wake.set()
        with self._lock:
            stop, thread = self._stop, self._thread
        if stop is not None:
            stop()
        if thread is not None:
            thread.join(2.0)
        self.calls.end()

    def _context(self) -> Context:
        now = self.clock.now()
        with self._lock:
            recent, latest = (tuple(self._recent), self._latest) if self._fresh else ((), None)
            self._fresh = False
        near = () if latest is None else self._near(latest)
        return Context(hour=int(now % _DAY // _HOUR), recent=recent, near=near, candidates=self.candidates())

    def _near(self, latest: Situation) -> tuple[tuple[str, float], ...]:
        """Return functions that are like the one of a situation: what is known of them is a guess about it."""
        asked = attrs.evolve(latest, intent="")  # a record has its digest alone, which no digest is near to
        found = self.learned.experience(asked, MOST_EXPERIENCES, self.embedder)
        near: dict[str, float] = {}
        for each in () if found is None else found[1]:
            symbol = each.situation.symbol
            if symbol != latest.symbol:
                near[symbol] = max(near.get(symbol, 0.0), each.nearness)
        return tuple(sorted(near.items(), key=lambda item: (-item[1], item[0])))[:_MOST_NEAR]

    def _proposals(self, engine: Engine, context: Context) -> list[Warm]:
        """Return what an engine proposes, as far as it can be done here: models of this host."""
        made: Any = engine.engine
        try:
            state = ask(engine.part, "`initial`", made.initial)
            known = {cell: self.learned.state(engine.name, cell)[1] for cell in state}
            if all(value is not None for value in known.values()):  # else nothing is published yet
                state = known
            return ask(engine.part, "`propose`", _models, made.propose, state, context)
        except PluginFault as fault:
            self.events.plugin_failed(engine.part, fault, "", "nothing is warmed")
            return []

    def _affordable(self, instance: ProviderInstance) -> bool:
        """Tell whether a request would stay within what a day may cost, at its highest."""
        day = int(self.clock.now() // _DAY)
        if day != self._day:
            self._day, self.spent = day, 0.0
        prices = prices_of(instance.spec)
        if prices is None:
            return False
        most = bound_of(_request(), prices, _TOKENS).amount.nano / _NANO
        return most == 0.0 or self.spent + most <= self.spec.usd_per_day

    async def _load(self, instance: ProviderInstance) -> None:
        """Take a model into memory. One that cannot be says so to whoever asks it first; that it broke is told here."""
        try:
            await instance.controls.load()
        except PluginFault as fault:
            self.events.plugin_failed(instance.part, fault, "", "nothing is warmed")
        except (ProviderError, BusyError):
            return
        else:
            self.events.emit("model.warmed", {"target": show_target(instance.target), "cost": 0.0})

    async def _ask(self, instance: ProviderInstance) -> None:
        opened = self.calls.next(instance.target, _WORDS, self.clock.monotonic())
        sender = self.models.sender
        try:
            await sender.send(opened, instance, _request(), consultation=True)
            opened.close(self.clock.monotonic(), "", answered=True)
            await opened.written()
        except JournalError as error:
            opened.abandon(self.clock.monotonic(), error)
        except Exception as error:  # noqa: BLE001 - it stops nobody: it is written down and reported
            opened.close(self.clock.monotonic(), error=self.models.failed(error, instance).error)
        except BaseException as error:
            opened.abandon(self.clock.monotonic(), error)
            raise
        finally:
            prices, cost = prices_of(instance.spec), opened.record.cost
            if cost is None and prices is not None:  # nobody knows: it counts as the most that it can be
                cost = bound_of(_request(), prices, _TOKENS).amount.nano / _NANO
            self.spent += cost or 0.0
        self.events.emit("model.warmed", {"target": show_target(instance.target), "cost": opened.record.cost})

    def _watch(self) -> None:
        """Look after each call and once a minute, until this is closed."""
        while True:
            self._wake.wait(_EVERY)
            self._wake.clear()
            if self._closed:
                return
            chosen = self.look()
            if chosen:
                self._run(chosen)

    def _run(self, chosen: list[Warm]) -> None:
        import asyncio

        async def work() -> None:
            loop, task = asyncio.get_running_loop(), asyncio.current_task()
            with self._lock:
                self._stop = lambda: loop.call_soon_threadsafe(task.cancel) if task else None
            try:
                await self.warm(chosen)
            finally:
                with self._lock:
                    self._stop = None

        try:
            asyncio.run(work())
        except CancelledError:
            self._closed = True


def _models(propose: Callable[[Any, Context], Iterable[Any]], state: Any, context: Context) -> list[Warm]:
    """Return what an engine proposes, as far as it can be done here: models of this host.

    Raises:
        TypeError: It proposes what is no proposal.
    """
    allowed = {each.target for each in context.candidates}
    found: list[Warm] = []
    for each in islice(propose(state, context), _MOST_PROPOSED):
        if each.__class__ is not Warm or not isinstance(each.worth, int | float):
            raise TypeError(f"{each!r:.80} is no proposal")
        if each.what == "model" and each.target in allowed:
            found.append(each)
    return found


def _loads(instance: ProviderInstance) -> bool:
    """Tell whether a provider can take its model into memory without being asked anything."""
    try:
        return instance.controls.offers("load")
    except ProviderError:  # it cannot even be made: whoever asks it is told
        return False


def _request() -> InferenceRequest:
    """Return the request that makes a model ready: it loads what it needs, opens the connection, and says little."""
    return InferenceRequest(
        function=FunctionSignature(SYMBOL),
        args=(_WORDS,),
        messages=(Message("user", _WORDS),),
        timeout=_TIMEOUT,
        max_tokens=_TOKENS,
    )


def proposing(engine: Engine | None) -> tuple[Engine, ...]:
    """Return the engines of a tree that propose what to warm."""
    found = () if engine is None else tuple(engine.all())
    return tuple(each for each in found if callable(getattr(each.engine, "propose", None)))
