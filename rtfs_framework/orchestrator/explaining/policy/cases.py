"""The file of a policy's tests: calls, the world that each imagines, and the targets that are expected.

In: the text of a TOML file. Out: cases, each with its place; or a diagnostic for every mistake, with line and column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs
from attrs import validators

from rtfs_framework.api.attempts import Attempt, FailureKind
from rtfs_framework.api.caller import DelegationMetadata
from rtfs_framework.api.errors import ConfigError
from rtfs_framework.api.signals import Health, Latency, Left, Price
from rtfs_framework.api.targets import ExecTarget, LocalModel, RemoteModel, show_target
from rtfs_framework.api.units import Seconds
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.source import Source, Span
from rtfs_framework.orchestrator.boundary.confidence import with_confidence
from rtfs_framework.orchestrator.config.routes import Unknown, parse_target
from rtfs_framework.orchestrator.explaining.policy.offers import HealthName, LeftName, OfferTable
from rtfs_framework.orchestrator.recording.journal.recorded import value_of

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath, Places
    from rtfs_framework.lang.diagnostics import Diagnostic
    from rtfs_framework.orchestrator.performing.providers import ProviderPool

OUTCOMES = {"denied": "denied", "error": "the error", "ask": "a person is asked"}
"""What may be expected that is no target."""
BAD_CASE = "E0705"
_SHARE: Any = validators.optional([validators.ge(0.0), validators.le(1.0)])
_Kind = Literal["safe", "uncertain", "final-here", "final", "bad-reply", "low-confidence", "refused"]


@attrs.frozen(slots=True, kw_only=True)
class AttemptTable:
    """An attempt before the decision."""

    target: str
    kind: _Kind = "safe"
    seconds: Seconds = attrs.field(default=Seconds(0.0), validator=validators.ge(Seconds(0.0)))
    guard: str = ""
    reason: str = ""


@attrs.frozen(slots=True, kw_only=True)
class PriceOf:
    """US dollars per million tokens."""

    input: float | None = attrs.field(default=None, validator=validators.optional(validators.ge(0)))
    output: float | None = attrs.field(default=None, validator=validators.optional(validators.ge(0)))


@attrs.frozen(slots=True, kw_only=True)
class MetadataTable:
    """What the caller says of the call."""

    confidence: float | None = attrs.field(default=None, validator=_SHARE)
    reasoning: str = ""
    context: Mapping[str, str] = attrs.field(factory=dict)
    source: str = ""


@attrs.frozen(slots=True, kw_only=True)
class CaseTable:
    """`[[case]]`."""

    call: str
    expect: str | Sequence[str]
    name: str = ""
    program: str = ""
    tenant: str = ""
    agent: str | None = None
    environment: Mapping[str, str] | None = None
    constraints: Mapping[str, str] | None = None
    time_class: str = ""
    labels: Sequence[str] = ()
    health: Mapping[str, HealthName] = attrs.field(factory=dict)
    latency: Mapping[str, Sequence[float]] = attrs.field(factory=dict)
    load: Mapping[str, int] = attrs.field(factory=dict)
    price: Mapping[str, PriceOf] = attrs.field(factory=dict)
    offer: Mapping[str, OfferTable] = attrs.field(factory=dict)
    budget: Mapping[str, LeftName] = attrs.field(factory=dict)
    rate: Mapping[str, LeftName] = attrs.field(factory=dict)
    attempts: Sequence[AttemptTable] = ()
    answers: Mapping[str, str] = attrs.field(factory=dict)
    sure: Mapping[str, float] = attrs.field(
        factory=dict, validator=validators.deep_mapping(value_validator=[validators.ge(0.0), validators.le(1.0)])
    )
    hints: str = ""
    metadata: MetadataTable = attrs.field(factory=MetadataTable)


@attrs.frozen(slots=True, kw_only=True)
class CasesFile:
    """The whole file."""

    program: str = ""
    case: Sequence[CaseTable] = attrs.field(factory=tuple)

    @case.validator
    def _some(self, _: Any, value: Sequence[CaseTable]) -> None:
        if not value:
            raise ValueError("the 'case' tables are missing: a policy is tested by at least one [[case]]")


@attrs.frozen(slots=True, kw_only=True)
class Case:
    """A case of a file, with its place there."""

    number: int
    table: CaseTable
    file: CasesOf

    @property
    def path(self) -> KeyPath:
        """Where it stands."""
        return "case", self.number

    @property
    def program(self) -> Path:
        """The program's file.

        Raises:
            ConfigError: None is named.
        """
        named = self.table.program or self.file.program
        if not named:
            raise self.mistake("it names no program", "call", 'write  program = "triage.rtfs"  at the top, or here')
        return self.file.path.parent / named

    def mistake(self, message: str, key: str | tuple[str | int, ...], way_out: str | None = None) -> ConfigError:
        """Return an error at a key of the case."""
        more = (key,) if isinstance(key, str) else key
        return self.file.places.error(BAD_CASE, message, (*self.path, *more), way_out)

    def call_source(self) -> Source:
        """Return the call's text as a source of its own; `moved` brings its mistakes to their places in the file."""
        return Source(f"{self.file.path} (call of case {self.number + 1})", self.table.call)

    def moved(self, error: LanguageError) -> LanguageError:
        """Return an error in the call's text with the places of the file."""
        source, span = self.file.places.at((*self.path, "call"))
        inside = source.text[span.start : span.end]
        exact = inside[1:-1] == self.table.call

        def move(found: Diagnostic) -> Diagnostic:
            if found.source is None or found.source.text != self.table.call or found.span is None:
                return found
            start = span.start + 1
            there = Span(start + found.span.start, start + found.span.end) if exact else span
            return attrs.evolve(found, source=source, span=there)

        return LanguageError([move(each) for each in error.diagnostics])


