"""The keys of a local model that is answered by this provider."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import attrs
from attrs import validators

from rtfs_framework.api import Bytes, Seconds
from rtfs_provider_llama.backends.choose import PACKAGES
from rtfs_provider_llama.locate import NotFoundError, find, named

LEAST_CONTEXT, MOST_CONTEXT = 64, 1_048_576
LEAST_MEMORY = Bytes(64 * 1024 * 1024)


def _backend(_: Any, attribute: Any, value: str) -> None:
    if value != "auto" and value not in PACKAGES and ":" not in value:
        known = ", ".join(f'"{name}"' for name in ("auto", *PACKAGES))
        raise ValueError(f"'{attribute.name}' must be one of {known}, or \"module:Class\" of your own")


def _within(least: float, most: float) -> Any:
    return [validators.ge(least), validators.le(most)]


def _none_or(least: float, most: float) -> Any:
    return validators.optional(_within(least, most))


@attrs.frozen(slots=True, kw_only=True)
class LlamaSettings:
    """The keys of a local model that is answered by this provider."""

    model: str | None = None
    """A GGUF file, a folder with one, or `package:NAME` for one inside an installed package; without it
    RTFS_LOCAL_MODEL_PATH."""
    path: str | None = None
    """The same, as the published configuration writes it."""
    backend: str = attrs.field(default="auto", validator=_backend)
    """`xllamacpp` or `llama-cpp`; `auto` takes the first that is installed."""
    context: int = attrs.field(default=2048, validator=_within(LEAST_CONTEXT, MOST_CONTEXT))
    """Tokens of a prompt and its reply together."""
    functions: int = attrs.field(default=4, validator=_within(1, 64))
    """How many functions' prompts are kept in memory; each takes room for a whole context."""
    threads: int = attrs.field(default=1, validator=_within(1, 256))
    """Threads that compute."""
    seed: int = attrs.field(default=0, validator=_within(0, 2**32 - 2))
    """Of sampling: equal requests get equal replies."""
    temperature: float | None = attrs.field(default=None, validator=_none_or(0, 2))
    """Instead of the request's (0)."""
    top_k: int = attrs.field(default=40, validator=_within(0, 1_000_000))
    """Sampling looks at so many of the likeliest tokens."""
    top_p: float = attrs.field(default=0.95, validator=_within(0, 1))
    """Sampling looks at the likeliest tokens that together have this probability."""
    min_p: float = attrs.field(default=0.05, validator=_within(0, 1))
    """Sampling leaves out tokens less likely than this share of the likeliest."""
    repeat_penalty: float = attrs.field(default=1.0, validator=_within(0.5, 2))
    """How much less likely a token is that has been said; 1 for as likely."""
    max_tokens: int | None = attrs.field(default=None, validator=validators.optional(validators.ge(1)))
    """Of a reply; the request's own bound, if it is less, goes before it."""
    queue: int = attrs.field(default=64, validator=_within(1, 100_000))
    """Requests that may wait for their turn."""
    memory: Bytes | None = attrs.field(default=None, validator=validators.optional(validators.ge(LEAST_MEMORY)))
    """What the process may take besides the model's file, which it only maps; without it, 2 GiB and the file's size."""
    load: Seconds = attrs.field(default=Seconds(100.0), validator=_within(0.1, 3600))
    """How long loading may take."""
    idle: Seconds | None = attrs.field(default=Seconds(600.0), validator=_none_or(0.01, 31_536_000))
    """After so long without a request the model is unloaded; the next request loads it again."""
    patience: Seconds = attrs.field(default=Seconds(5.0), validator=_within(0.01, 600))
    """How long a request that was given up may go on before its process is ended."""

    def __attrs_post_init__(self) -> None:
        """Refuse two names of the model."""
        if self.model is not None and self.path is not None:
            raise ValueError("'model' and 'path' both name the model: keep one of them")

    def unusable(self, environ: Mapping[str, str]) -> str | None:
        """Return why the provider cannot be asked and the way out, None when it can."""
        try:
            where = named(self.model or self.path, environ)
            if where.absolute:
                find(where.text, None, where.said_in)
        except NotFoundError as error:
            return str(error)
        return missing(self.backend)


def missing(backend: str) -> str | None:
    """Return what is not installed for a backend and the way out, None when all is."""
    if ":" in backend:
        return None
    wanted = PACKAGES if backend == "auto" else {backend: PACKAGES[backend]}
    if any(find_spec(package) is not None for package in wanted.values()):
        return None
    if backend == "auto":
        return (
            "neither xllamacpp nor llama-cpp-python is installed; install one: "
            "pip install 'rtfs-provider-llama[xllamacpp]'"
        )
    return f"the backend {backend} is not installed; install it: pip install 'rtfs-provider-llama[{backend}]'"
