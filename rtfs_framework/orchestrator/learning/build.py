"""What a host learns with, from its configuration: nothing where no engine learns and nobody asks what was counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from rtfs_framework.api.cache import CacheLevel
from rtfs_framework.lang.digest import digest
from rtfs_framework.orchestrator.config.folders import data_dir, journal_path
from rtfs_framework.orchestrator.deciding.learned import Learned, NoExperience
from rtfs_framework.orchestrator.learning.fold import Learner
from rtfs_framework.orchestrator.recording.journal.chain import canonical_json
from rtfs_framework.orchestrator.recording.plain import plain_of
from rtfs_framework.registry.faults import ask

if TYPE_CHECKING:
    from rtfs_framework.api.learning import Stats
    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.api.values import Clock
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.deciding.engines import Engine
    from rtfs_framework.orchestrator.learning.experienced import Experiences
    from rtfs_framework.orchestrator.learning.journaled import JournalLearning
    from rtfs_framework.orchestrator.learning.recorded import RecordLearning
    from rtfs_framework.orchestrator.recording.events import EventBus
    from rtfs_framework.orchestrator.recording.records import CallRecord
    from rtfs_framework.orchestrator.remembering.cache_stack import CacheStack
    from rtfs_framework.orchestrator.remembering.keyring import Keyring


FILE = "learned.sqlite"


class Learning(Learned, Protocol):
    """What a host has learned, and goes on to learn."""

    @property
    def learners(self) -> Sequence[Learner]:
        """The engines that learn."""
        ...

    @property
    def experiences(self) -> Experiences | None:
        """What it remembers of situations; None where no layer of level L3 is on."""
        ...

    @property
    def kept_at(self) -> Path | None:
        """The file in which it is kept; None where nothing is."""
        ...

    def ended(self, record: CallRecord) -> None:
        """Take note of a call that is over."""
        ...

    def rated(self, record: CallRecord, value: float) -> None:
        """Learn what somebody said of a call, where no journal tells it."""
        ...

    def close(self) -> None:
        """Keep what is to be kept."""
        ...


@attrs.define(slots=True, eq=False)
class Unasked(NoExperience):
    """Where no engine learns: nothing is kept or counted until an engine asks how calls ended."""

    make: Callable[[], Learning]
    kept_at: Path | None = None
    learners: tuple[Learner, ...] = ()
    experiences: Experiences | None = None
    _made: Learning | None = attrs.field(default=None, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    def state(self, engine: str, cell: str) -> tuple[int, Any]:  # noqa: ARG002 - there is none
        """Return nothing."""
        return 0, None

    def stats(self, symbol: str, target: ExecTarget) -> tuple[int, Stats | None]:
        """Return how calls of a function at a target ended so far, and which version that is."""
        with self._lock:
            made = self._made
            if made is None:
                made = self._made = self.make()
        return made.stats(symbol, target)

    def ended(self, record: CallRecord) -> None:
        """Take note of a call that is over."""
        if self._made is not None:
            self._made.ended(record)

    def rated(self, record: CallRecord, value: float) -> None:
        """Learn what somebody said of a call, where no journal tells it."""
        if self._made is not None:
            self._made.rated(record, value)

    def close(self) -> None:
        """Keep what is to be kept."""
        if self._made is not None:
            self._made.close()


def learners_of(config: Config, engine: Engine | None) -> list[Learner]:
    """Return the engines of a tree that learn.

    Raises:
        PluginFault: One could not be asked for its fingerprint.
    """
    found = []
    for each in () if engine is None else engine.all():
        made: Any = each.engine
        if callable(getattr(made, "fold", None)) and callable(getattr(made, "initial", None)):
            own = getattr(made, "fingerprint", None)
            said = ask(each.part, "`fingerprint`", own) if callable(own) else ""
            settings = _table(config, each.name)
            parts = canonical_json([str(each.part.provenance), str(said), plain_of(settings)])
            found.append(Learner.of(each.name, made, each.part, digest(parts)[:32]))
    return found


def build_learning(
    config: Config,
    engine: Engine | None,
    environ: Mapping[str, str],
    clock: Clock,
    events: EventBus,
    *,
    journal: bool,
    experiences: Experiences | None = None,
) -> Learning:
    """Return what a host learns with: from its journal, or from its records where it writes none."""
    learners = learners_of(config, engine)
    if experiences is not None:
        learners.append(experiences.learner(config))

    def make() -> JournalLearning | RecordLearning:
        if config.journal.enabled and journal:
            return journal_learning(config, learners, environ, events)
        from rtfs_framework.orchestrator.learning.recorded import RecordLearning
        from rtfs_framework.orchestrator.learning.store import LearnedStore

        store = LearnedStore(learned_path(environ)) if config.journal.enabled else None
        report, failed = events.plugin_failed, events.learning_failed
        return RecordLearning(learners, clock, report, failed, tenant=config.tenant, store=store)

    if experiences is not None:
        made = make()
        made.experiences = experiences
        experiences.follow(made.cells)
        return made
    return make() if learners else Unasked(make, learned_path(environ) if config.journal.enabled else None)


def journal_learning(
    config: Config, learners: Sequence[Learner], environ: Mapping[str, str], events: EventBus
) -> JournalLearning:
    """Return what learns from the configured journal."""
    from rtfs_framework.orchestrator.learning.journaled import JournalLearning
    from rtfs_framework.orchestrator.learning.store import LearnedStore

    home = data_dir(environ)
    return JournalLearning(
        journal_path(environ, config.journal.path),
        home,
        LearnedStore(learned_path(environ)),
        config.tenant,
        events.plugin_failed,
        events.learning_failed,
        tuple(learners),
    )


def experiences_of(config: Config, caches: CacheStack, keyring: Keyring, clock: Clock) -> Experiences | None:
    """Return what a host remembers of situations; None where no layer of level L3 is on and works."""
    layer = caches.of_level(CacheLevel.L3)
    if layer is None or layer.layer is None:
        return None
    from rtfs_framework.orchestrator.learning.experienced import experiences_in

    return experiences_in(layer, layer.layer, config, keyring, clock)


def _table(config: Config, name: str) -> Any:
    """Return an engine's own table, as the configuration has it."""
    tables = config.tables.get("engines")
    return tables.get(name, {}) if isinstance(tables, Mapping) else {}


def learned_path(environ: Mapping[str, str]) -> Path:
    """Return the file of what was learned: it lies with what must not be lost."""
    return data_dir(environ) / FILE
