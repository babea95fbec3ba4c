"""Branches at a host: overlap up to the bound, order kept where it matters, and one journal whatever the timing."""

from __future__ import annotations

import asyncio
import random
import signal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtfs_framework.api import CapabilityError, ConfigError, InferenceReply, ProgramError, Usage
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.printer import write
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.verify import verify
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.effort import effort

GRANT = '[security]\ngrant = ["*"]\n'


class Service:
    """A capability that answers when it likes: `order` names the arguments in the order in which they are answered.

    Those that `hang` are answered never: they wait to be cancelled.
    """

    def __init__(self, order=(), fail=(), pause=0, hang=(), hold_until=0):
        self.pause = pause
        self.hang = hang
        self.hold_until = hold_until
        """Nobody is answered before so many were asked."""
        self.order = list(order)
        self.fail = set(fail)
        self.asked, self.answered, self.under, self.most, self.cancelled = [], [], 0, 0, []

    async def __call__(self, request):
        what = request.args[0]
        self.asked.append(what)
        self.under += 1
        self.most = max(self.most, self.under)
        try:
            while len(self.asked) < self.hold_until:  # noqa: ASYNC110 - asked in another thread's order
                await asyncio.sleep(0.0005)
            while what in self.order and self.order[0] != what:  # noqa: ASYNC110 - whose turn it is changes
                await asyncio.sleep(0.0005)
            await asyncio.sleep(3600 if what in self.hang else self.pause)
        except asyncio.CancelledError:
            self.cancelled.append(what)
            raise
        finally:
            self.under -= 1
            if what in self.order:
                self.order.remove(what)
        self.answered.append(what)
        if what in self.fail:
            raise CapabilityError(f"no {what}")
        return what * 10


@pytest.fixture
def ask(kit, capability, source):
    """Return a function that runs a program against a service, and gives its value (or error) and its calls."""

    def run(text, service, *, parallel=16, free=False, limits=None, **more):
        async def handler(request):  # a plain coroutine function, as plugins have
            return await service(request)

        entry = capability("ask", handler, order_independent=free)
        config = f"[delegation]\nparallel = {parallel}\n{GRANT}"
        with kit.open(kit.catalog(capabilities=[entry], **more), config, clock=FakeClock(), limits=limits) as session:
            program = session.load(source(f"(defn main [] {text})"))
            try:
                return program.call("main").value, in_order(program.ledger.latest)
            except (ProgramError, LimitError) as error:
                return error, in_order(program.ledger.latest)

    return run


def in_order(calls):
    """Sort calls by id, as people see them."""
    return sorted(calls, key=lambda call: call.order)


def paths(calls):
    return [call.path for call in calls]


@pytest.mark.parametrize("parallel", [1, 3, 16])
def test_up_to_the_bound_at_once(ask, parallel):
    service = Service(hold_until=parallel)
    value, calls = ask("(pmap (fn [x] (call :ask x)) (range 20))", service, parallel=parallel)
    assert value == tuple(range(0, 200, 10))
    assert service.most == parallel
    assert paths(calls) == [f"0.{n}.0" for n in range(20)]


@pytest.mark.parametrize("late", [0, 1, 5])
def test_up_to_the_bound_also_after_one_that_computes_long_first(kit, capability, source, late):
    """In an event loop such a branch pauses, and no other starts until its number is settled; then all may."""
    service = Service(hold_until=4)

    async def handler(request):
        return await service(request)

    text = f"""(defn main [_] (pmap (fn [x]
      (call :ask (if (= x {late}) (loop [i 0] (if (< i 60000) (recur (inc i)) (+ x (- i 60000)))) x))) (range 12)))"""
    catalog = kit.catalog(capabilities=[capability("ask", handler)])
    with kit.open(catalog, f"[delegation]\nparallel = 4\n{GRANT}") as session:
        value = asyncio.run(session.run_async(source(text), ("x",))).value
    assert (value, service.most) == (tuple(range(0, 120, 10)), 4)


@settings(max_examples=effort(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(8)))
def test_any_order_of_answers_gives_the_same_value_and_records(ask, order):
    text = "(pmap (fn [x] [(call :ask x) (call :ask (+ x 100))]) (range 8))"
    value, calls = ask(text, Service(order))
    assert value == tuple((n * 10, n * 10 + 1000) for n in range(8))
    assert paths(calls) == [f"0.{n}.{i}" for n in range(8) for i in range(2)]


