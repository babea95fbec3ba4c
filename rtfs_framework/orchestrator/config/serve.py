"""What `[serve]` means: the bounds of a server, and whose tokens it takes."""

from __future__ import annotations

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.targets import ExecTarget

CHAT, EMBED = "host/chat", "host/embed"
"""The functions that answer chats, and make vectors, where nothing else is said."""


@attrs.frozen(slots=True, kw_only=True)
class TokenSpec:
    """A token, known by its digest alone, and the tenant that it belongs to."""

    name: str
    sha256: str = attrs.field(repr=False)
    tenant: str = ""
    """"" is nobody in particular."""
    marks: Label = PUBLIC
    """Of all data that comes with it."""
    agent: str = ""
    """Who holds it: what decisions read as `agent`, whatever a request says; "" leaves that to the request."""
    concurrency: int | None = None
    """Requests of it at once; None for no bound of its own."""


@attrs.frozen(slots=True, kw_only=True)
class ModelSpec:
    """What a client of the OpenAI API means by the name of a model."""

    name: str
    function: str = CHAT
    """What is called: a function on conversations by any name in `host/`, or a function of `program`."""
    program: str | None = None
    """The file of a program."""
    target: ExecTarget | None = None
    """Where the call goes, where the name says so itself."""


@attrs.frozen(slots=True, kw_only=True)
class ServeSpec:
    """The bounds of a server."""

    id: str = ""
    """Of this host, as others name it in `via`; "" for one that is made of the machine and the data folder."""
    body: int = 8 << 20
    """Bytes of a request's body."""
    program: int = 256 << 10
    """Bytes of a program's text: while Python makes code of it, all of a process stands still."""
    seconds: float = 60.0
    """Of one request, from its body on."""
    concurrency: int = 64
    """Requests that compute or wait at once; more are told to come back."""
    share: int | None = None
    """Of them, those of one tenant at most, so that others find room; None for all of them."""
    connections: int | None = None
    """Connections at once; None for as many as the system's limit of open files leaves."""
    header_timeout: float = 10.0
    """Seconds within which the head of a request must have arrived."""
    body_timeout: float = 30.0
    """Seconds within which its body must have arrived, and an answer must have been taken."""
    idle_timeout: float = 60.0
    """Seconds for which a connection may lie idle between two requests."""
    drain: float = 30.0
    """Seconds that requests under way have when the server is told to end."""
    lame_duck: float = 1.0
    """Seconds for which a server that is told to end still serves, so that who asks goes elsewhere."""
    replay_for: float = 600.0
    """Seconds for which answers are kept for requests that come again."""
    programs: int = 256
    """Compiled programs that are kept for each tenant."""
    hops: int = 4
    """Most hosts that a request may pass after this one."""
    elsewhere: tuple[str, ...] = ()
    """The addresses of hosts that are named to whoever asks for what no target here takes."""
    tokens: tuple[TokenSpec, ...] = ()
    models: tuple[ModelSpec, ...] = ()
    """What clients of the OpenAI API may name; without any, `host/chat` and the targets."""


USUAL_SERVE = ServeSpec()
