"""Plugins held at arm's length: whatever their code does, its call ends at its deadline, and the run goes on."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
import threading

import anyio
import attrs
import pytest

from rtfs_framework.api import InferenceReply
from rtfs_framework.orchestrator.concurrency.outside import MOST_LEFT

PROGRAM = """
(defn ^:delegation :local-model "m" ask "Say." [text :string] : :string "x")
(defn main [x] (try (ask x) (catch Exception e (get (:data e) :code))))
"""
CALL = "(defn main [x] (try (call :ask x) (catch Exception e (get (:data e) :code))))"
GRANT = '[security]\ngrant = ["*"]\n'
SOON = "[delegation.local_models.m]\nprovider = 'm'\ntimeout = 50\n"


class OwnError(BaseException):
    """What no `except Exception` catches."""


@pytest.fixture
def free():
    """Return an event that lets blocked threads go on when the test is over."""
    event = threading.Event()
    yield event
    event.set()


class Provider:
    """A provider whose methods are what they are given as."""

    def __init__(self, **methods):
        vars(self).update(methods)

    def fingerprint(self):
        return "1"

    async def infer(self, request):
        return InferenceReply(text="fine")

    async def aclose(self):
        pass


def provide(kit, **methods):
    entry = kit.provider("m", lambda _: "", defaults={})
    return kit.catalog(attrs.evolve(entry, factory=lambda _: Provider(**methods)))


def run(kit, source, catalog, text=PROGRAM, config=SOON, times=1):
    with kit.open(catalog, config) as session:
        program = session.load(source(text))
        values = [program.call("main", ("x",)).value for _ in range(times)]
    return values, session.problems


async def ignores(_):
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:  # noqa: PERF203
            continue


async def answers_late(_):
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return InferenceReply(text="late")


def test_code_that_swallows_its_cancellation_is_left_behind_and_named(kit, source):
    values, (problem,) = run(kit, source, provide(kit, infer=ignores))
    assert values == ["E0602"]
    assert "acme-plugin 1.2" in problem.message
    assert "did not end when its time was over; it was left behind" in problem.message


def test_an_answer_that_comes_of_being_cancelled_is_late(kit, source):
    values, problems = run(kit, source, provide(kit, infer=answers_late))
    assert (values, problems) == (["E0602"], ())


def test_what_is_left_behind_is_bounded(kit, source, monkeypatch):
    monkeypatch.setattr("rtfs_framework.orchestrator.concurrency.outside.GRACE", 0.01)
    config = SOON.replace("50", "5") + '[health]\nstate = "disabled"\n'  # else it is left alone before that
    values, problems = run(kit, source, provide(kit, infer=ignores), config=config, times=MOST_LEFT + 3)
    assert values == ["E0602"] * MOST_LEFT + ["E0801"] * 3
    assert [problem.count for problem in problems] == [MOST_LEFT, 3]


def test_a_thread_that_blocks_is_left_behind_and_they_are_bounded(kit, source, free):
    def blocks(_):
        free.wait()

    config = f"[delegation]\nparallel = 3\n{SOON}"
    before = threading.active_count()
    values, problems = run(kit, source, provide(kit, infer=blocks), config=config, times=6)
    assert values == ["E0602"] * 3 + ["E0801"] * 3
    assert threading.active_count() - before <= 3
    assert "all its 3 threads hold calls that do not end" in problems[1].message


def test_threads_of_one_plugin_that_hangs_are_not_taken_from_others(kit, source, capability, free):
    entries = [
        capability("hang", lambda _: free.wait(), blocking=True),
        capability("ask", lambda request: request.args[0], blocking=True),
    ]
    hang = "^{:runtime.learning.timeout {:timeout-ms 20}} (call :hang 1)"
    text = f"(defn main [x] [(try {hang} (catch e :late)) (try {hang} (catch e :late)) (call :ask x)])"
    config = f"[delegation]\nparallel = 2\n{GRANT}"
    (value,), _ = run(kit, source, kit.catalog(capabilities=entries), text, config)
    assert value[2] == "x"


def test_threads_are_used_again_when_their_calls_end(kit, source):
    threads = set()

    def quick(_):
        threads.add(threading.get_ident())
        return InferenceReply(text="quick")

    values, problems = run(kit, source, provide(kit, infer=quick), config=SOON.replace("50", "5000"), times=50)
    assert (values, problems) == (["quick"] * 50, ())
    assert len(threads) <= 2


RAISED = [SystemExit, KeyboardInterrupt, GeneratorExit, OwnError, asyncio.CancelledError, StopIteration]


def raising(error):
    def plain(_):
        raise error("of its own")

    return plain


def raising_async(error):
    async def handler(_):
        raise error("of its own")

    return handler


def raising_late(error):
    async def handler(_):
        await asyncio.sleep(0)
        raise error("of its own")

    return handler


@pytest.mark.parametrize("error", RAISED, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("make", [raising, raising_async, raising_late])
def test_what_a_provider_raises_is_its_own_fault(kit, source, make, error):
    (value,), problems = run(kit, source, provide(kit, infer=make(error)), config=SOON.replace("50", "5000"))
    assert value == "E0801"
    assert "acme-plugin 1.2" in problems[0].message


@pytest.mark.parametrize("error", RAISED, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("make", [raising, raising_async, raising_late])
@pytest.mark.parametrize("blocking", [False, True])
def test_what_a_capability_raises_is_its_own_fault(kit, source, capability, make, error, blocking):
    entry = capability("ask", make(error), blocking=blocking and make is raising)
    (value,), problems = run(kit, source, kit.catalog(capabilities=[entry]), CALL, GRANT)
    assert value == "E0801"
    assert "acme-plugin 1.2" in problems[0].message


@pytest.mark.parametrize("error", RAISED[:4], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("where", ["factory", "fingerprint", "prepare", "aclose"])
def test_what_the_rest_of_a_provider_raises_is_its_own_fault(kit, source, error, where):
    def broken(*_):
        raise error("of its own")

    if where == "factory":
        entry = kit.provider("m", lambda _: "", defaults={})
        catalog = kit.catalog(attrs.evolve(entry, factory=broken))
    else:
        catalog = provide(kit, **{where: broken})
    config = SOON + ("reuse = 'always'\n" if where == "fingerprint" else "")
    (value,), problems = run(kit, source, catalog, config=config)
    assert value == ("fine" if where == "aclose" else "E0605" if where == "factory" else "E0801")
    assert where == "factory" or "acme-plugin 1.2" in problems[0].message


def test_ctrl_c_of_the_user_ends_at_once_whatever_runs(kit, source, capability):
    async def handler(_):
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0)

    with pytest.raises(KeyboardInterrupt):
        run(kit, source, kit.catalog(capabilities=[capability("ask", handler)]), CALL, GRANT)


def test_preparing_is_no_part_of_a_requests_time_and_happens_once_in_a_thread(kit, source):
    prepared = []

    def prepare():
        prepared.append(threading.current_thread() is threading.main_thread())
        threading.Event().wait(0.2)

    values, problems = run(kit, source, provide(kit, prepare=prepare), times=3)
    assert (values, prepared, problems) == (["fine"] * 3, [False], ())


def test_many_calls_at_once_wait_for_one_preparation(kit, source):
    prepared = []
    text = PROGRAM.replace("(try (ask x) (catch Exception e (get (:data e) :code)))", "(pmap ask (repeat 8 x))")
    (value,), _ = run(kit, source, provide(kit, prepare=lambda: prepared.append(1)), text)
    assert (len(value), prepared) == (8, [1])


def test_what_cannot_be_prepared_may_be_the_next_time(kit, source):
    tries = []

    def prepare():
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("not yet")

    values, _ = run(kit, source, provide(kit, prepare=prepare), times=3)
    assert (values, len(tries)) == (["E0801", "fine", "fine"], 2)


def test_a_method_that_holds_the_event_loop_is_told_of_afterwards(kit, source, monkeypatch):
    monkeypatch.setattr("rtfs_framework.orchestrator.concurrency.outside._HELD", 0.0)

    async def holds(_):
        threading.Event().wait(0.2)  # what no `await` gives back
        return InferenceReply(text="after all")

    values, (problem,) = run(kit, source, provide(kit, infer=holds))
    assert values == ["after all"]
    assert "held its event loop for" in problem.message


def test_closing_does_not_wait_for_a_provider_that_does_not_close(kit, source, monkeypatch):
    monkeypatch.setattr("rtfs_framework.orchestrator.performing.providers._CLOSE_SECONDS", 0.05)

    async def never():
        await ignores(None)

    values, problems = run(kit, source, provide(kit, aclose=never))
    assert values == ["fine"]
    assert any("took longer than" in problem.message for problem in problems)


IGNORES = """async def infer(self, request):
                while True:
                    try:
                        await asyncio.sleep(60)
                    except asyncio.CancelledError:
                        pass
