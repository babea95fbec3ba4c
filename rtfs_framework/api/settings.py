"""Settings that a plugin declares: an attrs class whose fields are the keys of its table in `delegation.toml`."""

from __future__ import annotations

from typing import Any

import attrs

SettingsSchema = type[Any]
"""An attrs class. Field types, defaults and validators are enforced; unknown keys are refused with a suggestion."""


@attrs.frozen(slots=True)
class Setting:
    """Documentation of one key, shown by `rtfs config show` and the reference page."""

    name: str
    type: str
    default: str
    doc: str
