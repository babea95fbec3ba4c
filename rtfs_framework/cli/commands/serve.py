"""`rtfs serve`: a host that others reach by HTTP, its tokens, and its reload."""

from __future__ import annotations

import asyncio
import secrets
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.faults import FINE, CommandLineError
from rtfs_framework.cli.options import config_option, config_path, environment, json_option
from rtfs_framework.cli.problems import require_file
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import complain, say

if TYPE_CHECKING:
    import socket

    from rtfs_framework.orchestrator.config.serve import TokenSpec
    from rtfs_framework.server.state import ServerState

MISSING, NO_ADDRESS, NO_TOKENS = "E0914", "E0924", "E0925"
_PORT = 8642
_LEAST_TOKEN = 16


@click.group(invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="NAME", help="The address to listen on.")
@click.option("--port", default=_PORT, show_default=True, type=click.IntRange(0, 65535), metavar="N",
              help="The port; 0 for any that is free.")  # fmt: skip
@click.option("--token-file", metavar="FILE", help="A file with a token of the tenant that --tenant names, if any.")
@click.option("--cert", metavar="FILE", help="A chain of certificates (PEM), for TLS.")
@click.option("--key", metavar="FILE", help="Its private key (PEM), if it is not in the same file.")
@click.option("--log", "level", type=click.Choice(["debug", "info", "warning", "error"]), default="info",
              show_default=True, help="How much the log on stderr says.")  # fmt: skip
@json_option
@config_option
@click.pass_context
def command(context: click.Context, /, **options: Any) -> int | None:
    """Serve programs to others over HTTP, each caller within what its tenant may do.

    Callers have tokens, which the configuration knows by their digests ([serve.tokens]). SIGTERM ends in order: what is
    under way is answered. SIGHUP, or `rtfs serve reload`, takes the configuration anew; a faulty one changes nothing.
    It needs `pip install 'rtfs-framework[serve]'`; docs/serve.md tells the rest.

    \b
    rtfs serve token --tenant acme >> serve.toml
    rtfs serve --config serve.toml --port 8642
    rtfs serve --config serve.toml --host 0.0.0.0 --cert chain.pem --key key.pem
    """  # noqa: D301 - click's \b is a backspace
    if context.invoked_subcommand is not None:
        return None
    _require_extra()
    return _serve(options)


@command.command("token")
@click.option("--name", metavar="NAME", help="Of its table (default: made of the tenant).")
@click.option("--tenant", default="", metavar="ID", help="To whom it belongs.")
@click.option(
    "--agent", default="", metavar="NAME", help="Who holds it, as decisions read it: no request says otherwise."
)
@click.option("--mark", "marks", multiple=True, metavar="MARK", help="Of all data that comes with it; may be repeated.")
@click.option(
    "--concurrency", type=click.IntRange(min=1), metavar="N", help="Its requests at once (default: no bound)."
)
@click.option("--share", type=click.IntRange(min=1), metavar="N",
              help="One tenant's requests at once: a table [serve], for a file that has none yet.")  # fmt: skip
@json_option
def token_command(*, as_json: bool, **options: Any) -> None:
    """Make a token: its table for the configuration on stdout, the token itself on stderr, once.

    \b
    rtfs serve token --tenant acme --share 16 > serve.toml
    rtfs serve token --tenant acme --agent ci --concurrency 4 >> serve.toml
    rtfs serve token --tenant acme --name ci --json
    """  # noqa: D301 - click's \b is a backspace
    from hashlib import sha256

    token = f"rtfs_{secrets.token_urlsafe(32)}"
    table = {"sha256": sha256(token.encode()).hexdigest(), "tenant": options["tenant"]}
    table |= {key: options[key] for key in ("agent", "marks", "concurrency") if options[key]}
    name = options["name"] or f"{options['tenant'] or 'anyone'}-{secrets.token_hex(3)}"
    share = {} if options["share"] is None else {"share": options["share"]}
    if as_json:
        put_json({"name": name, "token": token, **table, **share})
        return
    for line in (*_table("serve", share), *_table(f"serve.tokens.{_quoted(name)}", table)):
        say(line)
    complain(f"the token, which is kept nowhere: {token}")


