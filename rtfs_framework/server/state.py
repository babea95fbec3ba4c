"""What a server serves by: its configuration, whose tokens it takes, and an open session for each tenant.

All of it is one `Generation`. A reload makes another one beside it, which takes its place only when it is whole; the
old one is closed when the requests that began with it have ended. So no request ever meets half of a configuration, and
a faulty file changes nothing.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextvars import ContextVar, Token
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.config.folders import data_dir
from rtfs_framework.orchestrator.performing.found import unguessed
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.server.auth import Caller, Tokens
from rtfs_framework.server.metrics import Metrics
from rtfs_framework.server.problems import Problem
from rtfs_framework.server.programs import Programs
from rtfs_framework.server.replays import FILE, Replays

if TYPE_CHECKING:
    from rtfs_framework.api.values import Clock
    from rtfs_framework.orchestrator.config.serve import ServeSpec, TokenSpec

_leased: ContextVar[Generation | None] = ContextVar("rtfs_generation", default=None)
"""What the request under way began with."""


class NoTokensError(RtfsError):
    """A configuration would lock out everybody."""

    code = "E0925"

    def __init__(self) -> None:
        super().__init__("nobody could use this server any more: the configuration has no [serve.tokens]")
        self.way_out = "rtfs serve token --tenant NAME >> FILE; or end the server"


@attrs.define(slots=True, eq=False)
class Generation:
    """One configuration at work."""

    number: int
    spec: ServeSpec
    tokens: Tokens
    sessions: dict[str, Session]
    """By tenant; "" is nobody in particular."""
    programs: dict[str, Programs] = attrs.field(init=False)
    """By tenant."""
    leases: int = 0
    retired: bool = False
    closed: bool = False
    _lock: Lock = attrs.field(factory=Lock, init=False)

    @programs.default
    def _none_yet(self) -> dict[str, Programs]:
        return {
            tenant: Programs(session, self.spec.programs, self.spec.seconds)
            for tenant, session in self.sessions.items()
        }

    def enter(self) -> bool:
        """Count a request that begins with it; tell whether it may."""
        with self._lock:
            if self.closed:
                return False
            self.leases += 1
            return True

    def leave(self) -> bool:
        """Count a request that has ended; tell whether this is to be closed now."""
        with self._lock:
            self.leases -= 1
            return self._over()

    def retire(self) -> bool:
        """Let no more begin, for another one is in its place; tell whether this is to be closed now."""
        with self._lock:
            self.retired = True
            return self._over()

    def _over(self) -> bool:
        if self.retired and not self.leases and not self.closed:
            self.closed = True
            return True
        return False

    def close(self, *, wait: bool = True, timeout: float | None = None) -> None:
        """Close its sessions; it waits for what runs."""
        self.closed = True
        for session in self.sessions.values():
            session.close(wait=wait, timeout=timeout)


@attrs.define(slots=True, eq=False)
class ServerState:
    """A server's configuration and sessions, and what makes them anew."""

    config_path: Path | None
    environ: Mapping[str, str]
    clock: Clock
    current: Generation
    own_tokens: tuple[TokenSpec, ...] = ()
    """Those that the command line brings, besides the configuration's."""
    host_id: str = ""
    started: float = attrs.field(init=False)
    draining: bool = False
    metrics: Metrics = attrs.field(factory=Metrics, init=False)
    replays: Replays = attrs.field(init=False)
    _reloading: Lock = attrs.field(factory=Lock, init=False)

    @started.default
    def _now(self) -> float:
        return self.clock.now()

    @replays.default
    def _kept(self) -> Replays:
        return Replays(data_dir(self.environ) / FILE, self.clock)

    @classmethod
    def open(
        cls,
        config_path: str | Path | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        tokens: tuple[TokenSpec, ...] = (),
    ) -> ServerState:
        """Read a configuration and open what it speaks of.

        Raises:
            ConfigError: It has mistakes; each has its place.
            PluginError: An engine, or a guard, cannot be made.
        """
        environ = os.environ if environ is None else environ
        path, clock = None if config_path is None else Path(config_path), clock or SystemClock()
        first = _opened(1, path, environ, clock, tokens)
        made = cls(path, environ, clock, first, tokens, first.spec.id or usual_id(environ))
        made.replays.open()  # without its file, answers are known until this process ends
        return made

    @property
    def spec(self) -> ServeSpec:
        """The bounds in force."""
        return (_leased.get() or self.current).spec

    def caller(self, authorization: str | None) -> Caller:
        """Return who holds the token of a header.

        Raises:
            Problem: 401, nobody who is known.
        """
        return (_leased.get() or self.current).tokens.find(authorization)

    def holder(self, authorization: bytes) -> Caller | None:
        """Return who holds the token of a header, as `caller` does; None for nobody who is known."""
        try:
            return self.caller(authorization.decode("latin-1"))
        except Problem:
            return None

    def session_for(self, tenant: str) -> Session:
        """Return a tenant's session: within a request, that of the configuration with which the request began."""
        return (_leased.get() or self.current).sessions[tenant]

    def programs_of(self, tenant: str) -> Programs:
        """Return what is kept of a tenant's programs, as `session_for` returns its session."""
        return (_leased.get() or self.current).programs[tenant]

    def lease(self) -> Lease:
        """Keep the configuration in force as it is for one request: `with` it."""
        return Lease(self)

    def reload(self) -> Generation:
        """Read the configuration again; what it makes takes the place of what was. Blocks: call it in a thread.

        Raises:
            ConfigError: It has mistakes; nothing has changed.
            PluginError: An engine, or a guard, cannot be made; nothing has changed.
            NoTokensError: Nobody would have a token; nothing has changed.
        """
        with self._reloading:
            made = _opened(self.current.number + 1, self.config_path, self.environ, self.clock, self.own_tokens)
            if not made.tokens.specs and self.current.tokens.specs:
                made.close()
                raise NoTokensError
            old, self.current = self.current, made
        if old.retire():
            _close_beside(old)
        return made

    def close(self, *, timeout: float | None = None) -> None:
        """Close everything; runs under way have `timeout` seconds."""
        with self._reloading:
            self.current.close(timeout=timeout)
            self.replays.close()


