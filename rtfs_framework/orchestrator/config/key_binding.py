"""Which keys go where: a key from the environment goes only to the hosts that it is bound to.

A variable is bound by the vendor's plugin (`ProviderEntry.keys`), by the user's own word (a provider whose endpoint and
key both come from their file, `--config` or a variable; the table `[keys]`), and by nothing else. A configuration that
was found may, once it is trusted, use a key that is not bound at all; it can never send a bound one elsewhere. A
provider whose settings do not say where it asks gets the keys that its plugin names itself (`keys`, the defaults of its
settings) and those that the user's own word gives the plugin. No key goes over plain http, except to this machine.

It is enforced here, not in the plugins: a provider gets an environment in which the keys are missing that must not go
to its host, and all that is named like a secret and that neither its settings (`*_env`) nor its entry names. So no
plugin can forget to ask.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.endpoints import BadEndpoint, Endpoint, read_endpoint
from rtfs_framework.api.settings import variables_of
from rtfs_framework.registry.faults import is_theirs

if TYPE_CHECKING:
    from rtfs_framework.api.provider import ProviderEntry
    from rtfs_framework.orchestrator.config.model import Config, ProviderSpec
    from rtfs_framework.registry.catalog import Catalog

SECRET = re.compile(
    r"""(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$  # also as the end of a word: APIKEY
    |(?<![A-Z0-9])(API)?
        (KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PASS|CREDENTIAL|CRED|PAT|JWT|COOKIE|WEBHOOK|DSN)S?\d*(?![A-Z0-9])
    |[^A-Z0-9](PWD|AUTH)\d*$  # PWD alone is a folder
    |(DATABASE|DB|REDIS|MONGO|MONGODB|PG|POSTGRES|POSTGRESQL|MYSQL|JDBC|AMQP|RABBITMQ|BROKER)_UR[IL](?![A-Z0-9])
    |CONN(ECTION)?_?STR(ING)?(?![A-Z0-9])""",
    re.IGNORECASE | re.VERBOSE,
)
"""How variables are called that hold what nobody else should know: a word anywhere, addresses that hold passwords."""
_ENDPOINTS = ("endpoint", "base_url")
_AS_WRITTEN = frozenset(("merged", "tables", "notices"))
"""Fields of a configuration that hold texts, as they were read, of what others say."""
_UNREADABLE = Endpoint("http", "an address that cannot be read", 80)


@attrs.frozen(slots=True)
class Surroundings:
    """What one provider may see of the environment, and why it cannot be asked, if a key that it names is missing."""

    environ: Mapping[str, str] = attrs.field(repr=False)
    withheld: Mapping[str, str]
    """Variables that it is not given, and why."""
    refusal: str | None = None


def bindings(
    specs: Iterable[ProviderSpec], keys: Mapping[str, Iterable[str]], catalog: Catalog, environ: Mapping[str, str]
) -> dict[str, frozenset[str]]:
    """Return the variables that are bound, each with the origins that its key may go to.

    `specs` and `keys` are what the user's own configuration says without any file that was found: what such a file
    adds binds nothing, and what it changes unbinds nothing. Where settings do not say where a provider asks, a key that
    they name is bound to the plugin.
    """
    found: dict[str, set[str]] = {}
    for entry, _ in catalog.providers.values():
        for variable, url in entry.keys.items():
            found.setdefault(variable, set()).update(_origins([url]))
    for spec in specs:
        places = endpoints_of(spec, environ)
        for variable, key in _wanted(spec, catalog.provider_of(spec.plugin)[0]):
            if places:
                found.setdefault(variable, set()).update(where.origin for where in places)
            elif key in spec.table and spec.directory is not None:  # said by the user, not by a plugin's defaults
                found.setdefault(variable, set()).add(_plugin(spec))
    for variable, texts in keys.items():
        found.setdefault(variable, set()).update(_origins(texts))
    return {variable: frozenset(origins) for variable, origins in found.items()}


def surroundings(
    spec: ProviderSpec, entry: ProviderEntry, bound: Mapping[str, frozenset[str]], environ: Mapping[str, str]
) -> Surroundings:
    """Return what a provider may see."""
    places = endpoints_of(spec, environ)
    wanted = dict(_wanted(spec, entry))
    withheld: dict[str, str] = {}
    secrets = filter(SECRET.search, environ)
    for variable in dict.fromkeys((*wanted, *entry.keys, *bound, *secrets)):
        if variable in wanted or variable in entry.keys:
            origins = bound.get(variable)
            asked = (_why_not(variable, where, origins) for where in places)
            why = next(filter(None, asked), None) if places else _unsaid(variable, spec, entry, origins)
        else:
            why = "is named by none of its settings"
        if why is not None:
            withheld[variable] = why
    named = [variable for variable, key in wanted.items() if key is not None and variable in withheld]
    refusal = f"the key in {named[0]} {withheld[named[0]]}" if named else None
    seen = {name: value for name, value in environ.items() if name not in withheld}
    return Surroundings(seen, withheld, refusal)


def endpoint_of(spec: ProviderSpec, environ: Mapping[str, str]) -> Endpoint | None:
    """Return where a provider's requests go, as far as its settings say; of several places, the first."""
    return next(iter(endpoints_of(spec, environ)), None)


def endpoints_of(spec: ProviderSpec, environ: Mapping[str, str]) -> tuple[Endpoint, ...]:
    """Return all places where a provider's requests go, as far as its settings say."""
    return tuple(map(_read, base_urls_of(spec, environ)))


def base_url_of(spec: ProviderSpec, environ: Mapping[str, str]) -> str | None:
    """Return the base URL that a provider's settings say, of several the first."""
    return next(iter(base_urls_of(spec, environ)), None)


def base_urls_of(spec: ProviderSpec, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what settings say by `base_urls(environ)`, by `base_url(environ)`, or by a field."""
    many, one = getattr(spec.own, "base_urls", None), getattr(spec.own, "base_url", None)
    try:
        if callable(many):
            found = many(environ)
        elif callable(one):
            found = one(environ)
        else:
            found = next(filter(None, (getattr(spec.own, name, None) for name in _ENDPOINTS)), None)
        texts = list(found) if isinstance(found, tuple | list) else [found]
    except BaseException as error:  # a plugin's own code; whoever uses the provider meets it again
        if not is_theirs(error):
            raise
        return ()
    return tuple(text for text in texts if isinstance(text, str))


def _read(text: str) -> Endpoint:
    try:
        return read_endpoint(text)
    except BadEndpoint:
        return _UNREADABLE  # a client may read it in its own way


def _plugin(spec: ProviderSpec) -> str:
    """Return what a key is bound to that goes to a plugin whose settings do not say where it asks."""
    return f"the plugin {spec.plugin}"


def _usual(entry: ProviderEntry) -> Iterator[str]:
    """Yield the variables with keys that a plugin names by its defaults."""
    for field in () if entry.settings is None else attrs.fields(entry.settings):
        if field.name.endswith("_env"):
            yield from (str(table[field.name]) for table in entry.defaults.values() if field.name in table)
            if isinstance(field.default, str):
                yield field.default


def _unsaid(variable: str, spec: ProviderSpec, entry: ProviderEntry, origins: frozenset[str] | None) -> str | None:
    """Return why a key must not go to a plugin whose settings do not say where it asks, None when it may."""
    if variable in entry.keys or variable in _usual(entry) or _plugin(spec) in (origins or ()):
        return None
    return (
        f"is not bound to {_plugin(spec)}, whose settings do not say where it asks; "
        f"if it shall have {variable}, name it in this provider's table in your own configuration"
    )


def _why_not(variable: str, where: Endpoint, origins: frozenset[str] | None) -> str | None:
    """Return why a key that a provider would send must not go where it asks, None when it may."""
    if not where.keeps_secrets:
        return f"does not go to {where.origin}: no key goes over plain http, except to this machine; use https"
    if origins is None or where.origin in origins:
        return None
    bound = ", ".join(sorted(origins))
    return (
        f"is bound to {bound} and does not go to {where.origin}; if it shall, say so in your own configuration: "
        f'[keys] {variable} = "{where.origin}"'
    )


def names_key(spec: ProviderSpec) -> bool:
    """Tell whether one of a provider's settings names a variable with a key."""
    fields = () if spec.own is None else attrs.fields(type(spec.own))
    return any(each.name.endswith("_env") and any(variables_of(getattr(spec.own, each.name, None))) for each in fields)


def _wanted(spec: ProviderSpec, entry: ProviderEntry) -> Iterator[tuple[str, str | None]]:
    """Yield the variables whose keys a provider would send, each with the setting that names it, if one does."""
    fields = () if spec.own is None else attrs.fields(type(spec.own))
    named = {each.name: getattr(spec.own, each.name, None) for each in fields if each.name.endswith("_env")}
    yield from ((variable, name) for name, value in named.items() for variable in variables_of(value))
    if not any(isinstance(value, str | tuple | list) for value in named.values()):  # a table names what else is sent
        yield from ((variable, None) for variable in entry.keys)


def secrets_of(config: Config, environ: Mapping[str, str]) -> list[str]:
    """Return what must never be written.

    That is the values of the variables that settings named `*_env` point to, of plug-ins of every kind, and of all that
    are named like secrets.
    """
    named = set(filter(SECRET.search, environ))
    named.update(each.partition(":")[2] for each in config.journal.encrypt if each.startswith("env:"))
    for field in attrs.fields(type(config)):
        if field.name not in _AS_WRITTEN:
            named.update(_variables_in(getattr(config, field.name)))
    return [environ[name] for name in sorted(named) if environ.get(name)]


def _variables_in(part: Any) -> Iterator[str]:
    """Yield the variables that settings `*_env` name, in a part of a configuration and all that is within it."""
    if isinstance(part, Mapping):
        part = tuple(part.values())
    if isinstance(part, tuple | list):
        for each in part:
            yield from _variables_in(each)
    elif attrs.has(type(part)):
        for field in attrs.fields(type(part)):
            value = getattr(part, field.name)
            yield from variables_of(value) if field.name.endswith("_env") else _variables_in(value)


def _origins(texts: Iterable[str]) -> Iterator[str]:
    """Yield the origins that texts name; what names none binds to nothing."""
    for text in texts:
        try:
            yield host_of(text).origin
        except BadEndpoint:  # noqa: PERF203 - a few
            continue


def host_of(text: str) -> Endpoint:
    """Return the server that a text of `[keys]` names: a URL, or a host that is asked over https.

    Raises:
        BadEndpoint: It names none.
    """
    return read_endpoint(text if "://" in text else f"https://{text}")
