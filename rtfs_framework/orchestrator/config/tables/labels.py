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
    """The digest of the program."""
    function: str
    """The function whose calls are freed."""
    target: str
    """Where they may then go."""
    marks: Sequence[str]
    """The marks that they are freed of."""


@attrs.frozen(slots=True, kw_only=True)
class LabelsTable:
    """`[labels]`."""

    marks: Sequence[str] = ()
    """All that there are."""
    forbidden: Literal["body", "error", "ask"] = "body"
    """What becomes of a call that its target may not have: its own body, an error, or a question to a person."""
    trust_redaction: bool = False
    """Whether a rule that takes texts out frees the rest of its marks, of data from outside, too."""
    inputs: Mapping[str, list[str]] = attrs.field(factory=dict)
    """Marks of columns of the input, by the column's name."""
    capabilities: Mapping[str, list[str]] = attrs.field(factory=dict)
    """Marks of what capabilities answer, by id or pattern."""
    providers: Mapping[str, list[str]] = attrs.field(factory=dict)
    """Marks of what models answer, by id or pattern."""
    context: Mapping[str, list[str]] = attrs.field(factory=dict)
    """Marks of context values, by name."""
    accepts: Mapping[str, list[str]] = attrs.field(factory=dict)
    """The marks that targets may be sent, by target or pattern."""
    declassify: Sequence[GrantTable] = ()
    """Who may free calls of marks."""


USUAL_LABELS = LabelsTable()
