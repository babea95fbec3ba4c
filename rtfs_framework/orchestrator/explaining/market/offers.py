"""The capabilities of a host as a person looks at them: who offers one, how it is called, what it does, what grants it.

In: a host. Out: an `Offer` for each capability. Nothing is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.lang.check.contracts import Contract
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.orchestrator.config.security import WAITS, SecurityLevel

if TYPE_CHECKING:
    from rtfs_framework.api.capability import CapabilityEntry
    from rtfs_framework.api.settings import SettingsSchema
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.deciding.security import SecurityAuthorizer
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.registry.problems import Provenance


@attrs.frozen(slots=True)
class GrantKey:
    """One key of a table that grants a capability."""

    name: str
    type: str
    """As Python writes it."""
    default: str | None
    """As Python writes it; None: it must be said."""

    def __str__(self) -> str:
        """Return the key as a list shows it."""
        return f"{self.name}: {self.type}" + ("" if self.default is None else f" = {self.default}")


@attrs.frozen(slots=True, kw_only=True)
class Permission:
    """Whether a capability may be called here, and because of what."""

    granted: bool
    why: str
    """What grants it, with its place where a text does; else why it is not."""
    way_out: str = ""
    """The line that would grant it."""

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {"granted": self.granted, "why": self.why, "way_out": self.way_out or None}


@attrs.frozen(slots=True, kw_only=True)
class Offer:
    """A capability."""

    entry: CapabilityEntry
    provenance: Provenance
    names: tuple[str, ...]
    """Function names under which programs may call it here."""
    aliases: tuple[str, ...]
    keys: tuple[GrantKey, ...]
    permission: Permission

    @property
    def id(self) -> str:
        """Its own id."""
        return self.entry.id

    @property
    def usage(self) -> str:
        """How it is called, and what it gives."""
        return str(Contract(self.id, self.entry.parameters, self.entry.returns))

    @property
    def version(self) -> str:
        """Of what is behind it: its own where it has one, else its distribution's."""
        return self.entry.version or self.provenance.version

    @property
    def effects(self) -> tuple[str, ...]:
        """What a call of it does, without the colon that some write."""
        return effects_of(self.entry)

    @property
    def traits(self) -> tuple[str, ...]:
        """What is promised of its calls."""
        entry = self.entry
        said = {
            "idempotent": entry.idempotent,
            "order-independent": entry.order_independent,
            "deterministic": entry.deterministic,
        }
        return tuple(word for word, holds in said.items() if holds)

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        entry = self.entry
        return {
            "id": self.id, "summary": entry.summary, "usage": self.usage,
            "parameters": None if entry.parameters is None else list(map(show_type, entry.parameters)),
            "returns": None if entry.returns is None else show_type(entry.returns),
            "effects": list(self.effects), "traits": list(self.traits),
            "names": list(self.names), "aliases": list(self.aliases),
            "distribution": self.provenance.distribution, "version": self.version or None,
            "module": self.provenance.module,
            "grant": [attrs.asdict(each) for each in self.keys], **self.permission.to_json(),
        }  # fmt: skip


def effects_of(entry: CapabilityEntry) -> tuple[str, ...]:
    """Return what calls of a capability do, without the colon that some write."""
    return tuple(each.removeprefix(":") for each in entry.effects)


def offers(host: Host) -> list[Offer]:
    """Return everything that programs may call on a host, in the order of the ids."""
    return [offer for id_ in sorted(host.dispatcher.capabilities.entries) if (offer := offer_of(host, id_)) is not None]


def offer_of(host: Host, name: str) -> Offer | None:
    """Return the capability of an id, of another id, or of a function's name; None where nobody offers it."""
    capabilities = host.dispatcher.capabilities
    id_ = capabilities.id_of(name)
    if id_ is None:
        return None
    entry = capabilities.entries[id_]
    return Offer(
        entry=entry,
        provenance=capabilities.parts[id_].provenance,
        names=tuple(sorted(word for word, of in capabilities.names.items() if of == id_)),
        aliases=tuple(sorted(each for each in entry.aliases if capabilities.aliases.get(each) == id_)),
        keys=keys_of(entry.grant),
        permission=permission(host, id_),
    )


def permission(host: Host, name: str) -> Permission:
    """Return whether a capability may be called on a host."""
    security = host.dispatcher.capabilities.security
    refusal = security.authorize_capability(name)
    if refusal is not None:
        return Permission(granted=False, why=refusal.reason, way_out=refusal.way_out)
    return Permission(granted=True, why=", ".join(_granting(host.config, security, name)))


def _granting(config: Config, security: SecurityAuthorizer, name: str) -> Iterator[str]:
    """Yield what grants a capability that is granted."""
    ids = security.offered.ids(name)
    written = [each for each in dict.fromkeys(map(security.granted.match, ids)) if each is not None]
    for each in written:
        where = _places(config, each)
        yield f"grant '{each}'" + (f" at {' and '.join(where)}" if where else "")
    if written:
        return
    if security.rules.level is SecurityLevel.FULL:
        yield "level 'full' under [security]"
    elif name in WAITS:
        yield "it reaches nothing, and needs no grant"


def _places(config: Config, text: str) -> list[str]:
    """Return where a grant is written, as file, line and column."""
    merged = config.merged
    if merged is None:
        return []
    found = []
    paths = [("security", "grant"), *([("tenants", config.tenant, "grant")] if config.tenant else [])]
    for path in paths:
        near: Any = merged.data
        for key in path:
            near = near.get(key, {})
        for number, item in enumerate(near or ()):
            if (item.get("id") if isinstance(item, dict) else item) == text:
                source, span = merged.at((*path, number))
                line, column = source.place(span.start)
                found.append(f"{source.name}:{line}:{column}")
    return found


def keys_of(settings: SettingsSchema | None) -> tuple[GrantKey, ...]:
    """Return what a table that grants a capability may say besides its id."""
    if settings is None:
        return ()
    attrs.resolve_types(settings)
    return tuple(
        GrantKey(field.alias or field.name, _type(field.type), _default(field.default))
        for field in attrs.fields(settings)
        if field.init
    )


_MODULE = re.compile(r"\b(?:\w+\.)+(?=\w)")


def _type(type_: Any) -> str:
    named = isinstance(type_, type) and not hasattr(type_, "__args__")
    return type_.__name__ if named else _MODULE.sub("", str(type_))


def _default(default: Any) -> str | None:
    if default is attrs.NOTHING:
        return None
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return "..." if default.takes_self else repr(default.factory())
    return repr(default)
