"""What a client takes from its surroundings: from the session's environment alone, never from the process's.

In: the session's variables and the endpoint. Out: the proxy, the certificates that are trusted, and the account's
headers. The libraries below would read all of that from the process; the client is made so that they do not.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import httpx2

from rtfs_framework.api import proxy_variable
from rtfs_provider_openai.settings import ACCOUNT


class SurroundingsError(Exception):
    """A variable whose value cannot be used; the message names the variable."""


def proxy_for(url: httpx2.URL, environ: Mapping[str, str]) -> httpx2.Proxy | None:
    """Return the proxy through which an address is reached, None when directly.

    Raises:
        SurroundingsError: The variable holds no address of a proxy.
    """
    found = proxy_variable(url.scheme, url.host, url.port, environ.get)
    if found is None:
        return None
    name, value = found
    try:
        return httpx2.Proxy(value if "://" in value else f"http://{value}")
    except (ValueError, httpx2.InvalidURL) as error:
        raise SurroundingsError(f"the environment variable {name} holds no address of a proxy") from error


def trusted(url: httpx2.URL, environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return the certificates that are trusted: SSL_CERT_FILE's and SSL_CERT_DIR's, else the system's.

    Raises:
        SurroundingsError: What a variable names cannot be read.
    """
    file, folder = environ.get("SSL_CERT_FILE") or None, environ.get("SSL_CERT_DIR") or None
    if url.scheme != "https" and not file and not folder and proxy_for(url, environ) is None:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # nothing will be verified, so nothing is loaded
    if not file and not folder:
        return httpx2.create_ssl_context(trust_env=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(file, folder)
    except (OSError, ssl.SSLError) as error:
        names = " or ".join(name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if environ.get(name))
        raise SurroundingsError(f"the environment variable {names} names no certificates: {error}") from error
    return context


def account(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that name the vendor's account: organisation and project.

    Raises:
        SurroundingsError: A variable's value cannot stand in a header.
    """
    found = {}
    for variable, header in ACCOUNT.items():
        value = (environ.get(variable) or "").strip()
        if not value:
            continue
        if not value.isascii() or not value.isprintable():
            raise SurroundingsError(f"the environment variable {variable} holds what cannot stand in a header")
        found[header] = value
    return found
