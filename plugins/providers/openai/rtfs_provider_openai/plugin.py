"""What this distribution offers to rtfs_framework. The vendor's client, slow to import, comes with first use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs
from attrs import validators

from rtfs_framework.api import (
    BadEndpoint,
    Bytes,
    Locality,
    ModelProvider,
    ProviderEntry,
    ProviderSettings,
    hookimpl,
    http_url,
    read_endpoint,
)
from rtfs_provider_openai.keys import bare, unsendable

rtfs_api_version = 2

KEY = "OPENAI_API_KEY"
BASE_URL = "OPENAI_BASE_URL"
ACCOUNT = {"OPENAI_ORG_ID": "OpenAI-Organization", "OPENAI_PROJECT_ID": "OpenAI-Project"}
"""Variables that name the vendor's account, and the headers that tell it."""
VENDOR = "https://api.openai.com/v1"
MAX_REPLY = Bytes(16 * 1024 * 1024)
"""Bytes: some hundred times the longest answer that models give."""
LEAST_REPLY, MOST_REPLY = Bytes(1024), Bytes(1024 * 1024 * 1024)


def _filled(_: Any, attribute: Any, value: str) -> None:
    if not value.strip():
        raise ValueError(f"'{attribute.name}' must not be empty")


def _variable(_: Any, attribute: Any, value: str | None) -> None:
    if value and not value.isidentifier():
        raise ValueError(f"'{attribute.name}' must be the name of an environment variable, never a key")


@attrs.frozen(slots=True, kw_only=True)
class OpenAISettings:
    """The keys of a remote provider that is answered by this one."""

    endpoint: str | None = attrs.field(default=None, validator=http_url)
    """The base URL, up to and with `/v1`; without it OPENAI_BASE_URL, else OpenAI's own."""
    model: str = attrs.field(default="gpt-4o-mini", validator=_filled)
    api_key_env: str | None = attrs.field(default=None, validator=_variable)
    """The *name* of the environment variable with the key; "" for an endpoint that wants none. Without it
    OPENAI_API_KEY, which only OpenAI's own endpoint cannot do without."""
    temperature: float | Literal["default"] | None = attrs.field(default=None)
    """Instead of the request's; "default" sends none, for models that refuse one."""
    max_tokens: int | None = attrs.field(default=None, validator=validators.optional(validators.ge(1)))
    structured: Literal["auto", "json_schema", "json_object", "tool", "none"] = "auto"
    """How a typed reply is asked for: by its schema, as any JSON object, by a tool call, or by the prompt alone; "auto"
    is the first of these that the server takes."""
    max_reply: Bytes = attrs.field(default=MAX_REPLY, validator=[validators.ge(LEAST_REPLY), validators.le(MOST_REPLY)])
    """Bytes of the largest reply that is read, unpacked."""

    @temperature.validator
    def _temperature(self, attribute: Any, value: float | str | None) -> None:
        if isinstance(value, (int, float)) and not 0 <= value <= 2:
            raise ValueError(f"'{attribute.name}' must lie between 0 and 2: {value}")

    def base_url(self, environ: Mapping[str, str]) -> str:
        """Return the endpoint that is asked."""
        return self.endpoint or environ.get(BASE_URL) or VENDOR

    def key(self, environ: Mapping[str, str]) -> str | None:
        """Return the key, "" when none is wanted, None when it is missing."""
        if self.api_key_env == "":
            return ""
        key = bare(environ.get(self.api_key_env or KEY))
        if key is None and self.api_key_env is None and self.base_url(environ).rstrip("/") != VENDOR:
            return ""
        return key

    def account(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        """Return what chooses the account that answers: address, key, and at the vendor organisation and project."""
        url, key = self.base_url(environ), self.key(environ)
        if not key:
            return {}
        named = {"url": url, "key": key}
        if url.rstrip("/") == VENDOR:
            named |= {name: environ.get(name, "") for name in ACCOUNT}
        return named

    def unusable(self, environ: Mapping[str, str]) -> str | None:
        """Return why the provider cannot be asked and the way out, None when it can."""
        try:
            read_endpoint(self.base_url(environ))
        except BadEndpoint as error:
            return f"the address in the environment variable {BASE_URL} {error}"
        key = self.key(environ)
        variable = self.api_key_env or KEY
        if key is not None:
            why = unsendable(key)
            return None if why is None else f"the key in the environment variable {variable} {why}; set it anew"
        return (
            f"the environment variable {variable} is not set; set it to your key, "
            'or configure an endpoint that needs none (api_key_env = "")'
        )


@hookimpl
def rtfs_providers() -> list[ProviderEntry]:
    """Offer the provider `openai`, with an instance of the same name that needs only a key."""
    return [
        ProviderEntry(
            name="openai",
            summary="Any endpoint that speaks the OpenAI protocol, through the official client.",
            locality=Locality.REMOTE,
            factory=_make,
            settings=OpenAISettings,
            batch=True,
            chat=True,
            keys={KEY: VENDOR},
            defaults={"openai": {}},
        )
    ]


def _make(settings: ProviderSettings) -> ModelProvider:
    from rtfs_provider_openai.provider import OpenAIProvider

    return OpenAIProvider(settings)
