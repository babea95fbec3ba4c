"""The one parser of addresses: what it finds is what is checked, connected to and sent.

In: a URL as a program or a server's redirect writes it. Out: scheme, host, port and the rest. It takes less than
RFC 3986 allows: no user before the host, no host that is written in two ways (Unicode, escapes, a dot at its end,
numbers that resolvers read as addresses), no backslash or control character anywhere, for which parsers disagree.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin

import attrs

from rtfs_capability_http.addresses import read_address

MOST_URL = 8192
_PORTS = {"http": 80, "https": 443}
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]{0,31})://(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._\-]{1,253})"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?:#.*)?",
    re.DOTALL,
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_\-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u2028\u2029\ud800-\udfff]")
_PLAIN_PATH, _PLAIN_QUERY = "/%:@!$&'()*+,;=~", "/?%:@!$&'()*+,;=~"


class BadUrl(ValueError):
    """What is wrong with a URL, in words that follow "the URL"."""


@attrs.frozen(slots=True)
class Origin:
    """Where a request goes."""

    scheme: str
    host: str
    """In lower case; an IPv6 address without brackets."""
    port: int

    @property
    def authority(self) -> str:
        """Return the value of the Host header (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if _PORTS.get(self.scheme) == self.port else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


@attrs.frozen(slots=True)
class Url:
    """An address of something that can be asked for."""

    origin: Origin
    target: str
    """Path and query as they are sent: ASCII, escaped, beginning with a slash."""

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"


def read_url(text: str) -> Url:
    """Return what a URL says; its fragment is no part of a request and is left out. Raises BadUrl."""
    if len(text) > MOST_URL:
        raise BadUrl(f"is longer than {MOST_URL} characters")
    if _ODD.search(text):
        raise BadUrl("holds a control character or a backslash; escape it")
    found = _URL.fullmatch(text)
    if found is None:
        raise BadUrl(_why(text))
    scheme = found["scheme"].lower()
    if scheme not in _PORTS:
        raise BadUrl(f"has the scheme {scheme!r}, and only https and http are asked")
    return Url(Origin(scheme, read_host(found["host"]), _port(found["port"], scheme)), _target(found))


def read_host(text: str) -> str:
    """Return a host's name or address in its one spelling; raises BadUrl."""
    if text.startswith("["):
        address = read_address(text[1:-1]) if text.endswith("]") else None
        if address is None or address.version != 6:
            raise BadUrl("has brackets around what is no IPv6 address")
        return str(address)
    host = text.lower()
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadUrl("has a host that is no name: letters, digits, hyphens and single dots between them")
    if _NUMBER.fullmatch(labels[-1]) and (read_address(host) is None):
        raise BadUrl("has a host of numbers that is no IPv4 address in its plain form, such as 192.0.2.7")
    return host


def join(base: Url, location: str) -> Url:
    """Return where a redirect leads, read like any other URL; raises BadUrl."""
    if len(location) > MOST_URL or _ODD.search(location):
        raise BadUrl("holds a control character or a backslash, or is too long")
    try:
        return read_url(urljoin(str(base), location))
    except BadUrl:
        raise
    except ValueError as error:
        raise BadUrl("cannot be read") from error


def _port(text: str | None, scheme: str) -> int:
    port = _PORTS[scheme] if text is None else int(text)
    if not 0 < port < 65536:
        raise BadUrl(f"has the port {port}, which there is not")
    return port


def _target(found: re.Match[str]) -> str:
    path = quote(found["path"] or "/", safe=_PLAIN_PATH)
    return path if found["query"] is None else path + "?" + quote(found["query"][1:], safe=_PLAIN_QUERY)


def _why(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if not separator or not scheme:
        return "does not begin with https://"
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return "names a user before its host; a credential belongs into the grant's `headers_env`"
    if not authority.isascii():
        return "has a host in letters beyond ASCII; write it in its ASCII form, xn--…"
    return "has a host or port that cannot be read"
