"""Tickets at a host: calls under way while their program goes on, and one record whatever the timing."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtfs_framework.api import CapabilityError, InferenceReply, ProgramError, ProviderError, Usage
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.effort import effort

GRANT = '[security]\ngrant = ["*"]\n'


class Service:
    """A capability that answers in the order that `order` says; it says when it was asked and when it answered."""

    def __init__(self, order=(), fail=(), hang=(), hold_until=0):
        self.order, self.fail, self.hang, self.hold_until = list(order), set(fail), set(hang), hold_until
        self.log, self.under, self.most, self.cancelled = [], 0, 0, []
        self.asked = 0

    async def __call__(self, request):
        what = request.args[0]
        self.log.append(("asked", what))
        self.asked += 1
        self.under += 1
        self.most = max(self.most, self.under)
        try:
            while self.asked < self.hold_until or self.order[:1] not in ([], [what]):  # noqa: ASYNC110 - as told
                await asyncio.sleep(0.0005)
            await asyncio.sleep(3600 if what in self.hang else 0)
        except asyncio.CancelledError:
            self.cancelled.append(what)
            raise
        finally:
            self.under -= 1
            if what in self.order:
                self.order.remove(what)
        self.log.append(("answered", what))
        if what in self.fail:
            raise CapabilityError(f"no {what}")
        return what * 10 if isinstance(what, int) else 0


@pytest.fixture
def ask(kit, capability, source):
    """Return a function that calls a program's `main`, and gives its value (or error) and its calls by id."""

    def run(text, service, *, parallel=16, limits=None, config="", **more):
        async def handler(request):  # a plain coroutine function, as plugins have
            return await service(request)

        catalog = kit.catalog(capabilities=[capability("ask", handler)], **more)
        whole = f"[delegation]\nparallel = {parallel}\n{GRANT}{config}"
        with kit.open(catalog, whole, clock=FakeClock(), limits=limits) as session:
            program = session.load(source(text if "(defn main" in text else f"(defn main [] {text})"))
            try:
                found = program.call("main").value
            except (ProgramError, LimitError) as error:
                found = error
            return found, sorted(program.ledger.latest, key=lambda call: call.order)

    return run


def made(calls):
    return [(call.path, call.error_kind) for call in calls]


def test_the_program_goes_on_until_it_needs_the_answer(ask):
    service = Service(order=[2, 3, 1])  # the first is answered when all else is over
    value, calls = ask("(let [t (ticket (call :ask 1)) x (call :ask 2) y (call :ask 3)] [x y t (+ t 1)])", service)
    assert value == (20, 30, 10, 11)
    assert made(calls) == [("0", ""), ("1", ""), ("2", "")]
    assert [what for did, what in service.log if did == "asked"] == [1, 2, 3]


@pytest.mark.parametrize("parallel", [1, 3])
def test_as_many_are_under_way_as_the_host_has_slots(ask, parallel):
    service = Service(hold_until=parallel - 1)  # the run has one of them itself
    value, calls = ask("(await-all (for [x (range 9)] (ticket (call :ask x))))", service, parallel=parallel)
    assert value == tuple(range(0, 90, 10))
    assert [call.path for call in calls] == [str(n) for n in range(9)]
    assert service.most in (parallel - 1, parallel)  # who awaits one that has not begun lends it its own


def test_one_that_is_awaited_waits_for_no_slot(ask):
    """The slots are all held by branches, each of which waits for a ticket of its own."""
    service = Service()
    text = "(pmap (fn [x] (let [a (ticket (call :ask x)) b (ticket (call :ask (+ 10 x)))] (+ b a))) (range 8))"
    value, _ = ask(text, service, parallel=2)
    assert value == tuple(20 * x + 100 for x in range(8))


