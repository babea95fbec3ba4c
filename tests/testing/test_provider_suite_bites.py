"""The provider suite fails what breaks the contract."""

from __future__ import annotations

import pytest

from rtfs_framework.api import InferenceReply, Usage
from rtfs_framework.testing.conformance import ProviderConformance
from rtfs_framework.testing.fakes import ScriptedProvider


class Provider:
    """A right provider; the wrong ones below change one thing."""

    made = 0

    def fingerprint(self):
        return "right-1"

    async def infer(self, request):
        return InferenceReply(text=str(request.args))

    async def aclose(self):
        pass


class Blocks(Provider):
    """Right as well: it is called in a thread."""

    def infer(self, request):
        return InferenceReply(text=str(request.args))


class AnswersTwice(Provider):
    async def infer(self, request):
        return InferenceReply(text="x", data=1, structured=True)


class AnswersNothing(Provider):
    async def infer(self, request):
        return InferenceReply()


class OwesTokens(Provider):
    async def infer(self, request):
        return InferenceReply(text="x", usage=Usage(-1, 0))


class Wavers(Provider):
    async def infer(self, request):
        Provider.made += 1
        return InferenceReply(text=str(Provider.made))


class HasAFingerprintPerInstance(Provider):
    def fingerprint(self):
        return str(id(self))


@pytest.mark.parametrize(
    ("kind", "caught_by"),
    [
        (Provider, None),
        (Blocks, None),
        (AnswersTwice, "test_a_reply_holds_exactly_one_answer"),
        (AnswersNothing, "test_a_reply_holds_exactly_one_answer"),
        (OwesTokens, "test_a_reply_holds_exactly_one_answer"),
        (Wavers, "test_a_deterministic_provider_repeats_itself"),
        (HasAFingerprintPerInstance, "test_the_fingerprint_is_a_steady_text"),
    ],
)
def test_a_wrong_provider_is_caught(kind, caught_by, failing):
    class Suite(ProviderConformance):
        deterministic = True

        def make(self):
            return kind()

    failed = failing(Suite())
    assert caught_by in failed if caught_by else not failed


def test_a_provider_that_should_refuse_and_does_not_is_caught(failing):
    class Suite(ProviderConformance):
        def make(self):
            return Provider()

        def refused(self):
            return [(ScriptedProvider(["an answer"]), next(iter(self.requests())))]

    assert failing(Suite()) == {"test_failures_are_provider_errors"}
