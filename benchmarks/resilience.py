"""Resilience: what a decision of `resilient` costs beside `static` alone, and what a breaker costs beside others.

Decisions are whole ones, with no plan in memory. Our breaker's row is all that the host does for one request: let
through, counted in the window, with its latency, load and retry budget. The peers run an empty function through theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.delegation import LOOK_UP, a_call, look_ups
from benchmarks.table import Row
from benchmarks.timing import Ratio, Work, compared
from rtfs_framework.api import RemoteModel
from rtfs_framework.api.signals import Health
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.config.health import HealthSpec
from rtfs_framework.orchestrator.performing.health.board import Board, Turned, Watched
from rtfs_framework.orchestrator.performing.health.breaker import Seen, Verdict
from rtfs_framework.orchestrator.performing.health.sharing import Shared
from rtfs_framework.orchestrator.session import Session

_MANY = 5_000
_FEWER = 10
"""A look-up takes some hundredth of a decision: the yardstick is this many times as many."""
_TARGET = 750
"""Some 15 microseconds where a look-up takes 20 nanoseconds."""
_ROUTES = """
[delegation.static_routes]
greet = "local-echo"
[caches.l1]
enabled = false
[journal]
enabled = false
"""
_STATIC = '[delegation]\nengine = "static"\n' + _ROUTES
_RESILIENT = (
    '[delegation]\nengine = "steady"\n[engines.steady]\nplugin = "resilient"\nprimary = "static"\n'
    'fallback = ["local-pure"]\n' + _ROUTES
)


def resilient() -> Iterable[Row]:
    """Yield the time of a decision by `resilient` over `static` while the target is well."""
    with _deciding(_STATIC) as alone, _deciding(_RESILIENT) as steady:
        found = compared({"static": alone, "resilient": steady}, look_ups(_MANY * _FEWER))
        over = compared({"resilient": steady}, alone)["resilient"]
    yield Row(
        name="decide, resilient(static), no plan in memory",
        ratio=_scaled(found["resilient"]),
        yardstick=LOOK_UP,
        target=_TARGET,
        note=f"{over} of static alone, which takes {_scaled(found['static'])}",
    )


def breaker() -> Iterable[Row]:
    """Yield the time of one request through the breaker, beside those of libraries that are installed."""
    peers = {name: work for name, make in _PEERS.items() if find_spec(name) is not None for work in (make(),)}
    found = compared({"": _through_the_board(), **peers}, look_ups(_MANY))
    yield Row(
        name="breaker, one request that passes",
        ratio=found.pop(""),
        yardstick=LOOK_UP,
        others=found,
        note="; ".join(f"{name} {each}" for name, each in found.items()) or "no peer is installed",
    )


def _scaled(found: Ratio) -> Ratio:
    return Ratio(found.value * _FEWER, found.spread * _FEWER)


@contextmanager
def _deciding(text: str) -> Iterator[Work]:
    """Give what decides about one call again and again."""
    call = a_call()
    with TemporaryDirectory() as folder:
        config = Path(folder, "delegation.toml")
        config.write_text(text, encoding="utf-8")
        with Session.open(config_path=config, environ={"RTFS_HOME": folder}, journal=False) as session:
            decide = session.host.dispatcher.delegator.decide

            def many() -> None:
                for _ in range(_MANY):
                    decide(call)

            yield many


def _through_the_board() -> Work:
    target, clock = RemoteModel("m"), SystemClock()
    watched = {target: Watched(key="", text="remote-m", timeout=30.0)}
    board = Board(spec=HealthSpec(), clock=clock, shared=Shared(None, clock, print), watched=lambda: watched)
    good = Seen(Verdict.GOOD)

    def many() -> None:
        for _ in range(_MANY):
            permit = board.enter(target)
            if not isinstance(permit, Turned):
                board.settle(target, permit, good, seconds=0.5)

    many()
    if board.health(target) is not Health.CLOSED:
        raise AssertionError("the breaker is not closed")
    return many


def _nothing() -> None:
    pass


def _pybreaker() -> Work:
    from pybreaker import CircuitBreaker

    through: Callable[..., object] = CircuitBreaker().call

    def many() -> None:
        for _ in range(_MANY):
            through(_nothing)

    return many


def _purgatory() -> Work:
    from purgatory import SyncCircuitBreakerFactory

    made = SyncCircuitBreakerFactory().get_breaker("m")

    def many() -> None:
        for _ in range(_MANY):
            with made:
                _nothing()

    return many


_PEERS: Mapping[str, Callable[[], Work]] = {"pybreaker": _pybreaker, "purgatory": _purgatory}
