"""Guards: checks of requests to models and of their replies, by third parties. They only ever narrow.

A guard lets something pass, refuses it with a reason, or hands parts of it back redacted: the arguments of a request,
the words or data of a reply. Everything else of either stays the host's. The host sees to it that what is handed back
has the shape of what was there; a guard that breaks, or hands back anything else, refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import attrs

if TYPE_CHECKING:  # a plugin is imported at every start; what only its types need is not
    from rtfs_framework.api.provider import InferenceReply, InferenceRequest
    from rtfs_framework.api.settings import SettingsSchema
    from rtfs_framework.api.targets import LocalModel, RemoteModel


@attrs.frozen(slots=True, kw_only=True)
class GuardedRequest:
    """A request that is about to be sent, as guards see it."""

    target: LocalModel | RemoteModel
    request: InferenceRequest
    """With what earlier guards have redacted."""
    tenant: str = ""
    consultation: bool = False
    """Whether an engine asks before it decides; the one argument is its question."""


@attrs.frozen(slots=True)
class Refuse:
    """It must not pass. The reason is for people and records: it holds nothing of what it is about."""

    reason: str
    way_out: str = ""


@attrs.frozen(slots=True)
class RedactArgs:
    """The request may pass with these arguments instead: as many, and each of the shape of the one that was there.

    Of one shape are texts; numbers of one kind; collections of one kind and size, maps of the same keys, item by item.
    The prompt is made again from them.
    """

    args: tuple[Any, ...]
    note: str = ""
    """What was taken out, for records ("2 keys"); nothing of it."""


@attrs.frozen(slots=True)
class RedactReply:
    """The reply may pass with this instead: a text for a text, data of the same shape for data."""

    text: str | None = None
    data: Any = None
    note: str = ""


class Guard(Protocol):
    """Checks. Called from any thread, also at once; one request may be checked again after a failure."""

    def check_request(self, guarded: GuardedRequest) -> Refuse | RedactArgs | None:
        """Judge a request before it is sent; None lets it pass."""
        ...

    def check_reply(self, guarded: GuardedRequest, reply: InferenceReply) -> Refuse | RedactReply | None:
        """Judge a reply before anybody sees it or it is remembered; None lets it pass."""
        ...


@attrs.frozen(slots=True)
class GuardSettings:
    """What every guard is made from."""

    name: str
    own: Any = None
    """An instance of the entry's `settings` class, or None."""


@attrs.frozen(slots=True, kw_only=True)
class GuardEntry:
    """A guard that a plugin offers under a name. It is at work where the configuration has `[guards.<name>]`."""

    name: str
    summary: str
    factory: Callable[[GuardSettings], Guard]
    settings: SettingsSchema | None = None
    blocking: bool = False
    """Whether it may wait (for a file, for another service): it is then called in a thread."""
