"""The floating label of a run: the marks of all that it was given so far, errors included. It only ever grows.

In: the marks of arguments, of context values that are read, and of whatever answers a call. Out: the label under which
the next call is made. A branch starts with its parent's label; what branches were given counts for their parent when
all have ended, those that failed or were cancelled included. A context value keeps the label under which it was set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.labels import PUBLIC, Label

if TYPE_CHECKING:
    from rtfs_framework.lang.flows.model import Flows
    from rtfs_framework.orchestrator.recording.records import OpenRecord

Brought = Callable[["OpenRecord"], Label]
"""The marks of what answered a call, by its record: those of its target, and of what was tried before."""

Inputs = tuple[tuple[tuple[str, ...], Label], ...]
"""What of arguments carries marks, by path of keys."""

_MOST_PATHS = 256

SET, GET = "context-set", "context-get"


@attrs.define(slots=True, eq=False)
class Gathered:
    """What the branches of a fan-out, or the calls into a program, were given: all of them together."""

    outer: Gathered | None = None
    """Where that counts, too: who is cancelled never gathers what its own branches were given."""
    label: Label = PUBLIC
    context: dict[str, Label] = attrs.field(factory=dict)
    replies: dict[str, Label] = attrs.field(factory=dict)
    inputs: dict[tuple[tuple[str, ...], Label], None] = attrs.field(factory=dict)
    """What of their arguments carries marks; in order, each once."""

    def add(self, marks: Label) -> None:
        """Count marks that one of them was given."""
        self.label |= marks
        if self.outer is not None:
            self.outer.add(marks)

    def given(self, inputs: Inputs) -> None:
        """Count what of arguments carries marks; of very many paths, no one is told apart."""
        self.inputs.update(dict.fromkeys(inputs))
        if len(self.inputs) > _MOST_PATHS:
            self.inputs = {((), PUBLIC.union(*(marks for _, marks in self.inputs))): None}


@attrs.define(slots=True, eq=False)
class Floating:
    """The label of one run, or of one branch of it."""

    brought: Brought
    program: str = ""
    """The digest of the program's texts."""
    label: Label = PUBLIC
    context: dict[str, Label] = attrs.field(factory=dict)
    """The labels of context values, by name."""
    replies: dict[str, Label] = attrs.field(factory=dict)
    """What the calls of each place were answered so far, by the place's text."""
    inputs: Inputs = ()
    """What of its arguments carries marks, by path of keys."""
    gathered: Gathered | None = None
    """Told of all that it is given."""
    flows: Flows | None = None
    """What may be seen at each place of the program; None where nobody has found out: then all that the run has."""
    shared: Gathered | None = None
    """What all calls into the program and their branches were given so far, where its functions may keep it for this
    one; None where they keep nothing."""
    metadata: object = None
    """What was said of calls when the run began: what was said since may hold whatever it was given."""
    journal: Label | None = None
    """The marks of which the journal may keep words; None for all."""

    def add(self, marks: Label) -> None:
        """Count marks of something that the run is given."""
        if marks <= self.label:
            return
        self.label |= marks
        if self.gathered is not None:
            self.gathered.add(marks)

    def keeps(self, marks: Label) -> bool:
        """Tell whether the journal may keep words that carry some marks."""
        return self.journal is None or marks <= self.journal

    def entry(self, gathered: Gathered) -> Floating:
        """Return the label of a call into the program whose top-level forms this one is of."""
        replies = dict(self.replies)
        return attrs.evolve(self, context=dict(self.context), replies=replies, gathered=gathered, metadata=None)

    def given(self, inputs: Inputs) -> None:
        """Count the marks of arguments."""
        self.inputs = inputs
        for _, marks in inputs:
            self.add(marks)
        if self.shared is not None:
            self.shared.given(inputs)

    def recall(self) -> None:
        """Count what any other call or branch was given, if the program's functions may have kept it for this one."""
        shared = self.shared
        if shared is None:
            return
        self.add(shared.label)
        self.inputs = tuple(dict.fromkeys((*self.inputs, *shared.inputs)))
        _merge(self.context, shared.context)
        _merge(self.replies, shared.replies)

    def branches(self) -> Gathered:
        """Return where the branches of a fan-out gather what they are given."""
        return Gathered(self.gathered)

    def branch(self, gathered: Gathered, *, ordered: bool) -> Floating:
        """Return the label of a branch; where order is kept, context values are those of the run itself."""
        context = self.context if ordered else dict(self.context)
        return attrs.evolve(self, context=context, replies=dict(self.replies), gathered=gathered)

    def join(self, gathered: Gathered) -> None:
        """Count what all branches of a fan-out were given."""
        self.add(gathered.label)
        for mine, theirs in ((self.context, gathered.context), (self.replies, gathered.replies)):
            for name, marks in theirs.items():
                mine[name] = mine.get(name, PUBLIC) | marks
            if self.gathered is not None:
                _merge(self.gathered.context if mine is self.context else self.gathered.replies, theirs)

    def answered(self, record: OpenRecord, name: str) -> None:
        """Count the marks of a call's answer, whatever that is, and write down those that are new to the run."""
        before, labelled = self.label, record.labelled
        brought = self.closed(record, name) - before
        if labelled is not None or brought:
            labelled = CallLabel(PUBLIC) if labelled is None else labelled
            kept = self.keeps(labelled.label | brought)
            record.labelled = attrs.evolve(labelled, brought=brought, answer_kept=kept)

    def _told(self) -> tuple[Gathered, ...]:
        """Return who is told of what it sets and is answered."""
        return tuple(each for each in (self.gathered, self.shared) if each is not None)

    def closed(self, record: OpenRecord, name: str) -> Label:
        """Count what a call was answered, whatever that was; `name` is what it was about. Returns its marks."""
        label = PUBLIC if record.labelled is None else record.labelled.label
        marks = self.brought(record)
        if record.remote is not None:  # what another host says of its answer counts besides what is configured of it
            marks |= record.remote.labels
        marks |= record.told
        if record.kind == GET:
            marks |= self.context.get(name, PUBLIC)
        elif record.kind == SET:
            self.context[name] = label
            for gathered in self._told():
                _merge(gathered.context, {name: label})
        if record.place is not None:
            answered = {str(record.place): label | marks}
            _merge(self.replies, answered)
            for gathered in self._told():
                _merge(gathered.replies, answered)
        self.add(marks)
        return marks


