"""What labels mean for calls that nobody makes: of a site, of a call that is asked about, and of a recorded one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.targets import Ask, Capability, Deny, LocalPure, show_target
from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.orchestrator.explaining.imagined import Past
from rtfs_framework.orchestrator.recording.records import Decision

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.deciding.delegate import Delegator
    from rtfs_framework.orchestrator.deciding.labelling import Labelling
    from rtfs_framework.orchestrator.deciding.labels import LabelRule, Marks
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.orchestrator.recording.records import Steps

_HOME = show_target(LocalPure())


def given(host: Host, call: HostCall) -> Label:
    """Return the marks of a call's arguments, were they what a program is given."""
    labelling = host.dispatcher.labelling
    if labelling is None:
        return PUBLIC
    names = () if call.function is None else [each.name for each in call.function.parameters]
    return PUBLIC.union(*(marks for _, marks in labelling.marks.of_arguments(call.args, names)))


def decider(host: Host, label: Label, whole: Label = PUBLIC) -> Delegator:
    """Return what decides about calls of a label; a redaction may free the marks that are `whole`."""
    labelling, delegator = host.dispatcher.labelling, host.dispatcher.delegator
    return delegator if labelling is None or not label else labelling.of(rule_for(labelling.marks, label, whole=whole))


def recorded(labelling: Labelling | None, entry: Mapping[str, Any]) -> tuple[Label, Delegator | None]:
    """Return the marks of a recorded call, and what decides about them; None where nothing is another than for all."""
    label = frozenset(map(str, entry.get("labels") or ()))
    if labelling is None or not label:
        return label, None
    freed = frozenset(map(str, (entry.get("freed") or {}).get("marks", ())))
    words = frozenset((entry.get("freed") or {}).get("grants", ()))
    grants = tuple(each for each in labelling.marks.spec.grants if str(each) in words) if freed else ()
    whole = label & frozenset(map(str, entry.get("whole") or ()))
    return label, labelling.of(rule_for(labelling.marks, label, freed, grants, whole))


def of_function(host: Host, function: FunctionSignature, whole: Label = PUBLIC) -> Steps:
    """Return, for each mark that anything here has, what becomes of a call of a function that carries it.

    A call carries those that are `whole` only by data as it was given, so that a redaction may free them.
    """
    return tuple(_each(host, lambda delegator, label: _becomes(delegator, function, label), whole))


def of_capability(host: Host, name: str | None) -> Steps:
    """Return, for each mark that anything here has, what becomes of a call of a capability that carries it."""
    labelling = host.dispatcher.labelling
    if labelling is None or name is None:
        return ()
    target = Capability(name)

    def becomes(delegator: Delegator, _label: Label) -> str:
        rule = delegator.precedence.security.label
        why = None if rule is None else rule.why_not(target)
        if rule is None or why is None:
            return show_target(target)
        return "a person is asked" if isinstance(rule.instead(target, why), Ask) else f"refused: {why}"

    return tuple(_each(host, becomes))


def _each(host: Host, becomes: Any, whole: Label = PUBLIC) -> Iterator[tuple[str, str]]:
    for mark in sorted(had(host)):
        label = frozenset((mark,))
        yield f":{mark}", becomes(decider(host, label, label & whole), label)


def _becomes(delegator: Delegator, function: FunctionSignature, label: Label) -> str:
    call = HostCall(CallKind.DELEGATED, function.name, (), function)
    found = delegator.preview(call, quiet=True, asker=Past(labels=label))
    if isinstance(found, Decision) and set(found.read) <= {"labels"}:
        target = found.plan.target
        if found.plan.transform and not isinstance(target, LocalPure):
            return f"{show_target(target)}, after {' and '.join(found.plan.transform)}"
        if isinstance(target, Deny):
            return f"refused: {target.reason.partition(';')[0]}"
        return show_target(target) if not isinstance(target, LocalPure) else _HOME
    rule = delegator.precedence.security.label
    _, excluded = delegator.precedence.weighed()
    never = [target for target, why in excluded if rule is not None and why.startswith("it carries")]
    return f"never {', '.join(never)}" if never else "as without it"


def had(host: Host) -> Label:
    """Return the marks that some source gives."""
    labelling = host.dispatcher.labelling
    if labelling is None:
        return PUBLIC
    spec = labelling.marks.spec
    tables: Iterable[Mapping[Any, Label]] = (spec.inputs, spec.capabilities, spec.providers, spec.context)
    return PUBLIC.union(*(each for table in tables for each in table.values()))


def rule_for(marks: Marks, label: Label, freed: Label = PUBLIC, grants: Any = (), whole: Label = PUBLIC) -> LabelRule:
    """Return what judges the targets of calls of a label; what the policy trusts a redaction with is `whole`, too."""
    from rtfs_framework.orchestrator.deciding.labels import LabelRule

    return LabelRule(marks, label, freed, grants, whole | marks.whole(label))
