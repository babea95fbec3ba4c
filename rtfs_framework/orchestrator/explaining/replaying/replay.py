"""Deciding again: every decision that a journal tells of, by the policy that is configured now.

In: a host, a history, runs. Out: an `Again` per decision: the same, another target and why, or that it cannot be
repeated and why. Nobody is asked, nothing is written, and nothing of the present is looked at but the policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Any

import attrs

from rtfs_framework.api.plans import DelegationPlan, PlanSource
from rtfs_framework.api.signals import Health, Latency
from rtfs_framework.api.targets import Ask, ExecTarget, L4CacheHit, show_target
from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.orchestrator.config.routes import parse_target
from rtfs_framework.orchestrator.deciding.delegate import Delegator
from rtfs_framework.orchestrator.deciding.facts import Asker, Read
from rtfs_framework.orchestrator.deciding.hinted import hints_told
from rtfs_framework.orchestrator.deciding.known import Undecided
from rtfs_framework.orchestrator.deciding.labelling import Labelling
from rtfs_framework.orchestrator.deciding.pinned import Pin, Pinned
from rtfs_framework.orchestrator.deciding.readings import spelled, target_of
from rtfs_framework.orchestrator.deciding.reads import Reads
from rtfs_framework.orchestrator.deciding.signals import Signals
from rtfs_framework.orchestrator.explaining.imagined import Past, decided, imagining
from rtfs_framework.orchestrator.explaining.labels import recorded as marks_of
from rtfs_framework.orchestrator.explaining.replaying.reads import RecordedReads
from rtfs_framework.orchestrator.host import Host
from rtfs_framework.orchestrator.learning.past import PastLearning
from rtfs_framework.orchestrator.learning.reading import Rows
from rtfs_framework.orchestrator.learning.store import LearnedStore
from rtfs_framework.orchestrator.recording.journal import recorded
from rtfs_framework.orchestrator.recording.journal.history import OLD_RECORD, UNENDED, History, Told
from rtfs_framework.orchestrator.recording.plain import plain_of
from rtfs_framework.orchestrator.remembering.published.shelf import Shelf


class Repeated(Enum):
    """What came of deciding once more."""

    SAME = "same"
    DIFFERS = "differs"
    UNKNOWN = "unknown"
    """It cannot be repeated."""


@attrs.frozen(slots=True, kw_only=True)
class Again:
    """A decision, made once more."""

    run: str
    call: str
    number: int
    """Which decision of its call, from 0."""
    symbol: str
    result: Repeated
    then: str
    """The target then."""
    now: str = ""
    because: str = ""
    """Why it is another one, or why nobody can tell."""
    plan: DelegationPlan | None = None
    """What is decided now; None where nobody can tell."""
    drew: bool = False
    """Whether it is decided by chance: another seed may give another plan."""

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        said = ("run", "call", "number", "symbol", "then", "now", "because")
        return {**{name: getattr(self, name) for name in said}, "result": self.result.value}


@contextmanager
def replayer(host: Host, history: History) -> Iterator[Replayer]:
    """Return, for a while, what decides told decisions again, by the policy of a host."""
    past = _past(host, history)
    try:
        delegator, labelling = host.dispatcher.delegator, host.dispatcher.labelling
        shelf = host.dispatcher.shelf.shelf
        yield Replayer(delegator, history, host.config.surroundings.time_class, past, labelling, shelf)
    finally:
        past.close()


def replay(host: Host, history: History, run: str) -> Iterator[Again]:
    """Decide again all that a run decided, in the order of its calls' ids."""
    with replayer(host, history) as once_more:
        for told in history.decisions(run):
            yield once_more.decided(told)


