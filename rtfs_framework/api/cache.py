"""Cache layers: remember. They neither decide nor infer; keys are digests with their parts written down."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import attrs

from rtfs_framework.api.settings import SettingsSchema

if TYPE_CHECKING:  # a plugin is imported at every start; what only its types need is not
    from rtfs_framework.api.experience import ExperienceLayer
    from rtfs_framework.api.similar import SimilarLayer
    from rtfs_framework.api.values import Clock


class CacheLevel(Enum):
    """What a layer remembers."""

    L1 = "l1"
    """Delegation plans."""
    L2 = "l2"
    """Inference replies, by equal requests."""
    SIMILAR = "similar"
    """Inference replies, by similar requests (`api/similar.py`)."""
    L3 = "l3"
    """Experience: contexts, plans and what came of them (`api/experience.py`)."""
    L4 = "l4"
    """Signed bytecode."""


@attrs.frozen(slots=True)
class CacheKey:
    """A key: a namespace, the digest looked up, and the readable parts it was made of (for explanations).

    The digest is SHA-256 of all parts, each framed, in hexadecimal; layers compare the namespace and all of the digest.
    """

    namespace: str
    digest: str
    parts: tuple[tuple[str, str], ...] = attrs.field(default=(), eq=False)


@attrs.frozen(slots=True, kw_only=True)
class CacheInfo:
    """What is known of a value beside it: by what people find it, what it cost, and what it came from. Never a key.

    A layer keeps it with the value, under the same seal, and hands it back unchanged.
    """

    symbol: str = ""
    """The function whose call it answers."""
    target: str = ""
    model: str = ""
    """The model that answered, as it named itself, with its version."""
    tenant: str = ""
    labels: tuple[str, ...] = ()
    agent: str = ""
    task: str = ""
    tags: tuple[str, ...] = ()
    reply: str = ""
    """The id of the reply that this is: the call that paid for it, `run:entry.record.path`."""
    sources: tuple[str, ...] = ()
    """Ids of the replies that were used in the making of it."""
    seconds: float | None = None
    """How long it took to make."""
    cost: int | None = None
    """What it cost, in nano-dollars (10^-9)."""
    confidence: float | None = None
    """How sure the maker was, 0 to 1; None where it said nothing."""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready data, without what says nothing; `of_json` reads it back."""
        told = ((name, getattr(self, name)) for name in _KINDS)
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in told if value not in _NOTHING
        }

    @classmethod
    def of_json(cls, data: object) -> CacheInfo:
        """Return what `to_json` wrote; what a later version wrote beside it is left out.

        Raises:
            ValueError: The data is no such thing; the message names the field.
        """
        fields = data if isinstance(data, dict) else None
        if fields is None:
            raise ValueError("what is known of a record is an object")
        found: dict[str, Any] = {}
        for name, fits in _KINDS.items():
            value = fields.get(name)
            if value is None:
                continue
            if not fits(value):
                raise ValueError(f"{name!r} of a record is not what it must be: {value!r:.80}")
            found[name] = tuple(value) if isinstance(value, list) else value
        return cls(**found)


_NOTHING: tuple[Any, ...] = ("", (), None)
_MOST_NANO = 10**18


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_number(value: object, most: float = float("inf")) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < most


def _is_share(value: object) -> bool:
    return _is_number(value) and isinstance(value, int | float) and value <= 1


def _is_money(value: object) -> bool:
    return isinstance(value, int) and _is_number(value, _MOST_NANO)


_KINDS: dict[str, Callable[[object], bool]] = {
    "symbol": _is_text,
    "target": _is_text,
    "model": _is_text,
    "tenant": _is_text,
    "labels": _are_texts,
    "agent": _is_text,
    "task": _is_text,
    "tags": _are_texts,
    "reply": _is_text,
    "sources": _are_texts,
    "seconds": _is_number,
    "cost": _is_money,
    "confidence": _is_share,
}

NO_INFO = CacheInfo()


@attrs.frozen(slots=True, kw_only=True)
class CacheRecord:
    """A remembered value and when it was stored (seconds since the epoch)."""

    value: Any
    stored_at: float
    expires_at: float | None = None
    info: CacheInfo = NO_INFO
    uses: int = 0
    """How often it was served, this time included; 0 where the layer does not count."""


@attrs.frozen(slots=True)
class CacheItem:
    """One record of a scan, and the key under which it lies (without readable parts, where they are not kept)."""

    key: CacheKey
    record: CacheRecord


@attrs.frozen(slots=True, kw_only=True)
class CacheStats:
    """Counters since the layer was made. A stale read counts as a miss and as an expiry, never as a hit."""

    hits: int = 0
    misses: int = 0
    puts: int = 0
    evictions: int = 0
    expiries: int = 0
    invalidations: int = 0
    """Records taken out by `invalidate` or `clear`."""
    errors: int = 0
    """Records that could not be read, or were not what was put there; each was a miss."""
    size: int = 0
    capacity: int | None = None
    size_bytes: int = 0
    """What the records take, as the layer counts it; 0 where it does not count."""
    capacity_bytes: int | None = None
    away: bool = False
    """Whether what it keeps lies at a server that cannot be asked now: a scan shows nothing of it then."""