@settings(max_examples=effort(6), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(5)), fails=st.sets(st.integers(0, 4), max_size=2))
def test_with_tickets_a_program_gives_the_same_and_asks_the_same(ask, order, fails):
    body = """(defn safe [t] (try (await t) (catch HostError e [:failed (:message e)])))
    (defn main [] (let [a TICKET (call :ask 0))
                        ts (mapv (fn [x] TICKET (call :ask x))) [1 2 3]) z TICKET (call :ask 4))]
      [(safe z) (mapv safe ts) (safe a) (safe a)]))"""
    now = """(defn try-now [x] (try [:ok (call :ask x)] (catch HostError e [:failed (:message e)])))
    (defn safe [t] (if (= :ok (first t)) (second t) t))
    (defn main [] (let [a (try-now 0) ts (mapv (fn [x] (try-now x)) [1 2 3]) z (try-now 4)]
      [(safe z) (mapv safe ts) (safe a) (safe a)]))"""
    later = ask(body.replace("TICKET", "(ticket"), Service(order, fails))
    at_once = ask(now, Service(fail=fails))
    assert later[0] == at_once[0]
    assert {(call.path, call.error_kind) for call in later[1]} == {(call.path, call.error_kind) for call in at_once[1]}


def test_an_error_arises_where_it_is_awaited(ask):
    text = "(let [t (ticket (call :ask 1))] (call :ask 2) (try (await t) (catch HostError e (:message e))))"
    value, calls = ask(text, Service(fail=[1]))
    assert "no 1" in value
    assert [call.error_kind != "" for call in calls] == [True, False]
    error, _ = ask("(let [t (ticket (call :ask 1))] (call :ask 2) (+ t 1))", Service(fail=[1]))
    assert "no 1" in str(error)


def test_one_that_nobody_awaits_is_answered_before_the_run_ends(ask):
    service = Service(fail=[2])
    value, calls = ask("(do (ticket (call :ask 1)) (ticket (call :ask 2)) :done)", service)
    assert str(value) == ":done"
    assert [call.error_kind != "" for call in calls] == [False, True]
    assert sorted(what for did, what in service.log if did == "answered") == [1, 2]


def test_what_is_under_way_when_the_run_fails_is_given_up_and_written_down(ask):
    service = Service(hang=[1])
    error, calls = ask('(do (ticket (call :ask 1)) (call :ask 2) (throw "broken"))', service)
    assert "broken" in str(error)
    assert made(calls) == [("0", "Cancelled"), ("1", "")]
    assert service.cancelled == [1]


def test_a_function_that_stays_here_runs_when_it_is_awaited_once_whoever_awaits_it(ask):
    text = (
        "(defn f [x] (+ (call :ask x) (call :ask (+ x 1)))) (defn main [] (let [t (ticket (f 1))] (call :ask 9) BODY))"
    )
    for body, wanted in (
        ("[t (await t) (+ t 0)]", (30, 30, 30)),
        ("(pmap (fn [n] (+ n (await t))) [1 2 3])", (31, 32, 33)),
        ("(mapv await [t t])", (30, 30)),
    ):
        service = Service()
        value, calls = ask(text.replace("BODY", body), service)
        assert value == wanted
        assert [call.path for call in calls] == ["0.0.0", "0.0.1", "1"]
        assert service.log[0] == ("asked", 9)


@pytest.mark.parametrize(
    "body",
    [
        "(let [t (ticket (f))] (map (fn [i] (do (if (= i 0) (call :ask 2) nil) (await t))) [0 1]))",
        # and where whoever made it is in a branch himself: its body has the place of that branch
        "(first (map (fn [n] (let [t (ticket (f))] (map (fn [i] (if (= i 0) (call :ask n)) (await t)) [0 1]))) [2 3]))",
    ],
)
def test_a_body_that_a_later_branch_awaits_first_waits_for_no_earlier_one(ask, body):
    text = f"(defn f [] (call :ask 1)) (defn main [] {body})"
    assert ask(text, Service(), limits=Limits(seconds=3))[0] == (10, 10)


def test_whoever_goes_on_has_paid_for_the_body(ask):
    text = (
        "(defn f [x] (+ (call :ask x) (call :ask 2))) (defn main [] (let [t (ticket (f 1))] (call :ask 3) (await t)))"
    )
    assert ask(text, Service(), limits=Limits(host_calls=3))[0] == 30
    error, calls = ask(text, Service(), limits=Limits(host_calls=2))
    assert isinstance(error, LimitError)
    assert error.dimension == "host_calls"
    assert len(calls) == 2
    burning = (
        "(defn f [n] (loop [i 0] (if (< i n) (recur (inc i)) i))) (defn main [] (let [t (ticket (f 5000))] (+ t t)))"
    )
    assert ask(burning, Service(), limits=Limits(steps=20_000))[0] == 10_000
    assert ask(burning, Service(), limits=Limits(steps=4_000))[0].dimension == "steps"


