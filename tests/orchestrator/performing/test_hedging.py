"""Hedges: which request wins, what is written down of both, what they cost, and where no second one is sent."""

from __future__ import annotations

import anyio
import pytest

from rtfs_framework.api import (
    BadReply,
    DelegationPlan,
    FailureKind,
    Hedge,
    InferenceReply,
    LocalModel,
    LocalPure,
    PlanSource,
    ProviderUnavailable,
    RemoteModel,
    Usage,
)
from rtfs_framework.orchestrator.performing.providers import ProviderInstance
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.verify import verify

PROGRAM = '(defn answer "Answer." [text :string] : :string "own body") (defn main [x] (answer x))'
SLOW, FAST = RemoteModel("slow"), RemoteModel("fast")
IDEMPOTENT = """
[delegation.remote_providers.slow]
provider = "slow"
idempotent = true
input_cost = 1.0
output_cost = 2.0
[delegation.remote_providers.fast]
provider = "fast"
idempotent = true
input_cost = 3.0
output_cost = 4.0
"""


class Hedges:
    """Sends everything to the slow one, and asks the fast one, too; after failures, the own body."""

    def __init__(self, hedge):
        self.hedge = hedge
        self.seen = []

    def claims(self):
        return ("answer",)

    def decide(self, context):
        self.seen.append(context.attempts)
        target = LocalPure() if context.attempts else SLOW
        hedge = None if context.attempts else self.hedge
        return DelegationPlan(target=target, reasoning="because", source=PlanSource.ENGINE, engine="h", hedge=hedge)


class Desk:
    """Sessions with two models, what each says, and how it ends when it is given up."""

    def __init__(self, kit, source):
        self.kit, self.source = kit, source(PROGRAM)
        self.hanging, self.given_up = [], []

    def hang(self, name):
        async def forever():
            self.hanging.append(name)
            try:
                await anyio.sleep(3600)
            finally:
                self.given_up.append(name)

        return lambda _: forever()

    def run(self, slow, fast, *, hedge=None, config=IDEMPOTENT):
        self.engine = Hedges(Hedge(target=FAST, after=0.02) if hedge is None else hedge)
        models = [self.kit.provider(name, say, remote=True) for name, say in (("slow", slow), ("fast", fast))]
        with self.kit.open(self.kit.catalog(*models, engine=self.engine), config) as session:
            result = session.run(self.source, ("text",))
        assert verify(self.kit.journal, query.find_run(self.kit.journal, "last"), self.kit.home).ok
        return result

    async def until_both(self):
        """Wait until the second request is under way."""
        while not self.asked("fast"):  # noqa: ASYNC110 - what is looked at is the fake's
            await anyio.sleep(0.005)

    def asked(self, name):
        return len(self.kit.providers[name].requests)


@pytest.fixture
def desk(kit, source):
    return Desk(kit, source)


def said(text, tokens=(10, 5)):
    return lambda _: InferenceReply(text=text, model="m", usage=Usage(*tokens))


def test_the_second_answers_and_the_first_is_given_up(desk):
    result = desk.run(desk.hang("slow"), said("from the fast one"))
    (call,) = result.calls
    assert result.value == "from the fast one"
    assert desk.given_up == ["slow"]
    assert call.target == "remote fast"
    assert "no answer within 0.02 s: remote fast, too" in call.decision.plan.reasoning
    assert [(each.attempt.target, each.attempt.kind, each.attempt.reason) for each in call.attempts] == [
        (SLOW, FailureKind.FINAL, "the other request answered first")
    ]
    assert call.cost is None  # what the first took nobody knows
    assert (call.input_tokens, call.output_tokens) == (10, 5)
    assert desk.engine.seen == [()]


def test_the_first_answers_in_time_and_no_second_one_is_sent(desk):
    result = desk.run(said("from the slow one"), said("no"), hedge=Hedge(target=FAST, after=30.0))
    (call,) = result.calls
    assert (result.value, call.target, call.attempts) == ("from the slow one", "remote slow", ())
    assert call.cost == pytest.approx((10 * 1.0 + 5 * 2.0) / 1e6)
    assert desk.asked("fast") == 0


def test_the_first_answers_while_the_second_is_under_way(desk):
    async def late():
        await desk.until_both()
        return "from the slow one"

    result = desk.run(lambda _: late(), desk.hang("fast"))
    (call,) = result.calls
    assert (result.value, call.target) == ("from the slow one", "remote slow")
    assert desk.given_up == ["fast"]
    assert [each.attempt.target for each in call.attempts] == [FAST]


