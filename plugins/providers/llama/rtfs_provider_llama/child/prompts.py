"""Messages as tokens, by the model's template. What is said in a message never becomes a control token.

The template is asked once for each order of roles, with a mark in place of each message; what stands between the marks
is the template's own, and may hold control tokens. So an argument that spells out "end of turn" is text like any other,
and templates are not run for each request.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import attrs

from rtfs_provider_llama.backends.base import Backend, TemplateError

_MOST_REMEMBERED = 128
"""Texts whose tokens are remembered: the template's parts, and what a function's calls share."""


@attrs.frozen(slots=True)
class Said:
    """One message. Its first `steady` characters are the same in other calls of the function."""

    role: str
    content: str
    steady: int = 0


@attrs.frozen(slots=True)
class Prompt:
    """A prompt; its first `kept` tokens are the same in other calls."""

    tokens: tuple[int, ...]
    kept: int


class Prompts:
    """Makes prompts for one model."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._between: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._known: OrderedDict[tuple[str, bool], tuple[int, ...]] = OrderedDict()

    def of(self, messages: Sequence[Said]) -> Prompt:
        """Return the prompt of some messages, up to where the reply starts.

        Raises:
            TemplateError: The model's template takes none of their forms.
        """
        try:
            between = self._parts(tuple(said.role for said in messages))
        except TemplateError:
            messages = _without_system(messages)
            between = self._parts(tuple(said.role for said in messages))
        tokens = list(self._backend.begin)
        kept = None
        for said, part in zip(messages, between, strict=False):
            tokens += self._remembered(part, control=True)
            tokens += self._remembered(said.content[: said.steady], control=False)
            rest = said.content[said.steady :]
            if rest:
                kept = len(tokens) if kept is None else kept
                tokens += self._backend.tokenize(rest, control=False)
        kept = len(tokens) if kept is None else kept
        tokens += self._remembered(between[-1], control=True)
        return Prompt(tuple(tokens), min(kept, len(tokens) - 1))

    def text(self, text: str) -> tuple[int, ...]:
        """Return the tokens of a text that a reply may be."""
        return self._remembered(text, control=False)

    def _remembered(self, text: str, *, control: bool) -> tuple[int, ...]:
        if not text:
            return ()
        key = (text, control)
        known = self._known.pop(key, None)
        if known is None:
            known = tuple(self._backend.tokenize(text, control=control))
            while len(self._known) >= _MOST_REMEMBERED:
                self._known.popitem(last=False)
        self._known[key] = known
        return known

    def _parts(self, roles: tuple[str, ...]) -> tuple[str, ...]:
        """Return what the template puts before, between and after messages of these roles."""
        found = self._between.get(roles)
        if found is None:
            marks = [f"{{{{MESSAGE {n}}}}}" for n in range(len(roles))]
            said = [{"role": role, "content": mark} for role, mark in zip(roles, marks, strict=True)]
            found = self._between[roles] = _split(self._backend.render(said), marks)
        return found


def _split(text: str, marks: Sequence[str]) -> tuple[str, ...]:
    parts = []
    for mark in marks:
        if text.count(mark) != 1:
            raise TemplateError("the model's template leaves a message out, or says it twice")
        before, _, text = text.partition(mark)
        parts.append(before)
    return (*parts, text)


def _without_system(messages: Sequence[Said]) -> list[Said]:
    """Return messages for a template without system messages: what they say stands before the next one.

    All of it is steady, if it was, for the first message that follows goes on where it ends.
    """
    merged: list[Said] = []
    before: list[Said] = []
    for said in messages:
        if said.role == "system":
            before.append(said)
            continue
        lead = "".join(f"{each.content}\n\n" for each in before)
        steady = len(lead) + said.steady if all(each.steady == len(each.content) for each in before) else 0
        merged.append(Said(said.role, lead + said.content, steady))
        before = []
    return merged or [Said("user", each.content, each.steady) for each in before]
