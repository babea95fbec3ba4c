"""A whole call of a model beside a gateway's, and what an engine costs programs that it does not concern.

`whole_call`: a function that is answered by `echo`, through all of the host (decided, looked at by every check, asked,
typed, counted; the journal is off), beside `acompletion` of LiteLLM's Router with a mock reply, one after the other;
by its hint, and by the whole chain of engines, which decides anew and learns at each call (without a journal in the
same thread). A decision of that chain, with a draw and nothing from memory, stands beside the Router's call, too.
`eval_vs_eval_with_engine`: a million times `(inc 0)`, beside the same with an engine that claims nothing, where the
compiled code is the same, and beside an engine that claims it, where each call is a decision from memory.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.learned import CHAIN, NO_L1, ROUTES, deciding
from benchmarks.table import Row
from benchmarks.timing import Ratio, Work, compared
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.running.program import LoadedProgram
from rtfs_framework.orchestrator.session import Session

_CALLS = 200
_ECHO = """
(defn ^:delegation :local-model "echo" say "Say it." [text :string] : :string "")
(defn main [n] (loop [i 0] (if (< i n) (do (say "hello") (recur (inc i))) i)))
"""
_ASKED = _ECHO.replace(' ^:delegation :local-model "echo"', "")
_NO_MEMORY = "[caches.l2]\nenabled = false\n"
_HINTED = "a whole call to echo, by its hint"
_CHAINED = "a whole call to echo, by security(resilient(adaptive(static)))"
_DECISION = "a decision by security(resilient(adaptive(static))), drawn"
_DECIDED = (
    CHAIN
    + """
[delegation.static_routes]
say = ["local-echo", "local-other"]
[delegation.local_models.other]
provider = "echo"
[caches.l1]
enabled = false
"""
    + _NO_MEMORY
)
_TIMES = 1_000_000
_CLAIMED = 50_000
"""A call that is decided takes a thousand times as long as one that is not; so many are measured of the million."""
_INC = """
(defn inc [n :int] : :int (+ n 1))
(defn main [times] (loop [i 0 sum 0] (if (< i times) (recur (+ i 1) (+ sum (inc 0))) sum)))
"""
_ENGINE = '[delegation]\nengine = "static"\n'
_ROUTE = '[delegation.static_routes]\ninc = "local-pure"\n'


def whole_call() -> Iterable[Row]:
    """Yield the time of a whole call to `echo`, as a part of what LiteLLM's Router takes for a mock reply."""
    if find_spec("litellm") is None:
        return
    router = _router()
    with _loaded(_ECHO, _NO_MEMORY) as hinted, _loaded(_ASKED, _DECIDED) as decided:
        paths = {call.decision.path[:4] for call in decided.call("main", (3,)).calls if call.decision is not None}
        if paths != {("careful", "steady", "learned", "static")}:
            raise AssertionError(f"the calls were decided by {paths}")
        with deciding(CHAIN + ROUTES + NO_L1, _CALLS) as decision:
            works = {_HINTED: _calls(hinted), _CHAINED: _calls(decided), _DECISION: decision}
            found = compared(works, router)
    for name, measured in found.items():
        yield Row(
            name=name,
            ratio=measured,
            yardstick="`acompletion` of LiteLLM's Router with a mock reply",
            target=None if name == _CHAINED else 1 / 50,
            note=f"{1 / measured.value:.0f} times cheaper",
        )


def _calls(program: LoadedProgram) -> Work:
    def work() -> None:
        if program.call("main", (_CALLS,)).value != _CALLS:
            raise AssertionError("the calls were not made")

    return work


def _router() -> Work:
    """Return what asks LiteLLM's Router as often, in one event loop."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # it asks the network for prices otherwise
    from litellm import Router

    parameters = {"model": "openai/echo", "api_key": "none", "mock_response": "hello"}
    router: Any = Router(model_list=[{"model_name": "echo", "litellm_params": parameters}])
    messages = [{"role": "user", "content": "hello"}]

    async def many() -> None:
        for _ in range(_CALLS):
            reply = await router.acompletion(model="echo", messages=messages)
            if reply.choices[0].message.content != "hello":
                raise AssertionError("the Router did not answer")

    return lambda: asyncio.run(many())


def eval_vs_eval_with_engine() -> Iterable[Row]:
    """Yield what engines cost a million calls of a function: one that claims nothing, one that claims it.

    Raises:
        AssertionError: An engine that claims nothing changes the compiled code, or a call was not decided from memory.
    """
    with ExitStack() as stack:
        none = stack.enter_context(_loaded(_INC, "", plugins="l1"))
        idle = stack.enter_context(_loaded(_INC, _ENGINE))
        claiming = stack.enter_context(_loaded(_INC, _ENGINE + _ROUTE))
        codes = [program.instance.artifact.code for program in (none, idle, claiming)]
        if codes[0] != codes[1] or codes[0] == codes[2]:
            raise AssertionError("an engine that claims nothing must not change the code, and one that claims must")
        if none.host.dispatcher.delegator.engine is not None or idle.host.dispatcher.delegator.engine is None:
            raise AssertionError("the sessions have other engines than they should")
        found = compared({"idle": _sums(idle, _TIMES)}, _sums(none, _TIMES))["idle"]
        one = compared({"claimed": _sums(claiming, _CLAIMED)}, _sums(none, _CLAIMED * _FEWER))["claimed"]
        decisions = {call.decision.cache for call in claiming.call("main", (10,)).calls if call.decision is not None}
        if decisions != {"l1 hit"}:
            raise AssertionError(f"decisions came from {decisions}")
    bare = "a million times (inc 0) without an engine"
    yield Row(
        name="eval_vs_eval_with_engine, it claims nothing", ratio=found, yardstick=bare, target=1.05, note="same code"
    )
    scaled = Ratio(one.value * _FEWER, one.spread * _FEWER)
    yield Row(name="eval_vs_eval_with_engine, it claims the call, L1 hit", ratio=scaled, yardstick=bare)


_FEWER = 20


def _sums(program: LoadedProgram, times: int) -> Callable[[], None]:
    def work() -> None:
        if program.call("main", (times,)).value != times:
            raise AssertionError("the sum is wrong")

    return work


@contextmanager
def _loaded(text: str, config: str, *, plugins: str | None = None) -> Iterator[LoadedProgram]:
    """Give a program in a session of its own."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "delegation.toml")
        path.write_text(config, encoding="utf-8")
        environ = {"RTFS_HOME": folder, **({} if plugins is None else {"RTFS_PLUGINS": plugins})}
        with Session.open(config_path=path, environ=environ, journal=False) as session:
            yield session.load(Source("call.rtfs", text))
