"""What this distribution offers to rtfs_framework. Imports nothing heavy: the client comes when a store is made."""

from __future__ import annotations

import attrs
from attrs import validators

from rtfs_framework.api import Seconds, Store, StoreEntry, StoreFaults, StoreSettings, hookimpl, plausible

rtfs_api_version = 2

DISTRIBUTION = "rtfs-store-s3"


@attrs.frozen(slots=True, kw_only=True)
class S3Settings:
    """The keys of a table of this store. Credentials stand in the environment alone: `*_env` name variables."""

    bucket: str | None = None
    """Its name; it must be there."""
    prefix: str = ""
    """What the keys of this store begin with, without slashes around it."""
    endpoint: str | None = None
    """Where it is, unless at Amazon: `https://s3.example:9000`."""
    region: str = "us-east-1"
    """Of the bucket."""
    key_id_env: str = "AWS_ACCESS_KEY_ID"
    """The variable with the access key; "" for a bucket that everybody may read."""
    secret_env: str = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a variable
    """The variable with the secret key."""
    session_token_env: str | None = None
    """The variable with the token of credentials that end."""
    virtual_host: bool = False
    """Whether the bucket is part of the server's name and not of the path."""
    read_only: bool = False
    """Whether nothing is ever written."""
    timeout: Seconds = attrs.field(
        default=Seconds(30.0), validator=[validators.gt(Seconds(0.0))], metadata=plausible(0.1, 3_600)
    )
    """Seconds for one request."""
    retries: int = attrs.field(default=2, validator=[validators.ge(0), validators.le(10)])
    """How often it is asked again after a failure that may pass."""


@hookimpl
def rtfs_stores() -> list[StoreEntry]:
    """Offer the store `s3`."""
    return [
        StoreEntry(
            name="s3",
            summary="A bucket of S3, or of any server that speaks its protocol.",
            factory=_make,
            settings=S3Settings,
        )
    ]


def _make(settings: StoreSettings) -> Store:
    from rtfs_store_s3.store import S3Store

    own = settings.own or S3Settings()
    return S3Store(own, StoreFaults(DISTRIBUTION, settings.name), settings.environ)
