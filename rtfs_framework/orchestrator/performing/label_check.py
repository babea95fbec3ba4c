"""The labels of a host, made of its configuration, and the last look at them.

No request leaves whose marks its target does not accept, whoever decided what before.

Hedges, repeats, repairs and consultations pass here, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.labels import PUBLIC
from rtfs_framework.api.targets import ExecTarget, show_target
from rtfs_framework.orchestrator.boundary.failures import RefusedError, as_program_error
from rtfs_framework.orchestrator.config.labels import accepted
from rtfs_framework.orchestrator.deciding.labelling import Labelling, forbidden, rule_of
from rtfs_framework.orchestrator.deciding.labels import LabelRule, Marks
from rtfs_framework.orchestrator.performing.gate import Check
from rtfs_framework.orchestrator.performing.models import Failed
from rtfs_framework.orchestrator.recording.withholding import Withholding

if TYPE_CHECKING:
    from rtfs_framework.api.labels import Label
    from rtfs_framework.orchestrator.config.labels import LabelsSpec
    from rtfs_framework.orchestrator.config.tables.redaction import Rules
    from rtfs_framework.orchestrator.deciding.delegate import Delegator
    from rtfs_framework.orchestrator.performing.gate import Asking, Held
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance
    from rtfs_framework.orchestrator.recording.events import EventBus
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall


@attrs.frozen(slots=True, eq=False)
class LabelCheck(Check):
    """A check of the gate."""

    name = "labels"
    marks: Marks

    def concerns(self, instance: ProviderInstance) -> bool:
        """Tell whether there are marks that a provider does not accept."""
        return self.marks.accepts(instance.target) is not None

    def enter(self, asking: Asking) -> Held | None:
        """Let a request pass whose marks its target accepts.

        Raises:
            RefusedError: The target does not.
        """
        target = asking.instance.target
        why = forbidden(self.marks, asking.opened, target)
        if why is not None:
            raise RefusedError(self.name, why, rule_of(self.marks, asking.opened).way_out(target))
        return None


def keeps_back(labelling: Labelling | None, opened: OpenCall, target: ExecTarget) -> Failed | None:
    """Return why a call's marks keep it from a target, wherever its plan or its answer comes from."""
    why = None if labelling is None else labelling.forbids(opened, target)
    if why is None:
        return None
    error = RefusedError("labels", why, "ask whoever runs this host")
    return Failed(as_program_error(error, show_target(target)), FailureKind.REFUSED, why, "labels")


@attrs.frozen(slots=True, eq=False)
class HostLabels:
    """What a host needs of its labels to be put together."""

    marks: Marks
    rule: LabelRule
    """Judges the targets of public calls: it lets them all pass, and says what each accepts."""
    check: LabelCheck

    @classmethod
    def of(cls, spec: LabelsSpec, redaction: Rules, events: EventBus) -> HostLabels:
        """Return the labels of a configuration; those who hear of events are told no more than they accept."""
        events.withhold = Withholding(lambda who: accepted(spec, who), spec.marks)
        marks = Marks(spec, {name: rule.marks for name, rule in redaction.items()})
        return cls(marks, LabelRule(marks), LabelCheck(marks))

    def kept(self, name: str, *, shared: bool) -> Label | None:
        """Return the marks that a cache accepts, None for all; one that is shared accepts none that nobody granted."""
        spec, text = self.marks.spec, f"cache {name}"
        return PUBLIC if shared and text not in spec.accepts else accepted(spec, text)

    def at_work(self, delegator: Delegator, capabilities: Iterable[str]) -> Labelling:
        """Return what gives calls their labels."""
        return Labelling(self.marks, delegator, frozenset(capabilities))
