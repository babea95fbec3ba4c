"""What goes wrong with the layer, as a `PluginError` that a user can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtfs_framework.api import CacheFaults, PluginError

if TYPE_CHECKING:
    from rtfs_framework.api.fitting import FileError

FAULTS = CacheFaults("rtfs-cache-similar", "similar", "the kept answers")


def no_index(name: str) -> PluginError:
    """Return the error for an index whose library is not installed."""
    install = f'uv pip install "{FAULTS.distribution}[{name}]"' if name == "annoy" else f'uv pip install "{name}"'
    message = f'`index = "{name}"` under [caches.similar]: {name} is not installed'
    return FAULTS.other(f"{message}\n  help: {install}; or leave `index` out")


def no_prior(error: FileError) -> PluginError:
    """Return the error for a prior that cannot be read: without it nothing else would be served either."""
    off = "or take `prior` out of [caches.similar]"
    return FAULTS.other(f"its prior cannot be used: {error.problem}\n  help: {error.way_out}; {off}")
