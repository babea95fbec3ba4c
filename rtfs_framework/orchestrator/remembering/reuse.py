"""Replies already paid for: the L2 layer, and equal requests that are under way at the same time.

A key holds all that an answer rests on: the function (name, documentation, body, types, the prompt's version), the
arguments and hints as they are sent (redacted, where a plan says so), the tenant, the target, the provider's
fingerprint, and a keyed digest of the account that asks (its credential and what else chooses it): who may not ask is
not answered, and what one tenant or account paid for is no other's. There is a key only where reuse is sound: the
provider is deterministic (or the configuration says `reuse = "always"`), and the arguments are plain data.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

import attrs

from rtfs_framework.api.cache import NO_INFO, CacheInfo, CacheKey, Claim
from rtfs_framework.api.labels import Label
from rtfs_framework.api.provider import InferenceReply
from rtfs_framework.api.targets import ExecTarget, show_target
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.types.names import Lookup
from rtfs_framework.orchestrator.boundary.purity import is_plain
from rtfs_framework.orchestrator.recording.run_scope import OpenCall
from rtfs_framework.orchestrator.remembering.claims import UNSHARED
from rtfs_framework.orchestrator.remembering.keyring import Keyring
from rtfs_framework.orchestrator.remembering.keys import Keys, key_of
from rtfs_framework.orchestrator.remembering.packed import pack, unpack
from rtfs_framework.orchestrator.remembering.safe_layer import SafeLayer

if TYPE_CHECKING:
    import anyio

_MOST_FUNCTIONS = 512

_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.25
"""Seconds after which the layer is asked again whether another process has its reply; each pause is half as long
again as the one before."""

_MOST_LATEST = 256
"""Replies that came lately and are kept for those who looked just before they were in the layer."""


class Answering(Protocol):
    """Who answers a request: what a key must hold of it."""

    @property
    def target(self) -> ExecTarget:
        """Where it is asked."""
        ...

    @property
    def reusable(self) -> bool:
        """Tell whether a reply may be served from memory unasked."""
        ...

    def fingerprint(self) -> str:
        """Return what tells it from others of its kind: model, version, parameters."""
        ...

    def account(self) -> Mapping[str, str]:
        """Return all that chooses whose account asks, credentials included."""
        ...


@attrs.frozen(slots=True, eq=False, kw_only=True)
class Flight:
    """What one call does when its request is not remembered."""

    ask: Callable[[], Awaitable[InferenceReply]]
    wait: Callable[[anyio.Event], Awaitable[None]]
    """Waits for an equal request that is under way, at most as long as the call may take."""
    fits: Callable[[InferenceReply], bool]
    """Tells whether a reply may be remembered."""
    mends: Callable[[InferenceReply | Exception], bool]
    """Tells whether the call may have an equal one's outcome mended by a request of its own: it does not fit."""
    mend: Callable[[InferenceReply | Exception], Awaitable[InferenceReply]]
    """Has it mended."""
    shares: Callable[[Exception], bool]
    """Tells whether a failure is that of equal calls, too, and not the call's own: its time, its budget."""
    info: Callable[[InferenceReply], CacheInfo]
    """What is known of a reply of its own, beside it."""
    lease: float
    """Seconds that it may take."""


class Came(NamedTuple):
    """A reply that came, whether an equal request brought it, and what is known of it."""

    reply: InferenceReply
    shared: bool
    info: CacheInfo


@attrs.define(slots=True, eq=False)
class _UnderWay:
    """A request under way, and its outcome; without one, whoever waits takes over."""

    landed: anyio.Event
    reply: InferenceReply | None = None
    info: CacheInfo = NO_INFO
    error: Exception | None = None


