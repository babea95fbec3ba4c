"""Who may look: a link that works once, a cookie, and what keeps other pages' requests out.

The address that is printed has a token. Who opens it gets a cookie that scripts cannot read and that no other site's
request carries (SameSite=Strict), and is sent on to an address without the token, which works no more from then on. A
request must name this server as its host, so that a name that somebody points at 127.0.0.1 is no way in (DNS
rebinding). What changes something must come from a page of this server (Origin), and hold the cookie's own second
secret in its form.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from threading import Lock

import attrs

from rtfs_framework.lang.errors import RtfsError

_BYTES = 32
_MOST_VISITORS = 64
"""Cookies that are known at once: the oldest goes."""


class RefusedError(RtfsError):
    """A request that is not let in, with the status that says so."""

    code = "E0990"

    def __init__(self, status: int, message: str, way_out: str) -> None:
        super().__init__(message)
        self.status = status
        self.way_out = way_out


@attrs.frozen(slots=True, repr=False)
class Visitor:
    """A browser that came by a link."""

    cookie: str
    form: str
    """What its forms say, so that no other page can make one."""
    read_only: bool


@attrs.define(slots=True, eq=False)
class Door:
    """The links and visitors of one server."""

    port: int
    read_only: bool = False
    used: Callable[[str], object] = lambda _: None
    """Told the next link when one has been used."""
    _link: str = attrs.field(factory=lambda: secrets.token_urlsafe(_BYTES), init=False, repr=False)
    _visitors: dict[str, Visitor] = attrs.field(factory=dict, init=False, repr=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    @property
    def origin(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def link(self) -> str:
        """The address that lets somebody in, once."""
        return f"{self.origin}/?token={self._link}"

    @property
    def cookie_name(self) -> str:
        """The cookie's name: browsers share cookies between ports."""
        return f"rtfs_ui_{self.port}"

    @property
    def _hosts(self) -> frozenset[str]:
        return frozenset(f"{name}:{self.port}" for name in ("127.0.0.1", "localhost"))

    def check_host(self, host: str) -> None:
        """Refuse a request that names another host.

        Raises:
            RefusedError: 421.
        """
        if host.lower() not in self._hosts:
            raise RefusedError(421, "this is not the host that the request names", f"open {self.origin}")

    def enter(self, token: str) -> Visitor:
        """Let somebody in who has the link.

        Raises:
            RefusedError: 403, it is not the link, or was used.
        """
        with self._lock:
            if not hmac.compare_digest(token.encode(), self._link.encode()):
                raise RefusedError(
                    403, "this link is not valid, or was used already", "open the link that the terminal shows now"
                )
            self._link = secrets.token_urlsafe(_BYTES)
            made = Visitor(secrets.token_urlsafe(_BYTES), secrets.token_urlsafe(_BYTES), self.read_only)
            self._visitors[made.cookie] = made
            while len(self._visitors) > _MOST_VISITORS:
                del self._visitors[next(iter(self._visitors))]
        self.used(self.link)
        return made

    def known(self, cookie: str | None) -> Visitor:
        """Return who has a cookie.

        Raises:
            RefusedError: 403, nobody.
        """
        found = None if cookie is None else self._visitors.get(cookie)
        if found is None:
            raise RefusedError(403, "nobody is let in without the link", "open the link that the terminal shows")
        return found

    def check_form(self, visitor: Visitor, origin: str | None, form: str) -> None:
        """Refuse what would change something, or make this host work, and does not come from a page of this server.

        Raises:
            RefusedError: 403.
        """
        own = frozenset(f"http://{host}" for host in self._hosts)
        if origin not in own or not hmac.compare_digest(form.encode(), visitor.form.encode()):
            raise RefusedError(403, "this request does not come from a page of this server", f"open {self.origin}")

    def check_writing(self, visitor: Visitor) -> None:
        """Refuse what changes something where the link was read-only.

        Raises:
            RefusedError: 403.
        """
        if visitor.read_only:
            raise RefusedError(403, "this page is read-only", "start `rtfs ui` without --read-only")
