"""One cache layer as the host uses it: its failures are misses, and it is left out until it works again.

In: a layer, and how another one like it is made. Invariants: no call fails by a layer that breaks, and none waits for
one to come back, nor longer than the layer's bound for one that hangs; an outage is reported once, and its end too;
what was invalidated while a layer was out is taken out of it before anything is served from it.

After a failure a layer is not asked for a second, then for two, and so on up to five minutes, by the host's steady
clock. Then one use of it, and no second beside it, is tried apart from the call that wanted it, which goes on without.
The old layer is tried first, so that what it holds in memory is not lost; where that fails (it may have been closed by
what went wrong), one is made anew. A layer that breaks again soon after is left out for twice as long as before.

A layer that does not see to it itself (`CacheEntry.bounded`) is asked in threads that are left behind (`BoundedCalls`):
one that takes too long is out like one that breaks, for the call that met it and for all that wait for it as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock, Thread
from typing import Any, TypeVar

import attrs

from rtfs_framework.api.cache import (
    NO_INFO,
    CacheInfo,
    CacheItem,
    CacheKey,
    CacheLayer,
    CacheRecord,
    CacheStats,
    Claim,
    QuickLayer,
)
from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.remembering.bounded_calls import BoundedCalls, TooLongError
from rtfs_framework.orchestrator.remembering.claims import UNSHARED, give_back
from rtfs_framework.orchestrator.remembering.outage import FIRST_WAIT, LONGEST_WAIT, Outage
from rtfs_framework.registry.faults import Part, PluginFault, ask

_MORE = 20
"""How many times the bound counts for what goes through all that is kept, or lets others know before it returns."""

_LONG = frozenset({"`scan`", "`clear`", "`invalidate`"})

_LEFT_OUT = "nothing is served from it or kept in it until it works again"

Report = Callable[[Part, "BaseException | str", str, str], None]
Start = Callable[[Callable[[], None]], None]

_T = TypeVar("_T")


def _nobody(_part: Part, _seconds: float) -> None:
    """Tell nobody."""


def _in_thread(work: Callable[[], None]) -> None:
    Thread(target=work, name="rtfs-cache-retry", daemon=True).start()


@attrs.frozen(slots=True, eq=False)
class _SafeClaim:
    """A right that a layer gave."""

    layer: SafeLayer
    claim: Claim

    def release(self) -> None:
        """Give it back."""
        self.layer.give_back(self.claim)


@attrs.define(slots=True, eq=False)
class SafeLayer:
    """A layer whose failures are misses. Any threads may use it."""

    part: Part
    layer: CacheLayer | None
    """The one that is asked; None while it is out."""
    report: Report
    clock: Clock | None = None
    """Without one, a layer that broke stays out."""
    remake: Callable[[], CacheLayer] | None = None
    """Makes another one; raises PluginFault where that cannot be."""
    back: Callable[[Part, float], None] = _nobody
    """Told that the layer works again, and after how many seconds."""
    start: Start = _in_thread
    """Runs what no call may wait for."""
    calls: BoundedCalls | None = None
    """Asks it in threads that may be left behind; None for a layer that sees to its time itself."""
    patience: float = 5.0
    """Seconds for which it is waited then."""
    _outage: Outage | None = attrs.field(default=None, init=False)
    _outages: int = attrs.field(default=0, init=False)
    _calm: tuple[float, float] | None = attrs.field(default=None, init=False)
    """When the last outage ended, and how long the layer had to wait at its end."""
    _lock: Lock = attrs.field(factory=Lock, init=False)

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self.part.name

    @property
    def broken(self) -> bool:
        """Tell whether it is out."""
        return self.layer is None

    def get(self, key: CacheKey) -> CacheRecord | None:
        """Return the live record of a key, or None."""
        layer = self.layer
        if layer is None:
            self._retry("`get`", lambda layer: self._of_kind("`get`", layer.get(key), CacheRecord))
            return None
        try:  # not by `_safely`: this is the way of every decision
            found: object = ask(self.part, "`get`", layer.get, key) if self.calls is None else self._got(layer, key)
        except PluginFault as fault:
            self._out(layer, "`get`", fault)
            return None
        if found is None or isinstance(found, CacheRecord):
            return found
        self._out(layer, "`get`", f"returned a {type(found).__name__}, which is no CacheRecord")
        return None

    def put(self, key: CacheKey, value: Any, ttl: float | None = None, info: CacheInfo = NO_INFO) -> None:
        """Store a value."""
        self._safely("`put`", lambda layer: layer.put(key, value, ttl, info))

    def scan(self) -> list[CacheItem]:
        """Return the live records."""
        return self._safely("`scan`", self._scanned) or []

    def stats(self) -> CacheStats | None:
        """Return the counters, None while it is out."""
        return self._safely("`stats`", lambda layer: self._of_kind("`stats`", layer.stats(), CacheStats))

    def invalidate(self, key: CacheKey) -> bool:
        """Forget what is kept under a key, now or before it is used again; tell if it is known to have been there."""
        return bool(self._surely("`invalidate`", key))

    def clear(self) -> None:
        """Forget everything, now or before it is used again."""
        self._surely("`clear`", None)

    def claim(self, key: CacheKey, lease: float) -> Claim | None:
        """Take the right to make a value, among all who share the layer; None while another has it.

        A layer that is not shared, or is out, gives it to everybody.
        """
        claim = getattr(self.layer, "claim", None)
        if claim is None:
            return UNSHARED
        taken = self.use("`claim`", lambda _: (claim(key, lease),), give_back)
        found = UNSHARED if taken is None else taken[0]
        return None if found is None else _SafeClaim(self, found)

    def give_back(self, claim: Claim) -> None:
        """Give a right back."""
        self.use("`release`", lambda _: claim.release())

    def use(self, doing: str, use: Callable[[CacheLayer], Any], late: Callable[[Any], None] | None = None) -> Any:
        """Return what some code that uses the layer returns; None where the layer breaks or is out.

        What it returns after nobody waits for it any more goes to `late`.

        Where it is out and due, it is tried by its counters: the code may do what must not be done unasked.
        """
        if self.layer is None:
            self._retry("`stats`", lambda layer: self._of_kind("`stats`", layer.stats(), CacheStats))
            return None
        return self._safely(doing, use, late)

    def close(self) -> None:
        """Release files."""
        with self._lock:
            outage, self._outage = self._outage, None
            layer, self.layer = self.layer, None
            self.clock = None
        if outage is not None and not outage.trying:
            self._drop(outage.layer)
        if layer is not None:
            try:
                self._ask("`close`", _closed, layer)
            except PluginFault as fault:
                self.report(self.part, fault, "`close`", _LEFT_OUT)
        if self.calls is not None:
            self.calls.close()

    def blame(self, doing: str, wrong: str, key: CacheKey | None = None) -> None:
        """Leave the layer out for what it gave, and report it; that record goes before the layer is used again."""
        layer = self.layer
        if layer is not None:
            self._out(layer, doing, wrong)
            if key is not None:
                self._surely("`invalidate`", key)

    def never_made(self, wrong: PluginFault) -> None:
        """Report a layer that could not be made; that is tried again, too."""
        self._out(None, "", wrong)

    # -- one use -------------------------------------------------------------------------------------------------------

    def made(self) -> CacheLayer:
        """Return a layer that is made anew.

        Raises:
            PluginFault: None can be made, or not in time.
        """
        if self.remake is None:
            raise PluginFault(self.part, "its factory", "is not known")
        return self._in_time("its factory", self.remake, _closed)

    def _ask(
        self, doing: str, use: Callable[[CacheLayer], _T], layer: CacheLayer, late: Callable[[_T], None] | None = None
    ) -> _T:
        """Return what some code that uses a layer returns.

        Raises:
            PluginFault: It failed, or took too long.
        """
        if self.calls is None:
            return ask(self.part, doing, use, layer)
        return self._in_time(doing, partial(ask, self.part, doing, use, layer), late or _nothing)

    def _in_time(self, doing: str, work: Callable[[], _T], late: Callable[[_T], None]) -> _T:
        if self.calls is None:
            return work()
        seconds = self.patience * (_MORE if doing in _LONG else 1)
        try:
            return self.calls.call(work, seconds, late)
        except TooLongError:
            wrong = f"took longer than {seconds:g} s, and was left behind"
            raise PluginFault(self.part, doing, wrong) from None

    def _got(self, layer: CacheLayer, key: CacheKey) -> object:
        """Return what a layer has that may hang: at once, where it has it at hand."""
        if isinstance(layer, QuickLayer):
            found = ask(self.part, "`at_hand`", layer.at_hand, key)
            if found is not None:
                return found
        return self._ask("`get`", lambda layer: layer.get(key), layer)

    def _safely(
        self, doing: str, use: Callable[[CacheLayer], _T], late: Callable[[_T], None] | None = None
    ) -> _T | None:
        layer = self.layer
        if layer is None:
            self._retry(doing, use)
            return None
        try:
            return self._ask(doing, use, layer, late)
        except PluginFault as fault:
            self._out(layer, doing, fault)
            return None

    def _surely(self, doing: str, key: CacheKey | None) -> bool | None:
        """Take a key out, or all; where the layer is out, note it."""
        while True:
            layer = self.layer
            if layer is None:
                with self._lock:
                    outage = self._outage
                    if outage is not None:
                        outage.miss(key)
                    elif self.layer is not None:  # it has come back meanwhile
                        continue
                self._retry(doing, lambda _: None)
                return None
            try:
                return self._ask(doing, partial(_take_out, key), layer)
            except PluginFault as fault:
                self._out(layer, doing, fault)

    def _of_kind(self, doing: str, found: object, kind: type[_T]) -> _T | None:
        if found is None and kind is CacheRecord:
            return None
        if isinstance(found, kind):
            return found
        raise PluginFault(self.part, doing, f"returned a {type(found).__name__}, which is no {kind.__name__}")

    def _scanned(self, layer: CacheLayer) -> list[CacheItem]:
        return [item for item in (self._of_kind("`scan`", each, CacheItem) for each in layer.scan()) if item]

    # -- out and back --------------------------------------------------------------------------------------------------

    def _out(self, layer: CacheLayer | None, doing: str, wrong: BaseException | str) -> None:
        """Leave a layer out, unless another thread has done so."""
        now = 0.0 if self.clock is None else self.clock.monotonic()
        with self._lock:
            if self._outage is not None or layer is not self.layer:
                return
            soon = self._calm is not None and now - self._calm[0] < self._calm[1]
            wait = min(2 * self._calm[1], LONGEST_WAIT) if soon and self._calm is not None else FIRST_WAIT
            self.layer = None
            self._outage = Outage(layer, now, wait, now + wait)
            self._outages += 1
            number = self._outages
        fault = wrong if isinstance(wrong, PluginFault) else PluginFault(self.part, doing, wrong)
        if number > 1:  # told anew: people have heard that it works again
            part, what, kind = fault.kind_of_fault
            fault.kind_of_fault = part, f"{what}, outage {number}", kind
        if self.calls is not None:
            self.calls.abandon()
        self.report(self.part, fault, doing, _LEFT_OUT)

    def _retry(self, doing: str, use: Callable[[CacheLayer], object]) -> None:
        """See to it that a use is tried, when it is time; no more than one at once."""
        outage, clock = self._outage, self.clock
        if outage is None or clock is None or outage.trying or clock.monotonic() < outage.due:
            return
        with self._lock:
            if self._outage is not outage or not outage.begin():
                return
        try:
            self.start(partial(self._try, outage, clock, doing, use))
        except RuntimeError:  # no thread can be had
            self._wait_longer(outage, clock)

    def _try(self, outage: Outage, clock: Clock, doing: str, use: Callable[[CacheLayer], object]) -> None:
        for anew in (False, True):
            layer = self._made_anew() if anew else outage.layer
            if layer is None:
                continue
            try:
                self._ask(doing, use, layer)
                returned = self._return(outage, clock, layer)
            except PluginFault:
                if layer is not outage.layer:
                    self._drop(layer)
                continue
            if layer is not outage.layer:
                self._drop(outage.layer)
            if returned:
                self.back(self.part, clock.monotonic() - outage.began)
            else:
                self._drop(layer)  # the host was closed meanwhile
            return
        self._wait_longer(outage, clock)

    def _return(self, outage: Outage, clock: Clock, layer: CacheLayer) -> bool:
        """Let a layer in, after it has caught up with what it missed; tell whether it is wanted.

        Raises:
            PluginFault: It cannot catch up; what it missed is still noted.
        """
        while True:
            with self._lock:
                keys, everything = list(outage.missed.values()), outage.missed_all
                if not keys and not everything:
                    if self._outage is not outage:
                        return False
                    self._calm = clock.monotonic(), outage.wait
                    self.layer, self._outage = layer, None
                    return True
            for key in [None] if everything else keys:
                self._ask("`invalidate`", partial(_take_out, key), layer)
            with self._lock:
                outage.missed_all = outage.missed_all and not everything
                for key in keys:
                    outage.missed.pop((key.namespace, key.digest), None)

    def _wait_longer(self, outage: Outage, clock: Clock) -> None:
        with self._lock:
            outage.wait = min(2 * outage.wait, LONGEST_WAIT)
            outage.due = clock.monotonic() + outage.wait
            outage.trying = False
            wanted = self._outage is outage
        if not wanted:
            self._drop(outage.layer)

    def _made_anew(self) -> CacheLayer | None:
        try:
            return None if self.remake is None else self.made()
        except PluginFault:
            return None

    def _drop(self, layer: CacheLayer | None) -> None:
        """Close a layer that is of no use; how it fails is of none either."""
        if layer is not None:
            try:
                self._ask("`close`", _closed, layer)
            except PluginFault:
                return


def _nothing(_given: object) -> None:
    """Leave what came late alone."""


def _closed(layer: CacheLayer) -> None:
    layer.close()


def _take_out(key: CacheKey | None, layer: CacheLayer) -> bool:
    if key is None:
        layer.clear()
        return True
    return bool(layer.invalidate(key))
