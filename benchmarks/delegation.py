"""Delegation: what one decision costs when the plan is already known, in look-ups of a dict."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.table import Row
from benchmarks.timing import ratio
from rtfs_framework.api.plans import PlanSource
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import HostCall, RequiresHost
from rtfs_framework.lang.errors import InternalError
from rtfs_framework.orchestrator.recording.records import Decision
from rtfs_framework.orchestrator.session import Session

_DECISIONS = 50_000
_CONFIG = '[delegation]\nengine = "static"\nstatic_routes = { greet = "local-echo" }\n\n[journal]\nenabled = false\n'


def a_call() -> HostCall:
    """Return a real call of a function without a hint, as the kernel hands it out."""
    artifact = compile_source('(defn greet [name] name) (greet "Ada")', delegatable=lambda _name: True)
    outcome = Instance(artifact).start().step()
    if not isinstance(outcome, RequiresHost):
        raise InternalError("the program did not ask its host")
    return outcome.call


def decide() -> Iterable[Row]:
    """Yield the time of `decide` with the static engine and an L1 hit."""
    call = a_call()
    with TemporaryDirectory() as folder:
        config = Path(folder, "delegation.toml")
        config.write_text(_CONFIG, encoding="utf-8")
        environ = {"RTFS_HOME": folder}
        with Session.open(config_path=config, environ=environ, journal=False) as session:
            delegator = session.host.dispatcher.delegator
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
    yield Row(name="decide, static engine, L1 hit", ratio=measured, yardstick=LOOK_UP, target=100, note=note)


LOOK_UP = "a look-up in a dict of 1,000 texts"


def look_ups(times: int) -> Callable[[], None]:
    """Return what looks up so many texts."""
    known = {str(number): number for number in range(1_000)}
    names = list(known) * (times // len(known))

    def look_up() -> None:
        for name in names:
            known[name]

    return look_up
