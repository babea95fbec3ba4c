"""Where described functions go while nobody has configured anything: a model on this machine, else a vendor with a key.

In: a configuration, the providers, the environment. Out: one target and why, or None. It counts only where no file
speaks and no variable says where calls go: a `delegation.toml`, even an empty one, is the user's word. What variables
configure goes before what is merely there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.targets import LocalModel, RemoteModel
from rtfs_framework.orchestrator.config.local_model import ID, VARIABLE, package_here
from rtfs_framework.orchestrator.config.model import Config, Found
from rtfs_framework.orchestrator.config.routes import target_text

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance, ProviderPool

_CHOOSING = ("default_target", "described", "engine", "plan", "static_routes")
"""Keys of `[delegation]` that say where calls go. Models that variables configure are asked first, and end nothing."""


UNGUESSED = "RTFS_DELEGATION__DEFAULT_TARGET"
"""Where a variable says where calls go, hosts look for no model by themselves."""


def unguessed(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return an environment for hosts that run other people's programs: nothing is guessed for these.

    A key that is set is no word about whose programs may use it.
    """
    return {UNGUESSED: "local-pure", **environ}


def with_found(config: Config, pool: ProviderPool, environ: Mapping[str, str]) -> Config:
    """Return a configuration with what was found."""
    found = config.found or found_here(config, pool, environ)
    return config if found is None else attrs.evolve(config, found=found)


def found_here(config: Config, pool: ProviderPool, environ: Mapping[str, str]) -> Found | None:
    """Return where described functions go without a word of the user's; None for their own bodies."""
    if _configured(config):
        return None
    local = next(_local(config, pool, environ), None)
    if local is not None:
        return local
    remote = _remote(config, pool, environ)
    return attrs.evolve(remote[0], others=tuple(each.target for each in remote[1:])) if remote else None


def _local(config: Config, pool: ProviderPool, environ: Mapping[str, str]) -> Iterator[Found]:
    """Yield the models on this machine, those that variables configure first."""
    for target in sorted((each for each in pool.instances if isinstance(each, LocalModel)), key=lambda each: each.id):
        if target.id != ID and _by_variables(config, target) and pool.instances[target].unusable() is None:
            yield Found(target, f"variables configure {target_text(target)}")
    local = pool.get(LocalModel(ID))
    if local is not None and local.unusable() is None:
        package = package_here()
        here = f"{package} is installed" if package else "a local model is here"
        yield Found(LocalModel(ID), f"{VARIABLE} is set" if environ.get(VARIABLE) else here)


def _remote(config: Config, pool: ProviderPool, environ: Mapping[str, str]) -> list[Found]:
    """Return the vendors that can be asked: those that variables configure, then those whose key is set."""
    said: list[Found] = []
    there: list[Found] = []
    for target, instance in pool.instances.items():
        if not isinstance(target, RemoteModel) or instance.unusable() is not None:
            continue
        key, configured = key_of(instance, environ), _by_variables(config, target)
        if key or configured:
            found = Found(target, f"{key} is set" if key else f"variables configure {target_text(target)}")
            (said if configured else there).append(found)
    return said + there


def _by_variables(config: Config, target: LocalModel | RemoteModel) -> bool:
    """Tell whether a variable speaks of a provider; asked only where no file does."""
    table = "local_models" if isinstance(target, LocalModel) else "remote_providers"
    layers = () if config.merged is None else config.merged.layers
    return any(layer.speaks_of(("delegation", table, target.id)) for layer in layers)


def _configured(config: Config) -> bool:
    """Tell whether a file speaks, or a variable says where calls go."""
    if config.merged is None:
        return False
    if config.routes or any(layer.path is not None for layer in config.merged.layers):  # a tenant has routes, too
        return True
    return any(layer.speaks_of(("delegation", key)) for layer in config.merged.layers for key in _CHOOSING)


def key_of(instance: ProviderInstance, environ: Mapping[str, str]) -> str:
    """Return the variable that holds a provider's key, "" where it has none or the variable is not set, or blank."""
    said = getattr(instance.spec.own, "api_key_env", None)
    named = (said,) if isinstance(said, str) else tuple(said or instance.entry.keys)
    return next((each for each in named if each and environ.get(each, "").strip()), "")
