"""What a host asks of a provider besides answers: get ready, take a model into memory or out of it, how are you.

All of it is optional for a provider, may block, and is called in a thread, one at a time for each provider and for so
many seconds. What does not end in its time is left behind; until it ends, the provider is busy with it.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

from rtfs_framework.api.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from rtfs_framework.api.provider import ModelProvider, ModelStatus
from rtfs_framework.registry.faults import Part, PluginFault

if TYPE_CHECKING:
    from concurrent.futures import Future

Control = Literal["prepare", "load", "unload", "status", "ping"]

SECONDS: Final[dict[Control, float]] = {
    "prepare": 120.0,
    "load": 300.0,
    "unload": 30.0,
    "status": 2.0,
    "ping": 5.0,
}
"""How long each may take: a model on a slow disk takes its time, and nobody waits long for words about it."""
_GRACE = 0.5
"""Seconds that a ping has beyond what it was told."""


class BusyError(Exception):
    """A provider is not asked now, for it has not ended what it was asked before."""

    def __init__(self, doing: str) -> None:
        super().__init__(f"it is busy: `{doing}` is under way")


@attrs.define(slots=True, eq=False)
class Controls:
    """One provider's optional methods, as its host calls them; from any event loop."""

    id: str
    part: Part
    provider: Callable[[], ModelProvider]
    """Makes it when it is first needed; raises `ProviderUnavailable`."""
    _turn: Lock = attrs.field(factory=Lock, init=False)
    _doing: str = attrs.field(default="", init=False)
    _prepared: Future[Any] | None = attrs.field(default=None, init=False)

    def offers(self, name: Control) -> bool:
        """Tell whether the provider has a method.

        Raises:
            ProviderUnavailable: The plugin could not make the provider.
        """
        return callable(getattr(self.provider(), name, None))

    async def prepare(self) -> None:
        """Let the provider import and make what it needs, once; that is no part of any request's time.

        Raises:
            ProviderError: It cannot, or not within two minutes.
        """
        done = self._prepared
        if (done is not None and done.done() and done.exception() is None) or not self.offers("prepare"):
            return
        from rtfs_framework.orchestrator.concurrency.threads import outcome_of

        if done is None or done.done():
            done = self._prepared = self._begin("prepare", SECONDS["prepare"], ())
        try:
            await outcome_of(done, SECONDS["prepare"])
        except TimeoutError as error:
            raise self._late("prepare", SECONDS["prepare"]) from error
        except BusyError as error:
            raise ProviderUnavailable(self.id, str(error)) from error

    async def load(self) -> None:
        """Take the model into memory; nothing where it is there already.

        Raises:
            ProviderError: It cannot, or not in its time.
            BusyError: Something else is under way.
            PluginFault: It raised anything else.
        """
        await self._ask("load", SECONDS["load"])

    async def unload(self) -> None:
        """Take the model out of memory; a later request loads it again.

        Raises:
            ProviderError: It cannot, or not in its time.
            BusyError: Something else is under way.
            PluginFault: It raised anything else.
        """
        await self._ask("unload", SECONDS["unload"])

    async def status(self) -> ModelStatus | None:
        """Return how the model is, None where the provider does not say.

        Raises:
            ProviderError: It cannot be asked.
            BusyError: Something else is under way.
            PluginFault: It raised anything else, or returned what is no status.
        """
        if not self.offers("status"):
            return None
        found = await self._ask("status", SECONDS["status"])
        if not isinstance(found, ModelStatus):
            raise PluginFault(self.part, "`status`", f"returned a {type(found).__name__}, which is no ModelStatus")
        return found

    async def ping(self, seconds: float = SECONDS["ping"]) -> None:
        """Find out whether the provider could answer, at no cost; its getting ready is no part of the time.

        Raises:
            ProviderError: What a request would raise.
            BusyError: Something else is under way.
            PluginFault: It raised anything else.
        """
        await self.prepare()
        await self._ask("ping", seconds + _GRACE, seconds)

    async def _ask(self, name: Control, seconds: float, *args: Any) -> Any:
        from rtfs_framework.orchestrator.concurrency.threads import outcome_of

        try:
            return await outcome_of(self._begin(name, seconds, args), seconds)
        except TimeoutError as error:
            raise self._late(name, seconds) from error

    def _begin(self, name: Control, seconds: float, args: tuple[Any, ...]) -> Future[Any]:
        """Call a method in a thread, when it is its turn; return what says when it is over.

        Raises:
            ProviderUnavailable: The plugin could not make the provider.
        """
        from rtfs_framework.orchestrator.concurrency.threads import alone

        method = getattr(self.provider(), name)

        def work() -> Any:
            if not self._turn.acquire(timeout=seconds):
                raise BusyError(self._doing)
            try:
                self._doing = name
                return method(*args)
            except ProviderError:
                raise
            except Exception as error:
                raise PluginFault(self.part, f"`{name}`", error) from error
            finally:
                self._doing = ""
                self._turn.release()

        return alone(self.part, f"`{name}`", work)

    def _late(self, name: Control, seconds: float) -> ProviderError | BusyError:
        doing = self._doing  # its turn never came: who waits here may notice before the thread that waits for it
        if doing not in (name, ""):
            return BusyError(doing)
        kind = ProviderTimeout if name == "ping" else ProviderUnavailable
        return kind(self.id, f"{self.part.provenance}: `{name}` did not end within {seconds:g} s")
