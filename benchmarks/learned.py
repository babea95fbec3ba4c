"""Learning: what a decision of `adaptive` costs over `static`, with a draw at each call, and beside `static` alone.

Whole decisions, with no plan in memory: among two targets of which enough is known. Nothing is drawn where nothing is
explored; then the plan is kept, which the second row measures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.delegation import LOOK_UP, a_call, look_ups
from benchmarks.table import Row
from benchmarks.timing import Ratio, Work, compared
from rtfs_framework.api import LocalModel, Outcome
from rtfs_framework.orchestrator.explaining.imagined import Past
from rtfs_framework.orchestrator.learning.shelf import MemoryLearning
from rtfs_framework.orchestrator.recording.records import Decision
from rtfs_framework.orchestrator.session import Session

_MANY = 5_000
_FEWER = 10
"""A look-up takes some hundredth of a decision: the yardstick is this many times as many."""
_TARGET = 1_500
"""Some 30 microseconds where a look-up takes 20 nanoseconds."""
ROUTES = """
[delegation.static_routes]
greet = ["local-echo", "local-other"]
[delegation.local_models.echo]
provider = "echo"
[delegation.local_models.other]
provider = "echo"
[journal]
enabled = false
"""
NO_L1 = "[caches.l1]\nenabled = false\n"
_STATIC = '[delegation]\nengine = "static"\n' + ROUTES
_ADAPTIVE = '[delegation]\nengine = "learned"\n[engines.learned]\nplugin = "adaptive"\nbase = "static"\n'
CHAIN = (
    '[delegation]\nengine = "careful"\n[engines.careful]\nplugin = "security"\nbase = "steady"\n'
    '[[engines.careful.rules]]\nsymbols = "draft-*"\nwhere = "remote"\nsay = "deny"\n'
    '[engines.steady]\nplugin = "resilient"\nprimary = "learned"\nfallback = ["local-pure"]\n'
    '[engines.learned]\nplugin = "adaptive"\nbase = "static"\n'
)
_SETTLED = _ADAPTIVE + "exploration = 0.0\nlearning = 0.0\n" + ROUTES


def decide_learned() -> Iterable[Row]:
    """Yield the time of a decision by `adaptive` over `static` that draws, and of one that is kept."""
    exploring = _ADAPTIVE + ROUTES + NO_L1
    with ExitStack() as held:
        alone, drawing = (held.enter_context(deciding(text)) for text in (_STATIC + NO_L1, exploring))
        kept, chain = (held.enter_context(deciding(text)) for text in (_SETTLED, CHAIN + ROUTES + NO_L1))
        works = {"static": alone, "adaptive": drawing, "kept": kept, "chain": chain}
        found = compared(works, look_ups(_MANY * _FEWER))
        over = compared({"adaptive": drawing}, alone)["adaptive"]
    yield Row(
        name="decide, adaptive(static), drawn",
        ratio=_scaled(found["adaptive"]),
        yardstick=LOOK_UP,
        note=f"{over} of static alone, which takes {_scaled(found['static'])}",
    )
    yield Row(name="decide, adaptive(static), L1 hit", ratio=_scaled(found["kept"]), yardstick=LOOK_UP)
    yield Row(
        name="decide, security(resilient(adaptive(static))), drawn",
        ratio=_scaled(found["chain"]),
        yardstick=LOOK_UP,
        target=_TARGET,
    )


def _scaled(found: Ratio) -> Ratio:
    return Ratio(found.value * _FEWER, found.spread * _FEWER)


@contextmanager
def deciding(text: str, times: int = _MANY) -> Iterator[Work]:
    """Give what decides so many times about one call, after 200 outcomes of each target."""
    call = a_call()
    with TemporaryDirectory() as folder:
        config = Path(folder, "delegation.toml")
        config.write_text(text, encoding="utf-8")
        with Session.open(config_path=config, environ={"RTFS_HOME": folder}, journal=False) as session:
            learning, name = session.host.learning, "" if call.function is None else call.function.name
            if isinstance(learning, MemoryLearning):
                for number in range(400):
                    target = LocalModel("other" if number % 2 else "echo")
                    learning.take(Outcome(symbol=name, target=target, success=True, seconds=0.1, cost=number % 2 / 100))
            decide, asker = session.host.dispatcher.delegator.decide, Past(seed="a run", call=(0, -1, (1,)))

            def many() -> None:
                for _ in range(times):
                    made = decide(call, asker)
                    if isinstance(made, Decision) and made.settle is not None:
                        made.settle(True)

            yield many
