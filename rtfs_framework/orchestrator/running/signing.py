"""Manifests that somebody has signed off: read with places, compared with what is in force, and held to.

In: a file that `rtfs manifest` wrote, and a host. Out: the host under rules that allow what both do, or an error that
says what goes beyond the manifest. What runs is judged by the host's authorizer, as by any other rule.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from hashlib import sha256
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.errors import ConfigError, config_error
from rtfs_framework.orchestrator.config.labels import accepted
from rtfs_framework.orchestrator.config.signed import Signed
from rtfs_framework.orchestrator.recording.journal.chain import canonical_json
from rtfs_framework.orchestrator.running.narrowing import Narrowing, narrowed

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.lang.codegen.artifact import Artifact
    from rtfs_framework.orchestrator.host import Host

BEYOND = "E0731"
VERSION = 1
_AMOUNTS = frozenset({"usd", "tokens", "calls"})
_ISOLATION = ("inherit", "isolated", "sandboxed")


@attrs.frozen(slots=True, kw_only=True)
class GrantTable:
    """`[[capability.grant]]`: what one grant of a capability allows, all its keys said."""

    allows: Mapping[str, Any]
    base: str = "."
    """Where relative paths in it start, seen from the program's folder."""


@attrs.frozen(slots=True, kw_only=True)
class CapabilityTable:
    """`[[capability]]`: a capability that may be called."""

    id: str
    effects: Sequence[str] = ()
    offered_by: str = ""
    """The distribution."""
    grant: Sequence[GrantTable] = ()


@attrs.frozen(slots=True, kw_only=True)
class KeptTable:
    """`[kept]`: what remembers anything of the run besides the journal."""

    caches: Sequence[str] = ()
    memo: Sequence[str] = ()
    """Functions whose values are kept."""


@attrs.frozen(slots=True, kw_only=True)
class Manifest:
    """The whole file: what a program may touch."""

    version: int = attrs.field(default=VERSION)
    program: str
    """Its file, without the folder."""
    digest: str = ""
    """Of its text and those of its modules."""
    any_program: bool = False
    """Whether it holds for any program; `digest` says nothing then."""
    isolation: str = "inherit"
    targets: Sequence[str] = ()
    """Where functions may go besides their own bodies, as the configuration writes it."""
    modules: Mapping[str, str] = attrs.field(factory=dict)
    """The digest of each module."""
    capability: Sequence[CapabilityTable] = ()
    accepts: Mapping[str, Sequence[str]] = attrs.field(factory=dict)
    """The marks that each target and capability takes, where labels are configured; "*" for every mark."""
    kept: KeptTable = KeptTable()
    budgets: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    quota: Mapping[str, Any] = attrs.field(factory=dict)

    @version.validator
    def _known(self, _: Any, value: int) -> None:
        if value != VERSION:
            raise ValueError(f"'version' is {value}, and this is made for manifests of version {VERSION}")

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        found: dict[str, Any] = plain(self)
        return found

    @property
    def checksum(self) -> str:
        """SHA-256 of what it says, however it is laid out."""
        return sha256(canonical_json(self.to_json()).encode()).hexdigest()


def plain(value: Any) -> Any:
    """Return settings as plain data, the same on every machine: keys that say nothing are left out."""
    if attrs.has(type(value)):
        value = attrs.asdict(value, recurse=False)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value))
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, bool | int | float | str):
        return value
    return value.as_posix() if isinstance(value, PurePath) else str(value)


def in_force(host: Host, program: str, folder: Path, ids: Sequence[str], targets: Sequence[str]) -> Manifest:
    """Return what a host allows a program of these capabilities and targets, without what is of the program alone."""
    config = host.config
    return Manifest(
        program=program,
        isolation=config.security.isolation.value,
        targets=tuple(sorted(targets)),
        capability=tuple(found for id_ in sorted(ids) if (found := _capability(host, id_, folder)) is not None),
        accepts=_accepts(host, ids, targets),
        kept=KeptTable(caches=tuple(sorted(host.caches.layers))),
        budgets={each.name: _budget(plain(each)) for each in config.budgets},
        quota=plain(config.security.quota),
    )


def _capability(host: Host, id_: str, folder: Path) -> CapabilityTable | None:
    """Return a capability as a host offers it, None where it does not or may not be called."""
    capabilities = host.dispatcher.capabilities
    entry = capabilities.entries.get(id_)
    if entry is None or capabilities.security.authorize_capability(id_) is not None:
        return None
    grants = () if entry.grant is None else capabilities.security.arguments(id_)
    return CapabilityTable(
        id=id_,
        effects=tuple(sorted(each.removeprefix(":") for each in entry.effects)),
        offered_by=capabilities.parts[id_].provenance.distribution,
        grant=tuple(GrantTable(allows=plain(each.own), base=_from(each.base, folder)) for each in grants),
    )


def _from(base: str, folder: Path) -> str:
    try:
        return PurePath(os.path.relpath(base, folder)).as_posix()
    except ValueError:  # on another drive
        return PurePath(base).as_posix()


def _accepts(host: Host, ids: Sequence[str], targets: Sequence[str]) -> dict[str, list[str]]:
    labels = host.config.labels
    if labels is None:
        return {}
    found = {name: accepted(labels, name) for name in (*targets, *(f"capability {id_}" for id_ in ids))}
    return {name: ["*"] if marks is None else sorted(marks) for name, marks in sorted(found.items())}


