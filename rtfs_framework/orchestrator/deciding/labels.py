"""Which marks data carries, and whom they may reach: the labels of a host, and the rule that judges one call's targets.

In: the configuration's `[labels]`. A rule rests on nothing but the call's label and what is freed of it, so decisions
that it narrows can be remembered under its key. It looks at every target: of hints, routes, engines, defaults, hedges,
consultations, repeats, and plans and replies from memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.targets import (
    Ask,
    Capability,
    Deny,
    ExecTarget,
    L4CacheHit,
    LocalModel,
    LocalPure,
    RemoteModel,
    show_target,
)
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.values import Keyword
from rtfs_framework.lang.vectors import Shared
from rtfs_framework.orchestrator.boundary.purity import ATOMS
from rtfs_framework.orchestrator.config.labels import Grant, LabelsSpec, accepted, answered
from rtfs_framework.orchestrator.config.routes import target_text

if TYPE_CHECKING:
    from rtfs_framework.lang.flows.model import Source
    from rtfs_framework.orchestrator.recording.records import OpenRecord

Paths = tuple[tuple[tuple[str, ...], Label], ...]
"""What of a value carries marks, by path of keys."""

ALL = ("*",)
"""The path of whatever a program is given."""


@attrs.frozen(slots=True, eq=False)
class Marks:
    """The labels of one host: what sources give, and what targets accept."""

    spec: LabelsSpec
    redactions: Mapping[str, Label] = attrs.field(factory=dict)
    """The marks that each rule of redaction frees."""
    renamed: dict[str, str] = attrs.field(factory=dict)
    """Keys under which records come, and what those were called where they come from: both count."""
    _replies: dict[str, Label] = attrs.field(init=False)
    """Of models, by the name that records have for them."""
    _brought: dict[str, Label] = attrs.field(factory=dict, init=False)
    _taken: dict[str, Label] = attrs.field(factory=dict, init=False)
    """By capabilities."""

    @_replies.default
    def _by_name(self) -> dict[str, Label]:
        return {show_target(target): marks for target, marks in self.spec.providers.items()}

    def accepts(self, target: ExecTarget) -> Label | None:
        """Return the marks that may reach a target; None for every mark."""
        if isinstance(target, Ask):
            return self.accepts(target.then)
        if isinstance(target, LocalPure | L4CacheHit | Deny):
            return None
        text = target_text(target)
        if not isinstance(target, Capability):
            return accepted(self.spec, text)
        found = self._taken.get(text)
        if found is None:
            if len(self._taken) > _MOST:
                self._taken.clear()
            found = self._taken[text] = accepted(self.spec, text) or PUBLIC
        return found

    def whole(self, label: Label) -> Label:
        """Return the marks of a label that a redaction may free wherever they are, as the policy says."""
        return label if self.spec.trust_redaction else PUBLIC

    def of_answer(self, name: str) -> Label:
        """Return the marks that answers have of what records call by this name: "remote x", "capability x".

        A capability of which nothing is said answers with all marks that it accepts: it may keep what it is told.
        """
        kind, _, rest = name.partition(" ")
        if kind != "capability":
            return self._replies.get(name, PUBLIC)
        found = self._brought.get(name)
        if found is None:
            if len(self._brought) > _MOST:
                self._brought.clear()
            found = self._brought[name] = answered(self.spec, rest)
        return found

    def brought(self, record: OpenRecord) -> Label:
        """Return the marks of whatever had a part in the answer to a call: its target, and those that were tried."""
        found = self.of_answer(record.target)
        for made in record.attempts:
            found |= self.of_answer(show_target(made.attempt.target))
        return found

    def of_sources(self, sources: Iterable[Source], replies: Mapping[str, Label] | None = None) -> Label:
        """Return the marks that sources may have in any run of a program."""
        from rtfs_framework.orchestrator.deciding.label_sources import of_any

        return of_any(self, sources, replies)

    def of_context(self, name: str) -> Label:
        """Return the marks of a configured context value."""
        return self.spec.context.get(name, PUBLIC)

    def of_arguments(self, args: Iterable[Any], names: Iterable[str] = ()) -> Paths:
        """Return what of a function's arguments carries marks: keys of maps, at any depth, and parameters by name."""
        inputs, found = self.spec.inputs, list[tuple[tuple[str, ...], Label]]()
        if not inputs:
            return ()
        args = tuple(args)
        if ALL in inputs and args:
            found.append(((), inputs[ALL]))
        found += [((), inputs[name,]) for name, _ in zip(names, args, strict=False) if (name,) in inputs]
        heads = {path[0] for path in inputs}
        heads |= {key for key, name in self.renamed.items() if name in heads}
        for arg in args:
            found += self._within(arg, heads)
        return tuple(dict.fromkeys(found))

    def _within(self, whole: Any, heads: set[str]) -> Iterator[tuple[tuple[str, ...], Label]]:
        """Yield the marked paths of a value. Walked without recursion, for data may be as deep as it likes."""
        left: list[tuple[tuple[str, ...], Any]] = [((), whole)]
        while left:
            path, value = left.pop()
            if isinstance(value, Map):
                for key, item in value.items():
                    name = key.name if isinstance(key, Keyword) else key
                    here = (*path, name) if isinstance(name, str) else path
                    if here is path and key.__class__ not in ATOMS:
                        left.append((path, key))
                    if heads.intersection(here):
                        marks = self._marked(here)
                        if marks:
                            yield here, marks
                    if item.__class__ not in ATOMS:
                        left.append((here, item))
            elif isinstance(value, Set | Shared | tuple):
                left.extend((path, item) for item in value if item.__class__ not in ATOMS)

    def _marked(self, path: tuple[str, ...]) -> Label:
        """Return the marks of all configured paths that end here."""
        found = PUBLIC
        own = path if path[0] not in self.renamed else (self.renamed[path[0]], *path[1:])
        for wanted, marks in self.spec.inputs.items():
            if wanted in (path[-len(wanted) :], own[-len(wanted) :]):
                found |= marks
        return found


