"""What may be seen at each place that asks the host: sources, their marks, and who accepts them. Runs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.targets import Capability, LocalPure, show_target
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.signature import SiteKind
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.explaining.labels import rule_for
from rtfs_framework.orchestrator.explaining.written_hints import fallbacks
from rtfs_framework.orchestrator.host import Host
from rtfs_framework.orchestrator.running.module_path import finder

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from rtfs_framework.lang.codegen.artifact import Artifact
    from rtfs_framework.lang.flows.model import Flow
    from rtfs_framework.orchestrator.deciding.labels import Marks


@attrs.frozen(slots=True)
class SeenSource:
    """A source that may be seen at a place: its marks, and the places that it comes by."""

    text: str
    marks: Label
    way: tuple[str, ...]
    whole: bool = False
    """Whether it may be seen in no other way than as data that is as it was given: a redaction may free its marks."""

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {"source": self.text, "marks": sorted(self.marks), "way": list(self.way), "whole": self.whole}


@attrs.frozen(slots=True)
class SeenSite:
    """A place that asks the host."""

    place: str
    text: str
    """What stands there."""
    sources: tuple[SeenSource, ...]
    accepted: tuple[str, ...]
    refused: tuple[str, ...]
    redacted: tuple[str, ...] = ()
    """Those of the refused that accept it once a rule of `[redaction]` has taken out what it finds."""

    @property
    def marks(self) -> Label:
        """The marks that a call there may carry."""
        return PUBLIC.union(*(each.marks for each in self.sources))

    @property
    def whole(self) -> Label:
        """Those of them that it carries only by data as it was given."""
        return self.marks - PUBLIC.union(*(each.marks for each in self.sources if not each.whole))

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        sources = [each.to_json() for each in self.sources]
        return {
            "place": self.place, "text": self.text, "marks": sorted(self.marks), "sources": sources,
            "accepted": list(self.accepted), "refused": list(self.refused), "redacted": list(self.redacted),
        }  # fmt: skip


def seen(host: Host, source: Source, limits: Limits, text: Label = PUBLIC) -> tuple[SeenSite, ...]:
    """Return the places of a program that ask the host, in the order of its text.

    `text` are marks of the program's text itself. With some, no flow tells its calls apart: each may carry them, and
    all that its run is given.

    Nothing is returned of a program that is not understood: there, every call carries the label of its run.

    Raises:
        LanguageError: The program has mistakes.
        PluginFault: The engine could not be asked which functions it claims.
    """
    from rtfs_framework.kernel.loader import compile_source

    dispatcher = host.dispatcher
    artifact = compile_source(
        source,
        delegatable=dispatcher.delegator.may_claim,
        find_module=finder(source, host.config.module_path),
        prelude=dispatcher.capabilities.prelude,
        metered=limits.metered,
        nesting=limits.nesting,
        ways=True,
    )
    return tuple(_sites(host, artifact, text))


def _sites(host: Host, artifact: Artifact, text: Label) -> Iterator[SeenSite]:
    flows = artifact.flows
    if flows is None:
        return
    names, direct = _capabilities(host, artifact, flows.masks)
    labelling = host.dispatcher.labelling
    replies: dict[str, Label] = {}
    if labelling is not None:
        of_models = PUBLIC.union(*(labelling.marks.of_answer(show_target(each)) for each in host.pool.all))
        named = [host.dispatcher.capabilities.id_of(name) or name for name, _ in fallbacks(artifact.sources)]
        instead = _of_answers(labelling.marks, named)  # they may answer in another's place
        of_functions = of_models | instead
        replies = dict.fromkeys(flows.masks, of_functions | _of_answers(labelling.marks, direct))
        functions = (str(each.place) for each in artifact.sites if each.kind is SiteKind.FUNCTION and each.name)
        replies |= dict.fromkeys(functions, of_functions)
        for place, name in names.items():
            may_be = host.dispatcher.capabilities.entries if name is None else (name,)
            replies[place] = instead | _of_answers(labelling.marks, may_be)
    places = sorted(flows.masks, key=_order)
    everything = _everything(host, [flows.of(each) for each in places], replies, text) if text else ()
    for place in places:
        flow = flows.of(place)
        if flow is not None:
            sources = everything or tuple(_sources(host, flow, replies))
            found = SeenSite(place, _text(artifact, place), sources, (), ())
            accepted, refused, redacted = _targets(host, found, names.get(place))
            yield attrs.evolve(found, accepted=accepted, refused=refused, redacted=redacted)


def _capabilities(
    host: Host, artifact: Artifact, places: Container[str]
) -> tuple[dict[str, str | None], frozenset[str]]:
    """Return the places that call capabilities, each with the capability's own id; None where that is computed.

    And the capabilities that a program names as functions: it may hand those on, and call them anywhere.
    """
    capabilities = host.dispatcher.capabilities
    names: dict[str, str | None] = {}
    direct: set[str] = set()
    for each in artifact.sites:
        if each.kind is SiteKind.CAPABILITY:
            names[str(each.place)] = None if each.name is None else capabilities.aliases.get(each.name, each.name)
        elif each.kind is SiteKind.HOST_NAME and (id_ := capabilities.id_of(each.name or "")) is not None:
            direct.add(id_)
            call = str(attrs.evolve(each.place, column=each.place.column - 1))  # its bracket
            if call in places:
                names[call] = id_
    return names, frozenset(direct)


def _of_answers(marks: Marks, names: Iterable[str]) -> Label:
    return PUBLIC.union(*(marks.of_answer(f"capability {name}") for name in names))


def _order(place: str) -> tuple[str, int, int]:
    name, line, column = place.rsplit(":", 2)
    return name, int(line), int(column)


def _sources(host: Host, flow: Flow, replies: dict[str, Label]) -> Iterator[SeenSource]:
    labelling = host.dispatcher.labelling
    found = []
    for each in flow.sources or ():
        marks = PUBLIC if labelling is None else labelling.marks.of_sources((each,), replies)
        found.append(SeenSource(str(each), marks, flow.why.get(each, ()), each in flow.whole))
    yield from sorted(found, key=lambda each: (not each.marks, each.text))


def _everything(
    host: Host, flows: Iterable[Flow | None], replies: dict[str, Label], text: Label
) -> tuple[SeenSource, ...]:
    """Return all that a run of a program is given whose text carries marks."""
    found = {"its text": SeenSource("the program's text", text, ("the program",))}
    labelling = host.dispatcher.labelling
    given = PUBLIC if labelling is None else PUBLIC.union(*labelling.marks.spec.inputs.values())
    if given:
        found["its inputs"] = SeenSource("what it is called with", given, ("its run",))
    for flow in flows:
        if flow is not None:
            found |= {each.text: attrs.evolve(each, whole=False) for each in _sources(host, flow, replies)}
    return tuple(sorted(found.values(), key=lambda each: (not each.marks, each.text)))


def _targets(host: Host, site: SeenSite, capability: str | None) -> tuple[tuple[str, ...], ...]:
    """Return the targets that accept a call, those that do not, and which of these do after a redaction.

    Of a call of a capability that one alone.
    """
    labelling = host.dispatcher.labelling
    targets = [LocalPure(), *host.pool.all] if capability is None else [Capability(capability)]
    if labelling is None:
        return tuple(map(show_target, targets)), (), ()
    rule = rule_for(labelling.marks, site.marks, whole=site.whole)
    refused = [each for each in targets if rule.excess(each)]
    redacted = [] if capability is not None else [each for each in refused if not rule.excess(each, None)]
    accepted = [each for each in targets if each not in refused]
    return tuple(tuple(map(show_target, found)) for found in (accepted, refused, redacted))


def _text(artifact: Artifact, place: str) -> str:
    """Return the beginning of what stands at a place: the form up to its second word, with its brackets closed."""
    name, line, column = _order(place)
    source = next((each for each in artifact.sources if each.name == name), artifact.source)
    begun = " ".join(source.line(line)[column - 1 :].split()[:2])
    open_: list[str] = []
    for at, char in enumerate(begun):
        if char in _CLOSING:
            open_.append(_CLOSING[char])
        elif open_ and char == open_[-1]:
            open_.pop()
            if not open_:
                return begun[: at + 1]
    return f"{begun} ...{''.join(reversed(open_))}" if open_ else begun


_CLOSING = {"(": ")", "[": "]", "{": "}"}
