"""Providers that ask other providers: the local models that a provider's own settings name.

A member is a local model without a price, and no server: what it answers costs nothing and nothing leaves. So the one
who asks it is all that decisions, guards, budgets and the journal need to know of. Its labels are theirs, too: it takes
no mark that a member does not take, and its answers have the marks of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.provider import Locality
from rtfs_framework.api.targets import ExecTarget, LocalModel, LocalPure, RemoteModel, TargetText
from rtfs_framework.orchestrator.config.engine_tree import texts_of
from rtfs_framework.orchestrator.config.labels import LabelsSpec, accepted
from rtfs_framework.orchestrator.config.model import ProviderSpec
from rtfs_framework.orchestrator.config.own import Reading
from rtfs_framework.orchestrator.config.routes import Unknown, target_text

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.registry.catalog import Catalog

Named = Callable[[str], "ExecTarget | Unknown"]


@attrs.frozen(slots=True)
class MemberReader:
    """Reads which provider asks which; mistakes are noted in `reading`."""

    reading: Reading
    named: Named
    providers: Mapping[ExecTarget, ProviderSpec]
    catalog: Catalog

    def read(self) -> tuple[ProviderSpec, ...]:
        """Return the providers with their members."""
        found = tuple(self._with_members(spec) for spec in self.providers.values())
        asks = {spec.target: spec.members for spec in found}
        for spec in found:
            for text, place in _names(spec):
                way = _way_back(spec.target, asks[spec.target].get(text), asks)
                if way:
                    shown = " -> ".join(each.id for each in way)
                    message = f"'{spec.id}' would ask itself: {shown}"
                    self.reading.mistake("E0706", message, place, "name another one")
        return found

    def _goes_out(self, spec: ProviderSpec) -> bool:
        """Tell whether a local model's plug-in asks a server, wherever that is."""
        found = self.catalog.providers.get(spec.plugin)
        return found is not None and found[0].locality is Locality.REMOTE

    def _with_members(self, spec: ProviderSpec) -> ProviderSpec:
        members: dict[str, LocalModel] = {}
        for text, place in _names(spec):
            target = self.named(text)
            if isinstance(target, Unknown):
                self.reading.mistake("E0706", target.message, place, target.help)
            elif not isinstance(target, LocalModel):
                message = f"'{text}' is no local model: only those are asked by another provider"
                self.reading.mistake(
                    "E0706", message, place, "name one of [delegation.local_models], or a built-in one"
                )
            elif self._goes_out(self.providers[target]):
                message = f"'{text}' is answered by a server: what '{spec.id}' asks is neither billed nor written down"
                self.reading.mistake("E0706", message, place, "name a model that runs on this machine")
            elif _is_paid(self.providers[target]):
                message = f"'{text}' has a price: what '{spec.id}' asks must cost nothing"
                self.reading.mistake("E0705", message, place, "name a model without a price, or take its price away")
            else:
                members[str(text)] = target
        return attrs.evolve(spec, members=members) if members else spec


def models_in(
    own: Any, path: KeyPath, target: Callable[[str, KeyPath], ExecTarget], mistake: Callable[..., object]
) -> dict[str, ExecTarget]:
    """Return the models that texts in a plug-in's settings name; those that name none are mistakes."""
    found = {}
    for text, place in texts_of(own, TargetText, path):
        found[str(text)] = target(text, place)
        if text == "local-pure" or not isinstance(found[text], LocalModel | RemoteModel | LocalPure):
            mistake("E0706", f"'{text}' is no model", place, 'name a model, such as "remote-large"')
    return found


def with_members(spec: LabelsSpec, providers: Sequence[ProviderSpec]) -> LabelsSpec:
    """Return the labels, those of who asks others with what these take and answer."""
    asks = {each.target: each.members for each in providers if each.members}
    accepts, marks = dict(spec.accepts), dict(spec.providers)
    for target in asks:
        below = set(_below(target, asks))
        marks[target] = PUBLIC.union(*(spec.providers.get(each, PUBLIC) for each in (target, *below)))
        said = [taken for each in (target, *below) if (taken := accepted(spec, target_text(each))) is not None]
        if said:
            accepts[target_text(target)] = Label.intersection(*said)
    return attrs.evolve(spec, accepts=accepts, providers=marks)


def _names(spec: ProviderSpec) -> Iterator[tuple[str, KeyPath]]:
    section = "remote_providers" if isinstance(spec.target, RemoteModel) else "local_models"
    return texts_of(spec.own, TargetText, ("delegation", section, spec.id))


def _is_paid(spec: ProviderSpec) -> bool:
    return bool(spec.input_cost or spec.output_cost or spec.request_cost)


def _way_back(
    start: ExecTarget, first: LocalModel | None, asks: Mapping[ExecTarget, Mapping[str, LocalModel]]
) -> list[LocalModel | RemoteModel]:
    """Return the way from a provider by one of its members back to itself, nothing where there is none."""
    if first is None or not isinstance(start, LocalModel):
        return []
    ways: list[list[LocalModel | RemoteModel]] = [[start, first]]
    seen: set[ExecTarget] = set()
    while ways:
        way = ways.pop()
        if way[-1] == start:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways += [[*way, each] for each in asks.get(way[-1], {}).values()]
    return []


def _below(target: ExecTarget, asks: Mapping[ExecTarget, Mapping[str, LocalModel]]) -> Iterator[LocalModel]:
    todo, seen = list(asks.get(target, {}).values()), set[ExecTarget]()
    while todo:
        each = todo.pop()
        if each not in seen:
            seen.add(each)
            yield each
            todo += asks.get(each, {}).values()
