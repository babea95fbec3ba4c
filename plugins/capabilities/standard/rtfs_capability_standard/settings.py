"""What tables of `grant` say of these capabilities besides their id."""

from __future__ import annotations

from typing import Literal

import attrs


@attrs.frozen(slots=True, kw_only=True)
class OutputGrant:
    """Of `ccos.io.println`, `print` and `log`."""

    to: Literal["stderr", "stdout"] = "stderr"
    """Where lines go. What `rtfs run` answers stands on stdout, so lines go to stderr unless this says otherwise."""


def _some(_: object, field: attrs.Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    if not value or not all(value):
        message = f"'{field.name}' names at least one variable, such as [\"LANG\"]"
        raise ValueError(message)


@attrs.frozen(slots=True, kw_only=True)
class VariablesGrant:
    """Of `ccos.system.get-env`."""

    names: tuple[str, ...] = attrs.field(validator=_some)
    """The variables that may be read, each by its whole name."""