class Lease:
    """The configuration that was in force when a request began, until it ends."""

    __slots__ = ("_generation", "_state", "_token")

    def __init__(self, state: ServerState) -> None:
        self._state = state

    def __enter__(self) -> Generation:
        generation = self._state.current
        while not generation.enter():
            generation = self._state.current
        self._generation = generation
        self._token: Token[Generation | None] = _leased.set(generation)
        return generation

    def __exit__(self, *_: object) -> None:
        _leased.reset(self._token)
        if self._generation.leave():
            _close_beside(self._generation)


def _opened(
    number: int, path: Path | None, environ: Mapping[str, str], clock: Clock, own: tuple[TokenSpec, ...]
) -> Generation:
    from rtfs_framework.orchestrator.config.permitted import installed

    catalog = installed(environ, path)
    environ = unguessed(environ)
    sessions: dict[str, Session] = {}

    def add(tenant: str) -> Session:
        made = Session.open(config_path=path, environ=environ, clock=clock, catalog=catalog, tenant=tenant)
        made.host.mind_purses()
        sessions[tenant] = made
        return made

    try:
        spec = add("").host.config.serve
        tokens = (*spec.tokens, *own)
        for each in tokens:
            if each.tenant not in sessions:
                add(each.tenant)
    except BaseException:
        for session in sessions.values():
            session.close()
        raise
    return Generation(number, spec, Tokens.of(tokens), sessions)


def _close_beside(generation: Generation) -> None:
    """Close what nobody uses any more, in a thread: an event loop may be asking."""
    from threading import Thread

    Thread(target=generation.close, name="rtfs close", daemon=True).start()


def usual_id(environ: Mapping[str, str]) -> str:
    """Return the id of a host that was given none: of this machine and data folder, so it lasts."""
    name = socket.gethostname()
    place = sha256(f"{name}\0{data_dir(environ).absolute()}".encode()).hexdigest()
    return f"{name[:40] or 'host'}-{place[:12]}"