@attrs.define(slots=True, eq=False)
class Replayer:
    """Decides told decisions by one policy."""

    delegator: Delegator
    history: History
    hours: Callable[[float], str]
    """From a moment to its class of hours."""
    past: PastLearning
    labelling: Labelling | None = None
    """Has what decides about calls that carry marks; None where the policy knows none."""
    shelf: Shelf | None = None
    """The published programs that are here; None where nobody looks."""
    _told: Told | None = attrs.field(default=None, init=False)
    _latest: RecordedReads | None = attrs.field(default=None, init=False)
    _deciding: Delegator = attrs.field(init=False)

    @_deciding.default
    def _quiet(self) -> Delegator:
        return self._quietly(self.delegator)

    def _quietly(self, delegator: Delegator) -> Delegator:
        signals = Signals(targets=self, budgets=None, prices=self.delegator.signals)
        return attrs.evolve(imagining(delegator, signals), reads=self._reads, pinned=None)

    def health(self, target: ExecTarget) -> Health:
        """Return the state of a breaker then: lists of targets go on by it."""
        read = ["health", *spelled(target)]
        for each in () if self._told is None else self._told.reads:
            if each["read"] == read and "value" in each:
                return Health(each["value"])
        return Health(self._then("health", target) or Health.CLOSED)

    def latency(self, target: ExecTarget) -> Latency | None:
        """Return how long a target took then."""
        found = self._then("latency", target)
        return None if found is None else Latency(**found)

    def load(self, target: ExecTarget) -> int:
        """Return how many requests it had under way then."""
        return int(self._then("load", target) or 0)

    def _then(self, name: str, target: ExecTarget) -> Any:
        told = self._told
        found = None if told is None else told.facts.signals.at(told.signals, name, show_target(target))
        return None if found is None else found[0]

    def decided(self, told: Told, seed: str | None = None) -> Again:
        """Return what is decided now. Chance is that of the run, or another one where a `seed` says so."""
        said = told.said
        then = _shown(str(said.get("target", "")), said.get("delay", 0.0), said.get("hedge"))
        known = {"run": told.facts.id, "call": told.call, "number": told.number, "symbol": told.entry["symbol"]}
        call = _call(told)
        if call is None or told.unended:
            why = OLD_RECORD if call is None else UNENDED
            return Again(**known, then=then, result=Repeated.UNKNOWN, because=why)
        self._told, self._latest = told, None
        label, of_label = marks_of(self.labelling, told.entry)
        seed = told.facts.seed if seed is None else seed
        past = Past(attempts=told.attempts, seed=seed, call=told.order, labels=label)
        deciding = self._deciding if of_label is None else self._quietly(of_label)
        decision = decided(self._by(told, deciding), call, past)
        if isinstance(decision, Undecided):
            return Again(**known, then=then, result=Repeated.UNKNOWN, because=self._missing)
        plan = _approved(decision.plan, told)
        now = _shown(show_target(plan.target), plan.delay, plain_of(plan.hedge))
        made = Again(**known, then=then, now=now, result=Repeated.SAME, plan=plan, drew="draw" in decision.read)
        if now != then:
            return attrs.evolve(made, result=Repeated.DIFFERS, because=plan.reasoning)
        lacks = self._lacks(told)
        return attrs.evolve(made, result=Repeated.UNKNOWN, because=lacks) if lacks else made

    def _lacks(self, told: Told) -> str:
        """Return why the published program that ran in place of the body cannot run again; "" where it can."""
        ran = dict(told.said.get("context", ())).get("published", "")
        target = parse_target(str(ran), (), ()) if ran else None
        return self.shelf.lacks(target) if self.shelf is not None and isinstance(target, L4CacheHit) else ""

    def _by(self, told: Told, deciding: Delegator) -> Delegator:
        """Return what decides again: where a pinned plan decided, by what it said then, as the record tells it."""
        if told.function is None or told.said.get("source") != PlanSource.PINNED.value:
            return deciding
        told_plan = dict(told.said.get("context", ())).get("plan", "")
        pin = Pin(told.function.name, recorded.target_of(str(told.said.get("target", ""))), told.function.body_digest)
        return attrs.evolve(deciding, pinned=Pinned(name=told_plan, program="", pins=(pin,)))

    @property
    def _missing(self) -> str:
        return "" if self._latest is None else self._latest.missing

    def _learned(self, read: Read, version: int) -> tuple[Any, str]:
        """Return what had been learned in a version."""
        name, *more = read
        tenant = "" if self._told is None else self._told.facts.tenant
        if name == "experience":
            return self.past.experience(tenant, version)
        if name == "state":
            return self.past.value(tenant, more[0], more[1], version)
        return self.past.stats(tenant, more[0], target_of(more[1], more[2]), version)

    def _reads(self, facts: Any, call: HostCall, _answer_to: object, asker: Asker | None = None) -> Reads:
        told = self._told
        if told is None:
            raise LookupError("nothing is decided again")
        same = told.facts.policy == self.delegator.policy_hash
        made = RecordedReads(
            facts,
            call,
            _nobody,
            asker,
            told=told,
            keyed=self.history.keyed,
            hours=self.hours,
            learned=self._learned,
            same_policy=same,
        )
        self._latest = made
        return made


def _past(host: Host, history: History) -> PastLearning:
    """Return what knows what had been learned when a journal's decisions were made."""
    learning = host.learning
    store = None if learning.kept_at is None else LearnedStore(learning.kept_at)
    return PastLearning.of(Rows(history.connection, history.keys.journal), learning.learners, store)


def _call(told: Told) -> HostCall | None:
    """Return a call as far as it is told; None where nobody wrote down what its decisions rest on.

    What follows a failure of a capability rests on what was tried and on hints alone.
    """
    hints, args = hints_told(told.reads), told.args or ()
    if told.function is not None:
        return HostCall(CallKind.DELEGATED, told.function.name, args, told.function, hints)
    of_capability = told.entry["kind"] == CallKind.CAPABILITY.value and told.attempts
    return HostCall(CallKind.CAPABILITY, str(told.entry["symbol"]), args, None, hints) if of_capability else None


def _approved(plan: DelegationPlan, told: Told) -> DelegationPlan:
    """Return what was carried out then of a plan that a person had to say yes to: a yes is no decision."""
    target = plan.target
    if not isinstance(target, Ask) or told.said.get("target") != show_target(target.then):
        return plan
    asked = told.number > 0 or any(step == "approval" for step, _ in told.said.get("steps", ()))
    return attrs.evolve(plan, target=target.then, hedge=None) if asked else plan


def _shown(target: str, delay: float, hedge: Mapping[str, Any] | None) -> str:
    """Return what a decision comes to: equal texts are the same."""
    after = f" after {delay:.3g} s" if delay else ""
    hedged = f", hedged at {hedge['target']} after {hedge['after']:g} s" if hedge else ""
    return f"{target}{after}{hedged}"


def _nobody(_question: object) -> None:
    """Answer no question: the reads answer themselves."""
