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
from rtfs_framework.orchestrator.config.tables.labels import WELL_KNOWN


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


def answered(spec: LabelsSpec, name: str) -> Label:
    """Return the marks of what a capability answers: what is said, else all that it accepts, for it may keep that.

    Of a pattern of which nothing is said: all that any capability accepts.
    """
    texts = [each for each in spec.capabilities if Patterns((each,)).match(name) is not None]
    if texts:
        return PUBLIC.union(*(spec.capabilities[each] for each in texts))
    if "*" in name:
        return PUBLIC.union(*(marks for text, marks in spec.accepts.items() if text.startswith("capability ")))
    return accepted(spec, f"capability {name}") or PUBLIC


def accepted(spec: LabelsSpec, text: str) -> Label | None:
    """Return the marks that may reach what a text names, None for every mark: what is said, else what is safe."""
    said = spec.accepts.get(text)
    if said is not None:
        return said
    if text.startswith("capability "):
        found = Patterns(each for each in spec.accepts if each.startswith("capability ")).match(text)
        return PUBLIC if found is None else spec.accepts[found]
    return None if text.startswith(("local-", "cache ")) else PUBLIC
