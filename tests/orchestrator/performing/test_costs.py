"""What calls cost: known, not known, and what is in between; replies that cannot be used cost too."""

from __future__ import annotations

import asyncio
import json
import threading

import anyio
import attrs
import pytest

from rtfs_framework.api import (
    BadReply,
    InferenceReply,
    ProgramError,
    ProviderError,
    ProviderUnavailable,
    RemoteModel,
    Usage,
)
from rtfs_framework.api.targets import LocalModel
from rtfs_framework.cli.shown.words import money
from rtfs_framework.orchestrator.config.model import ProviderSpec
from rtfs_framework.orchestrator.performing.cost import cost_of
from rtfs_framework.orchestrator.recording.journal.query import entries_of, list_runs

ONE = """
(defn ^:delegation :remote "m" ask "Say." [text :string] : :string "x")
(defn main [x] (try (ask x) (catch TypeValidationError e (:kind e))))
"""
TWO = ONE.replace("(try (ask x) (catch TypeValidationError e (:kind e)))", "[(ask x) (ask x)]")
PRICES = "input_cost = 2\noutput_cost = 10\n"


def run(kit, source, answer, text=ONE, prices="", **more):
    catalog = kit.catalog(kit.provider("m", answer, remote=True, **more))
    config = f"[delegation.remote_providers.m]\nprovider = 'm'\n{prices}"
    with kit.open(catalog, config) as session:
        return session.run(source(text), ("fine",)), session


def says(*counts, text="ok"):
    return lambda _: InferenceReply(text=text, usage=Usage(*counts))


@pytest.mark.parametrize(
    ("usage", "prices", "target", "cost"),
    [
        (Usage(1_000_000, 0), (2.0, 10.0), RemoteModel, 2.0),
        (Usage(5, 2), (None, None), RemoteModel, None),
        (Usage(5, 0), (None, 1.0), RemoteModel, None),
        (Usage(5, 2), (0.0, 0.0), RemoteModel, 0.0),
        (Usage(0, 0), (None, None), RemoteModel, 0.0),
        (Usage(), (None, None), RemoteModel, None),
        (Usage(), (2.0, 10.0), RemoteModel, None),
        (Usage(), (0.0, 0.0), RemoteModel, 0.0),
        (Usage(5, 2), (None, None), LocalModel, 0.0),
        (Usage(), (None, None), LocalModel, 0.0),
        (Usage(1_000_000, 1), (3.0, None), LocalModel, 3.0),
        (Usage(), (3.0, None), LocalModel, None),
    ],
)
def test_what_is_known_of_a_cost(usage, prices, target, cost):
    spec = ProviderSpec(id="m", plugin="p", target=target("m"), input_cost=prices[0], output_cost=prices[1])
    assert cost_of(usage, spec) == cost


def test_tokens_without_a_price_make_the_cost_unknown_everywhere(kit, source):
    result, _ = run(kit, source, says(5, 2), TWO)
    assert [call.cost for call in result.calls] == [None, None]
    assert (result.summary.cost, result.summary.unpriced, result.summary.input_tokens) == (0.0, 2, 10)
    shown = result.summary.to_json()
    assert (shown["cost"], shown["known_cost"], shown["unpriced"]) == (None, 0.0, 2)
    assert [entry["cost"] for entry in entries_of(kit.journal, result.run_id)] == [None, None]
    json.dumps(shown, allow_nan=False)


def test_known_and_unknown_costs_are_told_apart_in_a_sum(kit, source):
    answers = iter([InferenceReply(text="a", usage=Usage(1000, 500)), InferenceReply(text="b", usage=Usage(10, None))])
    result, _ = run(kit, source, lambda _: next(answers), TWO, PRICES)
    assert result.summary.cost == pytest.approx(0.007)
    assert result.summary.unpriced == 1


