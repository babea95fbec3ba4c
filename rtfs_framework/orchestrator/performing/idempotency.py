"""Keys of requests: equal for those of one call to one target whose answer nobody has seen, in any process.

They rest on the run, and where this was begun by another host's request, on that one's key: a run that is made again
because this host was killed is the same for whoever is behind it, and is not paid twice there. A worker that makes the
request of another process's call makes it with that call's key.
"""

from __future__ import annotations

from contextvars import ContextVar
from hashlib import blake2b
from typing import TYPE_CHECKING

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.lang.digest import digest

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

_UNANSWERED = (FailureKind.REPLY, FailureKind.LOW_CONFIDENCE)
_CHARACTERS = 64


AT_WORK: ContextVar[str | None] = ContextVar("rtfs_at_work", default=None)
"""While a worker makes the request of an item: what the key of its call rests on, "" if nobody said."""


def key_base(opened: OpenCall) -> str:
    """Return what the keys of a call rest on, whoever makes its requests."""
    asked = opened.scope.journey.key
    run = digest(opened.scope.tenant, asked) if asked else opened.scope.run
    return f"{run}\0{opened.record.order!r}"


def request_key(opened: OpenCall, instance: ProviderInstance, *about: str) -> str:
    """Return the key of a request; `about` is what it asks, as texts. An answer that does not fit is asked for anew."""
    base = (not opened.record.part and AT_WORK.get()) or key_base(opened)
    seen = sum(each.kind in _UNANSWERED and each.target == instance.target for each in opened.attempts)
    text = "\0".join((base, instance.spec.id, *about))
    return blake2b(f"{text}\0{seen}".encode("utf-8", "surrogatepass"), digest_size=_CHARACTERS // 2).hexdigest()
