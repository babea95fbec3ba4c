"""Delegation: what one decision costs when the plan is already known, in look-ups of a dict."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.table import Row
from benchmarks.timing import ratio
from rtfs_framework.api import CallContext, DelegationPlan, EngineEntry, LocalModel, LocalPure, PlanSource, hookimpl
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import HostCall, RequiresHost
from rtfs_framework.lang.errors import InternalError
from rtfs_framework.orchestrator.deciding.delegate import Delegator
from rtfs_framework.orchestrator.recording.records import Decision
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry import load_catalog

_DECISIONS = 50_000
_READS, _PER_READ = 4, 25
"""Half a microsecond for each, where a look-up takes 20 nanoseconds."""
_READING = '[delegation]\nengine = "reading"\n\n[journal]\nenabled = false\n'
_CONFIG = '[delegation]\nengine = "static"\nstatic_routes = { greet = "local-echo" }\n\n[journal]\nenabled = false\n'


def a_call() -> HostCall:
    """Return a real call of a function without a hint, as the kernel hands it out."""
    artifact = compile_source('(defn greet [name] name) (greet "Ada")', delegatable=lambda _name: True)
    outcome = Instance(artifact).start().step()
    if not isinstance(outcome, RequiresHost):
        raise InternalError("the program did not ask its host")
    return outcome.call


def decide() -> Iterable[Row]:
    """Yield the time of `decide` with an L1 hit: by the static engine, which reads nothing, and by one that reads."""
    call = a_call()
    for name, config, catalog, target in (
        ("static engine", _CONFIG, None, 100),
        (f"{_READS} noted reads", _READING, load_catalog({}, extra_plugins=[_Reading()]), 100 + _READS * _PER_READ),
    ):
        with TemporaryDirectory() as folder:
            path = Path(folder, "delegation.toml")
            path.write_text(config, encoding="utf-8")
            environ = {"RTFS_HOME": folder}
            with Session.open(config_path=path, catalog=catalog, environ=environ, journal=False) as session:
                yield _hit(session.host.dispatcher.delegator, call, name, target)


def _hit(delegator: Delegator, call: HostCall, name: str, target: int) -> Row:
    first = delegator.decide(call)
    if isinstance(first, Decision) and first.settle is not None:
        first.settle(True)
    second = delegator.decide(call)
    sources = [getattr(getattr(d, "plan", None), "source", None) for d in (first, second)]
    note = f"plans came from {', '.join(s.value if isinstance(s, PlanSource) else '?' for s in sources)}"

    def many() -> None:
        for _ in range(_DECISIONS):
            delegator.decide(call)

    measured = ratio(many, look_ups(_DECISIONS))
    return Row(name=f"decide, {name}, L1 hit", ratio=measured, yardstick=LOOK_UP, target=target, note=note)


class _Reading:
    """A plug-in with an engine that reads signals of a target and of a budget."""

    rtfs_api_version = 2
    rtfs_distribution = "benchmark"

    @hookimpl
    def rtfs_engines(self) -> list[EngineEntry]:
        """Offer it."""
        return [EngineEntry(name="reading", summary="Reads.", factory=lambda _: self)]

    def claims(self) -> Iterable[str]:
        """Return every symbol."""
        return ("*",)

    def decide(self, context: CallContext) -> DelegationPlan:
        """Read, and choose the own body."""
        target = LocalModel("echo")
        seen = context.health(target), context.latency(target), context.load(target), context.budget("daily")
        return DelegationPlan(target=LocalPure(), reasoning=f"{len(seen)} reads", source=PlanSource.ENGINE)


LOOK_UP = "a look-up in a dict of 1,000 texts"


def look_ups(times: int) -> Callable[[], None]:
    """Return what looks up so many texts."""
    known = {str(number): number for number in range(1_000)}
    names = list(known) * (times // len(known))

    def look_up() -> None:
        for name in names:
            known[name]

    return look_up
