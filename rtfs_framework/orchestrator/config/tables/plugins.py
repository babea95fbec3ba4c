"""`[plugins]`: which permissions plugins may have that declare that they need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import attrs

Permission = Literal["network", "files", "models", "subprocess"]
"""The words of `registry.permissions.PERMISSIONS`; a test holds the two together."""


@attrs.frozen(slots=True, kw_only=True)
class PluginsTable:
    """`[plugins]`."""

    allow: Sequence[Permission] | None = None
    """What every plugin may have; None for everything."""
    grant: Mapping[str, Sequence[Permission]] = attrs.field(factory=dict)
    """By distribution, in place of `allow`."""


USUAL_PLUGINS = PluginsTable()
