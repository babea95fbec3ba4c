"""The table `[labels]` of `delegation.toml`: marks, where they come from, who accepts them, and what may be freed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import attrs

WELL_KNOWN = ("internal", "pii", "secret")
"""The marks that nobody need declare."""


@attrs.frozen(slots=True, kw_only=True)
class GrantTable:
    """`[[labels.declassify]]`: one function of one program may free its calls to one target of some marks."""

    program: str
    function: str
    target: str
    marks: Sequence[str]


@attrs.frozen(slots=True, kw_only=True)
class LabelsTable:
    """`[labels]`."""

    marks: Sequence[str] = ()
    forbidden: Literal["body", "error", "ask"] = "body"
    trust_redaction: bool = False
    inputs: Mapping[str, list[str]] = attrs.field(factory=dict)
    capabilities: Mapping[str, list[str]] = attrs.field(factory=dict)
    providers: Mapping[str, list[str]] = attrs.field(factory=dict)
    context: Mapping[str, list[str]] = attrs.field(factory=dict)
    accepts: Mapping[str, list[str]] = attrs.field(factory=dict)
    declassify: Sequence[GrantTable] = ()


USUAL_LABELS = LabelsTable()
