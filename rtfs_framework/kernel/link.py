"""Linking: which functions are delegated, and what free names mean; settled when a program is loaded."""

from __future__ import annotations

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.state import RUN_LOCALLY, Instead, current, request
from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.codegen.artifact import Artifact
from rtfs_framework.lang.signature import FunctionSignature, HintKind, memoised
from rtfs_framework.lang.values import Ticket
from rtfs_framework.stdlib.callables import check_arity, invoke, shapes_of

_MODEL_HINTS = (HintKind.LOCAL_MODEL, HintKind.REMOTE, HintKind.TARGET)


Kept = Callable[[Any, FunctionSignature], Any]
"""Returns a memoised function as its host wants it."""


def itself(function: Any, _signature: FunctionSignature) -> Any:
    """Return a memoised function: the host keeps no values."""
    return function


def linker(
    artifact: Artifact, claims: Callable[[FunctionSignature], bool], kept: Kept = itself
) -> Callable[[Any, int], Any]:
    """Return what generated code calls for each function of `links`, by its number.

    It gives the function itself, or one that asks the host first when its calls may go elsewhere.
    """
    own = [memoised(signature) for signature in artifact.links]
    claimed = tuple(
        not mine and (_is_hinted(signature) or claims(signature))
        for mine, signature in zip(own, artifact.links, strict=True)
    )

    def link(function: Any, number: int) -> Any:
        if own[number]:
            return kept(function, artifact.links[number])
        return delegated(function, artifact.links[number]) if claimed[number] else function

    return link


def host_name(name: str, capability: str | None) -> Any:
    """Return the value of a free name: a function that a capability of the host's gives, or a value of its context."""
    return request(CallKind.CONTEXT_GET, name, ()) if capability is None else capability_function(name, capability)


def _is_hinted(signature: FunctionSignature) -> bool:
    return signature.hint is not None and signature.hint.kind in _MODEL_HINTS


def delegated(function: Any, signature: FunctionSignature) -> Any:
    """Return a function that asks the host where to run; `RUN_LOCALLY` runs the body here, `Instead` another."""
    hint = signature.hint
    capability = f"model-call:{hint.id}" if hint is not None and hint.id else signature.name

    def ask(*args: Any) -> Any:
        check_arity(function, len(args))
        answer = request(CallKind.DELEGATED, capability, args, signature)
        if answer is RUN_LOCALLY:
            return invoke(function, args)
        if answer.__class__ is Ticket:
            from rtfs_framework.kernel.tickets import body_of

            return body_of(answer, function, args)
        return answer.body.run(args, current()) if answer.__class__ is Instead else answer

    ask.rtfs_shapes = shapes_of(function)  # type: ignore[attr-defined]
    ask.rtfs_asks = True  # type: ignore[attr-defined]
    return ask


def capability_function(name: str, capability: str) -> Any:
    """Return the function that a host provides under a name."""

    def ask(*args: Any) -> Any:
        return request(CallKind.CAPABILITY, capability, args)

    ask.rtfs_shapes = ((0, None),)  # type: ignore[attr-defined]
    ask.rtfs_asks = True  # type: ignore[attr-defined]
    ask.rtfs_name = name  # type: ignore[attr-defined]
    return ask
