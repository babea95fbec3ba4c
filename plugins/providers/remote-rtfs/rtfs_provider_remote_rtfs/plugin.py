"""What this distribution offers to rtfs_framework. The HTTP client, slow to import, comes with first use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from attrs import validators

from rtfs_framework.api import (
    MOST_HOPS,
    Bytes,
    Locality,
    ModelProvider,
    ProviderEntry,
    ProviderSettings,
    hookimpl,
    http_url,
    read_endpoint,
)

rtfs_api_version = 2

MAX_REPLY = Bytes(16 * 1024 * 1024)
_LEAST_REPLY, _MOST_REPLY = Bytes(1024), Bytes(1024 * 1024 * 1024)
_HOPS = 4


def _safe(_: Any, attribute: Any, value: str) -> None:
    http_url(_, attribute, value)
    if not read_endpoint(value).keeps_secrets:
        raise ValueError(f"'{attribute.name}' must begin with https://: plain http goes to this machine alone")


def _variable(_: Any, attribute: Any, value: str | None) -> None:
    if value is not None and not value.isidentifier():
        raise ValueError(f"'{attribute.name}' must be the name of an environment variable, never a token")


def _filled(_: Any, attribute: Any, value: str | None) -> None:
    if value is not None and not value.strip():
        raise ValueError(f"'{attribute.name}' must not be empty")


@attrs.frozen(slots=True, kw_only=True)
class RemoteSettings:
    """The keys of a remote provider that is another RTFS host."""

    endpoint: str = attrs.field(validator=_safe)
    """Its address, without `/v1`."""
    token_env: str | None = attrs.field(default=None, validator=_variable)
    """The *name* of the environment variable with the token; without it, none is sent."""
    ca_file: str | None = attrs.field(default=None, validator=_filled)
    """Certificates that are trusted instead of the system's, relative to the configuration. There is no way to trust
    any certificate."""
    hops: int = attrs.field(default=_HOPS, validator=[validators.ge(1), validators.le(MOST_HOPS)])
    """How many hosts a request that begins here may pass, this one included."""
    max_reply: Bytes = attrs.field(
        default=MAX_REPLY, validator=[validators.ge(_LEAST_REPLY), validators.le(_MOST_REPLY)]
    )
    """Bytes of the largest reply that is read."""

    def token(self, environ: Mapping[str, str]) -> str:
        """Return the token, "" when none is sent or it is not set."""
        return "" if self.token_env is None else environ.get(self.token_env, "").strip()

    def account(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        """Return what chooses the tenant that asks: address and token."""
        token = self.token(environ)
        return {"url": self.endpoint, "token": token} if token else {}

    def unusable(self, environ: Mapping[str, str]) -> str | None:
        """Return why the host cannot be asked and the way out, None when it can."""
        if self.token_env is None:
            return None
        token = self.token(environ)
        if not token:
            return f"the environment variable {self.token_env} is not set; set it to the token that the host gave you"
        if not (token.isascii() and token.isprintable() and " " not in token):
            return f"the token in the environment variable {self.token_env} cannot stand in a header; set it anew"
        return None


@hookimpl
def rtfs_providers() -> list[ProviderEntry]:
    """Offer the provider `remote-rtfs`."""
    return [
        ProviderEntry(
            name="remote-rtfs",
            summary="Another RTFS host, which answers by a policy of its own.",
            locality=Locality.REMOTE,
            factory=_make,
            settings=RemoteSettings,
            travels=True,
            idempotent=True,
        )
    ]


def _make(settings: ProviderSettings) -> ModelProvider:
    from rtfs_provider_remote_rtfs.provider import RemoteProvider

    return RemoteProvider(settings)
