"""The provider suite fails what breaks the contract."""

from __future__ import annotations

import os

import anyio
import anyio.lowlevel
import pytest

from rtfs_framework.api import BadReply, InferenceReply, ProviderError, Usage
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


class AnswersNaN(Provider):
    async def infer(self, request):
        return InferenceReply(data={"a": [float("nan")]}, structured=True)


class AnswersHalfACharacter(Provider):
    async def infer(self, request):
        return InferenceReply(text="bad \ud83d end")


class HearsTheProcess(Provider):
    async def infer(self, request):
        if "HTTP_PROXY" in os.environ:
            raise ProviderError("p", "no route")
        return InferenceReply(text="x")


class HasAFingerprintOfTheProcess(Provider):
    def fingerprint(self):
        return os.environ.get("OPENAI_BASE_URL", "none")


class PreparesOnce(Provider):
    prepared = False

    def prepare(self):
        if self.prepared:
            raise RuntimeError("again")
        self.prepared = True


class PreparesAsynchronously(Provider):
    async def prepare(self):
        pass


class BreaksWhenCancelled(Provider):
    broken = False

    async def infer(self, request):
        if self.broken:
            raise ProviderError("p", "broken")
        try:
            await anyio.sleep(0.001)
        except anyio.get_cancelled_exc_class():
            self.broken = True
            raise
        return InferenceReply(text="x")


class Waits(Provider):
    async def infer(self, request):
        await anyio.lowlevel.checkpoint()
        return InferenceReply(text="x")


class HasSomethingToPrepare(Provider):
    def prepare(self):
        pass


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
        (AnswersNaN, "test_a_reply_holds_what_json_and_utf_8_can_carry"),
        (AnswersHalfACharacter, "test_a_reply_holds_what_json_and_utf_8_can_carry"),
        (HearsTheProcess, "test_the_environment_of_the_process_is_not_heard"),
        (HasAFingerprintOfTheProcess, "test_the_environment_of_the_process_is_not_heard"),
        (PreparesOnce, "test_preparing_may_be_repeated_and_is_done_from_any_thread"),
        (PreparesAsynchronously, "test_preparing_may_be_repeated_and_is_done_from_any_thread"),
        (BreaksWhenCancelled, "test_a_request_that_is_cancelled_ends_and_hurts_no_other"),
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


@pytest.mark.parametrize(("kind", "bad"), [(Provider, False), (Waits, True), (HasSomethingToPrepare, True)])
def test_what_says_that_it_is_immediate_and_is_not_is_caught(kind, bad, failing):
    class Suite(ProviderConformance):
        immediate = True

        def make(self):
            return kind()

    assert failing(Suite()) == ({"test_what_is_said_to_be_immediate_never_waits"} if bad else set())


def test_a_provider_that_should_refuse_and_does_not_is_caught(failing):
    class Suite(ProviderConformance):
        def make(self):
            return Provider()

        def refused(self):
            return [(ScriptedProvider(["an answer"]), next(iter(self.requests())))]

    assert failing(Suite()) == {"test_failures_are_provider_errors"}


@pytest.mark.parametrize(
    "error",
    [
        ProviderError("p", "key sk-of-mine is bad"),
        ProviderError("p", "key c2stb2YtbWluZQ== is bad"),
        ProviderError("p", "\x1b[2J"),
        ProviderError("p", "two\nlines"),
        ProviderError("p", "long " * 1000),
        BadReply("p", "cut off", usage=Usage(-1, 2)),
    ],
)
def test_an_error_that_should_not_be_shown_is_caught(error, failing):
    class Suite(ProviderConformance):
        def make(self):
            return Provider()

        def secrets(self):
            return ["sk-of-mine"]

        def refused(self):
            return [(ScriptedProvider([error]), next(iter(self.requests())))]

    assert failing(Suite()) == {"test_failures_are_provider_errors"}