def _budget(data: dict[str, Any]) -> dict[str, Any]:
    """Return a budget without what only names it."""
    scope = {key: found for key, found in data["scope"].items() if found}
    kept = {key: found for key, found in data.items() if key not in ("name", "origin", "scope")}
    return {**kept, **({"scope": scope} if scope else {})}


def read_manifest(path: Path) -> Manifest:
    """Return the manifest that a file holds.

    Raises:
        ConfigError: It cannot be read, or has mistakes.
    """
    from rtfs_framework.api.toml_places import read_toml, structure

    data, places = read_toml(path)
    found = structure(Manifest, data, places)
    if not found.any_program and not found.digest:
        raise places.error("E0704", "the key 'digest' is missing", (), "or say any_program = true")
    return found


def bounded_by(host: Host, plan: str | Path | None, manifest: str | Path | None, folder: Path | None) -> Host:
    """Return a host that goes by a plan, or by that of its configuration, and no further than a manifest.

    Raises:
        ConfigError: One of them cannot be used.
    """
    if manifest is not None:
        host = hold_to(host, Path(manifest), folder or Path())
    if plan or host.config.plan:
        from rtfs_framework.orchestrator.running.pinning import pin

        pin(host, plan)
    return host


def hold_to(host: Host, path: Path, folder: Path) -> Host:
    """Return a host that allows what a manifest does, and no more; nothing is asked beside its runs.

    Raises:
        ConfigError: The file cannot be used; or E0731, what is in force goes beyond it, with the place of each.
    """
    from rtfs_framework.api.toml_places import read_toml

    manifest = read_manifest(path)
    ids = [each.id for each in manifest.capability]
    now = in_force(host, manifest.program, folder.absolute(), ids, manifest.targets)
    found = list(beyond(manifest, now))
    if found:
        _, places = read_toml(path)
        way_out = f"narrow the configuration, or have it signed off anew: rtfs manifest FILE --out {path.name}"
        wrong = [places.error(BEYOND, message, where, way_out) for where, message in found]
        raise ConfigError([each for error in wrong for each in error.diagnostics])
    signed = Signed(
        name=path.name,
        digest=manifest.checksum,
        program="" if manifest.any_program else manifest.digest,
        capabilities=tuple(ids),
        targets=tuple(manifest.targets),
    )
    offered = host.dispatcher.capabilities.security.offered
    every_id = tuple(name for id_ in ids for name in offered.ids(id_))
    for beside in (host.warming, host.judging):  # they would ask models in the host's own name
        if beside is not None:
            beside.close()
    held = narrowed(host, Narrowing(grant=every_id, signed=signed))
    return attrs.evolve(held, warming=None, judging=None)


def beyond(signed: Manifest, now: Manifest) -> Iterator[tuple[KeyPath, str]]:
    """Yield what is in force and goes beyond what was signed off, each with its place in the manifest."""
    in_force_now = {each.id: each for each in now.capability}
    for place, then in enumerate(signed.capability):
        found = in_force_now.get(then.id)
        if found is not None:
            yield from ((("capability", place, key), message) for key, message in _wider(then, found))
    if _ISOLATION.index(now.isolation) < _rank(signed.isolation):
        yield ("isolation",), f"programs run '{now.isolation}' here, and '{signed.isolation}' was signed"
    if signed.accepts and not now.accepts:
        yield ("accepts",), "nothing carries marks here, and what was signed bounds where they go"
    for name, marks in now.accepts.items():
        then_marks = signed.accepts.get(name, ["*"])
        more = sorted(set(marks) - set(then_marks))
        if more and "*" not in then_marks:
            yield ("accepts", name), f"{name} takes {', '.join(f':{mark}' for mark in more)} now"
    more = sorted(set(now.kept.caches) - set(signed.kept.caches))
    if more:
        yield ("kept", "caches"), f"{', '.join(more)} would keep what was not signed"
    for name, budget in signed.budgets.items():
        for key in _looser(budget, now.budgets.get(name)):
            yield ("budgets", name), f"the budget '{name}' is another one now: {key}"
    for key in _looser(signed.quota, now.quota):
        yield ("quota", key), f"the quota of {key} is larger now, or gone"


def _rank(isolation: str) -> int:
    return _ISOLATION.index(isolation) if isolation in _ISOLATION else len(_ISOLATION)


def _wider(then: CapabilityTable, now: CapabilityTable) -> Iterator[tuple[str, str]]:
    if now.offered_by != then.offered_by:
        yield "offered_by", f"'{then.id}' is offered by {now.offered_by} now, and not by {then.offered_by}"
    more = sorted(set(now.effects) - set(then.effects))
    if more:
        yield "effects", f"'{then.id}' has more effects now: {', '.join(more)}"
    signed = [plain(each) for each in then.grant]
    for each in now.grant:
        if plain(each) not in signed:
            shown = json.dumps(plain(each.allows), ensure_ascii=False)
            yield "grant", f"a grant of '{then.id}' is not among those signed: {shown}, from the folder {each.base}"


def _looser(then: Mapping[str, Any], now: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the keys by which a bound allows more now, or bounds something else."""
    for key, value in then.items():
        found = None if now is None else now.get(key)
        if key in _AMOUNTS:
            if found is None or found > value:
                yield key
        elif found != value:
            yield key


def check_signed(signed: Signed, artifact: Artifact) -> None:
    """Refuse a program that a manifest is not for.

    Raises:
        ConfigError: E0731, its text or that of a module is another one.
    """
    if signed.program and artifact.digest != signed.program:
        name = PurePath(artifact.source.name).name
        message = f"{signed.name} was signed off for another text: {name}, or a module of it, has changed"
        raise config_error(BEYOND, message, help=signed.way_out)