@pytest.mark.parametrize(
    ("value", "unpriced", "shown"),
    [(0.0, 0, "$0"), (0.12, 0, "$0.12"), (0.0, 1, "?"), (0.12, 3, "$0.12 + ?"), (0.0, True, "?"), (0.0, False, "$0")],
)
def test_money(value, unpriced, shown):
    assert money(value, unpriced) == shown


def test_a_reply_that_cannot_be_used_is_counted_and_priced(kit, source):
    reply = BadReply("m", "cut off", usage=Usage(1000, 500))
    result, _ = run(kit, source, lambda _: reply, prices=PRICES)
    (call,) = result.calls
    assert (call.code, call.input_tokens, call.output_tokens) == ("E0606", 1000, 500)
    assert call.cost == pytest.approx(0.007)
    assert result.summary.cost == pytest.approx(0.007)


def test_equal_requests_under_way_are_billed_once_when_their_reply_cannot_be_used(kit, source):
    async def late():
        await anyio.sleep(0.05)
        raise BadReply("m", "cut off", usage=Usage(1000, 500))

    text = ONE.replace("(defn main [x] (try (ask x)", "(defn main [x] (try (pmap ask [x x x x])")
    result, _ = run(kit, source, lambda _: late(), text, PRICES + "reuse = 'always'\n")
    assert sum(call.input_tokens for call in result.calls) == 1000 * len(kit.providers["m"].requests)


@pytest.mark.parametrize(
    "counts", [(2**53, 1), (2**63, 2**64), (10**400, 1), (-1, 1), (1.5, 1), ("5", 1), (True, 1), (float("nan"), 1)]
)
def test_counts_that_are_none_end_no_run_and_are_told_once(kit, source, counts):
    result, session = run(kit, source, says(*counts), TWO, PRICES)
    assert [call.cost for call in result.calls] == [None, None]
    assert [call.input_tokens for call in result.calls] == [0, 0]
    (problem,) = session.problems
    assert problem.count == 2
    assert "acme-plugin" in problem.message
    assert len(list(entries_of(kit.journal, result.run_id))) == 2


def test_what_is_odd_of_a_servers_answer_is_not_laid_at_the_plugins_door(kit, source):
    odd = "the server's count of prompt_tokens is no number of tokens and was not taken"
    reply = InferenceReply(text="ok", usage=Usage(None, 1), problems=(odd,))
    result, session = run(kit, source, lambda _: reply, TWO, PRICES)
    assert [call.cost for call in result.calls] == [None, None]
    (problem,) = session.problems
    assert (problem.count, odd in problem.message) == (2, True)
    assert problem.help.endswith("no fault of the plugin: tell whoever runs the server")
    assert "authors" not in problem.help


@pytest.mark.parametrize(
    "reply",
    [
        InferenceReply(data=float("nan"), structured=True, usage=Usage(7, 1)),
        InferenceReply(data={"a": [float("inf")]}, structured=True, usage=Usage(7, 1)),
        InferenceReply(data="bad \ud83d end", structured=True, usage=Usage(7, 1)),
        InferenceReply(data={"\ud83d": 1}, structured=True, usage=Usage(7, 1)),
        InferenceReply(text="bad \udc00 end", usage=Usage(7, 1)),
        InferenceReply(data={1, 2}, structured=True, usage=Usage(7, 1)),
        InferenceReply(data=object(), structured=True, usage=Usage(7, 1)),
    ],
)
@pytest.mark.parametrize("returns", [":any", ":float", ":string", "[:map-of :any :any]"])
def test_what_json_does_not_have_is_a_bad_reply_of_any_provider(kit, source, reply, returns):
    text = ONE.replace(": :string", f": {returns}").replace("(:kind e)", "(:data e)").replace('"x")', "nil)")
    text = text.replace("(try (ask x) (catch TypeValidationError e (:data e)))", "(ask x)")
    with pytest.raises(ProgramError) as raised:
        run(kit, source, lambda _: reply, text, PRICES)
    assert "E0606" in str(raised.value.value.data)
    assert raised.value.kind == "TypeValidationError"


