"""Who calls: the bearer of a token, and the tenant that it belongs to. Nothing else of a request says so."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.orchestrator.running.narrowing import NO_NARROWING, Narrowing
from rtfs_framework.server.problems import NO_TOKEN, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import HTTPConnection

    from rtfs_framework.orchestrator.config.serve import TokenSpec

_SCHEME = "bearer"
_MOST_TOKEN = 512


@attrs.frozen(slots=True, kw_only=True)
class Caller:
    """Who holds a token."""

    tenant: str
    name: str
    """Of the token."""
    marks: Label = PUBLIC
    """Of all data that comes from there."""
    rules: Narrowing = NO_NARROWING
    """What the token says of the agent who holds it."""
    most: int | None = None
    """Requests of it at once; None for no bound of its own."""

    def over(self, rules: Narrowing) -> Narrowing:
        """Return what a request says, with what the token says in its place."""
        if not self.rules.pinned:
            return rules
        return attrs.evolve(rules, agent="", pinned=self.rules.pinned)


def digest_of(token: str) -> str:
    """Return what the configuration keeps of a token. Tokens are random, so one round is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


@attrs.frozen(slots=True, eq=False)
class Tokens:
    """The tokens of a configuration. Each is compared in constant time, and all of them are."""

    specs: tuple[tuple[bytes, Caller], ...]

    @classmethod
    def of(cls, specs: Iterable[TokenSpec]) -> Tokens:
        """Return the tokens that some tables speak of."""
        return cls(tuple((each.sha256.encode(), _caller(each)) for each in specs))

    def find(self, header: str | None) -> Caller:
        """Return whose token an `Authorization` header holds.

        Raises:
            Problem: 401, it holds none that is known.
        """
        scheme, _, token = (header or "").partition(" ")
        token = token.strip()
        if scheme.lower() != _SCHEME or not token or len(token) > _MOST_TOKEN:
            raise _refused("a bearer token is wanted: Authorization: Bearer TOKEN")
        digest, found = digest_of(token).encode(), None
        for known, caller in self.specs:
            if hmac.compare_digest(known, digest):
                found = caller
        if found is None:
            raise _refused("nobody has this token")
        return found


def _caller(spec: TokenSpec) -> Caller:
    rules = Narrowing(pinned=spec.agent) if spec.agent else NO_NARROWING
    return Caller(tenant=spec.tenant, name=spec.name, marks=spec.marks, rules=rules, most=spec.concurrency)


def _refused(message: str) -> Problem:
    return Problem(401, NO_TOKEN, message, kind="Unauthorized", headers={"WWW-Authenticate": "Bearer"})


def caller_of(request: HTTPConnection) -> Caller:
    """Return who makes a request.

    Raises:
        Problem: 401, nobody who is known.
    """
    caller: Caller = request.app.state.rtfs.caller(request.headers.get("authorization"))
    return caller
