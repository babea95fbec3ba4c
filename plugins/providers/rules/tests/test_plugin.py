"""The contract of model providers, kept by each shipped instance; which requests are refused; fingerprints."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import (
    FunctionSignature,
    InferenceRequest,
    Keyword,
    Locality,
    Message,
    Parameter,
    ProviderError,
    ProviderSettings,
)
from rtfs_framework.testing.conformance.provider import ProviderConformance
from rtfs_framework.testing.fakes import inference_request
from rtfs_provider_rules.plugin import SHIPPED, RulesSettings, rtfs_providers


def entry():
    (found,) = rtfs_providers()
    return found


def make(**own):
    return entry().factory(ProviderSettings(id="m", own=RulesSettings(**own)))


def request(*names: str, args=(), schema=None) -> InferenceRequest:
    signature = FunctionSignature(name="f", parameters=tuple(Parameter(name) for name in names))
    return InferenceRequest(function=signature, args=tuple(args), messages=(Message("user", "?"),), schema=schema)


def answer(provider, asked: InferenceRequest):
    """Run one request without an event loop: the provider never waits."""
    work = provider.infer(asked)
    with pytest.raises(StopIteration) as ended:
        work.send(None)
    return ended.value.value


class TestSentiment(ProviderConformance):
    deterministic = True
    immediate = True

    def make(self):
        return make(rules="sentiment")

    def refused(self):
        return [(self.make(), request())]


class TestTopics(ProviderConformance):
    deterministic = True
    immediate = True

    def make(self):
        return make(rules="topics")


class TestDraft(ProviderConformance):
    deterministic = True
    immediate = True

    def make(self):
        return make(rules="draft")

    def requests(self):
        return [
            request("text", "sentiment", "topic", args=("hello", Keyword("neutral"), Keyword("other"))),
            request("topic", "sentiment", "text", args=("billing", "negative", "Order #12345!")),
        ]

    def refused(self):
        return [(self.make(), request("text", args=("x",)))]


def test_the_entry_brings_an_instance_for_every_shipped_file():
    found = entry()
    assert (found.name, found.locality, found.deterministic) == ("rules", Locality.LOCAL, True)
    assert set(found.defaults) == set(SHIPPED)
    for table in found.defaults.values():
        assert attrs.has(found.settings)
        assert make(**table).fingerprint()


def test_the_answer_is_data_with_a_reason():
    reply = answer(make(rules="sentiment"), inference_request("I love it"))
    assert (reply.data, reply.structured, reply.model) == ("positive", True, "rules:sentiment")
    assert "vader" in reply.explanation


def test_only_labels_of_the_declared_type_are_considered():
    asked = request(
        "text", args=("My parcel never arrived and I want a refund",), schema={"enum": ["returns", "other"]}
    )
    assert answer(make(rules="topics"), asked).data == "returns"


@pytest.mark.parametrize(
    ("argument", "args", "label"),
    [
        (None, (3, "terrible", "wonderful"), "negative"),
        (None, ("", "wonderful"), "neutral"),
        (None, (Keyword("wonderful"), 2), "positive"),
        ("b", ("terrible", "wonderful"), "positive"),
        ("b", ("terrible", ("wonderful", 1)), "positive"),
    ],
)
def test_which_argument_is_looked_at(argument, args, label):
    asked = request("a", "b", "c", args=args)
    assert answer(make(rules="sentiment", argument=argument), asked).data == label


def test_an_argument_that_the_function_lacks_is_an_error_that_names_both():
    with pytest.raises(ProviderError, match="argument 'text', but f has: a"):
        answer(make(rules="sentiment", argument="text"), request("a", args=("x",)))


def test_a_path_starts_at_the_folder_of_the_configuration(tmp_path):
    (tmp_path / "own.toml").write_text(
        'kind = "classify"\nfallback = "no"\n[labels.yes]\npatterns = [{words = ["ja"]}]\n', encoding="utf-8"
    )
    settings = ProviderSettings(id="m", own=RulesSettings(rules="own.toml"), directory=str(tmp_path))
    provider = entry().factory(settings)
    assert answer(provider, inference_request("Ja!")).data == "yes"
    assert answer(provider, inference_request("jawohl")).data == "no"


def test_the_fingerprint_changes_with_the_rules_and_the_argument(tmp_path):
    file = tmp_path / "own.toml"
    seen = set()
    for weight, argument in ((1.0, None), (2.0, None), (2.0, "a")):
        file.write_text(
            f'kind = "classify"\nfallback = "no"\n[labels.yes]\npatterns = [{{words = ["ja"], weight = {weight}}}]\n',
            encoding="utf-8",
        )
        seen.add(make(rules=str(file), argument=argument).fingerprint())
    assert len(seen) == 3
