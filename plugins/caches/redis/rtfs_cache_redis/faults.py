"""What goes wrong with a server, in words that a user can act on."""

from __future__ import annotations

from redis import exceptions

from rtfs_framework.api import PluginError

DISTRIBUTION = "rtfs-cache-redis"
CODE = "E0811"

_WAYS_OUT: tuple[tuple[type[Exception], str, str], ...] = (
    (
        exceptions.AuthenticationError,
        "it does not accept the user or the password",
        "see that password_env names the variable with the right password, and that the user in the URL is right",
    ),
    (
        exceptions.AuthorizationError,
        "it wants a password, or refuses a command",
        "name its variable by password_env; the user needs scripts, INFO, and the keys below the prefix",
    ),
    (
        exceptions.NoPermissionError,
        "its user may not do what is needed",
        "let the user run scripts and INFO, and touch the keys below the prefix",
    ),
    (exceptions.BusyLoadingError, "it is still loading its data", "wait until it has"),
    (exceptions.ReadOnlyError, "it is a replica, and takes no changes", "name the primary in the URL"),
    (
        exceptions.TimeoutError,
        "it does not answer in time",
        "see whether it is overloaded or frozen, or raise `timeout`",
    ),
    (exceptions.ConnectionError, "it cannot be reached", "see that it runs, and that the URL is right"),
)
_SIGNS = (
    ("WRONGTYPE", "what lies under its keys is not of this layer", "choose another prefix, or delete those keys"),
    ("Authentication required", "it wants a password", "name its variable by password_env"),
    ("LOST", "it has lost what it had counted", "restore it, or start all nodes again to count anew"),
    ("NOAUTH", "it wants a password", "name its variable by password_env"),
    ("WRONGPASS", "it does not accept the user or the password", "see that password_env names the right variable"),
)
NO_ANSWER = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError)
"""What the client raises where the bytes that come are none of a server's."""
_FULL = ("it has no memory left", "raise its maxmemory, or choose a policy that evicts")
_ELSE = "see the server's log"


class Away(Exception):
    """The server cannot be used now. `why` and `way_out` are for people."""

    def __init__(self, why: str, way_out: str) -> None:
        super().__init__(why)
        self.why = why
        self.way_out = way_out


class Full(Away):
    """The server has no memory left for what was sent; everything else works."""


def away(error: Exception) -> Away:
    """Return what a failure of the client or of the server means."""
    said = str(error)
    if isinstance(error, exceptions.OutOfMemoryError) or "OOM" in said:
        return Full(*_FULL)
    for sign, why, way_out in _SIGNS:
        if sign in said:
            return Away(why, way_out)
    for kind, why, way_out in _WAYS_OUT:
        if isinstance(error, kind):
            return Away(why, way_out)
    if isinstance(error, NO_ANSWER):
        return Away("what it answers is no answer of such a server", "see that the URL names a Redis or a Valkey")
    shown = "".join(each if each.isprintable() else " " for each in said[:200])
    return Away(f"it refuses: {shown}", _ELSE)


def bare(url: str) -> str:
    """Return a URL without user, password and query, for errors about URLs that may hold a password by mistake."""
    scheme, mark, rest = url.partition("://") if "://" in url else ("", "", url)
    return f"{scheme}{mark}{rest.rpartition('@')[2].partition('?')[0]}"


def unusable(where: str, problem: str, way_out: str) -> PluginError:
    """Return the error for a layer that cannot be made as it is configured."""
    return PluginError(DISTRIBUTION, f"the cache at {where} {problem}\n  help: {way_out}", code=CODE)


def unacknowledged(where: str, away: Away) -> PluginError:
    """Return the error for an invalidation that the server does not know of."""
    return PluginError(
        DISTRIBUTION,
        f"nothing was invalidated at {where}: {away.why}; this process forgot it, and tells the server when it is back"
        f"\n  help: {away.way_out}, then invalidate again: until then others may serve it",
        code=CODE,
    )