def test_a_second_one_that_fails_leaves_the_first_under_way(desk):
    async def late():
        await desk.until_both()
        await anyio.sleep(0.05)
        return "from the slow one"

    result = desk.run(lambda _: late(), lambda _: ProviderUnavailable("fast", "gone", failure=FailureKind.SAFE))
    (call,) = result.calls
    assert (result.value, call.target) == ("from the slow one", "remote slow")
    assert [(each.attempt.target, each.attempt.kind) for each in call.attempts] == [(FAST, FailureKind.SAFE)]


def test_where_both_fail_each_is_an_attempt_and_the_engine_is_asked_again(desk):
    async def late():
        await desk.until_both()
        await anyio.sleep(0.05)
        raise BadReply("slow", "nonsense", usage=Usage(7, 3))

    result = desk.run(lambda _: late(), lambda _: ProviderUnavailable("fast", "gone", failure=FailureKind.SAFE))
    (call,) = result.calls
    assert (result.value, call.target) == ("own body", "local-pure")
    assert [(each.target, each.kind) for each in desk.engine.seen[1]] == [
        (FAST, FailureKind.SAFE),
        (SLOW, FailureKind.REPLY),
    ]
    assert (call.input_tokens, call.output_tokens) == (7, 3)


def test_a_first_one_that_fails_at_once_is_a_failure_like_any_other(desk):
    result = desk.run(lambda _: ProviderUnavailable("slow", "gone"), said("no"), hedge=Hedge(target=FAST, after=30.0))
    assert result.value == "own body"
    assert [each.target for each in desk.engine.seen[1]] == [SLOW]
    assert desk.asked("fast") == 0


def test_both_begin_in_the_journal_and_the_call_ends_once(desk):
    desk.run(desk.hang("slow"), said("from the fast one"))
    (entry,) = query.entries_of(desk.kit.journal, query.find_run(desk.kit.journal, "last"))
    assert (entry["state"], entry["target"]) == ("ended", "remote fast")


@pytest.mark.parametrize(
    ("config", "hedge", "why"),
    [
        (IDEMPOTENT.replace("idempotent = true", "", 1), None, "remote slow is not idempotent"),
        (IDEMPOTENT[::-1].replace("eurt = tnetopmedi", "", 1)[::-1], None, "remote fast is not idempotent"),
        (IDEMPOTENT, Hedge(target=SLOW, after=0.01), "it is asked already"),
        (IDEMPOTENT, Hedge(target=LocalModel("nowhere"), after=0.01), "no such provider is configured"),
        (IDEMPOTENT + "[delegation]\nquality_floor = 0.5\n", None, "its quality is not known"),
    ],
)
def test_where_a_second_request_must_not_be_it_is_not(desk, config, hedge, why):
    async def slowly():
        await anyio.sleep(0.1)
        return "from the slow one"

    result = desk.run(lambda _: slowly(), said("no"), config=config, hedge=hedge)
    (call,) = result.calls
    assert result.value == "from the slow one"
    assert desk.asked("fast") == 0
    assert any(why in text for _, text in call.decision.plan.context)


class TestCost:
    """The second request never costs more than its plan says."""

    def test_its_reply_is_bounded_by_what_it_may_cost(self, desk):
        desk.run(desk.hang("slow"), said("yes"), hedge=Hedge(target=FAST, after=0.01, most=0.01))
        (request,) = desk.kit.providers["fast"].requests
        assert 16 <= request.max_tokens <= 0.01 / 4.0 * 1e6

    @pytest.mark.parametrize("most", [1e-9, 1e-6])
    def test_where_nothing_is_left_for_a_reply_it_is_not_sent(self, desk, most):
        async def slowly():
            await anyio.sleep(0.1)
            return "from the slow one"

        result = desk.run(lambda _: slowly(), said("no"), hedge=Hedge(target=FAST, after=0.01, most=most))
        assert result.value == "from the slow one"
        assert desk.asked("fast") == 0

    def test_it_is_not_told_to_answer_better(self, desk):
        """A repair is one more request, for which nothing was reckoned."""

        async def slowly():
            await anyio.sleep(0.3)
            return "from the slow one"

        def misfit(_):
            return InferenceReply(data=7, structured=True, usage=Usage(10, 5))

        for most, asked in ((0.01, 1), (None, 2)):
            hedge = Hedge(target=FAST, after=0.01, most=most)
            assert desk.run(lambda _: slowly(), misfit, hedge=hedge).value == "from the slow one"
            assert desk.asked("fast") == asked

    def test_a_price_that_nobody_knows_has_no_bound(self, desk):
        async def slowly():
            await anyio.sleep(0.1)
            return "from the slow one"

        config = IDEMPOTENT.replace("input_cost = 3.0\noutput_cost = 4.0\n", "")
        hedge = Hedge(target=FAST, after=0.01, most=5.0)
        assert desk.run(lambda _: slowly(), said("no"), config=config, hedge=hedge).value == "from the slow one"
        assert desk.asked("fast") == 0