@attrs.frozen(slots=True)
class CasesOf:
    """A file of cases."""

    path: Path
    places: Places
    program: str
    cases: tuple[Case, ...] = ()


def read_cases(path: Path) -> CasesOf:
    """Return the cases of a file.

    Raises:
        ConfigError: With one diagnostic for each mistake.
    """
    from rtfs_framework.api.toml_places import read_toml, structure

    data, places = read_toml(path)
    found = structure(CasesFile, data, places)
    made = CasesOf(path, places, found.program)
    return attrs.evolve(made, cases=tuple(Case(number=n, table=each, file=made) for n, each in enumerate(found.case)))


@attrs.frozen(slots=True)
class Meaning:
    """What the texts of a case mean on one host: targets, signals, attempts."""

    case: Case
    pool: ProviderPool

    def target(self, text: str, *keys: str | int) -> ExecTarget:
        """Return a target, written as in `delegation.toml`.

        Raises:
            ConfigError: The text names none.
        """
        local, remote = self.pool.ids(LocalModel), self.pool.ids(RemoteModel)
        found = parse_target(text.replace(":", "-", 1), local, remote)
        if isinstance(found, Unknown):
            raise self.case.file.places.error("E0706", found.message, (*self.case.path, *keys), found.help)
        return found

    def expected(self) -> tuple[str, ...]:
        """Return the targets that are expected, as decisions are shown; any of them is right."""
        expect = self.case.table.expect
        if isinstance(expect, str):
            return (self._outcome(expect, "expect"),)
        if not expect:
            raise self.case.mistake("it expects nothing", "expect", "name a target")
        return tuple(self._outcome(text, "expect", place) for place, text in enumerate(expect))

    def _outcome(self, text: str, *keys: str | int) -> str:
        return OUTCOMES[text] if text in OUTCOMES else show_target(self.target(text, *keys))

    def signals(self) -> dict[tuple[str, Any], Any]:
        """Return what the case says of signals."""
        table, found = self.case.table, dict[tuple[str, Any], Any]()
        for text, state in table.health.items():
            found["health", self.target(text, "health", text)] = Health(state)
        for text, times in table.latency.items():
            found["latency", self.target(text, "latency", text)] = self._latency(text, times)
        for text, load in table.load.items():
            found["load", self.target(text, "load", text)] = load
        for text, price in table.price.items():
            found["price", self.target(text, "price", text)] = Price(price.input, price.output)
        for text, offer in table.offer.items():
            target = self._host(text)
            found["offer", target] = offer.signal(target.id)
        for name, left in table.budget.items():
            found["budget", name] = Left(left)
        for name, left in table.rate.items():
            found["rate", name] = Left(left)
        return found

    def _host(self, text: str) -> RemoteModel:
        target = self.target(text, "offer", text)
        if not isinstance(target, RemoteModel) or not self.pool.instances[target].entry.travels:
            raise self.case.mistake(
                f"{text} is no other RTFS host: it offers nothing",
                ("offer", text),
                "name a remote provider that reaches one",
            )
        return target

    def _latency(self, text: str, times: Sequence[float]) -> Latency:
        if len(times) != 2 or not 0 <= times[0] <= times[1]:
            message = "a latency is the median and the 95th percentile, in seconds"
            raise self.case.mistake(message, ("latency", text), "write [0.8, 2.5]")
        return Latency(*times)

    def attempts(self) -> tuple[Attempt, ...]:
        """Return what was tried before the decision."""
        return tuple(
            Attempt(
                target=self.target(each.target, "attempts", place, "target"),
                kind=FailureKind(each.kind),
                seconds=each.seconds,
                guard=each.guard,
                reason=each.reason,
            )
            for place, each in enumerate(self.case.table.attempts)
        )

    def answers(self) -> dict[ExecTarget, str]:
        """Return what models answer when an engine asks them."""
        sure = {self.target(text, "sure", text): found for text, found in self.case.table.sure.items()}
        said = {self.target(text, "answers", text): words for text, words in self.case.table.answers.items()}
        return {target: with_confidence(words, sure.get(target)) for target, words in said.items()}

    def metadata(self) -> DelegationMetadata:
        """Return what the caller says of the call."""
        said = self.case.table.metadata
        try:
            return DelegationMetadata(
                confidence=said.confidence, reasoning=said.reasoning, context=said.context, source=said.source
            )
        except ValueError as error:
            raise self.case.mistake(f"these metadata are none: {error}", "metadata") from error

    def hints(self) -> Map:
        """Return the hints around the call."""
        text = self.case.table.hints
        try:
            found = value_of(text) if text else EMPTY_MAP
        except LanguageError as error:
            message = f"these hints do not read: {error.diagnostics[0].message}"
            raise self.case.mistake(message, "hints", "write a map, such as '{:timeout 500}'") from error
        if not isinstance(found, Map):
            raise self.case.mistake("these hints are no map", "hints", "write a map, such as '{:timeout 500}'")
        return found
