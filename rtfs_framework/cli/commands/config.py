"""`rtfs config show|check [FILE]`: the configuration that counts, and where each value of it comes from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rtfs_framework.cli.notices import notices, problems_json
from rtfs_framework.cli.options import config_path, json_option, show_notices
from rtfs_framework.cli.shown.data import line

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.registry.catalog import Catalog


@click.group()
def command() -> None:
    """Show or check the configuration: FILE, else the delegation.toml that a run here would use."""


@command.command("show")
@click.argument("file", required=False)
@json_option
def show_command(file: str | None, *, as_json: bool) -> None:
    """Show every setting in force with its source: a place in the file, a plugin's default, or the built-in default."""
    from rtfs_framework.cli.shown.settings import settings_of

    config, catalog = _load(file)
    settings = settings_of(config, catalog, os.environ)
    if as_json:
        rows = [{"key": each.key, "value": each.value, "source": each.source} for each in settings]
        click.echo(line({"file": config.path, "settings": rows, "problems": problems_json()}))
        return
    click.echo(f"# {config.path or 'no delegation.toml found: defaults only'}")
    keys = max(len(each.key) for each in settings)
    values = min(40, max(len(each.text) for each in settings))
    for each in settings:
        click.echo(f"{each.key:<{keys}} = {each.text:<{values}}  # {each.source}")


@command.command("check")
@click.argument("file", required=False)
@json_option
def check_command(file: str | None, *, as_json: bool) -> None:
    """Check the configuration: unknown keys, wrong types and names that lead nowhere, each with its place.

    The exit code is 1 when there are mistakes.
    """
    config, catalog = _load(file)
    _check_files(config, catalog)
    if as_json:
        warnings = [each.to_json() for each in config.notices]
        click.echo(line({"file": config.path, "errors": [], "warnings": warnings, "problems": problems_json()}))
    else:
        show_notices(config.notices)
        click.echo(f"{config.path}: no mistakes" if config.path else "no delegation.toml found: defaults are in force")


def _check_files(config: Config, catalog: Catalog) -> None:
    """Make the on-device providers, which reads their own files (rules, models): a mistake there is told now.

    Raises:
        ConfigError: Such a file has mistakes.
    """
    from rtfs_framework.api.targets import LocalModel
    from rtfs_framework.orchestrator.host import provider_pool

    for target, instance in provider_pool(config, catalog, os.environ).instances.items():
        mistakes = instance.mistakes() if isinstance(target, LocalModel) else None
        if mistakes is not None:
            raise mistakes


def _load(file: str | None) -> tuple[Config, Catalog]:
    """Return the configuration and the plugins that it was checked against.

    Raises:
        ConfigError: It has mistakes.
    """
    from rtfs_framework.orchestrator.config.load import load_config
    from rtfs_framework.registry.load import load_catalog

    told, catalog = notices(), load_catalog(os.environ)
    told.tell_all(catalog.problems)
    folder = Path(file).parent if file is not None else None
    config = load_config(
        config_path(file),
        folder,
        os.environ,
        catalog,
        lambda fault: told.tell(fault.finding("there is no such instance")),
    )
    return config, catalog
