"""Commands of the `rtfs` tool. Built-in ones come through the same door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from rtfs_framework.api.capability import CapabilitySetSettings
    from rtfs_framework.api.observer import ObserverSettings
    from rtfs_framework.api.provider import InferenceReply


@attrs.frozen(slots=True, kw_only=True)
class CommandEntry:
    """A command: its name, one line for `rtfs --help`, and a loader that returns a click command.

    A name of two words, such as "learn routing", is a subcommand: of a built-in group, or of one that plugins make.

    The loader runs only when the command is used, so `rtfs --help` imports no command's dependencies.
    """

    name: str
    summary: str
    load: Callable[[], Any]
    example: str = ""
    """One line that shows its use, for `rtfs --help`."""


ASK = "rtfs_framework.ask_local_models"
"""Where the tool keeps, in click's context, what `ask_local_models` calls."""


VECTORS = "rtfs_framework.vectors_of"
"""Where the tool keeps, in click's context, what `vectors_of` calls."""


SETS = "rtfs_framework.set_settings"
"""Where the tool keeps, in click's context, what `set_settings` calls."""


def set_settings(name: str, *, config: str | None = None) -> CapabilitySetSettings:
    """Return what a host would make a set of capabilities from: for a plug-in's command that shows what the set keeps.

    Raises:
        RtfsError: The configuration has mistakes.
        RuntimeError: No command of the tool is running.
    """
    import click

    found: CapabilitySetSettings = click.get_current_context().meta[SETS](name, config=config)
    return found


OBSERVER = "rtfs_framework.observer_settings_of"
"""Where the tool keeps, in click's context, what `observer_settings_of` calls."""


def observer_settings_of(name: str, *, config: str | None = None) -> ObserverSettings:
    """Return what the configuration makes an observer from: for a command that shows what the observer has kept.

    Raises:
        RtfsError: The configuration cannot be read, or no such observer is installed.
        RuntimeError: No command of the tool is running.
    """
    import click

    found: ObserverSettings = click.get_current_context().meta[OBSERVER](name, config=config)
    return found


def vectors_of(
    texts: Sequence[str], *, config: str | None = None, told: Callable[[int], None] = lambda _: None
) -> tuple[str, list[Sequence[float]]]:
    """Return the fingerprint of the configured embedder, and its vector of each text.

    For a plug-in's command that learns from them. `told` hears how many there are so far.

    Raises:
        RtfsError: No embedder of this machine is configured, or it cannot answer.
        RuntimeError: No command of the tool is running.
    """
    import click

    found: tuple[str, list[Sequence[float]]] = click.get_current_context().meta[VECTORS](
        texts, config=config, told=told
    )
    return found


def ask_local_models(
    names: Sequence[str],
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    config: str | None = None,
    told: Callable[[int], None] = lambda _: None,
) -> dict[str, list[InferenceReply | None]]:
    """Return what some local models say of texts, by name: to which of the labels each belongs.

    For a plug-in's command that learns from them. `told` hears how many answers there are so far. Nothing is written
    down: only models without a price are asked. None stands for a text of which a model said nothing.

    Raises:
        RtfsError: There is no such model, or one that is paid; or it answers nothing at all.
        RuntimeError: No command of the tool is running.
    """
    import click

    found: dict[str, list[InferenceReply | None]] = click.get_current_context().meta[ASK](
        names, texts, labels, config=config, told=told
    )
    return found
