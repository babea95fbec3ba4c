"""`rtfs config show|check|init|trust [FILE]`: the configuration that counts, where it comes from, and trust."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.notices import notices, problems_json
from rtfs_framework.cli.options import config_path, environment, json_option, tenant_option, trust_option
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.registry.catalog import Catalog
    from rtfs_framework.registry.faults import PluginFault


@click.group()
def command() -> None:
    """Show, check or begin the configuration: FILE, else the delegation.toml that a run here would use. Trust one."""


@command.command("show")
@click.argument("file", required=False)
@json_option
@trust_option
@tenant_option
def show_command(file: str | None, *, as_json: bool) -> None:
    """Show every setting in force with its source: a file's line, a variable, a plugin's default, or the default.

    What is from a file that nobody has trusted yet says so; `ignored` are the keys of it that have no effect.
    """
    from rtfs_framework.cli.shown.settings import settings_of

    config, catalog = _load(file)
    config = _priced(config, catalog)
    settings = settings_of(config, catalog, environment())
    if as_json:
        rows: list[dict[str, Any]] = [
            {"key": each.key, "value": each.value, "source": each.source, "trusted": each.trusted} for each in settings
        ]
        put_json({"file": config.path, "files": _files(config), "settings": rows, "problems": problems_json()})
        return
    for file_ in _files(config):
        say(f"# {file_['file']}{'' if file_['trusted'] else ' (not trusted: it can only narrow and choose)'}")
    if config.path is None:
        say("# no delegation.toml found: defaults only")
    keys = max(len(each.key) for each in settings)
    values = min(40, max(len(each.text) for each in settings))
    for each in settings:
        say(f"{each.key:<{keys}} = {each.text:<{values}}  # {each.source}")


def _files(config: Config) -> list[dict[str, Any]]:
    """Return the files that count, in the order in which each overrides those before it."""
    from rtfs_framework.lang.visible import visible_line

    layers = () if config.merged is None else config.merged.layers
    return [
        {"file": visible_line(str(each.path)), "kind": each.kind.value, "trusted": each.trusted}
        for each in layers
        if each.path is not None
    ]


@command.command("check")
@click.argument("file", required=False)
@json_option
@trust_option
def check_command(file: str | None, *, as_json: bool) -> None:
    """Check the configuration: unknown keys, wrong types and names that lead nowhere, each with its place.

    A file is checked as if it were trusted. The exit code is 1 when there are mistakes.
    """
    _load(file, trusted=True)
    config, catalog = _load(file)
    _check_files(config, catalog)
    if as_json:
        warnings = [each.to_json() for each in config.notices]
        put_json({"file": config.path, "errors": [], "warnings": warnings, "problems": problems_json()})
    else:
        say(f"{config.path}: no mistakes" if config.path else "no delegation.toml found: defaults are in force")


@command.command("init")
@click.option("--force", is_flag=True, help="Write over a delegation.toml that is there.")
@click.option("--stdout", "to_stdout", is_flag=True, help="Print it instead of writing it.")
@json_option
def init_command(*, force: bool, to_stdout: bool, as_json: bool) -> None:
    """Write a delegation.toml here that says what happens without one: where described functions go.

    That is the model on this machine (RTFS_LOCAL_MODEL_PATH, or an installed package that holds one), else the provider
    whose key is set. It is trusted at once, for you have asked for it. No key is written down.

    \b
    rtfs config init
    rtfs config init --stdout
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.cli.commands.config_init import init

    init(force=force, to_stdout=to_stdout, as_json=as_json, environ=environment())


@command.command("trust")
@click.argument("path", required=False)
@click.option("--list", "listed", is_flag=True, help="List what is trusted, and what has changed since.")
@click.option("--revoke", is_flag=True, help="Trust it no longer.")
@json_option
def trust_command(path: str | None, *, listed: bool, revoke: bool, as_json: bool) -> None:
    """Trust a configuration that is found beside programs: PATH (a file or its folder), else the one here.

    It is trusted with its present content, which you should have read; another content asks again. Until then it can
    only narrow what your own configuration allows, and choose among the targets that are there.

    \b
    rtfs config trust
    rtfs config trust examples/triage
    rtfs config trust --list
    rtfs config trust --revoke examples/triage
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.cli.commands import config_trust

    if listed and revoke:
        raise click.UsageError("--list and --revoke exclude each other")
    if listed:
        config_trust.show_trusted(as_json=as_json)
    else:
        (config_trust.revoke if revoke else config_trust.trust)(path, as_json=as_json)


def _check_files(config: Config, catalog: Catalog) -> None:
    """Make the on-device providers, which reads their own files (rules, models): a mistake there is told now.

    Raises:
        ConfigError: Such a file has mistakes.
    """
    from rtfs_framework.api.targets import LocalModel
    from rtfs_framework.orchestrator.host import provider_pool

    for target, instance in provider_pool(config, catalog, environment()).instances.items():
        mistakes = instance.mistakes() if isinstance(target, LocalModel) else None
        if mistakes is not None:
            raise mistakes


def _priced(config: Config, catalog: Catalog) -> Config:
    """Return the configuration with the prices that a run would use."""
    from rtfs_framework.orchestrator.concurrency.clock import SystemClock
    from rtfs_framework.orchestrator.host import priced, provider_pool
    from rtfs_framework.orchestrator.recording.events import EventBus

    environ, clock = environment(), SystemClock()
    events = EventBus(clock)
    notices().watch(events.faults)
    return priced(config, provider_pool(config, catalog, environ), catalog, environ, clock, events.plugin_failed)


def _load(file: str | None, *, trusted: bool = False) -> tuple[Config, Catalog]:
    """Return the configuration and the plugins that it was checked against.

    Raises:
        ConfigError: It has mistakes.
    """
    from rtfs_framework.orchestrator.config.load import load_config
    from rtfs_framework.orchestrator.config.permitted import installed
    from rtfs_framework.orchestrator.config.trust import VARIABLE

    environ = {**environment(), VARIABLE: "1"} if trusted else environment()
    told, catalog = notices(), installed(environ, config_path(file))
    told.tell_all(catalog.problems)

    def report(fault: PluginFault) -> None:
        told.tell(fault.finding("there is no such instance"))

    folder = Path(file).parent if file is not None else None
    config = load_config(config_path(file), folder, environ, catalog, report)
    if not trusted:
        told.tell_findings(config.notices)
    return config, catalog