def entries(kit):
    """Return the journal's latest run, sorted by id, without what differs from run to run: places in the file, salt."""
    run = query.find_run(kit.journal, "last")
    assert verify(kit.journal, run, kit.home).ok
    timing = ("position", "cache", "input_tokens", "output_tokens", "cost", "micros", "signals")
    return [{k: v for k, v in e.items() if k not in timing} for e in query.entries_of(kit.journal, run)]


def usage(kit):
    """Return cache verdicts and tokens of the latest run's calls."""
    run = query.find_run(kit.journal, "last")
    return [(e["cache"], e["input_tokens"], e["output_tokens"]) for e in query.entries_of(kit.journal, run)]


class TestMaps:
    """A map overlaps only calls that say they are independent; nobody can tell any other from one after the other."""

    def test_calls_that_depend_on_order_wait_for_their_turn(self, ask):
        service = Service()
        value, _ = ask("(map (fn [x] (call :ask x)) (range 6))", service)
        assert (value, service.most, service.answered) == ((0, 10, 20, 30, 40, 50), 1, list(range(6)))

    def test_independent_calls_overlap(self, ask):
        service = Service(order=reversed(range(6)))
        value, calls = ask("(map (fn [x] (call :ask x)) (range 6))", service, free=True)
        assert value == (0, 10, 20, 30, 40, 50)
        assert (service.most, service.answered) == (6, [5, 4, 3, 2, 1, 0])
        assert paths(calls) == [f"0.{n}.0" for n in range(6)]

    def test_context_and_events_keep_their_order(self, ask, observer):
        seen = []
        watch = observer("watch", seen.append, events=("program.event",))
        text = '(map (fn [x] (do (call :ask x) (step (str "s" x) (context/set :last x)))) (range 4))'
        service = Service(order=[3, 1, 2, 0])
        ask(f"(do {text} (context/get :last))", service, free=True, observers=[watch])
        assert [e.fields["args"][0] for e in seen if e.fields["event"] == "step-start"] == ["s0", "s1", "s2", "s3"]
        assert ask(f"(do {text} (context/get :last))", Service(), free=True)[0] == 3

    def test_inside_each_other(self, ask):
        text = "(map (fn [x] (pmap (fn [y] (call :ask (+ y x))) [1 2])) [10 20])"
        service = Service(order=[12, 11, 22, 21])
        assert ask(text, service)[0] == ((110, 120), (210, 220))
        assert service.most == 2
        assert service.asked == [11, 12, 21, 22]


def test_items_that_ask_for_nothing_come_between(ask):
    text = "(pmap (fn [x] (if (= 0 (mod x 3)) (do (context/set :k x) (call :ask x)) x)) (range 1 2000))"
    service = Service()
    value, calls = ask(f"(do (context/set :k 0) [{text} (context/get :k)])", service)
    assert value == (tuple(x if x % 3 else x * 10 for x in range(1, 2000)), 1998)
    assert 1 < service.most <= 16
    asked = [call.branch for call in calls if call.symbol == "ask"]
    assert asked == [(1, x - 1) for x in range(3, 2000, 3)][-len(asked) :]


