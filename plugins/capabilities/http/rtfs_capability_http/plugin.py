"""What this distribution offers to rtfs_framework. Imports nothing heavy: the client comes with the first request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs
from attrs import validators

from rtfs_framework.api import Bytes, CapabilitySet, CapabilitySetEntry, CapabilitySetSettings, hookimpl

rtfs_api_version = 2

FETCH, SEND = "http.fetch", "http.send"
FETCH_ALIASES = ("ccos.network.http-fetch", "ccos.http.get", "ccos.http.fetch")
_MOST = Bytes(1 << 30)

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def _filled(_: Any, field: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    if not value:
        raise ValueError(f"'{field.name}' must name at least one")


def _hosts(_: Any, field: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    from rtfs_capability_http.granted import read_pattern

    try:
        for each in value:
            read_pattern(each)
    except ValueError as error:
        raise ValueError(f"'{field.name}' names a host which {error}") from None


def _networks(_: Any, field: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    from rtfs_capability_http.addresses import read_networks

    try:
        read_networks(value)
    except ValueError as error:
        raise ValueError(f"'{field.name}' must hold addresses or networks such as 10.1.0.0/16: {error}") from None


def _secret_headers(_: Any, field: attrs.Attribute[Any], value: Mapping[str, str]) -> None:
    from rtfs_capability_http.headers import why_refused

    for name, variable in value.items():
        why = why_refused(name)
        if why is not None:
            raise ValueError(f"'{field.name}' names the header {name!r}, which {why}")
        if not variable.strip():
            raise ValueError(f"'{field.name}' must name the environment variable that the header {name!r} is in")


@attrs.frozen(slots=True, kw_only=True)
class HttpGrant:
    """What a table of `grant` allows of `http.fetch` and `http.send`."""

    hosts: tuple[str, ...] = attrs.field(validator=[_filled, _hosts])
    """Names, as `api.example.com` (at the scheme's own port) or `api.example.com:8443`; `*.example.com` for all names
    below one, `*` for all; or addresses."""
    methods: tuple[Method, ...] = attrs.field(default=("GET", "HEAD"), validator=_filled)
    schemes: tuple[Literal["https", "http"], ...] = attrs.field(default=("https",), validator=_filled)
    private: tuple[str, ...] = attrs.field(default=(), validator=_networks)
    """Addresses and networks that may be reached although they are not public: `10.1.0.0/16`, `127.0.0.1`."""
    most_bytes: Bytes = attrs.field(default=Bytes(4 << 20), validator=[validators.ge(Bytes(1)), validators.le(_MOST)])
    """Bytes of the largest reply that is taken, unpacked."""
    most_sent: Bytes = attrs.field(default=Bytes(1 << 20), validator=[validators.ge(Bytes(0)), validators.le(_MOST)])
    """Bytes of the largest body that is sent."""
    redirects: int = attrs.field(default=3, validator=[validators.ge(0), validators.le(5)])
    """How often a server may lead `http.fetch` on; each step needs a grant of its own. 0: it sees the redirect."""
    headers_env: Mapping[str, str] = attrs.field(factory=dict, validator=_secret_headers)
    """Headers that are added for these hosts, whose values stand in environment variables: header to *name* of the
    variable. They go to the host that the program asks, and not on to where it leads; over plain http to addresses in
    `private` alone, and through no proxy."""
    proxy: bool = False
    """Whether requests go through the proxy that the environment names (HTTPS_PROXY and the like)."""

    def __attrs_post_init__(self) -> None:
        """Refuse secrets that would go to hosts that nobody named, or where others can read them."""
        if self.headers_env and any("*" in host for host in self.hosts):
            raise ValueError("'headers_env' needs hosts that are named one by one, without *")
        if self.headers_env and "http" in self.schemes and not self.private:
            raise ValueError("'headers_env' needs https: over plain http anybody on the way can read what it adds")


@hookimpl
def rtfs_capability_sets() -> list[CapabilitySetEntry]:
    """Offer the set `http`."""
    return [
        CapabilitySetEntry(
            name="http",
            summary="Requests to the hosts that a grant lists.",
            factory=_make,
            ids=(FETCH, SEND, *FETCH_ALIASES),
            grant=HttpGrant,
            aliases=dict.fromkeys(FETCH_ALIASES, FETCH),
        )
    ]


def _make(settings: CapabilitySetSettings) -> CapabilitySet:
    from rtfs_capability_http.requests import HttpSet

    return HttpSet(settings)
