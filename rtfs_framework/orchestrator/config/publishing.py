"""Where published programs are looked for, and whose count: what `[publishing]` and `[stores]` mean."""

from __future__ import annotations

from typing import Any

import attrs


@attrs.frozen(slots=True, kw_only=True)
class StoreSpec:
    """One store of `[stores.<name>]`."""

    name: str
    plugin: str
    own: Any = None
    """An instance of the plug-in's settings class, None when it has none."""
    directory: str | None = None
    """Where the relative paths in `own` start."""


@attrs.frozen(slots=True, kw_only=True)
class PublishingSpec:
    """What `[publishing]` says."""

    salt: str = ""
    """The trust domain: pointers of another one are never found."""
    trusted_keys: str | None = None
    """A list of trusted keys of its own; None is the user's."""
    read: tuple[str, ...] = ()
    """The stores in which `rtfs fetch` looks, in their order; none said is all."""
    stores: tuple[StoreSpec, ...] = ()


USUAL_PUBLISHING = PublishingSpec()
