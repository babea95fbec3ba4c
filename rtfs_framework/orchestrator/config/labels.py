"""What `[labels]` means: sources of marks, what targets accept, and grants of `declassify`.

Without the table nothing carries a mark and nothing is checked. With it, whoever is not spoken of accepts what is safe:
the function's own body and on-device models accept every mark, for nothing leaves this machine; the same goes for
caches of this machine. Remote models, capabilities, observers and the log accept none, for nobody knows where that ends
up; texts that the journal keeps carry none either, for they outlive the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.targets import ExecTarget
from rtfs_framework.orchestrator.config.globs import Patterns
from rtfs_framework.orchestrator.config.grants import NOTHING_OFFERED, Grantable
from rtfs_framework.orchestrator.config.tables.labels import WELL_KNOWN

_CAPABILITY = "capability "


@attrs.frozen(slots=True, kw_only=True)
class Grant:
    """What a policy lets a `declassify` free."""

    program: str
    """The digest of the program's texts, or how it begins."""
    function: str
    target: str
    """As `delegation.toml` writes it."""
    marks: Label

    def __str__(self) -> str:
        marks = ", ".join(sorted(self.marks))
        return f"{marks} in calls of {self.function} to {self.target}, program {self.program[:12]}"


@attrs.frozen(slots=True, kw_only=True)
class LabelsSpec:
    """The labels of a host."""

    marks: Label = frozenset(WELL_KNOWN)
    """Those that are known."""
    forbidden: Literal["body", "error", "ask"] = "body"
    """What becomes of a call whose target does not accept its marks."""
    trust_redaction: bool = False
    """Whether a rule of redaction frees its marks whatever a program has made of the data before."""
    inputs: Mapping[tuple[str, ...], Label] = attrs.field(factory=dict)
    """Marks of what programs are given, by path of keys; ("*",) is all of it."""
    capabilities: Mapping[str, Label] = attrs.field(factory=dict)
    """Marks of what capabilities answer, by name or pattern."""
    providers: Mapping[ExecTarget, Label] = attrs.field(factory=dict)
    """Marks of what models answer."""
    context: Mapping[str, Label] = attrs.field(factory=dict)
    """Marks of context values, by name."""
    accepts: Mapping[str, Label] = attrs.field(factory=dict)
    """What is accepted, by the text of a target ("remote-x", "capability x", "cache x", "observer x"), "log",
    "journal"."""
    grants: tuple[Grant, ...] = ()
    offered: Grantable = attrs.field(default=NOTHING_OFFERED, eq=False, repr=False)
    """Which ids are one capability: what is said of one counts for it."""
    lines: Patterns = attrs.field(init=False, eq=False, repr=False)
    """What `accepts` says of capabilities."""

    @lines.default
    def _compile_lines(self) -> Patterns:
        return Patterns(each for each in self.accepts if each.startswith(_CAPABILITY))

    def own(self, target: str) -> str:
        """Return the text of a target with the capability's own id, whatever alias was written."""
        kind, space, name = target.partition(" ")
        return f"{kind}{space}{self.offered.id_of(name)}" if target.startswith(_CAPABILITY) else target


def answered(spec: LabelsSpec, name: str) -> Label:
    """Return the marks of what a capability answers: what is said, else all that it accepts, for it may keep that.

    What is said of any of its ids is joined. Of a pattern of which nothing is said: all that any capability accepts.
    """
    ids, marks, spoken = spec.offered.ids(name), PUBLIC, False
    for text, said in spec.capabilities.items():
        fits = Patterns((text,)).match
        if any(fits(each) is not None for each in spec.offered.claims(name)):
            marks |= said
            spoken = spoken or any(fits(each) is not None for each in ids)
    if spoken:
        return marks
    if "*" in name:
        return marks.union(*(each for text, each in spec.accepts.items() if text.startswith(_CAPABILITY)))
    return marks | (accepted(spec, _CAPABILITY + name) or PUBLIC)


def accepted(spec: LabelsSpec, text: str) -> Label | None:
    """Return the marks that may reach what a text names, None for every mark: what is said, else what is safe."""
    if text.startswith(_CAPABILITY):
        return _accepted_by(spec, text.removeprefix(_CAPABILITY)) if spec.lines else PUBLIC
    said = spec.accepts.get(text)
    return said if said is not None else None if text.startswith(("local-", "cache ")) else PUBLIC


def _accepted_by(spec: LabelsSpec, name: str) -> Label:
    """Return the marks that a capability accepts: those that all lines list which count for it.

    A line counts unless a more specific one counts that fits an id which it fits, too. An id that a capability wants
    and does not have lets nothing more pass.
    """
    ids = spec.offered.ids(name)
    counted: list[str] = []
    ruled: set[str] = set()
    for line in spec.lines.by_rank:
        fitting = {each for each in ids if _fits(line, each)}
        if fitting and not fitting & ruled:
            counted.append(line)
            ruled |= fitting
    if not counted:
        return PUBLIC
    wanted = (spec.lines.match(_CAPABILITY + each) for each in spec.offered.claims(name) if each not in ids)
    counted += [line for line in wanted if line is not None and not any(_fits(line, each) for each in ids)]
    return frozenset.intersection(*(spec.accepts[line] for line in counted))


def most_for(spec: LabelsSpec, text: str) -> Label | None:
    """Return the marks that another line of `accepts` may list without letting more pass than now; None for all."""
    now = accepted(spec, text)
    name = text.removeprefix(_CAPABILITY)
    known = text in spec.accepts or spec.offered.id_of(name) in spec.offered.wanted
    if now is None or name == text or known:
        return now
    # It may come before any line that fits a name which it fits: as a pattern, or as an alias that nobody knows yet.
    before = (each for each in spec.lines.texts if "*" in name or _fits(each, name))
    return now.intersection(*(spec.accepts[each] for each in before))


def _fits(line: str, name: str) -> bool:
    return Patterns((line,)).match(_CAPABILITY + name) is not None
