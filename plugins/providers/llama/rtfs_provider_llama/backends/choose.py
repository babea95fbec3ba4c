"""Backends by name. A name is one of ours, `auto`, or `module:Class` of somebody else's."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from rtfs_provider_llama.backends.base import Backend, BackendError, Options

PACKAGES = {"xllamacpp": "xllamacpp", "llama-cpp": "llama_cpp"}
"""The backends, in the order in which `auto` looks for them, and the package that each needs."""
_HOMES = {
    "xllamacpp": "rtfs_provider_llama.backends.xllamacpp:XllamacppBackend",
    "llama-cpp": "rtfs_provider_llama.backends.llama_cpp:LlamaCppBackend",
}


def chosen(name: str) -> str:
    """Return the name of the backend that is used: `auto` is the first that is installed."""
    if name != "auto":
        return name
    return next((each for each, package in PACKAGES.items() if find_spec(package) is not None), next(iter(PACKAGES)))


def open_backend(name: str, options: Options) -> Backend:
    """Return a backend with a model loaded.

    Raises:
        BackendError: It is not installed, or cannot load the model.
    """
    module, _, attribute = _HOMES.get(name, name).partition(":")
    try:
        make = cast("Callable[[Options], Backend]", getattr(import_module(module), attribute))
    except (ImportError, AttributeError) as error:
        raise BackendError(f"the backend {name} cannot be imported: {error}") from error
    return make(options)
