"""A process whose environment nobody should listen to: what a session is not given, it must not hear.

with poisoned_environment():
...  # proxies, keys, endpoints and certificates of the process lead nowhere
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

NOBODY = "http://127.0.0.1:9"
"""An address at which nobody listens (the port of `discard`)."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
POISON: Mapping[str, str | None] = {
    **dict.fromkeys(_PROXIES, NOBODY),
    "NO_PROXY": None,
    "no_proxy": None,
    "OPENAI_API_KEY": "sk-of-the-process",
    "OPENAI_ADMIN_KEY": "sk-of-the-process",
    "OPENAI_ORG_ID": "org-of-the-process",
    "OPENAI_PROJECT_ID": "project-of-the-process",
    "OPENAI_BASE_URL": f"{NOBODY}/v1",
    "OPENAI_CUSTOM_HEADERS": "X-Evil: of-the-process\nAuthorization: Bearer of-the-process\nX-é: ü",
    "SSL_CERT_FILE": "/no/such/file/of-the-process",
    "SSL_CERT_DIR": "/no/such/folder/of-the-process",
}
"""Variables and their values; None takes one away."""


@contextmanager
def poisoned_environment(more: Mapping[str, str | None] = {}) -> Iterator[None]:
    """Poison the environment of this process for a while; `more` are further variables."""
    poison = {**POISON, **more}
    before = {name: os.environ.get(name) for name in poison}
    _put(poison)
    try:
        yield
    finally:
        _put(before)


def _put(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
