"""The headers of a request: which a program may set, and what goes along besides.

How a message is framed, where it goes and by which method are the host's to say, so a program may set none of the
headers that say it again to a server or a proxy on the way (RFC 9110, 7.6.1; RFC 9112, 6 and 11).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rtfs_capability_http.urls import Origin
from rtfs_framework.api import CapabilityError, FailureKind, not_granted

MOST_HEADERS, MOST_HEADER_BYTES = 64, 16_384
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_VALUE = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?")
_FRAMING = frozenset({
    "accept-encoding", "connection", "content-encoding", "content-length", "expect", "host", "http2-settings",
    "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "via",
})  # fmt: skip
_ELSEWHERE = frozenset({
    "alt-used", "authority", "base-url", "destination", "forwarded", "front-end-https", "request-uri",
    "true-client-ip", "x-client-ip", "x-cluster-client-ip", "x-forwarded", "x-host", "x-http-destinationurl",
    "x-http-host-override", "x-http-method", "x-http-method-override", "x-http-path-override", "x-method-override",
    "x-original-host", "x-original-method", "x-original-uri", "x-original-url", "x-override-url", "x-real-ip",
    "x-rewrite-uri", "x-rewrite-url",
})  # fmt: skip
_BEGINNINGS = ("proxy-", "sec-websocket-", "x-forwarded-", "cf-connecting-")
_HARMLESS = frozenset({"accept", "accept-language"})
"""What goes on to another origin."""


def twin(name: str) -> str:
    """Return what is equal for names that servers do not tell apart which hand headers on as variables."""
    return name.lower().replace("_", "-")


def why_refused(name: str) -> str | None:
    """Return why a header is not a program's to set, in words that follow "which", None when it is."""
    if not _NAME.fullmatch(name):
        return "is no name of a header"
    known = twin(name)
    if known in _FRAMING or known.startswith(_BEGINNINGS[:2]):
        return "the client sets itself"
    if known in _ELSEWHERE or known.startswith(_BEGINNINGS[2:]):
        return "would tell a server another method, host or sender than was checked"
    return None


def checked(headers: Mapping[str, str]) -> dict[str, str]:
    """Return a program's headers, by their names in lower case.

    Raises:
        CapabilityError: One is not a program's to set, or cannot be sent; nothing was done.
    """
    found: dict[str, str] = {}
    for name, value in headers.items():
        why = why_refused(name)
        if why is not None:
            raise not_granted(f"the header {name[:60]!r}, which {why}", "leave it out")
        if not _VALUE.fullmatch(value):
            message = f"the header {name!r} has a value of more than ASCII on one line; escape it"
            raise CapabilityError(message, failure=FailureKind.FINAL)
        if name.lower() in found:
            raise CapabilityError(f"the header {name!r} is there twice; leave one out", failure=FailureKind.FINAL)
        found[name.lower()] = value
    if len(found) > MOST_HEADERS or sum(map(len, (*found, *found.values()))) > MOST_HEADER_BYTES:
        message = f"more than {MOST_HEADERS} headers, or {MOST_HEADER_BYTES} bytes of them; send fewer"
        raise CapabilityError(message, failure=FailureKind.FINAL)
    return found


def sent(origin: Origin, own: Mapping[str, str], secret: Mapping[str, str], *, strayed: bool) -> list[tuple[str, str]]:
    """Return all headers of one step but the body's length; one that `strayed` from its first origin carries less."""
    first = {"Host": origin.authority, "User-Agent": "rtfs", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
    chosen = {name: value for name, value in own.items() if not strayed or name in _HARMLESS}
    by_name = {name.lower(): (name, value) for name, value in first.items()}
    by_name |= {name: (name, value) for name, value in chosen.items()}
    if not strayed:
        by_name |= {name.lower(): (name, value) for name, value in secret.items()}
    return [*by_name.values(), ("Connection", "close")]
