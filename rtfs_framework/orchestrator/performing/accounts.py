"""Whose account asks: what a provider's settings say of it that its plug-in does not say itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

import attrs

from rtfs_framework.api.settings import variables_of


def are_texts(found: object) -> TypeGuard[Mapping[str, str]]:
    """Tell whether this maps texts to texts."""
    return isinstance(found, Mapping) and all(isinstance(text, str) for entry in found.items() for text in entry)


def of_variables(own: Any, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the values of the variables that settings named `*_env` name, and the endpoint where there are any."""
    fields = attrs.fields(type(own)) if own is not None and attrs.has(type(own)) else ()
    named = {each.name: getattr(own, each.name) for each in fields if each.name.endswith("_env")}
    found = {
        name if variable == value else f"{name} {variable}": environ[variable]
        for name, value in named.items()
        for variable in variables_of(value)
        if environ.get(variable)
    }
    where = endpoint(own)
    return {**found, "endpoint": str(where)} if found and where else found


def endpoint(own: Any) -> str | None:
    """Return the address that settings name, None when they name none."""
    found = getattr(own, "endpoint", None) or getattr(own, "base_url", None)
    return found if isinstance(found, str) else None
