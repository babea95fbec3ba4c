"""A real host in that world: its own session, engines, learning and layers, on a clock that is turned by hand."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import exp, log1p
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs

from benchmarks.experience.families import (
    ERRORS,
    INVALID,
    KNOWN,
    NAMES,
    PRICES,
    SECONDS,
    TOKENS,
    Qualities,
    Task,
)
from benchmarks.vendors import Vendor
from rtfs_framework.api import (
    FailureKind,
    InferenceReply,
    LocalModel,
    ProviderUnavailable,
    Usage,
)
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.learning.fold import Cell
from rtfs_framework.orchestrator.learning.shelf import MemoryLearning
from rtfs_framework.orchestrator.recording.records import CallRecord
from rtfs_framework.orchestrator.running.program import LoadedProgram
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.load import load_catalog
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing.clock import FakeClock

RATED = 0.2
"""The share of answers of which somebody says whether they are right."""
_MIDNIGHT = 1_700_006_400.0
_SPREAD = 0.35
"""Of latencies: the deviation of their logarithm."""
_BETWEEN = 0.005
"""Seconds between two calls."""
_CONFIG = """
[delegation]
engine = "learned"
{embedder}
[engines.learned]
plugin = "adaptive"
base = "static"
exploration = 0.02
[engines.learned.weights]
feedback = 6.0
[journal]
enabled = false
[health]
shared = false
[delegation.static_routes]
"""
_EXPERIENCE = "[caches.l3]\n"


@attrs.frozen(slots=True, kw_only=True)
class Setup:
    """How a host is configured."""

    experience: bool
    embedder: str = ""
    """"" for none: then functions are alike by their words."""

    def toml(self, tasks: Sequence[Task]) -> str:
        """Return the configuration."""
        route = ", ".join(f'"local-{name}"' for name in NAMES)
        routes = "".join(f'"{task.name}" = [{route}]\n' for task in tasks)
        models = "".join(f'[delegation.local_models.{name}]\nprovider = "{name}"\n' for name in NAMES)
        embedder = f'embedder = "{self.embedder}"' if self.embedder else ""
        return _CONFIG.format(embedder=embedder) + routes + models + (_EXPERIENCE if self.experience else "")


def chosen(setup: Setup, tasks: Sequence[Task], *, before: int, calls: int, seed: int) -> dict[str, list[str]]:
    """Return, for each new function, which model each of its calls was sent to first.

    Each begins in a host of its own with what one host has learned of the known functions, as the next process would.
    """
    dice, world = random.Random(f"{seed} calls"), _World(random.Random(f"{seed} models"))
    with _program(setup, KNOWN, world) as (session, program):
        for number in range(before * len(KNOWN)):
            world.call(session, program, number % len(KNOWN), dice)
        learned = {each.learner.name: dict(each.cells) for each in _learning(session).foldings}
    found: dict[str, list[str]] = {}
    for task in tasks:
        dice = random.Random(f"{seed} {task.name} calls")
        world = _World(random.Random(f"{seed} {task.name} models"), clock=FakeClock(wall=world.clock.now()))
        with _program(setup, (*KNOWN, task), world) as (session, program):
            _go_on(_learning(session), learned)
            made = [world.call(session, program, len(KNOWN), dice) for _ in range(calls)]
        found[task.name] = [_first(record) for record in made]
    return found


def _learning(session: Session) -> MemoryLearning:
    learning = session.host.learning
    if not isinstance(learning, MemoryLearning):
        raise TypeError("the host of this benchmark writes no journal")
    return learning


def _go_on(learning: MemoryLearning, learned: Mapping[str, dict[str, Cell]]) -> None:
    """Go on from what another host has learned."""
    for folding in learning.foldings:
        folding.put(learned[folding.learner.name])
        learning.begin_at(max(cell.version for cell in folding.cells.values()))
    learning.publish_all()


def _first(record: CallRecord) -> str:
    tried = record.attempts[0].attempt.target if record.attempts else None
    shown = f"local-model {tried.id}" if isinstance(tried, LocalModel) else record.target
    return shown.removeprefix("local-model ")


@attrs.define(slots=True)
class _World:
    """What the models do."""

    dice: random.Random
    tasks: dict[str, Qualities] = attrs.field(factory=dict)
    clock: FakeClock = attrs.field(factory=lambda: FakeClock(wall=_MIDNIGHT))

    def call(self, session: Session, program: LoadedProgram, task: int, dice: random.Random) -> CallRecord:
        """Make one call, and say of some what the answer was worth."""
        self.clock.advance(_BETWEEN)
        result = program.call("main", (task, f"text {dice.randrange(10**9)}"))
        record = result.calls[0]
        if dice.random() < RATED and record.target != "local-pure":
            session.host.learning.rated(record, 1.0 if result.value is True else 0.0)
        return record

    def answer(self, name: str, function: str) -> InferenceReply:
        """Return what a model says, after the time that it takes."""
        if self.dice.random() < ERRORS:
            raise ProviderUnavailable(name, "the connection was refused", failure=FailureKind.SAFE)
        self.clock.advance(SECONDS[name] * exp(_SPREAD * self.dice.gauss(0.0, 1.0)))
        if self.dice.random() < INVALID:
            return InferenceReply(data="I cannot say", structured=True, usage=Usage(TOKENS, 0))
        right = self.dice.random() < self.tasks[function][name]
        return InferenceReply(data=right, structured=True, usage=Usage(TOKENS, 0))


def _vendor(name: str, world: _World) -> Vendor:
    return Vendor(name, lambda request: world.answer(name, request.function.name))


def expected_log_seconds(name: str) -> float:
    """Return the mean of log(1 + seconds) of a model; by a sum over quantiles."""
    steps = (-1.6449, -1.0364, -0.6745, -0.3853, -0.1257, 0.1257, 0.3853, 0.6745, 1.0364, 1.6449)
    return sum(log1p(SECONDS[name] * exp(_SPREAD * step)) for step in steps) / len(steps)


@contextmanager
def _program(setup: Setup, tasks: Sequence[Task], world: _World) -> Iterator[tuple[Session, LoadedProgram]]:
    """Give a program of these functions in a host of its own."""
    who = Provenance("benchmarks", "0", "benchmarks")
    world.tasks.update({task.name: task.qualities() for task in tasks})
    cases = " ".join(f"{number} ({task.name} text)" for number, task in enumerate(tasks))
    text = "\n".join([*(task.source for task in tasks), f"(defn main [n text] (match n {cases}))"])
    with TemporaryDirectory() as folder:
        path = Path(folder, "delegation.toml")
        path.write_text(setup.toml(tasks), encoding="utf-8")
        embedders = f",{setup.embedder}" if setup.embedder else ""
        environ = {"RTFS_HOME": folder, "RTFS_PLUGINS": f"static,adaptive,l1,l3{embedders}"}
        catalog = load_catalog(environ)
        catalog = attrs.evolve(catalog, providers={name: (_vendor(name, world).entry(), who) for name in NAMES})
        with Session.open(
            config_path=path, environ=environ, catalog=catalog, clock=world.clock, journal=False
        ) as session:
            for name in NAMES:
                instance = session.host.pool.instances[LocalModel(name)]
                instance.spec = attrs.evolve(instance.spec, request_cost=PRICES[name] * TOKENS / 1e6)
            for folding in getattr(session.host.learning, "foldings", ()):
                folding.checked = False  # checking and copying each state takes most of the time, and changes nothing
            program = session.load(Source("experience.rtfs", text))
            gc.freeze()
            try:
                yield session, program
            finally:
                gc.unfreeze()
