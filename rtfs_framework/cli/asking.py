"""Local models that a plug-in's command asks (`api.command.ask_local_models`): about many texts, without a program."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from rtfs_framework.api.capability import CapabilitySetSettings
from rtfs_framework.api.errors import ProviderError
from rtfs_framework.api.provider import InferenceReply, Locality
from rtfs_framework.api.targets import LocalModel
from rtfs_framework.cli.notices import notices
from rtfs_framework.cli.options import config_path, environment, open_session
from rtfs_framework.cli.shown.models import chosen

if TYPE_CHECKING:
    from rtfs_framework.api.observer import ObserverSettings
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance

Told = Callable[[int], None]
Replies = dict[str, list[InferenceReply | None]]


def ask(
    names: Sequence[str], texts: Sequence[str], labels: Sequence[str], *, config: str | None, told: Told
) -> Replies:
    """Return what the models say of each text.

    Raises:
        click.UsageError: One of them is not there, not local, or has a price.
        ProviderError: One of them answers nothing.
    """
    import asyncio

    with open_session(None, config, journal=False) as session:
        instances = dict(zip(names, chosen(session.host.pool, tuple(names)), strict=True))
        for name, instance in instances.items():
            _check(name, instance)
        return asyncio.run(_answers(instances, texts, labels, told))


def observer(name: str, *, config: str | None) -> ObserverSettings:
    """Return what an observer with settings is made from.

    Raises:
        PluginError: There is no such observer.
    """
    from rtfs_framework.orchestrator.recording.listening import observer_settings

    with open_session(None, config, journal=False) as session:
        settings = session.host.catalog.observer(name).settings
        spec = session.host.config.observers.get(name)
        own = None if settings is None else settings() if spec is None else spec.own
        return observer_settings(name, own, os.environ)


def vectors(texts: Sequence[str], *, config: str | None, told: Told) -> tuple[str, list[Sequence[float]]]:
    """Return the embedder's fingerprint and a vector for each text.

    Raises:
        click.UsageError: The configuration names no embedder of this machine.
        click.ClickException: It makes no vector of a text.
    """
    from rtfs_framework.orchestrator.deciding.embedding import HeldEmbedder

    with open_session(None, config, journal=False) as session:
        embedder = session.host.dispatcher.delegator.embedder
        if not isinstance(embedder, HeldEmbedder):
            installed = ", ".join(f'"{name}"' for name in sorted(session.host.catalog.embedders)) or "none is installed"
            message = f"no embedder of this machine is configured: write `embedder` under [delegation]; {installed}"
            raise click.UsageError(message)
        found: list[Sequence[float]] = []
        fingerprint = ""
        for text in texts:
            made = embedder.vector(text)
            if made is None:
                raise click.ClickException(f"the embedder makes no vector of the text {text!r:.60}")
            fingerprint, vector = made
            found.append(vector)
            told(len(found))
    return fingerprint, found


def set_settings(name: str, *, config: str | None) -> CapabilitySetSettings:
    """Return what a set of capabilities would be made from.

    Raises:
        ConfigError: The configuration has mistakes.
    """
    from rtfs_framework.orchestrator.config.load import load_config
    from rtfs_framework.orchestrator.config.permitted import installed
    from rtfs_framework.orchestrator.performing.capability_sets import settings_of

    environ = environment()
    catalog = installed(environ, config_path(config))
    found = load_config(config_path(config), None, environ, catalog, lambda _fault: None)
    notices().tell_findings(found.notices)
    return settings_of(catalog.capability_sets[name][0], found.capability_sets.get(name), environ)


def _check(name: str, instance: ProviderInstance) -> None:
    spec = instance.spec
    if not isinstance(instance.target, LocalModel):
        raise click.UsageError(f"'{name}' is no local model; name one of [delegation.local_models], or a built-in one")
    if instance.entry.locality is Locality.REMOTE:
        raise click.UsageError(f"'{name}' is answered by a server; name a model that runs on this machine")
    if spec.input_cost or spec.output_cost or spec.request_cost:
        raise click.UsageError(f"'{name}' has a price; name a model without one, or take its price away")


async def _answers(
    instances: dict[str, ProviderInstance], texts: Sequence[str], labels: Sequence[str], told: Told
) -> Replies:
    from rtfs_framework.lang.signature import FunctionSignature, Parameter
    from rtfs_framework.lang.types.model import EnumType, Primitive
    from rtfs_framework.lang.types.names import no_names
    from rtfs_framework.orchestrator.performing.members import HostMember
    from rtfs_framework.orchestrator.performing.prompt import build_request

    function = FunctionSignature(
        "label", "Which label fits the text.", (Parameter("text", Primitive.STRING),), EnumType(tuple(labels))
    )
    found: Replies = {name: [] for name in instances}
    done = 0
    for name, instance in instances.items():
        wrong: ProviderError | None = None
        for text in texts:
            request = build_request(function, (text,), no_names, timeout=instance.spec.timeout)
            try:
                found[name].append(await HostMember(instance).infer(request))
            except ProviderError as error:
                wrong = error
                found[name].append(None)
            done += 1
            told(done)
        if wrong is not None and not any(found[name]):
            raise wrong
    return found
