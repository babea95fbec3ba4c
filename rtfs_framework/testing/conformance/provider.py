"""The contract of model providers: exactly one answer, typed errors, a fingerprint that says what answers rest on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, ClassVar, TypeVar

import anyio
import anyio.to_thread

from rtfs_framework.api import (
    InferenceReply,
    InferenceRequest,
    ModelProvider,
    ProviderError,
    Usage,
    blotter,
    token_count,
)
from rtfs_framework.orchestrator.performing.reply import fault_of
from rtfs_framework.testing.conformance.base import Conformance, check, fail
from rtfs_framework.testing.fakes import inference_request
from rtfs_framework.testing.poisoned import poisoned_environment

Result = TypeVar("Result")

_LONGEST = 1000
"""Characters of the longest message that people would read."""


class ProviderConformance(Conformance):
    """Inherit, and give `make`; set `deterministic` and `immediate` as your `ProviderEntry` does."""

    deterministic: ClassVar[bool] = False
    immediate: ClassVar[bool] = False

    @abstractmethod
    def make(self) -> ModelProvider:
        """Return a new provider that can answer."""

    def requests(self) -> Iterable[InferenceRequest]:
        """Return requests that your provider should answer."""
        return (inference_request("hello", name="greet"), inference_request("", 1, 2.5, None, name="mixed"))

    def refused(self) -> Iterable[tuple[ModelProvider, InferenceRequest]]:
        """Return providers and requests that must end in a `ProviderError` (a closed port, a wrong key)."""
        return ()

    def secrets(self) -> Iterable[str]:
        """Return the keys that the providers above are made with: no message may hold one, in any spelling."""
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
                _check_usage(reply.usage)

        self._use(use)

    def test_a_reply_holds_what_json_and_utf_8_can_carry(self) -> None:
        """No NaN, no infinity, no half characters, nothing but plain data; a host refuses the whole reply."""

        async def use(provider: ModelProvider) -> None:
            for request in self.requests():
                reply = await infer(provider, request)
                wrong = fault_of(reply)
                check(wrong is None, f"{wrong}: {reply!r}")

        self._use(use)

    def test_preparing_may_be_repeated_and_is_done_from_any_thread(self) -> None:
        """`prepare`, where there is one, is a plain method; the provider answers before and after it."""

        async def use(provider: ModelProvider) -> None:
            prepare: Callable[[], Any] | None = getattr(provider, "prepare", None)
            if prepare is None:
                return
            check(not iscoroutinefunction(prepare), "`prepare` is a coroutine function, which a thread cannot call")
            for _ in range(4):
                with still("when `prepare` was called again"):
                    await anyio.to_thread.run_sync(prepare)
            for request in self.requests():
                with still("after `prepare`"):
                    await infer(provider, request)

        self._use(use)

    def test_what_is_said_to_be_immediate_never_waits(self) -> None:
        """It needs no event loop, and there is nothing to prepare."""
        if not self.immediate:
            return
        provider = self.make()
        check(getattr(provider, "prepare", None) is None, "it is `immediate`, and there is something to prepare")
        for request in self.requests():
            with still("without an event loop, as it is `immediate`"):
                try:
                    next(provider.infer(request).__await__())
                except StopIteration as done:
                    check(isinstance(done.value, InferenceReply), f"{done.value!r} is no reply")
                else:
                    fail("it is `immediate`, and it waited")

    def test_the_environment_of_the_process_is_not_heard(self) -> None:
        """Only the session's variables (`ProviderSettings.environ`) count, and not the process's proxies and keys."""

        async def use(provider: ModelProvider) -> None:
            before = provider.fingerprint()
            with poisoned_environment():
                check(self.make().fingerprint() == before, "the fingerprint changed with the process's environment")
                for request in self.requests():
                    with still("with proxies and keys in the process's environment"):
                        await infer(provider, request)

        self._use(use)

    def test_a_request_that_is_cancelled_ends_and_hurts_no_other(self) -> None:
        """A cancelled request gives no answer, and the provider answers the next one."""

        async def use(provider: ModelProvider) -> None:
            for request in self.requests():
                if iscoroutinefunction(provider.infer):
                    with anyio.move_on_after(0):
                        await infer(provider, request)
                with still("after a cancelled request"):
                    await infer(provider, request)

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
                    self._check_words(str(error))
                    if error.usage is not None:
                        _check_usage(error.usage)
                else:
                    fail(f"{reply!r} instead of an error")
                finally:
                    await provider.aclose()

            anyio.run(use)

    def _check_words(self, words: str) -> None:
        check(words != "", "an error without words")
        check(words.isprintable(), f"an error with characters that cannot be seen: {words!r}")
        check(len(words) <= _LONGEST, f"an error of {len(words)} characters")
        check(blotter(self.secrets())(words) == words, "an error that holds a secret")

    def _use(self, work: Callable[[ModelProvider], Awaitable[Result]]) -> Result:
        """Make a provider, do some work with it in an event loop, and close it."""

        async def used() -> Result:
            provider = self.make()
            try:
                return await work(provider)
            finally:
                await provider.aclose()

        return anyio.run(used)


@contextmanager
def still(when: str) -> Iterator[None]:
    """Fail, in words, when what has worked before raises now."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        fail(f"it does not work {when}: {type(error).__name__}: {error}")


async def infer(provider: ModelProvider, request: InferenceRequest) -> InferenceReply:
    """Ask a provider as a host does: what is no coroutine function is called in a worker thread."""
    ask: Callable[[InferenceRequest], Any] = provider.infer
    plain = not iscoroutinefunction(ask)
    reply: InferenceReply = await (anyio.to_thread.run_sync(partial(ask, request)) if plain else ask(request))
    return reply


def _check_usage(usage: Usage) -> None:
    for count in (usage.input_tokens, usage.output_tokens):
        known = count is None or (count.__class__ is int and token_count(count) == count)
        check(known, f"no count of tokens: {usage!r}")


def _answer(reply: InferenceReply) -> object:
    return reply.text, reply.data, reply.structured