def test_a_call_that_is_stopped_stops_both(desk, kit):
    desk.engine = Hedges(Hedge(target=FAST, after=0.01))
    models = [kit.provider(name, desk.hang(name), remote=True) for name in ("slow", "fast")]
    with kit.open(kit.catalog(*models, engine=desk.engine), IDEMPOTENT) as session:

        async def stop():
            async with anyio.create_task_group() as group:
                group.start_soon(session.run_async, desk.source, ("text",))
                while len(desk.hanging) < 2:  # noqa: ASYNC110 - they hang in another thread
                    await anyio.sleep(0.005)
                group.cancel_scope.cancel()
            while len(desk.given_up) < 2:  # noqa: ASYNC110 - given up, they end in another thread
                await anyio.sleep(0.01)

        anyio.run(stop)
    assert sorted(desk.given_up) == ["fast", "slow"]


def test_what_a_call_used_before_it_was_stopped_counts_its_repair_too(desk, kit, source):
    desk.engine = Hedges(Hedge(target=FAST, after=30.0))
    again = []

    def slow(_):
        again.append(1)
        if len(again) > 1:
            return desk.hang("slow")(None)
        return InferenceReply(text="no number", model="m", usage=Usage(10, 5))

    models = [kit.provider("slow", slow, remote=True), kit.provider("fast", said("no"), remote=True)]
    typed = source(PROGRAM.replace('[text :string] : :string "own body"', "[text :string] :int 0"))
    with kit.open(kit.catalog(*models, engine=desk.engine), IDEMPOTENT) as session:

        async def stop():
            async with anyio.create_task_group() as group:
                group.start_soon(session.run_async, typed, ("text",))
                while len(again) < 2:  # noqa: ASYNC110 - what is looked at is the fake's
                    await anyio.sleep(0.005)
                group.cancel_scope.cancel()

        anyio.run(stop)
    (entry,) = query.entries_of(kit.journal, query.find_run(kit.journal, "last"))
    assert (entry["input_tokens"], entry["output_tokens"]) == (10, 5)


def test_the_clock_of_a_hedge_starts_when_the_first_is_sent(desk, monkeypatch):
    order = []

    async def prepare(self):
        await anyio.sleep(0.05)
        order.append("ready")

    async def pause(_):
        order.append("the clock starts")
        await anyio.sleep_forever()

    async def answer():
        while "the clock starts" not in order:  # noqa: ASYNC110 - what is looked at is the fake's
            await anyio.sleep(0.001)
        return "from the slow one"

    monkeypatch.setattr(ProviderInstance, "prepare", prepare)
    monkeypatch.setattr("rtfs_framework.orchestrator.performing.hedging.pause", pause)
    result = desk.run(lambda _: answer(), said("no"))
    assert (result.value, desk.asked("fast")) == ("from the slow one", 0)
    assert order[0] == "ready"
    assert order.count("the clock starts") == 1


def test_a_second_one_that_was_never_sent_costs_nothing_and_was_not_tried(desk, monkeypatch):
    reached = []

    async def prepare(self):
        if self.target == FAST:
            reached.append(self)
            await anyio.sleep_forever()

    async def late():
        while not reached:  # noqa: ASYNC110 - what is looked at is the fake's
            await anyio.sleep(0.001)
        return InferenceReply(text="from the slow one", model="m", usage=Usage(10, 5))

    monkeypatch.setattr(ProviderInstance, "prepare", prepare)
    result = desk.run(lambda _: late(), said("no"))
    (call,) = result.calls
    assert (result.value, call.attempts, desk.asked("fast")) == ("from the slow one", (), 0)
    assert call.cost == pytest.approx((10 * 1.0 + 5 * 2.0) / 1e6)
