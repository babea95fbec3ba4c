"""The estimate of a run: dry runs of a program, each with other stand-ins, added up site by site.

In: a program, loaded once for each dry run, and the inputs. Out: an `Estimate`, a range for each call site and for the
whole, with what is not known said in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.cache import CacheLevel
from rtfs_framework.lang.errors import ProgramError, RtfsError
from rtfs_framework.lang.signature import SiteKind
from rtfs_framework.orchestrator.config.folders import cache_dir
from rtfs_framework.orchestrator.explaining.estimating.dry import DryDispatcher, Site, Trial, Tried
from rtfs_framework.orchestrator.explaining.estimating.stand_in import variety
from rtfs_framework.orchestrator.explaining.estimating.tokens import Span
from rtfs_framework.orchestrator.host import Host
from rtfs_framework.orchestrator.performing.dispatch import Dispatcher
from rtfs_framework.orchestrator.performing.prices import Prices, price_all, today
from rtfs_framework.orchestrator.recording.events import EventBus

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.explaining.explain import ExplainedSite
    from rtfs_framework.orchestrator.running.linking import Linked
    from rtfs_framework.orchestrator.running.program import LoadedProgram

_MOST_RUNS = 8
"""Dry runs of one program; of more alternatives some are not tried."""
_ALWAYS = (
    "answers are stand-ins: how often a site is reached is what runs with several of them show",
    "attempts that fail, hedges, and replies that are remembered from earlier runs are not counted",
)


@attrs.frozen(slots=True, kw_only=True)
class SiteEstimate:
    """What one call site would ask of one target."""

    symbol: str
    place: str
    target: str
    source: str
    reasoning: str
    model: str
    calls: Span
    input_tokens: Span
    output_tokens: Span
    input_price: float | None
    output_price: float | None
    priced_by: str
    cost: Span | None
    """US dollars; None when they are not known."""
    notes: tuple[str, ...]


@attrs.frozen(slots=True, kw_only=True)
class Estimate:
    """What a run would cost."""

    sites: tuple[SiteEstimate, ...]
    inputs: int
    cost: Span
    """US dollars, as far as they are known."""
    unknown: int
    """Sites whose cost is not known; with any, the whole is more than `cost`."""
    failed: int
    """Inputs with which a dry run failed before its end."""
    first_failure: str
    not_known: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        whole = attrs.asdict(self)
        return {**whole, "known_cost": whole["cost"], "cost": None if self.unknown else whole["cost"]}


@attrs.define(slots=True, eq=False)
class Estimating:
    """Runs a program with stand-ins, input by input."""

    host: Host
    linked: Linked
    trials: tuple[Trial, ...] = attrs.field(init=False)
    inputs: int = attrs.field(default=0, init=False)
    failed: int = attrs.field(default=0, init=False)
    first_failure: str = attrs.field(default="", init=False)

    @trials.default
    def _made(self) -> tuple[Trial, ...]:
        reuse = self.host.caches.of_level(CacheLevel.L2) is not None
        lookup = self.linked.lookup
        runs = max((variety(each.returns, lookup) for each in self.linked.artifact.signatures), default=2)
        most = self.host.config.ledger.max_tokens
        return tuple(Trial(variant, reuse, most) for variant in range(min(max(runs, 2), _MOST_RUNS)))

    def hosts(self) -> tuple[Host, ...]:
        """Return a host for each dry run: it asks nobody, and nobody hears of it."""
        _price_unusable(self.host)
        given = self.host.dispatcher
        parts: dict[str, Any] = {field.name: getattr(given, field.name) for field in attrs.fields(Dispatcher)}
        quiet = EventBus(self.host.clock)
        return tuple(
            attrs.evolve(self.host, journal=None, events=quiet, dispatcher=DryDispatcher(**parts, trial=trial))
            for trial in self.trials
        )

    def add(self, programs: Iterable[LoadedProgram], entry: str, args: tuple[Any, ...]) -> None:
        """Run programs with one input. One that fails half-way counts as far as it came."""
        self.inputs += 1
        failures = [each for each in (self._failure(program, entry, args) for program in programs) if each]
        if failures:
            self.failed += 1
            self.first_failure = self.first_failure or f"input {self.inputs}: {failures[0]}"

    def load(self, load: Callable[[Host], LoadedProgram]) -> Iterator[LoadedProgram]:
        """Yield a program for each dry run; one whose top-level forms fail with stand-ins is missing."""
        for host in self.hosts():
            program = self._loaded(load, host)
            if program is not None:
                yield program

    def _loaded(self, load: Callable[[Host], LoadedProgram], host: Host) -> LoadedProgram | None:
        try:
            return load(host)
        except ProgramError as error:
            self.failed += 1
            self.first_failure = self.first_failure or f"top-level forms: {error}"
            return None

    @staticmethod
    def _failure(program: LoadedProgram, entry: str, args: tuple[Any, ...]) -> str:
        try:
            program.call(entry, args)
        except RtfsError as error:
            return str(error)
        return ""

    def estimate(self, known: Iterable[ExplainedSite]) -> Estimate:
        """Return what was counted; of the known sites those that no dry run reached are named."""
        tried: dict[Site, list[Tried]] = {}
        for trial in self.trials:
            for site, each in trial.sites.items():
                tried.setdefault(site, []).append(each)
        sites = tuple(
            _site(site, found, whole=len(found) == len(self.trials))
            for site, found in sorted(tried.items(), key=_place)
        )
        costs = [site.cost for site in sites if site.cost is not None]
        notes = dict.fromkeys(note for trial in self.trials for note in trial.notes)
        return Estimate(
            sites=sites,
            inputs=self.inputs,
            cost=sum(costs, Span(0.0, 0.0)),
            unknown=len(sites) - len(costs),
            failed=self.failed,
            first_failure=self.first_failure,
            not_known=(*notes, *_unreached(known, tried), *(_ALWAYS if sites else ())),
        )


def _price_unusable(host: Host) -> None:
    """Look up what providers cost that cannot be asked now: an estimate needs no key."""
    if host.catalog.prices is None:
        return
    unpriced = [each for each in host.pool.instances.values() if each.spec.model and host.pool.unusable(each.target)]
    for instance in unpriced:
        folder = partial(cache_dir, instance.environ)
        prices = Prices(host.catalog.prices, folder, today(host.clock.now()), host.events.plugin_failed)
        price_all([instance], prices)


def _unreached(known: Iterable[ExplainedSite], tried: Iterable[Site]) -> Iterator[str]:
    """Yield what is said of sites that no dry run came to."""
    reached = {symbol for symbol, *_ in tried}
    for site in known:
        if site.kind == SiteKind.FUNCTION.value and site.name not in reached:
            yield f"{site.name} ({site.place}, -> {site.target}) was reached by no dry run, and may cost more"


def _place(item: tuple[Site, Any]) -> tuple[Any, ...]:
    (symbol, place, target), _ = item
    name, _, rest = place.partition(":")
    numbers = tuple(int(part) for part in rest.split(":") if part.isdecimal())
    return name, numbers, symbol, target


def _site(site: Site, tried: list[Tried], *, whole: bool) -> SiteEstimate:
    """Return a site's range over the dry runs; one that did not reach it counts as nothing."""
    symbol, place, target = site
    first, spec = tried[0], tried[0].spec

    def span(of: Callable[[Tried], Span]) -> Span:
        found = [of(each) for each in tried]
        return Span(min(each.low for each in found) if whole else 0, max(each.high for each in found))

    costs = [each.cost for each in tried]
    repeated = max(each.repeated for each in tried)
    notes = dict.fromkeys(note for each in tried for note in each.notes)
    if repeated:
        notes[f"{repeated:,} of its calls equal earlier ones and cost nothing: replies are reused"] = None
    return SiteEstimate(
        symbol=symbol,
        place=place,
        target=target,
        source=first.source,
        reasoning=first.reasoning,
        model="" if spec is None else spec.model,
        calls=span(lambda each: Span(each.calls, each.calls)),
        input_tokens=span(lambda each: each.input),
        output_tokens=span(lambda each: each.output),
        input_price=None if spec is None else spec.input_cost,
        output_price=None if spec is None else spec.output_cost,
        priced_by="" if spec is None else spec.priced_by,
        cost=None if None in costs else span(lambda each: each.cost or Span()),
        notes=tuple(notes),
    )
