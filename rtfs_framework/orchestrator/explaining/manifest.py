"""What a program can touch, as a table to be signed off: `rtfs manifest`, which `rtfs run --manifest` holds it to.

In: a host and a program. Out: a `Manifest`, and its canonical text: the same for the same program and configuration.
Nothing runs. What a program computes (a capability's name) is not in it, unless whoever signs it adds that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.targets import ExecTarget, L4CacheHit, LocalModel, LocalPure, RemoteModel, show_target
from rtfs_framework.lang.pipeline import digest
from rtfs_framework.lang.signature import memoised
from rtfs_framework.lang.source import Place
from rtfs_framework.lang.visible import visible_line
from rtfs_framework.orchestrator.config.routes import PUBLISHED, target_text
from rtfs_framework.orchestrator.explaining.explain import explain_artifact
from rtfs_framework.orchestrator.explaining.market.needs import GRANTED, need_of, needs
from rtfs_framework.orchestrator.explaining.written_models import asked_models, written_models
from rtfs_framework.orchestrator.performing.published import trust_digest
from rtfs_framework.orchestrator.running.linking import prepare
from rtfs_framework.orchestrator.running.manifests import Manifest, plain
from rtfs_framework.orchestrator.running.signing import in_force

if TYPE_CHECKING:
    from rtfs_framework.kernel.limits import Limits
    from rtfs_framework.lang.source import Source
    from rtfs_framework.orchestrator.config.model import EngineSpec
    from rtfs_framework.orchestrator.explaining.explain import ExplainedSite
    from rtfs_framework.orchestrator.explaining.market.needs import Need
    from rtfs_framework.orchestrator.host import Host


@attrs.frozen(slots=True)
class Drawn:
    """A manifest with what a person wants to know when it is signed off."""

    manifest: Manifest
    needs: tuple[Need, ...]
    sites: tuple[ExplainedSite, ...]
    models: tuple[str, ...] = ()
    """What is not allowed here of the models that it asks by name, each with why."""
    any_model: tuple[str, ...] = ()
    """Where it computes the name of a model: all that the rules allow are listed."""

    @property
    def left_out(self) -> list[str]:
        """What the program, or whoever signs, also asks for and is not allowed here, each with why."""
        return [*map(_left_out, (need for need in self.needs if need.state != GRANTED)), *self.models]

    @property
    def remarks(self) -> list[str]:
        """What a person wants to know when it is signed off, as lines."""
        return [*(f"not in it: {each}" for each in self.left_out), *self.any_model]

    @property
    def text(self) -> str:
        """The file."""
        return "\n".join(_lines(self)) + "\n"


def draw(host: Host, source: Source, limits: Limits, allow: Iterable[str] = (), *, any_program: bool = False) -> Drawn:
    """Return the manifest of a program; `allow` are capabilities that it may call besides those that it names.

    Raises:
        LanguageError: The program was refused.
    """
    artifact = prepare(host, source, limits).artifact
    found, sites = needs(host, artifact), tuple(explain_artifact(host, artifact, limits))
    known = host.dispatcher.capabilities.id_of
    added = {known(name) or name for name in allow} - {need.id for need in found}
    found += tuple(need_of(host, name) for name in sorted(added))
    ids = {need.id for need in found if need.id}
    folder = Path(source.name).parent if Path(source.name).is_file() else Path()
    models, beyond, any_model = _models(host, artifact.sources, found)
    targets = sorted(_targets(host, sites) | models)
    made = in_force(host, PurePath(source.name).name, folder.absolute(), sorted(ids), targets)
    memo = sorted({each.name for each in artifact.signatures if memoised(each)})
    made = attrs.evolve(
        made,
        digest="" if any_program else artifact.digest,
        any_program=any_program,
        modules={} if any_program else {PurePath(each.name).name: digest((each,)) for each in artifact.sources[1:]},
        kept=attrs.evolve(made.kept, memo=tuple(memo)),
    )
    return Drawn(made, found, sites, beyond, any_model)


def _models(
    host: Host, sources: Sequence[Source], needs: Iterable[Need]
) -> tuple[set[str], tuple[str, ...], tuple[str, ...]]:
    """Return the targets that a program asks by the names of models, why others are not among them, where it is any."""
    known = {each.id: each for each in host.pool.all if isinstance(each, LocalModel | RemoteModel)}
    found: set[str] = set()
    beyond: dict[str, None] = {}
    anywhere: dict[str, None] = {}
    for asked in (*written_models(sources), *asked_models(sources, _asking(host, needs))):
        name = next(iter(known)) if asked.only and len(known) == 1 else asked.name
        if name is None:
            found |= set(_within(host, known.values()))
            anywhere[f"any model that policy allows: its name is computed at {asked.place}"] = None
        elif name not in known:
            beyond[f"the model {name!r} at {asked.place}: none is configured"] = None
        else:
            allowed = set(_within(host, (known[name],)))
            found |= allowed
            if not allowed:
                why = host.dispatcher.capabilities.security.validate_execution_context(known[name], None)
                beyond[f"{target_text(known[name])} at {asked.place}: {why}"] = None
    return found, tuple(beyond), tuple(anywhere)


def _asking(host: Host, needs: Iterable[Need]) -> Iterator[Place]:
    """Yield where a program calls what asks a model by its name, at 1:1 what whoever signs allows it to call."""
    entries = host.dispatcher.capabilities.entries
    for need in needs:
        if need.state == GRANTED and need.id in entries and entries[need.id].served == "model":
            yield from need.places or (Place("whoever signs", 1, 1),)


def _targets(host: Host, sites: Iterable[ExplainedSite]) -> set[str]:
    """Return where calls of functions may go: what decides now, what routes list, what engines may name or ask."""
    models = {show_target(each): target_text(each) for each in host.pool.all}
    found: set[str] = set()
    precedence = host.dispatcher.delegator.precedence
    by_engine = False
    for site in sites:
        if site.kind != "function":
            continue
        shown = (site.target, *site.may_go_to, *(() if site.hedge is None else (site.hedge.target,)))
        found |= {models[each] for each in shown if each in models}
        found |= {PUBLISHED} if site.target.startswith(f"{PUBLISHED} ") else set()
        by_engine = by_engine or site.source == "engine" or bool(site.depends_on)
        route = precedence.routed.match(site.name) if site.source == "static-route" else None
        found |= set(_within(host, precedence.routes[route] if route else ()))
    if by_engine:
        found |= set(_within(host, _of_engines(host)))
        found |= {PUBLISHED} if trust_digest(host.dispatcher.shelf.shelf.ring) else set()
    return found


def _within(host: Host, targets: Iterable[ExecTarget]) -> Iterator[str]:
    """Yield the texts of those targets that the rules allow."""
    security = host.dispatcher.capabilities.security
    for each in targets:
        if isinstance(each, LocalPure) or security.validate_execution_context(each, None) is not None:
            continue
        yield PUBLISHED if isinstance(each, L4CacheHit) else target_text(each)


def _of_engines(host: Host) -> Iterator[ExecTarget]:
    """Yield the targets that the configuration names for engines: to choose, or to ask."""
    if host.config.engine is not None:
        yield from _named(host.config.engine)
    embedder = host.config.embedder
    while embedder is not None:
        if embedder.target is not None:
            yield embedder.target
        embedder = embedder.then


def _named(spec: EngineSpec) -> Iterator[ExecTarget]:
    yield from spec.targets.values()
    for below in spec.children.values():
        for each in below:
            yield from (each,) if isinstance(each, ExecTarget) else _named(each)


def _lines(drawn: Drawn) -> Iterator[str]:
    manifest = drawn.manifest
    name = visible_line(manifest.program)
    yield f"# What {name} may touch. To hold it to that: rtfs run {name} --manifest THIS_FILE"
    yield "# What is not listed is refused; where the program, a grant, an effect or a budget is another, nothing runs."
    for key in ("version", "program", "digest", "any_program", "isolation"):
        value = getattr(manifest, key)
        if value or key == "version":
            yield f"{key} = {_toml(value)}"
    for site in drawn.sites:
        if site.kind == "function":
            may = ", ".join(site.may_go_to)
            said = f"{site.name} at {site.place}: {site.target}" + (f" (may go to {may})" if may else "")
            said += "" if site.hedge is None else f", {site.hedge}"
            yield f"# {visible_line(said)}"
    yield from (f"# {visible_line(each)}" for each in drawn.remarks)
    data = manifest.to_json()
    for table in ("targets", "sets", "modules", "accepts", "kept", "child", "context", "quota"):
        if data[table] and (table == "targets" or any(data[table].values())):
            yield from (
                "",
                f"[{table}]",
                *(f"{_key(key)} = {_toml(item)}" for key, item in sorted(data[table].items())),
            )
    for name, budget in sorted(data["budgets"].items()):
        yield from ("", f"[budgets.{_key(name)}]", *(f"{key} = {_toml(item)}" for key, item in sorted(budget.items())))
    places = {need.id: need.places for need in drawn.needs}
    for each in manifest.capability:
        where = ", ".join(map(str, places.get(each.id, ())))
        yield from ("", f"# {visible_line(where)}" if where else "# named by whoever signs", "[[capability]]")
        yield from (f"{key} = {_toml(getattr(each, key))}" for key in ("id", "effects", "offered_by"))
        for grant in each.grant:
            yield from ("[[capability.grant]]", f"base = {_toml(grant.base)}", f"allows = {_toml(plain(grant.allows))}")


def _left_out(need: Need) -> str:
    where = f" at {need.places[0]}" if need.places else ""
    way_out = f"; {need.way_out}" if need.way_out else ""
    return f"{need.id or 'capabilities whose names it computes'}{where}: {need.why}{way_out}"


def _key(text: str) -> str:
    return text if text.replace("-", "").replace("_", "").isalnum() and text.isascii() else _text(text)


def _toml(value: Any) -> str:
    """Return plain data as TOML writes it in one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        items = (f"{_key(key)} = {_toml(item)}" for key, item in sorted(value.items()))
        return f"{{ {', '.join(items)} }}" if value else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(text: str) -> str:
    """Return a text as TOML writes it: what JSON escapes, TOML reads, and DEL must be escaped, too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
