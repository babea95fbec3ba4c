"""A request as a job for the child: its messages, what of them stays the same between calls, and how it may answer.

Enums, booleans and constants are chosen among; every other type is written under a grammar, so that what comes back is
of the declared type by construction; a function without a type answers in plain text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from rtfs_framework.api import InferenceRequest, ProviderError, Usage
from rtfs_provider_llama.grammar import GrammarError, choices, closest, spelled
from rtfs_provider_llama.settings import LlamaSettings

_BEFORE_ARGUMENTS = "\nArguments:\n"
_BEFORE_VALUE = ": "
_MOST_KNOWN = 256
_MOST_CHOICES = 1024
"""Choices beyond which a grammar is cheaper than a pass for each."""


@attrs.frozen(slots=True)
class Form:
    """How a reply may look."""

    values: tuple[Any, ...] | None = None
    """What is chosen among."""
    grammar: str | None = None
    typed: bool = False


class Wording:
    """Makes jobs; what a schema means is worked out once."""

    def __init__(self, provider: str, own: LlamaSettings) -> None:
        self._id, self._own = provider, own
        self._known: dict[str, Form | str] = {}
        """By schema; a text is why it has no form."""

    def form(self, schema: Mapping[str, Any] | None) -> Form:
        """Return how a reply of a type may look.

        Raises:
            ProviderError: No JSON is of that type.
        """
        if schema is None:
            return Form()
        key = json.dumps(schema)  # in its order: members are written in that of the properties
        known = self._known.get(key)
        if known is None:
            try:
                known = self._made(schema)
            except GrammarError as error:
                known = str(error)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = known
        if isinstance(known, str):
            message = f"its type cannot be written: {known}"
            raise ProviderError(self._id, message, usage=Usage(0, 0))
        return known

    def _made(self, schema: Mapping[str, Any]) -> Form:
        values = choices(schema)
        if values is not None and 0 < len(values) <= _MOST_CHOICES:
            return Form(values=tuple(values), typed=True)
        return Form(grammar=closest(schema), typed=True)

    def job(self, request: InferenceRequest, form: Form) -> dict[str, Any]:
        """Return the message that asks the child."""
        own = self._own
        temperature = request.temperature if own.temperature is None else own.temperature
        bounds = [most for most in (request.max_tokens, own.max_tokens) if most is not None]
        return {
            "do": "answer",
            "key": _key(request),
            "messages": _said(request),
            "choices": None if form.values is None else [spelled(value) for value in form.values],
            "grammar": form.grammar,
            "most": min(bounds, default=None),
            "stream": request.on_text is not None and not form.typed,
            "sampling": {
                "temperature": temperature,
                "top_k": own.top_k,
                "top_p": own.top_p,
                "min_p": own.min_p,
                "repeat_penalty": own.repeat_penalty,
                "seed": own.seed,
            },
        }


def _key(request: InferenceRequest) -> str:
    """Return whose calls share a prefix: a function's."""
    return f"{request.function.name} {request.function.body_digest}"


def _said(request: InferenceRequest) -> list[tuple[str, str, int]]:
    """Return role, content and how many characters of it are steady, of each message.

    All that comes before the last message is: what a function is told of itself, or a conversation so far.
    """
    *before, last = request.messages
    return [(each.role, each.content, len(each.content)) for each in before] + [
        (last.role, last.content, _steady(last.content))
    ]


def _steady(content: str) -> int:
    """Return how much of the last message other calls of the function say, too: all but the arguments' values.

    Where the host writes no such line, nothing of it.
    """
    place = content.find(_BEFORE_ARGUMENTS)
    if place < 0:
        return 0
    start = place + len(_BEFORE_ARGUMENTS)
    value = content.find(_BEFORE_VALUE, start)
    return start if value < 0 else value + len(_BEFORE_VALUE)
