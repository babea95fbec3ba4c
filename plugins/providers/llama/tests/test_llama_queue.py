"""The queue: one request at a time, a bound, deadlines; what nobody waits for is not computed."""

from __future__ import annotations

import anyio
import pytest

from rtfs_framework.api import ContextOverflow, FailureKind, ProviderError, ProviderTimeout, RateLimited

ENDLESS = "(endless)"


def test_more_than_may_wait_are_turned_away(make, use, of_type):
    async def work(provider):
        await provider.infer(of_type("x"))
        refused = []

        async def ask():
            try:
                await provider.infer(of_type(ENDLESS, timeout=0.5))
            except RateLimited as error:
                refused.append(error)
            except ProviderTimeout:
                pass

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(ask)
        return refused

    refused = use(make(queue=2), work)
    assert len(refused) in {2, 3}  # one is under way, two wait
    assert all(error.failure is FailureKind.SAFE and "'queue'" in str(error) for error in refused)


def test_a_deadline_ends_a_request_and_frees_the_model(make, use, of_type):
    async def work(provider):
        with pytest.raises(ProviderTimeout, match=r"no reply within 0.1 s"):
            await provider.infer(of_type(ENDLESS, timeout=0.1))
        return (await provider.infer(of_type("next"))).text, provider.status().restarts

    assert use(make(), work) == ("next", 0)


def test_a_cancelled_request_stops_computing(make, use, of_type):
    async def work(provider):
        heard = []
        await provider.infer(of_type("x"))
        async with anyio.create_task_group() as group:
            group.start_soon(provider.infer, of_type(ENDLESS, on_text=heard.append))
            while not heard:  # noqa: ASYNC110 - it is computed in another process
                await anyio.sleep(0.005)
            group.cancel_scope.cancel()
        reply = await provider.infer(of_type("next"))  # the model is free
        before = len(heard)
        await anyio.sleep(0.05)
        return reply.text, before, len(heard), provider.status().restarts

    text, before, after, restarts = use(make(), work)
    assert (text, restarts) == ("next", 0)
    assert 0 < before == after


def test_a_request_that_was_given_up_while_it_waited_is_never_computed(make, use, of_type, trace):
    async def work(provider):
        await provider.infer(of_type("x"))
        async with anyio.create_task_group() as group:
            group.start_soon(_late, provider, of_type(ENDLESS, timeout=0.3))
            await anyio.sleep(0.05)
            before = len(trace())
            with pytest.raises(ProviderTimeout):
                await provider.infer(of_type("never", timeout=0.05))
        return before

    before = use(make(), work)
    assert len(trace()) == before


async def _late(provider, request):
    with pytest.raises(ProviderTimeout):
        await provider.infer(request)


def test_more_than_the_context_holds_is_refused_before_anything_is_computed(make, ask, of_type, trace):
    with pytest.raises(ContextOverflow, match="the context has 128") as raised:
        ask(make(context=128), of_type("a long text " * 20))
    error = raised.value
    assert (error.failure, error.usage.input_tokens, error.code) == (FailureKind.HERE, 0, "E0616")
    assert trace() == []


def test_a_text_that_utf_8_cannot_say_is_not_sent(make, ask, of_type):
    with pytest.raises(ProviderError, match="half a character"):
        ask(make(), of_type("\ud800"))


def test_calls_of_a_function_pay_for_their_arguments_alone(make, use, of_type, trace):
    def mood(text):
        return of_type(text, "[:enum :good :bad]", name="mood")

    async def work(provider):
        await provider.infer(mood("first"))
        await provider.infer(of_type("another function", name="other"))
        return [await provider.infer(mood(text)) for text in ("second", "third")]

    replies = use(make(functions=2), work)
    whole, *_, third = [row["computed"] for row in trace() if "computed" in row]
    assert third < whole
    for reply in replies:
        usage = reply.usage
        assert usage.cached_tokens > 0.9 * usage.input_tokens
    (last,) = [row["computed"] for row in trace() if "computed" in row][-1:]
    assert last == usage.input_tokens - usage.cached_tokens + 1  # the quote that the choices share


def test_a_model_is_let_go_when_nobody_asks(make, use, of_type):
    async def work(provider):
        await provider.infer(of_type("x"))
        with anyio.fail_after(20):
            while provider.status().loaded:  # noqa: ASYNC110 - it tells nobody
                await anyio.sleep(0.01)
        return (await provider.infer(of_type("again"))).text, provider.status()

    text, status = use(make(idle=0.2), work)
    assert (text, status.restarts) == ("again", 0)


def test_a_model_is_loaded_and_unloaded_when_told(make, use, of_type):
    async def work(provider):
        seen = [provider.status().loaded]
        await anyio.to_thread.run_sync(provider.ping, 5.0)
        for told in (provider.load, provider.load, provider.unload, provider.unload):
            await anyio.to_thread.run_sync(told)
            seen.append(provider.status().loaded)
        await provider.infer(of_type("x"))
        await anyio.to_thread.run_sync(provider.ping, 5.0)
        status = provider.status()
        return seen, status.memory, status.detail

    seen, memory, detail = use(make(), work)
    assert seen == [False, True, True, False, False]
    assert memory > 1_000_000
    assert detail == "small.gguf, context 2048, letters 1"


def test_a_ping_finds_a_model_that_is_not_there(make, use):
    async def work(provider):
        with pytest.raises(ProviderError, match="there is no model"):
            await anyio.to_thread.run_sync(provider.ping, 5.0)

    use(make(model="/nowhere/m.gguf"), work)


def test_after_closing_nothing_is_answered(make, use, of_type):
    provider = make()

    async def work(provider):
        await provider.infer(of_type("x"))

    use(provider, work)
    with pytest.raises(ProviderError, match="it was closed"):
        anyio.run(provider.infer, of_type("x"))
    assert provider.status().loaded is False


def test_several_loops_and_threads_ask_one_model(make, of_type):
    provider = make()
    try:
        first = anyio.run(provider.infer, of_type("one"))
        second = anyio.run(provider.infer, of_type("two"))
        assert (first.text, second.text) == ("one", "two")
    finally:
        anyio.run(provider.aclose)


def test_a_listener_that_fails_costs_its_own_request_alone(make, use, of_type):
    def deaf(_):
        raise RuntimeError("Event loop is closed")

    async def work(provider):
        with pytest.raises(ProviderError, match="its listener failed: RuntimeError: Event loop is closed"):
            await provider.infer(of_type(ENDLESS, on_text=deaf))
        return (await provider.infer(of_type("next", timeout=10.0))).text, provider.status().restarts

    assert use(make(), work) == ("next", 0)
