"""Where described functions go while nobody has configured anything: a model on this machine, else a vendor with a key.

In: a configuration, the providers, the environment. Out: one target and why, or None. It counts only where no file
speaks and no variable says where calls go: a `delegation.toml`, even an empty one, is the user's word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.targets import LocalModel, RemoteModel
from rtfs_framework.orchestrator.config.local_model import ID, VARIABLE, package_here
from rtfs_framework.orchestrator.config.model import Config, Found

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance, ProviderPool

_CHOOSING = ("default_target", "engine", "static_routes")
"""Keys of `[delegation]` that say where calls go."""


def with_found(config: Config, pool: ProviderPool, environ: Mapping[str, str]) -> Config:
    """Return a configuration with what was found."""
    found = config.found or found_here(config, pool, environ)
    return config if found is None else attrs.evolve(config, found=found)


def found_here(config: Config, pool: ProviderPool, environ: Mapping[str, str]) -> Found | None:
    """Return where described functions go without a word of the user's; None for their own bodies."""
    if _configured(config):
        return None
    local = pool.get(LocalModel(ID))
    if local is not None and local.unusable() is None:
        package = package_here()
        here = f"{package} is installed" if package else "a local model is here"
        return Found(LocalModel(ID), f"{VARIABLE} is set" if environ.get(VARIABLE) else here)
    for target, instance in pool.instances.items():
        key = _key(instance, environ)
        if isinstance(target, RemoteModel) and key and instance.unusable() is None:
            return Found(target, f"{key} is set")
    return None


def _configured(config: Config) -> bool:
    """Tell whether a file speaks, or a variable says where calls go."""
    if config.merged is None:
        return False
    if any(layer.path is not None for layer in config.merged.layers):
        return True
    return any(layer.speaks_of(("delegation", key)) for layer in config.merged.layers for key in _CHOOSING)


def _key(instance: ProviderInstance, environ: Mapping[str, str]) -> str:
    """Return the variable that holds a provider's key, "" where it has none or the variable is not set."""
    said = getattr(instance.spec.own, "api_key_env", None)
    named = (said,) if isinstance(said, str) else tuple(said or instance.entry.keys)
    return next((each for each in named if each and environ.get(each)), "")
