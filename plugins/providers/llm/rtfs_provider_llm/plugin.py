"""What this distribution offers to rtfs_framework. The package `llm`, slow to import, comes with first use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

import attrs
from attrs import validators

from rtfs_framework.api import Locality, ModelProvider, ProviderEntry, ProviderSettings, hookimpl

rtfs_api_version = 2


def _filled(_: Any, attribute: Any, value: str) -> None:
    if not value.strip():
        raise ValueError(f"'{attribute.name}' must not be empty")


def _variable(_: Any, attribute: Any, value: str | None) -> None:
    if value and not value.isidentifier():
        raise ValueError(f"'{attribute.name}' must be the name of an environment variable, never a key")


def _plain(_: Any, attribute: Any, value: Mapping[str, Any]) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError(f"'{attribute.name}' holds what JSON cannot hold, such as a date") from None


@attrs.frozen(slots=True, kw_only=True)
class LlmSettings:
    """The keys of a provider that is answered by this one."""

    model: str = attrs.field(validator=_filled)
    """The id or an alias of a model, as `llm models` lists them."""
    api_key_env: str | None = attrs.field(default=None, validator=_variable)
    """The *name* of the environment variable with the key; keys that llm has stored are not used."""
    options: Mapping[str, Any] = attrs.field(factory=dict, validator=_plain)
    """Options of the model, as `llm -o` takes them."""
    temperature: float | Literal["default"] | None = attrs.field(default=None)
    """Instead of the request's; "default" sends none. A model without such an option gets none."""
    max_tokens: int | None = attrs.field(default=None, validator=validators.optional(validators.ge(1)))
    """Of a reply, at most; the request's own bound, if it is less, goes before it."""
    structured: Literal["auto", "none"] = "auto"
    """How a typed reply is asked for: by its schema where the model takes one, or by the prompt alone."""

    @temperature.validator
    def _temperature(self, attribute: Any, value: float | str | None) -> None:
        if isinstance(value, (int, float)) and not 0 <= value <= 2:
            raise ValueError(f"'{attribute.name}' must lie between 0 and 2: {value}")

    def key(self, environ: Mapping[str, str]) -> str | None:
        """Return the key, None when there is none."""
        return (environ.get(self.api_key_env or "") or "").strip() or None

    def unusable(self, environ: Mapping[str, str]) -> str | None:
        """Return why the provider cannot be asked and the way out, None when it can."""
        if not self.api_key_env or self.key(environ) is not None:
            return None
        return f"the environment variable {self.api_key_env} is not set; set it to your key"


def _said(_: Any, attribute: Any, value: bool) -> None:
    if value is not True:
        raise ValueError(f"'{attribute.name}' must be true: a model that runs elsewhere is one of the provider 'llm'")


@attrs.frozen(slots=True, kw_only=True)
class LocalSettings(LlmSettings):
    """The same for a model that runs on this machine."""

    local: bool = attrs.field(validator=_said)
    """You say so: nobody else can know where a plug-in of llm lets a model run, and marked data goes there."""

    def __attrs_post_init__(self) -> None:
        if self.api_key_env is not None:
            raise ValueError("'api_key_env' is of models that run elsewhere; those are of the provider 'llm'")


@hookimpl
def rtfs_providers() -> list[ProviderEntry]:
    """Offer the providers `llm` and `llm-local`."""
    return [
        ProviderEntry(
            name="llm-local",
            summary="Models of simonw/llm's plug-ins that run on this machine.",
            locality=Locality.LOCAL,
            factory=_make,
            settings=LocalSettings,
            batch=True,
            chat=True,
        ),
        ProviderEntry(
            name="llm",
            summary="Every model that an installed plug-in of simonw/llm offers.",
            locality=Locality.REMOTE,
            factory=_make,
            settings=LlmSettings,
            batch=True,
            chat=True,
        ),
    ]


def _make(settings: ProviderSettings) -> ModelProvider:
    from rtfs_provider_llm.provider import LlmProvider

    return LlmProvider(settings)
