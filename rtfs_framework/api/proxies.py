"""Which proxy leads to a server, by the variables that all clients know (HTTPS_PROXY, NO_PROXY and the like).

In: where a request goes, and what reads one variable of the host's environment. Out: the variable that names a proxy,
with its value, or None where the server is asked directly. The libraries below would read the process's environment,
which is not the session's.
"""

from __future__ import annotations

from collections.abc import Callable

_PORTS = {"http": 80, "https": 443}

Read = Callable[[str], "str | None"]


def proxy_variable(scheme: str, host: str, port: int | None, read: Read) -> tuple[str, str] | None:
    """Return the variable that names the proxy for a server, and its value without blanks around it."""
    name = next((name for name in _names(scheme, read) if read(name)), None)
    if name is None or _bypassed(scheme, host, port, read("no_proxy") or read("NO_PROXY") or ""):
        return None
    return name, (read(name) or "").strip()


def _names(scheme: str, read: Read) -> tuple[str, ...]:
    if scheme == "http" and read("REQUEST_METHOD") is not None:  # a CGI script: HTTP_PROXY is a header of whoever asks
        return ("http_proxy", "all_proxy", "ALL_PROXY")
    return (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")


def _bypassed(scheme: str, host: str, port: int | None, names: str) -> bool:
    """Tell whether NO_PROXY names a host: by its name, a domain that it is in, or either with its port."""
    host = host.lower().rstrip(".")
    for word in names.lower().replace(",", " ").split():
        name, _, only = word.partition(":") if word.count(":") == 1 else (word.strip("[]"), "", "")
        domain = name.removeprefix("*").strip(".")
        known = name == "*" or (domain != "" and (host == domain or host.endswith(f".{domain}")))
        if known and (not only or only == str(port or _PORTS.get(scheme))):
            return True
    return False