class TestFailures:
    """The first failure in order is what the program sees; later branches are cancelled, earlier ones go on."""

    def test_the_first_in_order_wins(self, ask):
        service = Service(order=[3, 1, 0], fail=[3, 1], hang=[2])
        error, calls = ask("(pmap (fn [x] (call :ask x)) (range 4))", service)
        assert "no 1" in str(error)
        assert service.cancelled == [2]
        assert [(c.path, c.error_kind) for c in calls] == [
            ("0.0.0", ""), ("0.1.0", "Generic"), ("0.2.0", "Cancelled"), ("0.3.0", "Generic"),
        ]  # fmt: skip

    def test_no_branch_starts_after_a_failure(self, ask):
        service = Service(fail=[0])
        error, calls = ask("(pmap (fn [x] (call :ask x)) (range 100))", service, parallel=4)
        assert "no 0" in str(error)
        assert len(service.asked) <= 5
        assert paths(calls) == sorted(paths(calls))

    def test_a_failure_is_caught_where_the_fan_out_is(self, ask):
        value, _ = ask("(try (pmap (fn [x] (call :ask x)) (range 4)) (catch e :none))", Service(fail=[2]))
        assert write(value) == ":none"

    def test_settled_runs_all_to_their_end(self, ask):
        service = Service(order=[2, 0, 1], fail=[1])
        value, calls = ask("(pmap-settled (fn [x] (call :ask x)) (range 3))", service)
        assert [write(each[0]) for each in value] == [":ok", ":error", ":ok"]
        assert (len(calls), service.cancelled) == (3, [])

    def test_finally_blocks_of_cancelled_branches_reach_no_host(self, ask):
        text = "(pmap (fn [x] (try (call :ask x) (finally (call :ask (+ x 100))))) (range 3))"
        service = Service(fail=[0], hang=[1, 2])
        ask(text, service)
        assert service.asked[3:] == [100]

    def test_a_limit_inside_a_branch_ends_the_run(self, ask):
        text = "(try (pmap (fn [x] [(call :ask x) (call :ask (+ x 50))]) (range 5)) (catch e :caught))"
        error, _ = ask(text, Service(), limits=Limits(host_calls=7))
        assert isinstance(error, LimitError)
        assert error.dimension == "host_calls"

    def test_a_late_answer_is_an_error_of_its_branch(self, kit, capability, source):
        async def slow(request):
            await asyncio.sleep(30 if request.args[0] == 1 else 0)
            return request.args[0]

        text = """(defn main [] (pmap-settled (fn [x]
            ^{:runtime.learning.timeout {:absolute-ms 30}} (call :slow x)) (range 3)))"""
        with kit.open(kit.catalog(capabilities=[capability("slow", slow)]), GRANT) as session:
            value = session.load(source(text)).call("main").value
        assert [write(each[0]) for each in value] == [":ok", ":error", ":ok"]


def test_step_parallel_overlaps_and_contexts_are_apart_until_the_end(ask):
    text = """(do (context/set :k 0)
      [(step-parallel (do (call :ask 1) (context/set :k 1) (context/get :k)) (do (call :ask 2) (context/get :k)))
       (context/get :k)])"""
    service = Service(order=[2, 1])
    assert ask(text, service)[0] == ((1, 0), 1)
    assert service.most == 2


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ("", "{:b 2 :c 3}"),
        (":merge-policy :overwrite", "{:b 2 :c 3}"),
        (":merge-policy :merge", "{:a 0 :b 2 :c 3}"),
        (":merge-policy :keep-existing", "{:a 0 :b 0}"),
    ],
)
def test_a_merge_policy_says_what_branches_leave_in_the_context(ask, options, kept):
    text = f"""(do (context/set :k {{:a 0 :b 0}})
      (step-parallel {options} (context/set :k {{:b 1}}) (context/set :new 1) (context/set :k {{:b 2 :c 3}}))
      [(context/get :k) (context/get :new)])"""
    assert write(ask(text, Service())[0]) == f"[{kept} 1]"


def test_a_single_branch_keeps_its_context_apart_too(ask):
    text = """(do (context/set :k 0)
      [(step-parallel :merge-policy :keep-existing (do (context/set :k 1) (context/get :k))) (context/get :k)])"""
    assert write(ask(text, Service())[0]) == "[[1] 0]"


@pytest.mark.parametrize("value", ["1", "nil", "[1]"])
def test_what_is_no_map_is_not_merged_but_replaced(ask, value):
    text = f"""(do (context/set :k {value})
      (step-parallel :merge-policy :merge (context/set :k {{:a 1}}))
      (context/get :k))"""
    assert write(ask(text, Service())[0]) == "{:a 1}"


def test_inside_each_other_without_a_free_slot(ask):
    text = "(pmap (fn [x] (reduce + 0 (pmap (fn [y] (call :ask (+ x y))) (range 5)))) [100 200 300])"
    for parallel in (1, 2, 16):
        service = Service()
        value, calls = ask(text, service, parallel=parallel)
        assert value == (5100, 10100, 15100)
        assert service.most <= parallel
        assert paths(calls) == [f"0.{x}.0.{y}.0" for x in range(3) for y in range(5)]


