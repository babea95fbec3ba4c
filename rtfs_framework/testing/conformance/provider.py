"""The contract of model providers: exactly one answer, typed errors, a fingerprint that says what answers rest on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, ClassVar, TypeVar

import anyio
import anyio.to_thread

from rtfs_framework.api import InferenceReply, InferenceRequest, ModelProvider, ProviderError, token_count
from rtfs_framework.testing.conformance.base import Conformance, check, fail
from rtfs_framework.testing.fakes import inference_request

Result = TypeVar("Result")


class ProviderConformance(Conformance):
    """Inherit, and give `make`; set `deterministic` as your `ProviderEntry` does."""

    deterministic: ClassVar[bool] = False

    @abstractmethod
    def make(self) -> ModelProvider:
        """Return a new provider that can answer."""

    def requests(self) -> Iterable[InferenceRequest]:
        """Return requests that your provider should answer."""
        return (inference_request("hello", name="greet"), inference_request("", 1, 2.5, None, name="mixed"))

    def refused(self) -> Iterable[tuple[ModelProvider, InferenceRequest]]:
        """Return providers and requests that must end in a `ProviderError` (a closed port, a wrong key)."""
        return ()

    def test_the_fingerprint_is_a_steady_text(self) -> None:
        """The same for two providers of the same settings, before and after use."""

        async def use(provider: ModelProvider) -> None:
            before = provider.fingerprint()
            check(before.__class__ is str and before != "", f"a fingerprint of {before!r}")
            check(self.make().fingerprint() == before, "two providers of equal settings differ in fingerprint")
            for request in self.requests():
                await infer(provider, request)
            check(provider.fingerprint() == before, "the fingerprint changed with use")

        self._use(use)

    def test_a_reply_holds_exactly_one_answer(self) -> None:
        """Text or data, and `structured` says which; tokens are counted as whole numbers, or not known (None)."""

        async def use(provider: ModelProvider) -> None:
            for request in self.requests():
                reply = await infer(provider, request)
                check(isinstance(reply, InferenceReply), f"{reply!r} is no reply")
                check((reply.text is None) is reply.structured, f"both or neither of text and data: {reply!r}")
                check(reply.structured or reply.data is None, f"data in a reply that is not structured: {reply!r}")
                for count in (reply.usage.input_tokens, reply.usage.output_tokens):
                    check(count is None or (count.__class__ is int and token_count(count) == count), f"{reply.usage!r}")

        self._use(use)

    def test_a_deterministic_provider_repeats_itself(self) -> None:
        """Equal requests get equal answers, also from another provider of the same settings."""
        if not self.deterministic:
            return

        async def use(provider: ModelProvider) -> None:
            other = self.make()
            for request in self.requests():
                first, again, others = [await infer(each, request) for each in (provider, provider, other)]
                check(_answer(first) == _answer(again) == _answer(others), f"{first!r}, then {again!r}, {others!r}")
            await other.aclose()

        self._use(use)

    def test_requests_may_overlap(self) -> None:
        """One provider answers several requests at once, each with its own answer."""

        async def use(provider: ModelProvider) -> None:
            requests = list(self.requests())
            alone = [_answer(await infer(provider, request)) for request in requests]
            together: list[object] = [None] * len(requests)

            async def ask(place: int) -> None:
                together[place] = _answer(await infer(provider, requests[place]))

            async with anyio.create_task_group() as group:
                for place in range(len(requests)):
                    group.start_soon(ask, place)
            if self.deterministic:
                check(together == alone, f"answers at once {together!r} differ from those in turn {alone!r}")

        self._use(use)

    def test_failures_are_provider_errors(self) -> None:
        """A vendor's own exception never gets out; it is the cause."""
        for provider, request in self.refused():

            async def use(provider: ModelProvider = provider, request: InferenceRequest = request) -> None:
                try:
                    reply = await infer(provider, request)
                except ProviderError as error:
                    check(str(error) != "", "an error without words")
                else:
                    fail(f"{reply!r} instead of an error")
                finally:
                    await provider.aclose()

            anyio.run(use)

    def _use(self, work: Callable[[ModelProvider], Awaitable[Result]]) -> Result:
        """Make a provider, do some work with it in an event loop, and close it."""

        async def used() -> Result:
            provider = self.make()
            try:
                return await work(provider)
            finally:
                await provider.aclose()

        return anyio.run(used)


async def infer(provider: ModelProvider, request: InferenceRequest) -> InferenceReply:
    """Ask a provider as a host does: what is no coroutine function is called in a worker thread."""
    ask: Callable[[InferenceRequest], Any] = provider.infer
    plain = not iscoroutinefunction(ask)
    reply: InferenceReply = await (anyio.to_thread.run_sync(partial(ask, request)) if plain else ask(request))
    return reply


def _answer(reply: InferenceReply) -> object:
    return reply.text, reply.data, reply.structured
