"""Linking: which functions are delegated, and what free names mean; settled when a program is loaded."""

from __future__ import annotations

from rtfs_framework.kernel.outcome import CallKind
from rtfs_framework.kernel.state import RUN_LOCALLY, request
from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.codegen.artifact import Artifact
from rtfs_framework.lang.signature import FunctionSignature, HintKind
from rtfs_framework.stdlib.callables import check_arity, invoke, shapes_of

_MODEL_HINTS = (HintKind.LOCAL_MODEL, HintKind.REMOTE, HintKind.TARGET)


class Linker:
    """Makes the helpers of one program that depend on its host."""

    def __init__(
        self,
        artifact: Artifact,
        claims: Callable[[FunctionSignature], bool],
        host_names: Callable[[str], str | None],
    ) -> None:
        self._artifact = artifact
        self._host_names = host_names
        self._claimed = tuple(_is_hinted(signature) or claims(signature) for signature in artifact.links)

    def helpers(self) -> dict[str, Any]:
        """Return the helpers by the names that generated code uses."""
        return {"rt_link": self.link, "rt_host_name": self.host_name}

    def link(self, function: Any, number: int) -> Any:
        """Return the function itself, or one that asks the host first when its calls may go elsewhere."""
        return delegated(function, self._artifact.links[number]) if self._claimed[number] else function

    def host_name(self, name: str) -> Any:
        """Return the value of a free name: a function of the host's, or a value of its context."""
        capability = self._host_names(name)
        if capability is not None:
            return capability_function(name, capability)
        return request(CallKind.CONTEXT_GET, name, ())


def _is_hinted(signature: FunctionSignature) -> bool:
    return signature.hint is not None and signature.hint.kind in _MODEL_HINTS


def delegated(function: Any, signature: FunctionSignature) -> Any:
    """Return a function that asks the host where to run; only `RUN_LOCALLY` runs the body here."""
    hint = signature.hint
    capability = f"model-call:{hint.id}" if hint is not None and hint.id else signature.name

    def ask(*args: Any) -> Any:
        check_arity(function, len(args))
        answer = request(CallKind.DELEGATED, capability, args, signature)
        return invoke(function, args) if answer is RUN_LOCALLY else answer

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