_MOST = 4096


@attrs.frozen(slots=True)
class LabelRule:
    """Judges the targets of calls with one label. Equal rules judge alike."""

    marks: Marks = attrs.field(eq=False, repr=False)
    label: Label = PUBLIC
    freed: Label = PUBLIC
    """What a `declassify` around the call frees, at the targets of its grants."""
    grants: tuple[Grant, ...] = ()
    whole: Label = PUBLIC
    """The marks that a redaction may free: a rule finds what it looks for only where a program has not changed it."""

    @property
    def key(self) -> str:
        """What keys hold of it: the marks, and what is freed; "" for a public call."""
        marks = " ".join(sorted(self.label))
        freed = "; ".join(sorted(f"{each.target}: {' '.join(sorted(self.freed & each.marks))}" for each in self.grants))
        whole = " ".join(sorted(self.whole))
        return f"{marks} | {freed} | {whole}".rstrip(" |")

    def accepts(self, target: ExecTarget) -> Label | None:
        """Return the marks that requests of the call may carry to a target; None for any."""
        found = self.marks.accepts(target)
        return found if found is None or not self.grants else found | self._freed(target)

    def excess(self, target: ExecTarget, transform: Iterable[str] | None = ()) -> Label:
        """Return the marks that a target does not accept, after a redaction; None stands for all that there is."""
        accepts = self.accepts(target)
        left = PUBLIC if accepts is None else self.label - accepts
        if not left:
            return left
        known = self.marks.redactions
        freed = (known.get(name, PUBLIC) for name in (known if transform is None else transform))
        return left - self.whole.intersection(PUBLIC.union(*freed))

    def why_not(self, target: ExecTarget, transform: Iterable[str] | None = ()) -> str | None:
        """Return why the call may not reach a target, None when it may."""
        left = self.excess(target, transform)
        if not left:
            return None
        marks = ", ".join(f":{mark}" for mark in sorted(left))
        return f"it carries {marks}, which {_named(target)} does not accept"

    def instead(self, target: ExecTarget, why: str) -> ExecTarget:
        """Return where a call goes that may not reach a target: home, nowhere, or there if a person says yes."""
        match self.marks.spec.forbidden:
            case "error":
                return Deny(f"{why}; {self.way_out(target)}")
            case "ask" if isinstance(target, LocalModel | RemoteModel | Capability):
                return Ask("", target)
            case _:
                return LocalPure()

    def way_out(self, target: ExecTarget) -> str:
        """Return what would let the call pass."""
        marks = ", ".join(f'"{mark}"' for mark in sorted(self.excess(target)))
        text = target_text(target.then if isinstance(target, Ask) else target)
        return f'add {marks} to  "{text}" = [...]  under [labels.accepts], or free it: (declassify [:mark] "why" ...)'

    def _freed(self, target: ExecTarget) -> Label:
        text, spec = target_text(target.then if isinstance(target, Ask) else target), self.marks.spec
        return PUBLIC.union(*(each.marks & self.freed for each in self.grants if spec.own(each.target) == text))


def _named(target: ExecTarget) -> str:
    return show_target(target.then if isinstance(target, Ask) else target)
