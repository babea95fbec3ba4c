"""What grants allow: which hosts, by which scheme and method. Each step of a request is judged by it anew."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import attrs

from rtfs_capability_http.plugin import HttpGrant
from rtfs_capability_http.urls import BadUrl, Origin, read_host
from rtfs_framework.api import CapabilityError, CapabilityGrant, not_granted

_OWN_PORTS = {"http": 80, "https": 443}


@attrs.frozen(slots=True)
class HostPattern:
    """One item of `hosts`."""

    host: str
    """In lower case; with `below` the domain, "" for all."""
    port: int | None
    """None: the scheme's own."""
    below: bool = False

    def fits(self, origin: Origin) -> bool:
        """Tell whether it names where a request goes."""
        if origin.port != (self.port or _OWN_PORTS[origin.scheme]):
            return False
        if not self.below:
            return origin.host == self.host
        return not self.host or (origin.host.endswith(f".{self.host}") and not _is_address(origin.host))


def read_pattern(text: str) -> HostPattern:
    """Return what an item of `hosts` means; raises ValueError in words that follow "which"."""
    host, port = text, None
    before, colon, after = text.rpartition(":")
    if colon and not text.endswith("]"):
        if not (after.isascii() and after.isdigit() and len(after) <= 5 and 0 < int(after) < 65536):
            raise ValueError("has no port after its colon; write an IPv6 address in brackets")
        host, port = before, int(after)
    if host == "*":
        return HostPattern("", port, below=True)
    below = host.startswith("*.")
    try:
        return HostPattern(read_host(host[2:] if below else host), port, below)
    except BadUrl as error:
        raise ValueError(f"{error}; write hosts as api.example.com, api.example.com:8443 or *.example.com") from None


def granting(grants: Iterable[CapabilityGrant], origin: Origin, method: str) -> HttpGrant:
    """Return the first grant that allows a request, without regard to its addresses.

    Raises:
        CapabilityError: None does; the way out names what is missing.
    """
    allowed = [each.own for each in grants]
    hosts = [each for each in allowed if any(pattern.fits(origin) for pattern in _patterns(each.hosts))]
    schemes = [each for each in hosts if origin.scheme in each.schemes]
    for each in schemes:
        if method in each.methods:
            found: HttpGrant = each
            return found
    raise _missing(origin, method, known=bool(hosts), by_scheme=bool(schemes))


def _missing(origin: Origin, method: str, *, known: bool, by_scheme: bool) -> CapabilityError:
    if not known:
        return not_granted(str(origin), f'add "{_written(origin)}" to `hosts` of the grant')
    if not by_scheme:
        return not_granted(str(origin), f'add "{origin.scheme}" to `schemes` of the grant of this host')
    return not_granted(f"{method} to {origin}", f'add "{method}" to `methods` of the grant of this host')


def _written(origin: Origin) -> str:
    """Return how `hosts` would name a place."""
    return origin.authority


@lru_cache(maxsize=256)
def _patterns(hosts: tuple[str, ...]) -> tuple[HostPattern, ...]:
    return tuple(read_pattern(each) for each in hosts)


def _is_address(host: str) -> bool:
    return ":" in host or host.rpartition(".")[2].isdigit()
