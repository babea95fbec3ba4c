"""What the decider keeps of a function, and of a decision that waits for a model's words."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from types import MappingProxyType

import attrs

from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.orchestrator.deciding.facts import Asker, Facts, Question, Read
from rtfs_framework.orchestrator.deciding.pinned import Pin
from rtfs_framework.orchestrator.deciding.plan_tree import PlanTree
from rtfs_framework.orchestrator.recording.records import Decision, Grounds, Steps

NO_ANSWERS: Mapping[Question, str | None] = MappingProxyType({})


@attrs.frozen(slots=True)
class Undecided:
    """The engine asks to consult a model; `Delegator.go_on` takes the answer."""

    call: HostCall
    question: Question
    steps: Steps
    noted: Mapping[Read, Hashable]
    """What was read before the question."""
    answers: Mapping[Question, str | None] = attrs.field(factory=dict)
    """Those of this call that are there."""
    asker: Asker | None = None
    """Whose past counts; None for a call that nobody makes."""


@attrs.define(slots=True)
class Known:
    """What is settled of one function."""

    facts: Facts
    grounds: Grounds
    tree: PlanTree
    fixed: Decision | None = None
    before: Steps = ()
    pins: dict[Pin, Decision] = attrs.field(factory=dict)
    """What a pinned plan decides."""
