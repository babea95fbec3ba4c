"""Addresses of servers: read strictly, so that what is checked here is what a client will connect to.

In: a text. Out: an `Endpoint`, or `BadEndpoint` with what is wrong. There is one way to write a host: what clients read
in different ways (user names, backslashes, escapes, blanks, letters beyond ASCII, numbers that stand for addresses) is
refused or is a mere name. Keys are bound to *origins*: scheme, host and port.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9][a-z0-9._-]*)(?P<port>:[0-9]{0,6})?(?P<path>/[!-~]*)?",
    re.ASCII | re.IGNORECASE,
)
_PORTS = {"https": 443, "http": 80}
_MOST_PORT = 65_535
_LABEL, _NAME = 63, 253
_NOT_IN_PATHS = frozenset("?#\\")


class BadEndpoint(ValueError):
    """Why a text is no address of a server."""


@attrs.frozen(slots=True)
class Endpoint:
    """Where requests go."""

    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        """The address without its path, in the one way it is written."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this very machine: `localhost`, or an address of the loopback written as one."""
        if self.host == "localhost":
            return True
        address = _address(self.host)
        inner = getattr(address, "ipv4_mapped", None)
        return address is not None and bool((inner or address).is_loopback)

    @property
    def keeps_secrets(self) -> bool:
        """Whether a key may go there: what is sent is encrypted, or never leaves this machine."""
        return self.scheme == "https" or self.is_loopback


def read_endpoint(text: str) -> Endpoint:
    """Return where a base URL leads.

    Raises:
        BadEndpoint: It is no such address, or one that clients may read differently.
    """
    found = _URL.fullmatch(text)
    if found is None or _NOT_IN_PATHS & set(found["path"] or ""):
        raise BadEndpoint(_why(text))
    scheme, host = found["scheme"].lower(), found["host"].lower()
    if host.startswith("["):
        host = _ipv6(host[1:-1])
    elif len(host) > _NAME or any(not 1 <= len(label) <= _LABEL for label in host.rstrip(".").split(".")):
        raise BadEndpoint("holds no name of a server")
    if found["port"] is None:
        return Endpoint(scheme, host, _PORTS[scheme])
    port = int(found["port"][1:] or 0)
    if not 1 <= port <= _MOST_PORT:
        raise BadEndpoint(f"must have a port from 1 to {_MOST_PORT:,}")
    return Endpoint(scheme, host, port)


def http_url(_: Any, attribute: Any, value: str | None) -> None:
    """Refuse, as the validator of a setting, what is no base URL.

    Raises:
        ValueError: It is none; the message begins with the setting's name.
    """
    if value is None:
        return
    try:
        read_endpoint(value)
    except BadEndpoint as error:
        raise ValueError(f"'{attribute.name}' {error}") from None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    from ipaddress import AddressValueError, IPv4Address, IPv6Address

    try:
        return IPv6Address(host) if ":" in host else IPv4Address(host)
    except AddressValueError:
        return None


def _ipv6(text: str) -> str:
    from ipaddress import AddressValueError, IPv6Address

    try:
        return IPv6Address(text).compressed
    except AddressValueError:
        raise BadEndpoint("holds no IPv6 address in its brackets") from None


def _why(text: str) -> str:
    scheme, mark, rest = text.partition("://")
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    if not mark or scheme.lower() not in _PORTS:
        return "must begin with https:// or http://"
    if not text.isascii() or not text.isprintable() or " " in text:
        return "must hold no blanks, controls or letters beyond ASCII (write an international name as xn--...)"
    if "@" in authority:
        return "must hold no user name or password; keys come from the environment"
    if "[" in authority and "]" not in authority:
        return "has an opening bracket without its closing one"
    if not authority or authority.startswith(":"):
        return "names no server"
    if "?" in rest or "#" in rest:
        return "must end with its path: a base URL has no ? or #"
    return "must be https://HOST/PATH, with a port after the host where one is needed"