@attrs.define(slots=True, eq=False)
class Reuse:
    """Looks replies up and remembers them."""

    layer: SafeLayer | None
    keyring: Keyring
    wording: Callable[[FunctionSignature, Lookup], str]
    """What a prompt says of a function."""
    guards: str = ""
    """Of the guards that a request passes: what one lets through, or takes out, another does not."""
    accepts: Label | None = None
    """The marks that what is kept may carry; None for all."""
    _functions: dict[int, tuple[FunctionSignature, Lookup, str]] = attrs.field(factory=dict, init=False)
    _keys: Keys = attrs.field(factory=Keys, init=False)
    _flights: dict[tuple[int, str], _UnderWay] = attrs.field(factory=dict, init=False)
    """Under way, by key. This and what follows is changed in the session's thread `io` alone."""
    _latest: dict[str, tuple[int, InferenceReply, CacheInfo]] = attrs.field(factory=dict, init=False)
    landed: int = attrs.field(default=0, init=False)
    """How many requests have landed and were remembered."""

    @property
    def works(self) -> bool:
        """Tell whether anything is remembered now: there is a layer, and it is not out."""
        return self.layer is not None and not self.layer.broken

    def key(
        self, opened: OpenCall, function: FunctionSignature, instance: Answering, *, anyway: bool = False
    ) -> CacheKey | None:
        """Return the key of a request, None when its reply must not be reused.

        `anyway` is for who judges himself whether the target answers otherwise each time.
        """
        parts = self._parts(opened, function, instance, anyway=anyway)
        if parts is None:
            return None
        arguments = ("arguments", opened.digest_sent())
        return CacheKey("reply", self._keys.of(parts, *arguments), (*parts, arguments))

    def partition(self, opened: OpenCall, function: FunctionSignature, instance: Answering) -> CacheKey | None:
        """Return the key that a request shares with those that differ from it in their arguments alone.

        None when its reply must not be reused: there is a partition exactly where there is a `key`. It holds tenant
        and labels always, so that nothing that is found within it is another tenant's, or marked otherwise.
        """
        parts = self._parts(opened, function, instance)
        return None if parts is None else CacheKey("partition", self._keys.of(parts), parts)

    def _parts(
        self, opened: OpenCall, function: FunctionSignature, instance: Answering, *, anyway: bool = False
    ) -> tuple[tuple[str, str], ...] | None:
        """Return all that an answer rests on but the arguments, None when it must not be reused."""
        call, labelled = opened.sends, opened.record.labelled
        if not (instance.reusable or anyway) or not is_plain(call.args) or (call.hints and not is_plain(call.hints)):
            return None
        if labelled is not None and self.accepts is not None and not labelled.label <= self.accepts:
            return None
        labels = () if labelled is None or not labelled.label else sorted(labelled.label)
        freed = (f"freed {each}" for each in sorted(labelled.freed)) if labelled is not None and labels else ()
        return (
            ("function", self._function(function, opened.scope.lookup)),
            ("target", show_target(instance.target)),
            ("provider", instance.fingerprint()),
            ("account", self.keyring.account(instance.account())),
            ("tenant", opened.scope.tenant),
            ("labels", " ".join((*labels, *freed))),
            ("guards", self.guards),
            ("hints", digest(call.hints) if call.hints else ""),  # a provider sees them
        )

    def look_up(self, key: CacheKey) -> tuple[InferenceReply, CacheInfo] | None:
        """Return a remembered reply, and what is known of it."""
        record = None if self.layer is None else self.layer.get(key)
        if record is None:
            return None
        reply = unpack(record.value)
        if (
            reply is None
        ):  # of another version, or damaged: while it lies there, the layer gives nobody the right to ask
            self.forget(key)
            return None
        return reply, record.info

    def forget(self, key: CacheKey) -> None:
        """Drop a reply that does not fit any more, or was damaged: it would be read for nothing again and again."""
        if self.layer is not None:
            self.layer.invalidate(key)

    def remember(self, key: CacheKey, reply: InferenceReply, info: CacheInfo) -> None:
        """Keep a reply that had the declared type, unless it carries marks that nothing kept may carry."""
        if self.accepts is not None and reply.remote is not None and not reply.remote.labels <= self.accepts:
            return
        text = None if self.layer is None else pack(reply)
        if self.layer is not None and text is not None:
            self.layer.put(key, text, None, info)  # for as long as the layer says, or the configuration

    async def once(
        self,
        key: CacheKey,
        since: int,
        flight: Flight,
    ) -> Came:
        """Ask, or wait for an equal request that is under way, here or in another process.

        A failure is that of all who wait, unless it is the asking call's own: then, and when that one is cancelled, the
        next one takes over; so it does where the outcome does not fit and may be mended. The reply is remembered when
        it fits, before the request counts as landed; who looked (`since` is what `landed` was then) before that, and
        came here after, is given it all the same. So of equal requests of any threads and tasks at once one is paid;
        and of those of any processes that share the layer, where it can tell who asks (`ClaimingLayer`).
        """
        import asyncio

        import anyio

        place = (id(asyncio.get_running_loop()), key.digest)  # a loop that was given up keeps its flights
        ask = flight.ask
        while (other := self._flights.get(place)) is not None:
            await flight.wait(other.landed)
            outcome = other.error if other.reply is None else other.reply
            if outcome is not None and flight.mends(outcome):
                ask = partial(flight.mend, outcome)  # unless another one that waited is faster
            elif other.reply is not None:
                return Came(other.reply, True, other.info)
            elif other.error is not None:
                raise other.error
        late = self._latest.get(key.digest)
        if late is not None and late[0] > since:
            return Came(late[1], True, late[2])
        own = self._flights[place] = _UnderWay(anyio.Event())
        try:
            came = await self._asked(key, ask, flight)
            own.reply, own.info = came.reply, came.info
        except Exception as error:
            own.error = error if flight.shares(error) else None
            raise
        finally:
            self._flights.pop(place, None)
            own.landed.set()
        return came

    async def _asked(self, key: CacheKey, ask: Callable[[], Awaitable[InferenceReply]], flight: Flight) -> Came:
        """Ask, when no other process does, and remember the reply if it fits."""
        import anyio

        right = await self._right(key, flight)
        if isinstance(right, Came):
            return right
        try:
            reply = await ask()
            info = flight.info(reply)
            if self.layer is not None and flight.fits(reply):
                await anyio.to_thread.run_sync(self.remember, key, reply, info)  # the file may be locked for seconds
                self._has_landed(key, reply, info)
        except BaseException as error:
            await _released(right, error)
            raise
        await _released(right)
        return Came(reply, False, info)

    async def _right(self, key: CacheKey, flight: Flight) -> Claim | Came:
        """Return the right to ask, or what another process asked for: it is waited for as long as the call may take.

        When that one fails or dies, its right is free again.
        """
        import anyio

        layer, pause, waited = self.layer, _FIRST_PAUSE, False
        while layer is not None:
            claim = await _taken(layer, key, flight.lease)
            if claim is not None and not waited:
                return claim
            try:
                came = await self._brought(key, flight)
            except BaseException as error:
                await _released(claim, error)
                raise
            if came is None and claim is not None:
                return claim
            if came is not None:
                await _released(claim)
                return came
            waited = True
            with anyio.move_on_after(pause):
                await flight.wait(anyio.Event())
            pause = min(1.5 * pause, _LONGEST_PAUSE)
        return UNSHARED

    async def _brought(self, key: CacheKey, flight: Flight) -> Came | None:
        """Return what another process asked for, where it is there by now; what does not fit is dropped.

        Who has waited looks once more when the right is free: it mostly is because the reply is there.
        """
        import anyio

        found = await anyio.to_thread.run_sync(self.look_up, key)
        if found is None:
            return None
        if flight.fits(found[0]):
            return Came(found[0], True, found[1])
        await anyio.to_thread.run_sync(self.forget, key)
        return None

    def _has_landed(self, key: CacheKey, reply: InferenceReply, info: CacheInfo) -> None:
        self.landed += 1
        self._latest.pop(key.digest, None)
        self._latest[key.digest] = self.landed, reply, info
        if len(self._latest) > _MOST_LATEST:
            del self._latest[next(iter(self._latest))]

    def _function(self, function: FunctionSignature, lookup: Lookup) -> str:
        known = self._functions.get(id(function))
        if known is not None and known[0] is function and known[1] is lookup:
            return known[2]
        text = key_of(self.wording(function, lookup))
        if len(self._functions) >= _MOST_FUNCTIONS:
            self._functions.clear()
        self._functions[id(function)] = (function, lookup, text)
        return text


async def _taken(layer: SafeLayer, key: CacheKey, lease: float) -> Claim | None:
    """Return the right to ask, as the layer gives it; whoever is cancelled meanwhile keeps it from nobody."""
    import anyio

    given: list[Claim | None] = []
    left: list[bool] = []

    def give_back() -> None:
        with suppress(IndexError):  # the thread and the task may both come here: one of them has it
            claim = given.pop()
            if claim is not None:
                claim.release()

    def take() -> None:
        given.append(layer.claim(key, lease))
        if left:
            give_back()

    try:
        await anyio.to_thread.run_sync(take)
    except BaseException:
        left.append(True)
        give_back()
        raise
    return given.pop()


async def _released(claim: Claim | None, error: BaseException | None = None) -> None:
    """Give a right back, in a thread: a server may have to be told, and be slow. So it is where a call is cancelled."""
    import anyio

    if claim is None or claim is UNSHARED:
        return
    if isinstance(error, GeneratorExit):  # the loop was given up: nothing can be waited for any more
        claim.release()
        return
    with anyio.CancelScope(shield=True):
        await anyio.to_thread.run_sync(claim.release)