FALLS_BACK = (
    """[delegation]
on_exhausted = "body"
attempts = 1
[delegation.static_routes]
f = ["local-fake"]
"""
    + GRANT
)


def test_a_model_answers_later_and_what_it_cannot_the_body_does(kit, capability, source):
    def answer(request):
        return ProviderError("down") if 2 in request.args else InferenceReply(text="7", usage=Usage(1, 1))

    catalog = kit.catalog(kit.provider("fake", answer), capabilities=[capability("ask", lambda request: 5)])
    text = """(defn f [x : :int] : :int (+ 100 x (call :ask x)))
    (defn main [] (let [a (ticket (f 1)) b (ticket (f 2)) c (call :ask 3)] [a b (+ a b c)]))"""
    with kit.open(catalog, FALLS_BACK) as session:
        program = session.load(source(text))
        assert program.call("main").value == (7, 107, 119)
        calls = sorted((call.path, call.target) for call in program.ledger.latest)
    assert calls == [
        ("0", "local-model fake"),
        ("1", "local-pure"),
        ("1.0.0", "capability ask"),
        ("2", "capability ask"),
    ]


def test_tickets_leave_no_run(ask):
    assert ask("[(ticket (call :ask 1)) {:a (list (ticket (call :ask 2)))}]", Service())[0][0] == 10
    error, _ = ask("{:a [(ticket (call :ask 2))]}", Service(fail=[2]))
    assert "no 2" in str(error)
    value, calls = ask("(call :ask (count [(call :ask (first [(ticket (call :ask 1))]))]))", Service())
    assert (value, len(calls)) == (10, 3)


def test_top_level_tickets_are_answered_for_later_calls(ask):
    value, _ = ask("(def t (ticket (call :ask 4))) (defn main [] (+ 1 (await t)))", Service())
    assert value == 41


@pytest.fixture
def opened(kit, capability, source):
    """Return a function that opens a session with a service, and loads a program."""

    def of(text, service, config="", **more):
        async def handler(request):
            return await service(request)

        session = kit.open(kit.catalog(capabilities=[capability("ask", handler)]), GRANT + config, **more)
        return session, session.load(source(text))

    return of


def test_a_run_that_is_stopped_gives_up_what_it_has_under_way(opened):
    service = Service(hang=[1, 2])
    session, program = opened("(defn main [] (let [t (ticket (call :ask 1))] (call :ask 2)))", service)

    async def stopped():
        task = asyncio.create_task(program.call_async("main"))
        while service.asked < 2:  # noqa: ASYNC110 - asked in another thread's order
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with session:
        asyncio.run(stopped())
        assert made(sorted(program.ledger.latest, key=lambda call: call.order)) == [
            ("0", "Cancelled"),
            ("1", "Cancelled"),
        ]
    assert sorted(service.cancelled) == [1, 2]


def test_time_that_is_over_ends_what_is_under_way(opened):
    service = Service(hang=[1])
    text = "(defn main [] (await (ticket (call :ask 1))))"
    session, program = opened(text, service, limits=Limits(seconds=0.05), clock=FakeClock())
    with session:
        with pytest.raises(LimitError, match="seconds"):
            program.call("main")
        assert made(program.ledger.latest) == [("0", "Cancelled")]


def test_records_have_tickets_of_their_own(opened):
    text = "(defn main [r] (let [t (ticket (call :ask r)) u (ticket (call :ask (+ r 10)))] [u t]))"
    session, program = opened(text, Service())
    with session:
        results = list(session.stream(program, "main", range(6), concurrency=3))
    assert [each.value for each in results] == [(r * 10 + 100, r * 10) for r in range(6)]
    assert [[call.path for call in each.calls] for each in results] == [["0", "1"]] * 6


def test_a_folds_state_holds_answers(opened):
    text = "(defn fold [state r] (conj (or state []) (ticket (call :ask r)))) (defn finish [state] (reduce + state))"
    session, program = opened(text, Service())
    with session:
        fold = program.fold(range(5))
        assert [each.error for each in fold] == [None] * 5
        assert fold.finish().value == 100
