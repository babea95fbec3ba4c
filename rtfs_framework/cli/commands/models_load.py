"""`rtfs models load|unload`: of a running server, for this process would end with the model."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import click

from rtfs_framework.cli.options import json_option
from rtfs_framework.cli.problems import problem, require_file
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import say

NO_SERVER, REFUSED = "E0962", "E0963"
_SECONDS = 330.0
"""Loading may take five minutes."""
_MIB = 1 << 20
_OK = 200

F = TypeVar("F", bound=Callable[..., Any])


def server_options(function: F) -> F:
    """`--server URL` and `--token-file FILE`."""
    url = click.option(
        "--server", metavar="URL", envvar="RTFS_SERVER", help="A running `rtfs serve` (default: RTFS_SERVER)."
    )
    token = click.option(
        "--token-file", metavar="FILE", help="Its token stands in this file (default: in RTFS_TOKEN, a variable)."
    )
    return url(token(function))


def ask_server(server: str, token_file: str | None, method: str, path: str) -> dict[str, Any]:
    """Ask a running server for something, and return its answer.

    Raises:
        InputError: E0962, nobody says which server or token; E0963, it cannot be reached, or refuses.
    """
    from rtfs_framework.api.endpoints import BadEndpoint, read_endpoint
    from rtfs_framework.cli.pulling import http

    try:
        where = read_endpoint(server)
    except BadEndpoint as error:
        raise problem(NO_SERVER, f"{server!r} {error}", "such as https://rtfs.example:8443", exit_code=2) from error
    if not where.keeps_secrets:
        message = f"the token would go to {where.origin} over plain http"
        raise problem(NO_SERVER, message, "use https; only this machine may be asked over http", exit_code=2)
    client, token = http(), _token(token_file)
    try:
        answer = client.request(
            method, f"{server.rstrip('/')}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=_SECONDS
        )
        data = answer.json()
    except client.HTTPError as error:
        message = f"{where.origin} cannot be reached: {error or type(error).__name__}"
        raise problem(REFUSED, message, "see that `rtfs serve` runs there") from error
    except ValueError as error:
        raise problem(REFUSED, f"{where.origin} is no `rtfs serve`: it answered no JSON", "check --server") from error
    if answer.status_code == _OK and isinstance(data, dict):
        return data
    said = data.get("error") if isinstance(data, dict) else None
    words = said.get("message") if isinstance(said, dict) else None
    code = str(said.get("code") or REFUSED) if isinstance(said, dict) else REFUSED
    raise problem(code, f"{where.origin} answered {answer.status_code}: {words or 'it says no more'}", None)


def _token(file: str | None) -> str:
    if file is None:
        token = os.environ.get("RTFS_TOKEN", "")
    else:
        require_file(Path(file))
        token = Path(file).read_text(encoding="utf-8", errors="replace").strip()
    if not token or not token.isprintable() or not token.isascii():
        way_out = "set RTFS_TOKEN, or name a file: --token-file FILE; `rtfs serve token` makes tokens"
        raise problem(NO_SERVER, "no token for the server is known" if not token else "that is no token", way_out)
    return token


def _move(what: str, target: str, server: str | None, token_file: str | None, *, as_json: bool) -> None:
    if server is None:
        message = f"a model is {what}ed in a running server: this process would end with it"
        raise problem(NO_SERVER, message, f"rtfs models {what} {target} --server http://127.0.0.1:PORT", exit_code=2)
    found = ask_server(server, token_file, "POST", f"/v1/rtfs/models/{quote(target, safe='')}/{what}")
    if as_json:
        put_json(found)
        return
    status = found.get("status") or {}
    memory = status.get("memory")
    more = f", {memory / _MIB:,.0f} MiB" if status.get("loaded") and isinstance(memory, int) else ""
    say(f"{found.get('target')} is {what}ed{more}")


@click.command("load")
@click.argument("target")
@server_options
@json_option
def load_command(*, target: str, server: str | None, token_file: str | None, as_json: bool) -> None:
    """Take a model of a running server into memory, so that the first request does not wait for it.

    \b
    rtfs models load local-llama --server http://127.0.0.1:8750 --token-file token.txt
    """  # noqa: D301 - click's \b is a backspace
    _move("load", target, server, token_file, as_json=as_json)


@click.command("unload")
@click.argument("target")
@server_options
@json_option
def unload_command(*, target: str, server: str | None, token_file: str | None, as_json: bool) -> None:
    """Take a model of a running server out of memory; a later request loads it again.

    \b
    rtfs models unload local-llama --server http://127.0.0.1:8750 --token-file token.txt
    """  # noqa: D301 - click's \b is a backspace
    _move("unload", target, server, token_file, as_json=as_json)
