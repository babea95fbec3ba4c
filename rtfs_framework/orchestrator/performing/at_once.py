"""What a provider that never waits is asked by: its answer is there when the call returns."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from typing import Any

from rtfs_framework.api.errors import ProviderError
from rtfs_framework.api.provider import InferenceRequest


def at_once(infer: Callable[[InferenceRequest], Any], request: InferenceRequest) -> Any:
    """Return what an asynchronous method returns without ever waiting, or the error that is an answer, too."""
    try:
        begun = infer(request)
        if not isawaitable(begun):
            return begun
        steps = begun.__await__()
        next(steps)
    except StopIteration as done:
        return done.value
    except ProviderError as error:
        return error
    close = getattr(steps, "close", None)
    if callable(close):
        close()
    raise TypeError("it waited, though its record says that it never does (`immediate`)")
