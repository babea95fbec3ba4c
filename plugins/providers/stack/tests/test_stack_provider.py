"""The provider by itself: the contract, what decides, what is refused."""

from __future__ import annotations

import asyncio

import pytest

from rtfs_framework.api import (
    FunctionSignature,
    InferenceReply,
    InferenceRequest,
    Message,
    Parameter,
    ProviderError,
)
from rtfs_framework.api.fitting import FileError
from rtfs_framework.testing.conformance.provider import ProviderConformance

pytestmark = pytest.mark.needs("rtfs-provider-stack")


def request(*args, names=("text",), schema=None) -> InferenceRequest:
    function = FunctionSignature(name="f", parameters=tuple(map(Parameter, names)))
    return InferenceRequest(function=function, args=args, messages=(Message("user", "?"),), schema=schema)


def ask(provider, asked):
    return asyncio.run(provider.infer(asked))


class TestContract(ProviderConformance):
    deterministic = True

    @pytest.fixture(autouse=True)
    def _made(self, make):
        self.make = make

    def requests(self):
        return [request("fine"), request("awful")]

    def refused(self):
        return [(self.make(), request())]


def test_members_and_words_decide_together(make) -> None:
    plain = ask(make(), request("fine"))
    assert (plain.data, plain.structured) == ("good", True)
    assert 0.5 < plain.confidence < 1
    assert plain.explanation.startswith("good: good 0.")
    assert plain.explanation.endswith("other says good 0.90")
    assert ask(make(), request("awful")).data == "bad"


def test_only_labels_of_the_declared_type_are_answered(make) -> None:
    found = ask(make(), request("fine", schema={"enum": ["bad", "worse"]}))
    assert (found.data, found.confidence) == ("bad", 1.0)
    with pytest.raises(ProviderError, match="none of the labels that it was fitted to: bad, good"):
        ask(make(), request("fine", schema={"enum": ["x"]}))


def test_a_member_hears_the_request_and_its_failure_is_that_of_the_request(make, fixed) -> None:
    member = fixed(InferenceReply(data=":bad", structured=True))
    asked = request("fine")
    assert ask(make(members={"local-other": member}), asked).data == "bad"
    assert member.asked == [asked]
    with pytest.raises(ProviderError, match="no answer"):
        ask(make(members={"other": fixed(ProviderError("other", "no answer"))}), asked)


def test_where_one_member_fails_the_others_stop(make, model_data, fixed) -> None:
    ended = []

    class Slow:
        def fingerprint(self):
            return "slow"

        async def infer(self, _):
            try:
                await asyncio.sleep(3600)
            finally:
                ended.append("slow")

    async def ask_both():
        with pytest.raises(ProviderError, match="no answer"):
            await provider.infer(request("fine"))
        return list(ended)

    model_data["members"] = ["other", "slow"]
    model_data["weights"] = [[*each, 0.0, 0.0, 0.0, 0.0] for each in model_data["weights"]]
    provider = make(model_data, members={"other": fixed(ProviderError("other", "no answer")), "slow": Slow()})
    assert asyncio.run(ask_both()) == ["slow"]


@pytest.mark.parametrize("sure", [float("nan"), 7.0, -1.0, "very"])
def test_a_confidence_that_is_none_counts_for_nothing(make, fixed, sure) -> None:
    plain = ask(make(members={"other": fixed(InferenceReply(text="good"))}), request("fine"))
    odd = ask(make(members={"other": fixed(InferenceReply(text="good", confidence=sure))}), request("fine"))
    assert odd.confidence == plain.confidence


def test_what_a_member_says_that_is_no_label_counts_for_nothing(make, fixed) -> None:
    found = ask(make(members={"other": fixed(InferenceReply(text="who knows", confidence=1.0))}), request("fine"))
    assert found.confidence == pytest.approx(0.5)


def test_the_text_is_the_named_argument_or_the_first_text(make) -> None:
    assert ask(make(), request(1, "awful", names=("n", "text"))).data == "bad"
    assert ask(make(argument="b"), request("fine", "awful", names=("a", "b"))).data == "bad"
    with pytest.raises(ProviderError, match="no text as 'b'"):
        ask(make(argument="b"), request("fine"))
    with pytest.raises(ProviderError, match="without a text"):
        ask(make(), request(1))


def test_the_fingerprint_is_of_the_model_and_of_the_members(make, fixed, model_data) -> None:
    first = make().fingerprint()
    assert make().fingerprint() == first
    assert make(argument="a").fingerprint() != first
    assert make(members={"other": fixed(InferenceReply(text="bad"))}).fingerprint() != first
    model_data["constants"] = [1.0, 0.0]
    assert make(model_data).fingerprint() != first


def test_other_members_than_those_of_the_fit_are_refused(make) -> None:
    with pytest.raises(FileError, match=r"fitted to the members other, and has: none\n.*members = \[\"local-other\"\]"):
        make(members={})
