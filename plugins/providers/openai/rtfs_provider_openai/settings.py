"""The settings of the provider `openai`: what a table says, and which keys go where in a session's environment.

Secrets stand in the environment alone: `api_key_env` and `headers_env` name variables. All that chooses whose account
answers is told to the host (`account`), so that nobody is served from memory what another account was answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import attrs
from attrs import validators

from rtfs_framework.api import BadEndpoint, Bytes, read_endpoint
from rtfs_provider_openai.checks import (
    check_addresses,
    check_body,
    check_header_variables,
    check_headers,
    check_variables,
    filled,
)
from rtfs_provider_openai.keys import bare, unsendable

KEY = "OPENAI_API_KEY"
BASE_URL = "OPENAI_BASE_URL"
ACCOUNT = {"OPENAI_ORG_ID": "OpenAI-Organization", "OPENAI_PROJECT_ID": "OpenAI-Project"}
"""Variables that name the vendor's account, and the headers that tell it."""
VENDOR = "https://api.openai.com/v1"
MAX_REPLY = Bytes(16 * 1024 * 1024)
"""Bytes: some hundred times the longest answer that models give."""
LEAST_REPLY, MOST_REPLY = Bytes(1024), Bytes(1024 * 1024 * 1024)


@attrs.frozen(slots=True)
class Place:
    """One endpoint and the key that it is asked with."""

    url: str
    variable: str
    """The environment variable of the key, "" where none is sent."""
    key: str | None = attrs.field(repr=False)
    """"" where none is wanted, None where it is missing."""

    @property
    def vendor(self) -> bool:
        """Tell whether this is OpenAI's own endpoint."""
        return self.url.rstrip("/") == VENDOR


@attrs.frozen(slots=True, kw_only=True)
class OpenAISettings:
    """The keys of a remote provider that is answered by this one."""

    endpoint: str | tuple[str, ...] | None = attrs.field(default=None, validator=check_addresses)
    """The base URL, up to and with `/v1`; without it OPENAI_BASE_URL, else OpenAI's own. A list is asked in turn."""
    model: str = attrs.field(default="gpt-4o-mini", validator=filled)
    """What the server calls the model."""
    api_key_env: str | tuple[str, ...] | None = attrs.field(default=None, validator=check_variables)
    """The *name* of the environment variable with the key; "" for an endpoint that wants none. Without it
    OPENAI_API_KEY, which only OpenAI's own endpoint cannot do without. A list: keys of the one endpoint, in turn, or
    one for each endpoint of a list."""
    api_version: str | None = attrs.field(default=None, validator=validators.optional(filled))
    """Azure's, such as "2024-10-21": then paths and key go out in Azure's shape, and `endpoint` is the resource's."""
    deployment: str | None = attrs.field(default=None, validator=validators.optional(filled))
    """Azure's name of the deployment; without it the model's."""
    temperature: float | Literal["default"] | None = attrs.field(default=None)
    """Instead of the request's; "default" sends none, for models that refuse one."""
    max_tokens: int | None = attrs.field(default=None, validator=validators.optional(validators.ge(1)))
    """Of a reply, at most; the request's own bound, if it is less, goes before it."""
    structured: Literal["auto", "json_schema", "json_object", "tool", "none"] = "auto"
    """How a typed reply is asked for: by its schema, as any JSON object, by a tool call, or by the prompt alone; "auto"
    is the first of these that the server takes."""
    headers: Mapping[str, str] = attrs.field(factory=dict, validator=check_headers)
    """Sent with every request; none that carries a secret."""
    headers_env: Mapping[str, str] = attrs.field(factory=dict, validator=check_header_variables)
    """Headers whose values stand in environment variables: header to *name* of the variable."""
    extra_body: Mapping[str, Any] = attrs.field(factory=dict, validator=check_body)
    """Added to the body of every request."""
    max_reply: Bytes = attrs.field(default=MAX_REPLY, validator=[validators.ge(LEAST_REPLY), validators.le(MOST_REPLY)])
    """Bytes of the largest reply that is read, unpacked."""

    @temperature.validator
    def _temperature(self, attribute: Any, value: float | str | None) -> None:
        if isinstance(value, (int, float)) and not 0 <= value <= 2:
            raise ValueError(f"'{attribute.name}' must lie between 0 and 2: {value}")

    def base_url(self, environ: Mapping[str, str]) -> str:
        """Return the endpoint that is asked, the first of several."""
        return self.base_urls(environ)[0]

    def base_urls(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        """Return all endpoints that are asked."""
        if isinstance(self.endpoint, tuple):
            return self.endpoint
        return (self.endpoint or environ.get(BASE_URL) or VENDOR,)

    def places(self, environ: Mapping[str, str]) -> tuple[Place, ...]:
        """Return all that is asked in turn: endpoints, each with a key."""
        urls = self.base_urls(environ)
        named = self.api_key_env
        names: tuple[str | None, ...] = named if isinstance(named, tuple) else (named,)
        urls, names = urls * (len(names) if len(urls) == 1 else 1), names * (len(urls) if len(names) == 1 else 1)
        return tuple(
            Place(url, KEY if name is None else name, _key(url, name, environ))
            for url, name in zip(urls, names, strict=True)
        )

    def key(self, environ: Mapping[str, str]) -> str | None:
        """Return the key, "" when none is wanted, None when it is missing; the first of several."""
        return self.places(environ)[0].key

    def secret_headers(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the headers whose values stand in the environment, as far as they do."""
        found = {name: bare(environ.get(variable)) for name, variable in self.headers_env.items()}
        return {name: value for name, value in found.items() if value is not None}

    def account(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        """Return what chooses the account that answers: addresses, keys, headers, at the vendor the organisation."""
        named = {f"header {name.lower()}": value for name, value in self.secret_headers(environ).items()}
        for number, place in enumerate(self.places(environ)):
            if not place.key and not named:
                continue
            mark = f" {number + 1}" if number else ""
            named |= {f"url{mark}": place.url, f"key{mark}": place.key or ""}
            if place.vendor:
                named |= {name: environ.get(name, "") for name in ACCOUNT}
        return named

    def unusable(self, environ: Mapping[str, str]) -> str | None:
        """Return why the provider cannot be asked and the way out, None when it can."""
        return next(filter(None, self._wrong(environ)), None)

    def _wrong(self, environ: Mapping[str, str]) -> Iterator[str | None]:
        try:
            read_endpoint(self.base_url(environ))  # those of the settings were read when they were made
        except BadEndpoint as error:
            yield f"the address in the environment variable {BASE_URL} {error}"
        for place in self.places(environ):
            if place.key is None:
                yield (
                    f"the environment variable {place.variable} is not set; set it to your key, "
                    'or configure an endpoint that needs none (api_key_env = "")'
                )
            why = unsendable(place.key or "") if place.key else None
            if why is not None:
                yield f"the key in the environment variable {place.variable} {why}; set it anew"
        for name, variable in self.headers_env.items():
            value = bare(environ.get(variable))
            if value is None:
                yield f"the environment variable {variable} is not set; set it to the value of the header {name}"
            elif unsendable(value) is not None:
                yield f"the value in the environment variable {variable} {unsendable(value)}; set it anew"


def _key(url: str, name: str | None, environ: Mapping[str, str]) -> str | None:
    """Return the key for an endpoint, "" when none is wanted, None when it is missing."""
    if name == "":
        return ""
    key = bare(environ.get(name or KEY))
    return "" if key is None and name is None and url.rstrip("/") != VENDOR else key
