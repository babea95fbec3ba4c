"""What this distribution offers to rtfs_framework. Imports nothing heavy: nats comes when a queue is made."""

from __future__ import annotations

import re

import attrs
from attrs import validators

from rtfs_framework.api import FILE_WITHIN, Queue, QueueEntry, QueueSettings, Seconds, hookimpl, plausible

rtfs_api_version = 2

_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_SCHEMES = ("nats://", "tls://")


def _url(_: object, field: attrs.Attribute[str], value: str) -> None:
    if not value.startswith(_SCHEMES) or "@" in value:
        raise ValueError(f"'{field.name}' is nats://HOST:PORT or tls://HOST:PORT, and holds no password: {value!r:.80}")


@attrs.frozen(slots=True, kw_only=True)
class NatsSettings:
    """The keys of `[queues.nats]`."""

    url: str = attrs.field(default="nats://127.0.0.1:4222", validator=_url)
    """Of one server; the client learns of the others of its cluster."""
    user: str | None = None
    """Who logs in, with the password of `password_env`."""
    password_env: str | None = None
    """The variable with the user's password."""
    token_env: str | None = None
    """The variable with a token, in place of user and password."""
    credentials: str | None = attrs.field(default=None, metadata=FILE_WITHIN)
    """A file of credentials (JWT and seed); it needs the extra `nkeys`."""
    prefix: str = attrs.field(default="rtfs", validator=validators.matches_re(_PREFIX))
    """How the names of streams and subjects begin: who has another one has another queue."""
    replicas: int = attrs.field(default=1, validator=[validators.ge(1), validators.le(5)])
    """On how many servers of a cluster everything is kept: 3 survive the loss of one."""
    timeout: Seconds = attrs.field(
        default=Seconds(5.0), validator=validators.ge(Seconds(0.01)), metadata=plausible(0.1, 120)
    )
    """How long the server may take for an answer."""


@hookimpl
def rtfs_queues() -> list[QueueEntry]:
    """Offer the queue `nats`."""
    return [
        QueueEntry(
            name="nats",
            summary="NATS JetStream, for any number of machines.",
            factory=_make,
            settings=NatsSettings,
        )
    ]


def _make(settings: QueueSettings) -> Queue:
    from rtfs_queue_nats.queue import NatsQueue

    return NatsQueue(settings, settings.own or NatsSettings())
