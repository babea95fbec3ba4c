"""Manifests that somebody has signed off: read with places, compared with what is in force, and held to.

In: a file that `rtfs manifest` wrote, and a host. Out: the host under rules that allow what both do, or an error that
says what goes beyond the manifest. What runs is judged by the host's authorizer, as by any other rule.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.errors import ConfigError, config_error
from rtfs_framework.api.patterns import compile_patterns
from rtfs_framework.api.settings import FILE_WITHIN, UNTRUSTED
from rtfs_framework.lang.digest import digest
from rtfs_framework.orchestrator.config.key_binding import base_urls_of
from rtfs_framework.orchestrator.config.labels import accepted
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.config.signed import Signed
from rtfs_framework.orchestrator.recording.listening import at_work
from rtfs_framework.orchestrator.running.exceeding import beyond
from rtfs_framework.orchestrator.running.manifests import (
    CapabilityTable,
    GrantTable,
    KeptTable,
    Manifest,
    plain,
    read_manifest,
)
from rtfs_framework.orchestrator.running.narrowing import Narrowing, narrowed

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.artifact import Artifact
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance

BEYOND = "E0731"


def in_force(host: Host, program: str, folder: Path, ids: Sequence[str], targets: Sequence[str]) -> Manifest:
    """Return what a host allows a program of these capabilities and targets, without what is of the program alone."""
    config = host.config
    return Manifest(
        program=program,
        isolation=config.security.isolation.value,
        child=_child(plain(config.security.child), folder),
        context={name: digest(value) for name, value in sorted(config.security.values.items())},
        targets={text: _target(host, text, folder) for text in sorted(targets)},
        sets=_sets(host, ids, folder),
        capability=tuple(found for id_ in sorted(ids) if (found := _capability(host, id_, folder)) is not None),
        accepts=_accepts(host, ids, targets),
        kept=KeptTable(caches=tuple(sorted(host.caches.layers)), observers=_observers(host)),
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


def _child(said: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return what a child process may use, its paths as they are seen from a folder where they lie in it."""

    def seen(text: str) -> str:
        path = PurePath(text)
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()

    return {**said, **{key: sorted(map(seen, said[key])) for key in ("read", "write")}}


def _observers(host: Host) -> dict[str, dict[str, Any]]:
    """Return who hears what runs do. Settings hold no secrets, but the names of variables that do."""
    return {
        part.name: {
            "offered_by": part.provenance.distribution,
            "settings": {} if spec is None or spec.own is None else plain(spec.own),
        }
        for _, part, spec in sorted(at_work(host.catalog, host.config), key=lambda each: each[1].name)
    }


def _target(host: Host, text: str, folder: Path) -> dict[str, Any]:
    """Return what a target is; nothing of one that is not configured."""
    found = next((each for target, each in host.pool.instances.items() if target_text(target) == text), None)
    return {} if found is None else _model(found, folder)


def _model(found: ProviderInstance, folder: Path) -> dict[str, Any]:
    """Return whose model that is, where and how it is asked, and whom it asks in turn."""
    spec = found.spec
    known = spec.own is not None and attrs.has(type(spec.own))
    fields = attrs.fields(type(spec.own)) if known else ()
    files = any(
        each.metadata.get(UNTRUSTED) == FILE_WITHIN[UNTRUSTED] and getattr(spec.own, each.name) for each in fields
    )
    said = {
        "plugin": spec.plugin,
        "offered_by": found.part.provenance.distribution,
        "model": spec.model,
        "at": " ".join(base_urls_of(spec, found.environ)),
        "base": _from(spec.directory, folder) if files and spec.directory else "",
    }
    more = {
        "settings": {} if spec.own is None else plain(spec.own),
        "asks": {text: _model(each, folder) for text, each in found.members.items()},
    }
    shown = {key: str(value) for key, value in said.items() if value}
    return {**shown, **{key: value for key, value in more.items() if value}}


def _sets(host: Host, ids: Sequence[str], folder: Path) -> dict[str, dict[str, Any]]:
    """Return how the sets are configured that may offer any of these capabilities."""
    found = {}
    for name, spec in host.config.capability_sets.items():
        entry = host.catalog.capability_sets[name][0]
        offers = compile_patterns(entry.ids)
        if any(offers(id_) is not None for id_ in ids):
            found[name] = {"base": _from(spec.base, folder), "settings": {} if spec.own is None else plain(spec.own)}
    return found


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
    kept = {key: found for key, found in data.items() if key not in ("name", "origin")}
    return {**kept, "scope": {key: found for key, found in data["scope"].items() if found}}


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
    from rtfs_framework.orchestrator.running.kept_manifests import kept

    manifest = read_manifest(path)
    ids, folder = [each.id for each in manifest.capability], folder.absolute()
    now = in_force(host, manifest.program, folder, ids, list(manifest.targets))
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
        whole=(kept(manifest, folder),),
    )
    for beside in (host.warming, host.judging):  # they would ask models in the host's own name
        if beside is not None:
            beside.close()
    held = narrowed(host, Narrowing(signed=signed))
    return attrs.evolve(held, warming=None, judging=None)


def check_signed(signed: Signed, artifact: Artifact) -> None:
    """Refuse a program that a manifest is not for.

    Raises:
        ConfigError: E0731, its text or that of a module is another one.
    """
    if signed.program and artifact.digest != signed.program:
        name = PurePath(artifact.source.name).name
        message = f"{signed.name} was signed off for another text: {name}, or a module of it, has changed"
        raise config_error(BEYOND, message, help=signed.way_out)
