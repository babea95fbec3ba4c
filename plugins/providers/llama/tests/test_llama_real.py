"""With a real model, by each backend that is here: choices, typed values, text piece by piece, and warm equals cold."""

from __future__ import annotations

import pytest

from rtfs_framework.api import BadReply, ContextOverflow, ProviderSettings, ProviderTimeout
from rtfs_provider_llama.provider import LlamaProvider

MOOD = "[:enum :positive :negative]"


@pytest.fixture
def model_of(real):
    """Return what makes a provider with the real model."""
    return lambda: LlamaProvider(ProviderSettings("real", own=real))


def test_a_model_tells_praise_from_blame(model_of, ask, of_type):
    texts = {"I love it. Wonderful!": "positive", "Terrible. I hate it, it broke at once.": "negative"}
    replies = ask(model_of(), *(of_type(text, MOOD, name="mood") for text in texts))
    assert [reply.data for reply in replies] == list(texts.values())
    assert all(0.5 <= reply.confidence <= 1.0 for reply in replies)
    assert all(reply.usage.output_tokens == 1 for reply in replies)
    assert replies[1].usage.cached_tokens > 0.7 * replies[1].usage.input_tokens


def test_choices_that_share_tokens_are_told_apart(model_of, ask, of_type):
    shared = "[:enum :customer-praise :customer-praises-a-lot :customer-blame :other]"
    reply = ask(model_of(), of_type("x", shared))
    assert reply.data in {"customer-praise", "customer-praises-a-lot", "customer-blame", "other"}
    assert 0.25 <= reply.confidence <= 1.0


@pytest.mark.parametrize("returns", [":int", "[:vector :bool]", "[:map [:name :string] [:age :int]]", ":bool"])
def test_what_is_said_is_of_the_type(model_of, ask, of_type, returns):
    from rtfs_framework.api import from_json, parse_type

    reply = ask(model_of(), of_type("Anna is 30.", returns, max_tokens=200))
    from_json(parse_type(returns), reply.data)
    assert reply.structured


def test_equal_requests_get_equal_answers_whatever_was_asked_before(model_of, ask, of_type):
    def mood(text):
        return of_type(text, MOOD, name="mood")

    text = of_type("Say hello to Anna.", name="greet", max_tokens=12)
    (cold,) = ask(model_of(), mood("It works."), mood("It works."))[:1]
    *_, warm, said = ask(model_of(), mood("It does not."), text, mood("It was"), mood("It works."), text)
    assert (warm.data, warm.confidence) == (cold.data, cold.confidence)
    assert ask(model_of(), text).text == said.text


def test_a_text_comes_piece_by_piece(model_of, ask, of_type):
    heard = []
    reply = ask(model_of(), of_type("Say hello.", name="greet", max_tokens=12, on_text=heard.append))
    assert "".join(heard) == reply.text
    assert len(heard) > 1


def test_an_answer_that_is_cut_off_is_none(model_of, ask, of_type):
    with pytest.raises(BadReply, match="cut off after 3 tokens"):
        ask(model_of(), of_type("x", "[:map [:name :string] [:age :int]]", max_tokens=3))


def test_too_long_a_request_is_refused(model_of, ask, of_type):
    with pytest.raises(ContextOverflow, match="the context has 1024"):
        ask(model_of(), of_type("a long text " * 500))


def test_a_generation_stops_at_the_deadline_and_the_model_goes_on(model_of, use, of_type):
    async def work(provider):
        await provider.infer(of_type("Yes?", ":bool", name="yes"))
        with pytest.raises(ProviderTimeout):
            await provider.infer(of_type("Tell a long story.", name="tell", timeout=0.3))
        reply = await provider.infer(of_type("Yes?", ":bool", name="yes"))
        return reply.data, provider.status().restarts

    data, restarts = use(model_of(), work)
    assert data in {True, False}
    assert restarts == 0
