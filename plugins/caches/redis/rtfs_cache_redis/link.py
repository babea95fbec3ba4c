"""The way to one server: short time-outs, one word when it is lost, and further tries with growing pauses.

No call waits longer than a few time-outs (a new connection greets the server first), and while a server is lost only
one call each pause tries at all. Every new connection runs `HELLO` before anything else, and connections end with the
server's process: so nothing is ever asked of data that a restarted server has kept from before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs
from redis import BlockingConnectionPool, Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from rtfs_cache_redis.faults import NO_ANSWER, Away, Full, away, bare, unusable

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 10.0
_CONNECTIONS = 64
_URL = "write redis://HOST:PORT/0, or rediss://... for TLS"

_BOOT = getattr(time, "CLOCK_BOOTTIME", None)


def steady() -> float:
    """Return seconds of a clock that never goes back, and that goes on while the process or the machine is stopped."""
    return time.monotonic() if _BOOT is None else time.clock_gettime(_BOOT)


@attrs.frozen(slots=True, kw_only=True)
class Address:
    """Where a server is, who asks, and how long an answer may take."""

    url: str
    password: str | None = attrs.field(default=None, repr=False)
    timeout: float = 0.5

    @property
    def shown(self) -> str:
        """The address for people."""
        return self.url


def address_of(url: str, password: str | None, timeout: float) -> Address:
    """Return an address.

    Raises:
        PluginError: The URL is none of Redis, or holds a password, which belongs into the environment.
    """
    where = bare(url)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise unusable(where, "has a URL that is none", _URL) from None
    if _holds_password(url, parts.query):
        raise unusable(where, "has its password in the URL", "put it into a variable, and name that by password_env")
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise unusable(where, "has a URL that is none", _URL)
    return Address(url=url, password=password, timeout=timeout)


def _holds_password(url: str, query: str) -> bool:
    """Tell whether a URL names a password, also one with characters that end a part of a URL."""
    before_host = url.partition("://")[2].rpartition("@")[0]
    return ":" in before_host or any("password" in name.lower() for name, _ in parse_qsl(query, keep_blank_values=True))


class Link:
    """Runs scripts at a server, or says that it is away."""

    def __init__(
        self,
        address: Address,
        scripts: dict[str, str],
        keys: Sequence[str],
        hello: tuple[str, str],
        *,
        now: Callable[[], float] = steady,
    ) -> None:
        """Make no connection yet. `hello` is the script for new connections and its argument."""
        self.address = address
        self._keys = list(keys)
        self._hello = hello
        self._now = now
        self._lock = Lock()
        self._pause = 0.0
        self._next = 0.0
        self._why: Away | None = None
        try:
            pool = BlockingConnectionPool.from_url(
                address.url,
                max_connections=_CONNECTIONS,
                timeout=address.timeout,
                **({} if address.password is None else {"password": address.password}),
                socket_timeout=address.timeout,
                socket_connect_timeout=address.timeout,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
                driver_info=None,
                redis_connect_func=self._greet,
            )
        except (ValueError, TypeError) as error:
            raise unusable(address.shown, f"cannot be reached as configured: {error}", "correct its URL") from error
        self.client: Redis = Redis(connection_pool=pool)
        self._scripts = {name: self.client.register_script(text) for name, text in scripts.items()}

    @property
    def lost(self) -> bool:
        """Tell whether the last try failed."""
        return self._why is not None

    def due(self) -> bool:
        """Tell whether a call would try the server: it is not lost, or the pause since the last try is over."""
        return self._why is None or self._now() >= self._next

    def ask(self, name: str, *arguments: Any) -> Any:
        """Run a script and return what it returns.

        Raises:
            Away: The server cannot be used now.
        """
        return self.do(lambda: self._scripts[name](keys=self._keys, args=arguments))

    def do(self, work: Callable[[], Any]) -> Any:
        """Use the client.

        Raises:
            Away: The server cannot be used now.
            Full: It can, but has no memory for this.
        """
        self._admit()
        try:
            try:
                found = work()
            except exceptions.ResponseError as error:
                if not str(error).startswith("NOLIFE"):
                    raise
                self.client.eval(self._hello[0], len(self._keys), *self._keys, self._hello[1])
                found = work()
        except (exceptions.RedisError, OSError, *NO_ANSWER) as error:
            why = away(error)
            raise (why if isinstance(why, Full) else self._failed(why)) from error
        self._why, self._pause = None, 0.0
        return found

    def close(self) -> None:
        """Close all connections."""
        self.client.close()
        self.client.connection_pool.disconnect()

    def _admit(self) -> None:
        """Let one call try when a pause is over; the others do not wait for it."""
        with self._lock:
            if self._why is None:
                return
            if self._now() < self._next:
                raise self._why
            self._next = self._now() + max(self._pause, self.address.timeout)

    def _failed(self, why: Away) -> Away:
        with self._lock:
            self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)
            self._next = self._now() + self._pause
            self._why = why
            return why

    def _greet(self, connection: Any) -> None:
        """Log in on a new connection, and see whether the server lives its life on or began a new one."""
        connection.on_connect()
        connection.send_command("EVAL", self._hello[0], len(self._keys), *self._keys, self._hello[1])
        connection.read_response()