"""
BLOCKS = "def infer(self, request): threading.Event().wait()"


@pytest.mark.parametrize("how", [IGNORES, BLOCKS])
@pytest.mark.parametrize("use", ["session.run(source)", "asyncio.run(session.run_async(source))"])
def test_a_process_ends_whatever_was_left_behind(tmp_path, how, use):
    """Neither a task that ignores its end nor a thread that blocks keeps a process from ending."""
    text = textwrap.dedent("""
        import asyncio, threading, sys
        from rtfs_framework.api import Locality, ProviderEntry
        from rtfs_framework.lang.source import Source
        from rtfs_framework.orchestrator.session import Session
        from rtfs_framework.registry.catalog import Catalog
        from rtfs_framework.registry.problems import Provenance

        class Provider:
            def fingerprint(self): return "1"
            async def aclose(self): pass
            INFER

        entry = ProviderEntry(name="m", summary="", locality=Locality.LOCAL, factory=lambda _: Provider(),
                              defaults={"m": {}})
        catalog = Catalog(providers={"m": (entry, Provenance("acme", "1", "acme"))}, engines={}, caches={},
                          capabilities={}, observers={}, function_names={})
        source = Source("t.rtfs", '(defn ^:delegation :local-model "m" f "S." [t :string] : :string "x")'
                                  '(try ^{:runtime.learning.timeout {:timeout-ms 50}} (f "a") (catch e :late))')
        session = Session.open(catalog=catalog, environ={"RTFS_HOME": sys.argv[1]}, journal=False)
        result = USE
        print(result.value, len(session.problems))
        session.close()
    """)
    text = text.replace("INFER", how).replace("USE", use)
    script = tmp_path / "script.py"
    script.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, ":late 1\n", "")


def test_a_call_that_is_cancelled_with_its_run_may_clean_up(kit, source, capability):
    cleaned = []

    async def handler(request):
        if request.args[0] == 0:
            await anyio.sleep(0.05)
            raise ValueError("no")
        try:
            await anyio.sleep_forever()
        finally:
            await asyncio.sleep(0)
            cleaned.append(request.args[0])

    text = "(defn main [x] (try (pmap (fn [n] (call :ask n)) [0 1 2]) (catch Exception e (get (:data e) :code))))"
    entry = capability("ask", handler, order_independent=True)
    (value,), _ = run(kit, source, kit.catalog(capabilities=[entry]), text, GRANT)
    assert (value, sorted(cleaned)) == ("E0801", [1, 2])


def test_a_method_that_blocks_for_ever_is_given_up_with_its_loop(kit, source, capability, monkeypatch, free):
    """What waited in the loop is lost; the next call has a new loop, and the one that blocked is named."""
    monkeypatch.setattr("rtfs_framework.orchestrator.concurrency.loops._LOOK_SECONDS", 0.02)
    for room in ("sending", "capabilities"):
        monkeypatch.setattr(f"rtfs_framework.orchestrator.performing.{room}.HELD_SECONDS", 0.5)

    async def blocks(_):
        free.wait()

    async def answers(request):
        await asyncio.sleep(0)
        return request.args[0]

    entries = [capability("block", blocks), capability("ask", answers)]
    soon = "^{:runtime.learning.timeout {:timeout-ms 20}}"
    text = f"(defn main [x] [(try {soon} (call :block 1) (catch Exception e :late)) (call :ask x) (call :ask 2)])"
    (value,), (problem,) = run(kit, source, kit.catalog(capabilities=entries), text, GRANT)
    assert [str(each) for each in value] == [":late", "x", "2"]
    assert "capability 'block'" in problem.message
    assert "blocked the event loop" in problem.message