def _table(title: str, values: dict[str, Any]) -> list[str]:
    """Return the lines of a table of TOML; none where it would be empty."""
    return [f"[{title}]", *(f"{key} = {_quoted(value)}" for key, value in values.items()), ""] if values else []


def _quoted(value: Any) -> str:
    """Return a text, a number or texts as TOML says them; strings are those of JSON, but for one character."""
    from rtfs_framework.lang.jsontext import dump

    return dump(list(value) if isinstance(value, tuple) else value).replace("\x7f", "\\u007f")


@command.command("reload")
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="Of the server (default: the newest).")
@json_option
def reload_command(*, port: int | None, as_json: bool) -> int:
    """Let a running server take its configuration anew. A faulty one is refused, and nothing changes.

    \b
    rtfs serve reload
    rtfs serve reload --port 8642 --json
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.server.control import ask

    done = ask(environment(), "reload", port=port)
    if as_json:
        put_json(done)
    else:
        say(f"reloaded: configuration {done['generation']}, {done['tokens']:,} tokens")
    return FINE


def _require_extra() -> None:
    missing = [name for name in ("starlette", "uvicorn", "jsonschema_rs") if find_spec(name) is None]
    if missing:
        way_out = "pip install 'rtfs-framework[serve]'"
        message = f"serving needs {' and '.join(missing)}, which is not installed"
        raise CommandLineError(MISSING, message, way_out)


def _serve(options: dict[str, Any]) -> int:
    from rtfs_framework.server.log import make_log
    from rtfs_framework.server.serving import serve
    from rtfs_framework.server.state import ServerState

    environ = environment()
    cert, key = _file(options["cert"], "certificate"), _file(options["key"], "key")
    state = ServerState.open(config_path(options["config"]), environ=environ, tokens=_own_token(options, environ))
    try:
        _require_tokens(state)
        listener = _listener(options["host"], options["port"])
    except BaseException:
        state.close()
        raise

    def ready(url: str) -> None:
        if options["as_json"]:
            put_json({"url": url, "host": state.host_id})
        else:
            say(f"serving at {url}")

    log = make_log(options["level"], as_json=options["as_json"])
    asyncio.run(serve(state, listener, log, cert=cert, key=key, ready=ready))
    return FINE


def _require_tokens(state: ServerState) -> None:
    if not state.current.tokens.specs:
        message = "nobody could use this server: the configuration has no [serve.tokens]"
        raise CommandLineError(NO_TOKENS, message, "rtfs serve token --tenant NAME >> FILE; or --token-file FILE")


def _own_token(options: dict[str, Any], environ: Any) -> tuple[TokenSpec, ...]:
    from rtfs_framework.orchestrator.config.serve import TokenSpec
    from rtfs_framework.server.auth import digest_of

    path = _file(options["token_file"], "token")
    if path is None:
        return ()
    token = path.read_text(encoding="utf-8").strip()
    if len(token) < _LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        message = f"{path} holds no token: a line of at least {_LEAST_TOKEN} letters and digits"
        raise CommandLineError(NO_TOKENS, message, "make one: rtfs serve token")
    return (TokenSpec(name="token-file", sha256=digest_of(token), tenant=environ.get("RTFS_TENANT", "")),)


def _file(given: str | None, what: str) -> Path | None:
    if given is None:
        return None
    require_file(Path(given), what)
    return Path(given)


def _listener(host: str, port: int) -> socket.socket:
    from rtfs_framework.server.sockets import listen

    try:
        return listen(host, port)
    except OSError as error:
        message = f"cannot listen on {host}, port {port}: {error.strerror or error}"
        raise CommandLineError(NO_ADDRESS, message, "choose another --port, or end what listens there") from None