def _merge(into: dict[str, Label], more: Mapping[str, Label]) -> None:
    for name, marks in more.items():
        into[name] = into.get(name, PUBLIC) | marks


@attrs.frozen(slots=True)
class CallLabel:
    """The marks of one call's request, for its record."""

    label: Label
    whole: Label = PUBLIC
    """Those of data that is in the request as it was given, and in no other way: a redaction can free these alone."""
    freed: Label = PUBLIC
    """Those that a `declassify` around the call frees, where the policy grants it."""
    reason: str = ""
    """Why, as the program says."""
    grants: tuple[str, ...] = ()
    """What of the policy grants it, in words."""
    kept: bool = True
    """Whether the journal may keep its words."""
    brought: Label = PUBLIC
    """The marks that its answer has beyond them."""
    answer_kept: bool = True
    """Whether the journal may keep words of its answer."""

    @property
    def seen(self) -> Label:
        """The marks of request and answer together."""
        return self.label | self.brought

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        found: dict[str, Any] = {"labels": sorted(self.label)}
        if self.whole:
            found["whole"] = sorted(self.whole)
        if self.brought:
            found["brought"] = sorted(self.brought)
        if self.freed:
            found["freed"] = {"marks": sorted(self.freed), "reason": self.reason, "grants": list(self.grants)}
        return found
