"""What is said of one call of a capability: its target, its arguments, its answer, and its failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.caller import NO_METADATA, Described
from rtfs_framework.api.errors import CapabilityError
from rtfs_framework.api.labels import PUBLIC
from rtfs_framework.lang.errors import ProgramError, arity_error, type_validation_error
from rtfs_framework.lang.types.check import violation
from rtfs_framework.lang.types.names import any_of_name
from rtfs_framework.orchestrator.boundary.handover import NoValueError, as_value
from rtfs_framework.orchestrator.boundary.purity import ATOMS
from rtfs_framework.orchestrator.deciding.security import Refusal
from rtfs_framework.orchestrator.deciding.security import violation as security_violation
from rtfs_framework.orchestrator.performing.models import Failed
from rtfs_framework.orchestrator.performing.reply import check_fit
from rtfs_framework.orchestrator.performing.telling import reason_of
from rtfs_framework.registry.faults import PluginFault
from rtfs_framework.registry.problems import NO_VALUE

if TYPE_CHECKING:
    from rtfs_framework.api.capability import CapabilityEntry
    from rtfs_framework.api.labels import Label
    from rtfs_framework.lang.types.model import Type
    from rtfs_framework.orchestrator.deciding.security import SecurityAuthorizer
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall
    from rtfs_framework.registry.faults import Part

HANDLER = "the handler"
"""How a plug-in's part is called when it fails."""


def as_failed(error: Exception, thrown: ProgramError) -> Failed:
    """Return a failure as what the next decision sees of it: whatever nobody has said may have been carried out."""
    if isinstance(error, CapabilityError):
        return Failed(thrown, error.failure, reason_of(error, thrown))
    kind = FailureKind.REPLY if isinstance(error, ProgramError) else FailureKind.UNCERTAIN
    return Failed(thrown, kind, reason_of(error, thrown))


def target_of(name: str) -> str:
    """Return how records name a capability as a target."""
    return f"capability {name}"


def check_arguments(entry: CapabilityEntry, parameters: tuple[Type, ...], args: tuple[Any, ...]) -> None:
    """Hold the arguments of a call to what its capability declares.

    Raises:
        ProgramError: They are others.
    """
    if len(args) != len(parameters):
        raise arity_error(entry.id, str(len(parameters)), len(args)).of_program()
    for place, (type_, value) in enumerate(zip(parameters, args, strict=True), 1):
        wrong = violation(type_, value, any_of_name)
        if wrong is not None:
            raise type_validation_error(f"argument {place} of capability '{entry.id}': {wrong}").of_program()


def taken(opened: OpenCall, entry: CapabilityEntry, part: Part, security: SecurityAuthorizer, made: Any) -> Any:
    """Return what a handler returned as a value of programs, of the declared type; keep what it says of calls.

    Raises:
        PluginFault: No program can hold it.
        ProgramError: It is of another type, or carries marks where nothing does.
    """
    said, marks = None, PUBLIC
    if made.__class__ is Described:
        said, marks, made = made.metadata, made.marks, made.value
    value = made
    if made.__class__ not in ATOMS:
        try:
            value = as_value(made, opened.call.args)
        except NoValueError as error:
            raise PluginFault(part, HANDLER, f"returned {error}", code=NO_VALUE) from None
    who, function, lookup = f"capability '{entry.id}'", opened.call.function, opened.scope.lookup
    wrong = None if entry.returns is None else violation(entry.returns, value, any_of_name)
    if wrong is None and function is not None and function.returns is not None:  # it answers for a function
        wrong = violation(function.returns, value, lookup)
    if wrong is not None:
        raise type_validation_error(f"the answer of {who}: {wrong}")
    if opened.hinted is not None:
        opened.hinted.check(value, lookup, who)
    check_fit(opened, value, who)
    if marks:
        marked(opened, entry, marks, security)
    if said is not None and said != NO_METADATA:
        named = attrs.evolve(said, source=said.source or f"capability {entry.id}")
        opened.scope.metadata = named.over(opened.scope.metadata)
        opened.said = attrs.asdict(named)
    return value


def marked(opened: OpenCall, entry: CapabilityEntry, marks: Label, security: SecurityAuthorizer) -> None:
    """Count the marks that an answer or an error brings along; where nothing carries marks, it is not handed over.

    Raises:
        ProgramError: Nothing does.
    """
    if opened.scope.floating is None:
        shown = ", ".join(f":{mark}" for mark in sorted(marks))
        refusal = Refusal(f"its answer carries {shown}, and nothing here carries marks", "configure [labels]")
        raise security_violation("call", entry.id, security.rules.level, refusal)
    opened.record.told |= marks
