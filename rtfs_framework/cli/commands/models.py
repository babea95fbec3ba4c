"""`rtfs models`: which models there are, whether they answer, how quick they are; loading and fetching them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import click

from rtfs_framework.cli.commands.models_bench import bench_command
from rtfs_framework.cli.commands.models_load import ask_server, load_command, server_options, unload_command
from rtfs_framework.cli.commands.models_pull import pull_command
from rtfs_framework.cli.faults import FAILED, FINE
from rtfs_framework.cli.options import config_option, json_option, open_session
from rtfs_framework.cli.shown.columns import say_table
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.models import chosen, loaded, price
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance

_HEAD = ("target", "provider", "model", "where", "loaded", "health", "price", "why not")


@click.group()
def command() -> None:
    """List, try, measure, load and fetch models.

    \b
    rtfs models list
    rtfs models ping remote-openai
    rtfs models bench local-llama
    rtfs models pull https://models.example/phi.gguf --sha256 HEX
    """  # noqa: D301 - click's \b is a backspace


command.add_command(bench_command)
command.add_command(pull_command)
command.add_command(load_command)
command.add_command(unload_command)


@command.command("list")
@server_options
@json_option
@config_option
def list_command(*, server: str | None, token_file: str | None, as_json: bool, config: str | None) -> None:
    """Show every configured model: its provider, whether it can be used and why not, what it costs.

    Nothing is sent anywhere. What is loaded is of this process, which has just begun; with --server it is of a running
    `rtfs serve`, and so is all the rest.

    \b
    rtfs models list
    rtfs models list --json
    rtfs models list --server http://127.0.0.1:8750 --token-file token.txt
    """  # noqa: D301 - click's \b is a backspace
    if server is not None:
        found = ask_server(server, token_file, "GET", "/v1/rtfs/models").get("models")
        rows = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    else:
        rows = _models_of(config)
    if as_json:
        put_json({"models": rows})
    elif rows:
        say_table([_HEAD, *map(_row, rows)])
    else:
        say("no model is configured; see docs/models.md for the first one")


def _models_of(config: str | None) -> list[dict[str, Any]]:
    import asyncio

    from rtfs_framework.orchestrator.performing.inventory import inventory

    with open_session(None, config, journal=False) as session:
        return [each.plain() for each in asyncio.run(inventory(session.host.pool, session.host.health))]


def _row(found: dict[str, Any]) -> tuple[str, ...]:
    words = (found.get(key) for key in ("target", "provider", "model", "locality"))
    health, why = found.get("health"), found.get("why")
    return (*map(str, words), loaded(found), str(health), price(found), str(why or ""))


@attrs.frozen(slots=True)
class _Ping:
    """What a ping found out."""

    target: str
    outcome: str
    """"answers", "failed", "no ping" or "unusable"."""
    seconds: float | None = None
    why: str = ""


@command.command("ping")
@click.argument("targets", nargs=-1)
@json_option
@config_option
def ping_command(*, targets: tuple[str, ...], as_json: bool, config: str | None) -> int:
    """Ask models whether they could answer, at no cost: all, or those named. The exit code is 1 when one could not.

    Only some providers offer that; of the others nothing is known before they are asked something.

    \b
    rtfs models ping
    rtfs models ping remote-openai --json
    """  # noqa: D301 - click's \b is a backspace
    import asyncio

    async def ping_all(instances: list[ProviderInstance]) -> list[_Ping]:
        return list(await asyncio.gather(*map(_ping, instances)))

    with open_session(None, config, journal=False) as session:
        found = asyncio.run(ping_all(chosen(session.host.pool, targets)))
    if as_json:
        put_json({"models": [attrs.asdict(each) for each in found]})
    else:
        rows = [
            (each.target, each.outcome, "" if each.seconds is None else f"{each.seconds * 1000:.0f} ms", each.why)
            for each in found
        ]
        say_table([("target", "ping", "time", "why"), *rows])
    bad = {"failed", "unusable"} if targets else {"failed"}  # without names nobody has asked for those
    return FAILED if any(each.outcome in bad for each in found) else FINE


async def _ping(instance: ProviderInstance) -> _Ping:
    from time import monotonic

    from rtfs_framework.api.errors import ProviderError
    from rtfs_framework.orchestrator.config.routes import target_text
    from rtfs_framework.orchestrator.performing.controls import BusyError
    from rtfs_framework.registry.faults import PluginFault

    text, why = target_text(instance.target), instance.unusable()
    if why is not None:
        return _Ping(text, "unusable", why=why)
    try:
        if not instance.controls.offers("ping"):
            return _Ping(text, "no ping", why=f"{instance.entry.name} offers none; `rtfs models bench {text}` asks it")
        began = monotonic()
        await instance.controls.ping()
    except (ProviderError, BusyError) as error:
        return _Ping(text, "failed", why=str(error))
    except PluginFault as fault:
        return _Ping(text, "failed", why=fault.problem)
    return _Ping(text, "answers", monotonic() - began)