class CacheLayer(Protocol):
    """Remembers values under keys, never more than its capacity, never past their time."""

    def get(self, key: CacheKey) -> CacheRecord | None:
        """Return the live record of a key, or None."""
        ...

    def put(self, key: CacheKey, value: Any, ttl: float | None = None, info: CacheInfo = NO_INFO) -> None:
        """Store a value; `ttl` in seconds, None for the layer's own."""
        ...

    def invalidate(self, key: CacheKey) -> bool:
        """Forget one key; tell whether it was there."""
        ...

    def scan(self) -> Iterator[CacheItem]:
        """Go through the live records, each once, in no order; no use of them. What changes meanwhile may be missed.

        Where they lie at a server that is away there are none to go through, and `stats` says so.
        """
        ...

    def clear(self) -> None:
        """Forget everything (counters stay)."""
        ...

    def stats(self) -> CacheStats:
        """Return the counters."""
        ...

    def close(self) -> None:
        """Release files; called once."""
        ...


class Claim(Protocol):
    """The right to make one value, among all who share a layer."""

    def release(self) -> None:
        """Give it back; nothing, when it was taken away meanwhile."""
        ...


@runtime_checkable
class ClaimingLayer(Protocol):
    """Optional: a layer that several processes share, and by which one of them makes what all of them want."""

    def claim(self, key: CacheKey, lease: float) -> Claim | None:
        """Take the right to make a key's value, for at most `lease` seconds; None while another has it. Never waits.

        None, too, where the layer sees that the value is there by now: whoever asks looks again. So of all who missed
        it one makes it, also when one of them comes late.

        It ends with its holder's process, at the latest when the lease is over.
        """
        ...


@runtime_checkable
class QuickLayer(Protocol):
    """Optional: a layer that waits for others, and has in this process's memory some of what may be served."""

    def at_hand(self, key: CacheKey) -> CacheRecord | None:
        """Return the live record of a key, counted as a hit, where nobody need be asked for it; else None, uncounted.

        Never waits: the host asks it before `get`, in the thread of the call.
        """
        ...


class Seal(Protocol):
    """Makes bytes that only this layer of this user could have made, and tells those of anybody else.

    Who can write a layer's files must not choose what is answered: what a persistent layer keeps it closes, for the
    purpose of exactly its place (all columns of the row, framed), and serves only what opens.
    """

    def close(self, purpose: bytes, data: bytes) -> bytes:
        """Return sealed bytes."""
        ...

    def open(self, purpose: bytes, sealed: bytes) -> memoryview:
        """Return what was sealed.

        Raises:
            ValueError: These bytes were not sealed by this layer for this purpose, or were changed since.
        """
        ...


def _say_nothing(_: str) -> None:
    """Drop a report: nobody listens."""


@attrs.frozen(slots=True)
class CacheSettings:
    """What every cache is made from. `directory` is where a persistent layer may keep files."""

    clock: Clock
    ttl: float | None = None
    own: Any = None
    directory: str | None = None
    base: str | None = None
    """Where relative paths in `own` start: the folder of the configuration. None stands for the current folder."""
    seal: Callable[[], Seal] | None = None
    """Gives the layer's seal, made of a key that only the user can read. Raises ValueError where there can be none."""
    random: Callable[[], float] = random.random
    """Gives numbers in [0, 1): the source of chance of whatever a layer leaves to it."""
    report: Callable[[str], None] = _say_nothing
    """Tells the user what is wrong with what was kept (a record that somebody else wrote), while the layer goes on."""
    environ: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """Of the environment, the variables that settings named `*_env` name: passwords, keys. Never logged."""


@attrs.frozen(slots=True, kw_only=True)
class CacheEntry:
    """A cache layer that a plugin offers under a name."""

    name: str
    summary: str
    level: CacheLevel
    factory: Callable[[CacheSettings], CacheLayer | SimilarLayer | ExperienceLayer]
    """Makes a layer: of level `SIMILAR` a `SimilarLayer`, of `L3` an `ExperienceLayer`, of any other a `CacheLayer`."""
    settings: SettingsSchema | None = None
    persistent: bool = False
    shared: bool = False
    """Whether what it keeps leaves this machine: then it accepts no marked data, unless `[labels.accepts]` says so."""
    bounded: bool = False
    """Whether each method returns within seconds by itself, whatever happens: it asks memory, or files of this machine.

    Then the host calls it in the thread of the call. Any other layer is asked in threads that are left behind when one
    takes longer than `[caches.NAME] patience`.
    """
