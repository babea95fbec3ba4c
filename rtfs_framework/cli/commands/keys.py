"""`rtfs keys new|list|trust|revoke`: keys that sign published programs, and whose signatures count here."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.options import config_option, environment, json_option, open_session
from rtfs_framework.cli.problems import require_file
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.remembering.published.keys import KeyRing, PublicKey

_MOST_TEXT = 4096


@click.group()
def command() -> None:
    """Make keys, and say whose signatures count. ID is an id, the beginning of one, or a key's name.

    A private key lies in a file of its own that only you can read, and is never shown. RTFS_KEY_PASSPHRASE encrypts it.

    \b
    rtfs keys new release
    rtfs keys trust alice.pub
    """  # noqa: D301 - click's \b is a backspace


@command.command()
@click.argument("name")
@json_option
@config_option
def new(name: str, *, as_json: bool, config: str | None) -> None:
    """Make a key and trust it.

    \b
    rtfs keys new release
    RTFS_KEY_PASSPHRASE=... rtfs keys new release --json
    """  # noqa: D301 - click's \b is a backspace
    key = _ring(config).new(name, environment().get, time.time())
    if as_json:
        put_json(key_json(key))
    else:
        say(f"made and trusted: {key.id}  {key.name}")
        say(f"for others: {key.text}")


@command.command("list")
@click.option("--public", is_flag=True, help="Only lines for others: what they give to `rtfs keys trust`.")
@json_option
@config_option
def list_command(*, public: bool, as_json: bool, config: str | None) -> None:
    """List the keys that are trusted, and those that were revoked.

    \b
    rtfs keys list
    rtfs keys list --public > release.pub
    """  # noqa: D301 - click's \b is a backspace
    ring = _ring(config)
    keys = sorted(ring.listed().values(), key=lambda key: (key.revoked is not None, key.name, key.id))
    if as_json:
        put_json({"file": str(ring.list_file), "keys": [key_json(key) for key in keys], "private": ring.own()})
        return
    if not keys:
        say("no key is trusted: rtfs keys new NAME, or rtfs keys trust FILE")
    for key in keys:
        if public:
            if key.revoked is None:
                say(key.text)
        else:
            state = "trusted" if key.revoked is None else f"revoked{f': {key.reason}' if key.reason else ''}"
            say(f"{key.id}  {key.name or '-'}  {state}")


@command.command()
@click.argument("key", metavar="FILE|LINE")
@click.option("--name", default="", help="Whose it is, for your list (default: what the line says).")
@json_option
@config_option
def trust(key: str, name: str, *, as_json: bool, config: str | None) -> None:
    """Let a key's signatures count: a file with the line that its owner's `rtfs keys list --public` shows, or the line.

    \b
    rtfs keys trust alice.pub --name alice
    rtfs keys trust "rtfs-key-1 MCowBQYDK2VwAyEA..."
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.remembering.published.keys import PREFIX, read_public

    text = key
    if not key.startswith(PREFIX):
        require_file(Path(key), "file of a public key")
        text = Path(key).read_bytes()[:_MOST_TEXT].decode("utf-8", "replace")
    made = read_public(text, name, time.time())
    _ring(config).enter(made)
    if as_json:
        put_json(key_json(made))
    else:
        say(f"trusted: {made.id}  {made.name or '-'}")


@command.command()
@click.argument("id_", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why, for your list.")
@json_option
@config_option
def revoke(id_: str, reason: str, *, as_json: bool, config: str | None) -> None:
    """Never let a key's signatures count again, whenever they were made.

    \b
    rtfs keys revoke release --reason "the laptop is gone"
    """  # noqa: D301 - click's \b is a backspace
    made = _ring(config).revoke(id_, time.time(), reason)
    if as_json:
        put_json(key_json(made))
    else:
        say(f"revoked: {made.id}  {made.name or '-'}")


def key_json(key: PublicKey) -> dict[str, Any]:
    """Return a public key as JSON-ready data."""
    made = {"id": key.id, "name": key.name, "public": key.text, "since": key.since, "trusted": key.revoked is None}
    return made if key.revoked is None else {**made, "revoked": key.revoked, "reason": key.reason}


def _ring(config: str | None) -> KeyRing:
    from rtfs_framework.orchestrator.performing.published import ring_of

    with open_session(None, config, journal=False) as session:
        return ring_of(session.host.config.publishing, environment())