class TestJournal:
    """The same calls with the same ids, arguments and values on every run; who of equal calls asked may differ."""

    TEXT = """(defn ^:delegation :local-model "m" label "Label." [x :int] :string "")
      (defn main [] (pmap (fn [x] (str (label (mod x 3)) (label (mod (* x 7) 4)))) (range 9)))"""

    @settings(max_examples=effort(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(seed=st.integers(0, 1000))
    def test_equal_calls_are_paid_once_by_whoever_asked(self, kit, source, seed):
        dice = random.Random(seed)

        async def answer(request):
            for _ in range(dice.randrange(6)):
                await asyncio.sleep(0)
            return InferenceReply(text=f"<{request.args[0]}>", model="fake", usage=Usage(7, 3))

        def run(parallel, slow):
            kit.layers.clear()
            provider = kit.provider(
                "m",
                answer if slow else lambda r: InferenceReply(text=f"<{r.args[0]}>", model="fake", usage=Usage(7, 3)),
                deterministic=True,
            )
            config = f"[delegation]\nparallel = {parallel}\n"
            with kit.open(kit.catalog(provider, l2=True), config, clock=FakeClock()) as session:
                value = session.load(source(self.TEXT)).call("main").value
            assert len(kit.providers["m"].requests) == 4
            paid = [verdict for verdict in usage(kit) if verdict[1:] != (0, 0)]
            assert paid == [("l2 miss", 7, 3)] * 4
            assert {verdict for verdict, *_ in usage(kit)} <= {"l2 miss", "l2 hit", "in flight"}
            return value, entries(kit)

        assert run(16, slow=True) == run(1, slow=False)

    @settings(max_examples=effort(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(order=st.permutations(range(6)))
    def test_decisions_are_the_first_call_s_in_order(self, kit, source, fake_engine, capability, order):
        text = """(defn label [x :int] :int (+ x 1))
          (defn main [] (pmap (fn [x] (label (call :ask x))) (range 6)))"""

        def run(order):
            kit.layers.clear()
            service = Service(order)

            async def handler(request):
                return await service(request)

            catalog = kit.catalog(
                engine=fake_engine(claimed=("label",)), l1=True, capabilities=[capability("ask", handler)]
            )
            with kit.open(catalog, GRANT, clock=FakeClock()) as session:
                return session.load(source(text)).call("main").value, entries(kit_closed(session))

        def kit_closed(session):
            session.close()
            return kit

        def without_l1(run):
            value, found = run
            return value, [{**e, "decision": None, "decision_digest": None} for e in found]

        value, found = run(order)
        assert without_l1((value, found)) == without_l1(run(range(6)))
        assert [e["symbol"] for e in found] == ["ask", "label"] * 6
        assert [e["branch"] for e in found] == [f"0.{n}" for n in range(6) for _ in range(2)]

    def test_what_was_paid_is_there_when_the_run_is_stopped(self, kit, capability, source, observer):
        done = []

        async def handler(request):
            if request.args[0] == 0:
                while len(done) < 3:  # noqa: ASYNC110 - three of many
                    await asyncio.sleep(0.0005)
                signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(0 if 0 < request.args[0] < 4 else 60)
            return 1

        text = "(defn main [] (pmap (fn [x] (call :ask x)) (range 9)))"
        watch = [observer("watch", done.append, events=("call.answered",))]
        with (
            pytest.raises(KeyboardInterrupt),
            kit.open(kit.catalog(capabilities=[capability("ask", handler)], observers=watch), GRANT) as session,
        ):
            session.load(source(text)).call("main")
        found = [(e["branch"], e["error_kind"]) for e in entries(kit)]
        assert found == [("0.0", "Cancelled"), *((f"0.{n}", "") for n in (1, 2, 3)),
                         *((f"0.{n}", "Cancelled") for n in range(4, 9))]  # fmt: skip


def test_many_records_and_branches_share_the_bound(kit, capability, source):
    service = Service()

    async def handler(request):
        return await service(request)

    config = f"[delegation]\nparallel = 4\nconcurrency = 3\n{GRANT}"
    text = "(defn main [r] (pmap (fn [x] (call :ask (+ r x))) (range 5)))"
    with kit.open(kit.catalog(capabilities=[capability("ask", handler)]), config) as session:
        program = session.load(source(text))
        results = list(session.stream(program, "main", range(0, 600, 100)))
    assert [each.value for each in results] == [tuple((r + x) * 10 for x in range(5)) for r in range(0, 600, 100)]
    assert service.most <= 4 + 3


@pytest.mark.parametrize("bound", ["0", "1001", '"many"'])
def test_a_bound_that_is_none_is_refused(kit, bound):
    with pytest.raises(ConfigError, match="parallel"):
        kit.open(kit.catalog(), f"[delegation]\nparallel = {bound}\n")
