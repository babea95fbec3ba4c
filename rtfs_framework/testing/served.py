r"""A host that is served, for tests: a real server on a loopback port, in a thread, over a home of its own.

    with served('[limits]\nsteps = 1000') as server:
        httpx.post(f"{server.url}/v1/rtfs/run", headers=server.headers, json={...})

Needs the extra `serve`. The configuration is what the text says, and a table of tokens: one for each tenant that is
named, `server.tokens[tenant]`; `server.token` is the first one's.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from rtfs_framework.server.state import ServerState


@attrs.frozen(slots=True, kw_only=True)
class Served:
    """A server under way."""

    url: str
    tokens: Mapping[str, str] = attrs.field(repr=False)
    """By tenant; "" is nobody in particular."""
    home: Path
    config: Path
    """Its configuration file: write it, then call `reload`."""
    state: ServerState

    @property
    def token(self) -> str:
        """The token of the first tenant."""
        return next(iter(self.tokens.values()))

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a request with that token."""
        return {"Authorization": f"Bearer {self.token}", "RTFS-Protocol": "1"}

    def reload(self) -> None:
        """Read the configuration again."""
        self.state.reload()


@contextmanager
def served(
    config_text: str = "",
    *,
    tenants: Sequence[str] = ("",),
    environ: Mapping[str, str] | None = None,
    home: Path | None = None,
    cert: Path | None = None,
    key: Path | None = None,
) -> Iterator[Served]:
    """Serve a configuration until the block ends; what still runs then has some seconds.

    Args:
        config_text: The configuration, without `[serve.tokens]`.
        tenants: For whom tokens are made.
        environ: The server's environment, besides `RTFS_HOME`: no variable of this process counts.
        home: Its home; a temporary folder when None.
        cert: A chain of certificates, for TLS.
        key: Its key.
    """
    from rtfs_framework.server.auth import digest_of
    from rtfs_framework.server.listening import make_server
    from rtfs_framework.server.sockets import listen
    from rtfs_framework.server.state import ServerState

    tokens = {tenant: secrets.token_urlsafe(24) for tenant in tenants}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) if home is None else home
        config = home / "serve.toml"
        tables = [
            f'[serve.tokens.token{number}]\nsha256 = "{digest_of(token)}"\ntenant = "{tenant}"\n'
            for number, (tenant, token) in enumerate(tokens.items())
        ]
        config.write_text("\n".join([config_text, *tables]), encoding="utf-8")
        given = {"RTFS_SERVE__LAME_DUCK": "0", **(environ or {}), "RTFS_HOME": str(home)}
        state = ServerState.open(config, environ=given)
        try:
            socket = listen("127.0.0.1", 0)
            port = socket.getsockname()[1]
            with _running(make_server(state, cert=cert, key=key), socket):
                url = f"{'http' if cert is None else 'https'}://127.0.0.1:{port}"
                yield Served(url=url, tokens=tokens, home=home, config=config, state=state)
        finally:
            state.close(timeout=5)


@contextmanager
def _running(server: Any, socket: Any) -> Iterator[None]:
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[socket])), name="rtfs served")
    thread.start()
    try:
        while not server.started:
            thread.join(0.005)
            if not thread.is_alive():
                raise RuntimeError("the server has ended before it began")
        yield
    finally:
        server.should_exit = True
        thread.join()
        socket.close()
