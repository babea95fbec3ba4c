"""The client of a bucket, made of the settings and of the variables that they name, and what its errors mean.

It is obstore (Apache's object_store in Rust): conditional writes, lists page by page, bounded time-outs and retries.
In: the settings of a store. Out: the client, or a PluginError. No word of a server reaches an error but the code of
S3's that it gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store as Bucket

from rtfs_framework.api import BadEndpoint, PluginError, StoreFaults, proxy_variable, read_endpoint

if TYPE_CHECKING:
    from obstore.store import ClientConfig

    from rtfs_store_s3.plugin import S3Settings

_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")
_STATUS = re.compile(r"status code: ([0-9]{3})\b")
_NO_BUCKET, _NOT_DONE = "NoSuchBucket", "NotImplemented"
_AMAZON = "https://s3.amazonaws.com"
_FIRST_PAUSE, _MOST_PAUSE = timedelta(milliseconds=100), timedelta(seconds=2)

Environ = Callable[[str], "str | None"]


def bucket_of(own: S3Settings, faults: StoreFaults, environ: Environ) -> Bucket:
    """Return the client; nothing is asked yet.

    Raises:
        PluginError: A setting or a variable cannot be used (E0821).
    """
    if not own.bucket:
        raise faults.refused("its table names no bucket", "add `bucket`")
    options: ClientConfig = {
        "allow_http": (own.endpoint or "").startswith("http://"),
        "connect_timeout": timedelta(seconds=own.timeout),
        "timeout": timedelta(seconds=own.timeout),
    }
    proxy = _proxy(own, faults, environ)
    if proxy is not None:
        options["proxy_url"] = proxy
    place: dict[str, Any] = {} if own.endpoint is None else {"endpoint": own.endpoint.rstrip("/")}
    try:
        return Bucket(
            own.bucket,
            prefix=own.prefix.strip("/") or None,
            region=own.region,
            virtual_hosted_style_request=own.virtual_host,
            client_options=options,
            retry_config={
                "max_retries": own.retries,
                "retry_timeout": timedelta(seconds=own.timeout * (own.retries + 1)),
                "backoff": {"init_backoff": _FIRST_PAUSE, "max_backoff": _MOST_PAUSE, "base": 2},
            },
            **place,
            **_credentials(own, faults, environ),
        )
    except (BaseError, ValueError) as error:
        raise faults.refused(
            "its client cannot be made from its table", "see `bucket`, `endpoint`, `region`"
        ) from error


def code_of(error: Exception) -> str:
    """Return the code of S3's, or the status, that a server gave; empty where it gave none."""
    found = _CODE.search(str(error))
    return found[1] if found is not None else _status_of(error)


def _status_of(error: Exception) -> str:
    found = _STATUS.search(str(error))
    return found[1] if found is not None else ""


def cannot_create(error: Exception) -> bool:
    """Tell whether a server refused a write because it may be made only where nothing is."""
    return code_of(error) in {_NOT_DONE, "501"}


@contextmanager
def told(own: S3Settings, faults: StoreFaults) -> Iterator[None]:
    """Turn what the client raises into errors of a store."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise _fault(own, faults, error) from error


def _fault(own: S3Settings, faults: StoreFaults, error: Exception) -> PluginError:
    code = code_of(error)
    if code == _NO_BUCKET:
        return faults.refused(f"there is no bucket {own.bucket!r}", "make it, or correct `bucket` or `endpoint`")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError) or _status_of(error) in {"401", "403"}:
        names = ", ".join(name for name in (own.key_id_env, own.secret_env) if name) or "none are sent"
        way_out = f"see that the credentials ({names}) are right and may do this"
        return faults.refused(f"the bucket {own.bucket!r} does not let it in ({code or 'no reason given'})", way_out)
    way_out = "see that the server is there and that `endpoint` and `region` are right"
    reason = f"it answers {code}" if code else "no answer in time, or the connection failed"
    return faults.unreachable(f"the bucket {own.bucket!r} at {own.endpoint or _AMAZON}: {reason}", way_out)


def _credentials(own: S3Settings, faults: StoreFaults, environ: Environ) -> dict[str, Any]:
    if not own.key_id_env:
        return {"skip_signature": True}
    named = {"access_key_id": own.key_id_env, "secret_access_key": own.secret_env}
    if own.session_token_env:
        named["session_token"] = own.session_token_env
    found = {key: (environ(variable) or "").strip() for key, variable in named.items()}
    for key, value in found.items():
        if not value:
            way_out = 'set it, or name another one; `key_id_env = ""` is for a bucket that everybody may read'
            raise faults.refused(f"the environment variable {named[key]!r} is not set", way_out)
    return found


def _proxy(own: S3Settings, faults: StoreFaults, environ: Environ) -> str | None:
    try:
        where = read_endpoint(own.endpoint or _AMAZON)
    except BadEndpoint as error:
        raise faults.refused(f"its `endpoint` {error}", "such as https://s3.example:9000") from None
    found = proxy_variable(where.scheme, where.host, where.port, environ)
    return None if found is None else found[1] if "://" in found[1] else f"http://{found[1]}"
