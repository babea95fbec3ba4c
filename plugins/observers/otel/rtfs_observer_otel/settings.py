"""The keys of `[observers.otel]`."""

from __future__ import annotations

from typing import Any

import attrs
from attrs import validators

from rtfs_framework.api import BadEndpoint, Seconds, plausible, read_endpoint

_MOST_PORT = 65_535


class NotAnEndpoint(ValueError):
    """A text that is no address of a collector, and what to write instead."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.way_out = 'such as "http://localhost:4318/v1/traces"'


def _endpoint(_: Any, field: attrs.Attribute[Any], value: str) -> None:
    try:
        if value:
            read_endpoint(value)
    except BadEndpoint as error:
        raise NotAnEndpoint(f"'{field.name}' {error}") from error


@attrs.frozen(slots=True, kw_only=True)
class OtelSettings:
    """Where spans go, and where metrics can be fetched."""

    endpoint: str = attrs.field(default="", validator=_endpoint)
    """Of a collector that takes OTLP over HTTP; "" for no spans."""
    service: str = "rtfs"
    """`service.name` of all spans."""
    prometheus_port: int | None = attrs.field(
        default=None, validator=validators.optional([validators.ge(0), validators.le(_MOST_PORT)])
    )
    """Where metrics are served; 0 for any that is free, None for nowhere."""
    prometheus_host: str = "127.0.0.1"
    """The address that metrics are served at."""
    timeout: Seconds = attrs.field(
        default=Seconds(5.0), validator=validators.gt(Seconds(0)), metadata=plausible(0.1, 60.0)
    )
    """How long one delivery of spans may take, in a thread of its own."""
    queue: int = attrs.field(default=2048, validator=[validators.ge(1), validators.le(1_000_000)])
    """Spans that wait for delivery; when it is full, further ones are dropped and counted."""
    symbols: bool = True
    """Whether metrics are counted by function, too: one series for each."""
