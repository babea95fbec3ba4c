"""What must hold before a model is asked: there is time, the provider can be used, the arguments are of their types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.errors import ProviderAuthError, ProviderTimeout
from rtfs_framework.lang.errors import type_validation_error
from rtfs_framework.lang.types.check import violation

if TYPE_CHECKING:
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall


def check_time(instance: ProviderInstance, seconds: float) -> None:
    """Refuse a request for which no time is left.

    Raises:
        ProviderTimeout: There is none.
    """
    if seconds <= 0:
        raise over(instance)


def over(instance: ProviderInstance) -> ProviderTimeout:
    """Return the error of a call whose time is over."""
    return ProviderTimeout(instance.spec.id, "the call's time is over", failure=FailureKind.FINAL)


def check_usable(instance: ProviderInstance) -> None:
    """Refuse a provider that cannot be used: it has no key, say.

    Raises:
        ProviderAuthError: It cannot.
    """
    why = instance.unusable()
    if why is not None:
        raise ProviderAuthError(instance.spec.id, why)


def check_arguments(function: FunctionSignature, opened: OpenCall) -> None:
    """Refuse arguments that are not of the declared types, before anything is paid for them.

    Raises:
        ProgramError: One is not.
    """
    args = opened.call.args
    for place, parameter in enumerate(function.parameters):
        if parameter.type is None:
            continue
        for value in args[place:] if parameter.rest else args[place : place + 1]:
            wrong = violation(parameter.type, value, opened.scope.lookup)
            if wrong is not None:
                raise type_validation_error(f"argument {parameter.name} of {function.name}: {wrong}").of_program()