async def never():
    await anyio.sleep_forever()


LOST = "(defn main [x] (try (ask x) (catch HostError e (:kind e)) (catch TypeValidationError e (:kind e))))"


@pytest.mark.parametrize(
    ("answer", "prices", "cost"),
    [
        (lambda _: never(), PRICES, None),
        (lambda _: never(), "", None),
        (lambda _: never(), "input_cost = 0\noutput_cost = 0\n", 0.0),
        (lambda _: ProviderUnavailable("m", "hung up half-way"), PRICES, None),
        (lambda _: ZeroDivisionError("in the plugin"), PRICES, None),
        (lambda _: 42, PRICES, None),
        (lambda _: ProviderUnavailable("m", "never sent", usage=Usage(0, 0)), PRICES, 0.0),
        (lambda _: ProviderError("m", "who are you?", status=401), PRICES, 0.0),
        (lambda _: ProviderError("m", "no such model", status=404), PRICES, 0.0),
        (lambda _: ProviderError("m", "filtered", status=400), PRICES, None),
        (lambda _: ProviderError("m", "read, and refused", status=403, usage=Usage(1, 0)), PRICES, 2e-6),
    ],
)
def test_what_a_request_without_a_reply_cost_is_not_known(kit, source, answer, prices, cost):
    text = f"{ONE.splitlines()[1]}\n{LOST}"
    result, _ = run(kit, source, answer, text, f"{prices}timeout = 100\n")
    (call,) = result.calls
    assert (call.cost, result.summary.unpriced, result.summary.cost) == (cost, cost is None, cost or 0.0)
    assert [entry["cost"] for entry in entries_of(kit.journal, result.run_id)] == [cost]
    assert kit.providers["m"].requests


@pytest.mark.parametrize("why", ["no key", "cannot be made", "cannot be prepared"])
def test_what_was_never_sent_cost_nothing(kit, source, remote_settings, why):
    entry = kit.provider("m", lambda _: "ok", remote=True, settings=remote_settings if why == "no key" else None)

    def prepare():
        raise ProviderUnavailable("m", "no such file")

    kit.providers["m"].prepare = prepare
    if why == "cannot be made":
        entry = attrs.evolve(entry, factory=lambda _settings: 1 / 0)
    with kit.open(kit.catalog(entry), f"[delegation.remote_providers.m]\nprovider = 'm'\n{PRICES}") as session:
        result = session.run(source(f"{ONE.splitlines()[1]}\n{LOST}"), ("x",))
    (call,) = result.calls
    assert (call.error_kind, call.cost, result.summary.unpriced) == ("NetworkError", 0.0, 0)
    assert not kit.providers["m"].requests


@pytest.mark.parametrize("parallel", [1, 2])
def test_what_a_cancelled_request_cost_is_not_known_(kit, source, parallel):
    asked = threading.Semaphore(0)

    async def answer():
        asked.release()
        await anyio.sleep_forever()

    catalog = kit.catalog(kit.provider("m", lambda _: answer(), remote=True))
    text = ONE.replace("(try (ask x) (catch TypeValidationError e (:kind e)))", '(pmap ask ["a" "b"])')
    config = f"[delegation.remote_providers.m]\nprovider = 'm'\n{PRICES}parallel = {parallel}\n"

    async def stop(session):
        running = asyncio.ensure_future(session.run_async(source(text), ("x",)))
        for _ in range(parallel):
            assert await asyncio.to_thread(asked.acquire, timeout=60)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with kit.open(catalog, config) as session:
        asyncio.run(stop(session))
    (row,) = list_runs(kit.journal)
    costs = [entry["cost"] for entry in entries_of(kit.journal, row.id)]
    assert costs.count(None) == len(kit.providers["m"].requests) >= parallel
    assert set(costs) <= {None, 0}, "one that waited for room cost nothing"
