"""How a server is asked, as far as servers differ, and what follows from its refusing that. Nothing here is sent.

In: a way and the words with which a server refused a request. Out: the next way to ask the same, None when the refusal
is about the request itself. Every next way asks for less than the one before, so asking ends.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import attrs

from rtfs_provider_openai.words import code_in, param_in, said

Form = Literal["json_schema", "json_object", "tool", "none"]
FORMS: tuple[Form, ...] = ("json_schema", "json_object", "tool", "none")
"""How a typed reply is asked for, the surest first."""
REFUSING = frozenset({400, 404, 405, 415, 422, 500, 501})
"""Statuses with which servers refuse a parameter: those of a fault on their side, too, if they name it."""
_REFUSING_SILENTLY = frozenset({400, 415, 422, 501})
"""Those that say, even without a word, that nothing was done."""

_NOT_KNOWN = re.compile(
    r"unsupported|not support|n't support|unknown|unrecognized|unexpected|extra (input|field)|additional propert"
    r"|not (permitted|allowed|available|implemented|valid|enabled)|instead|deprecated|only the default|invalid",
    re.IGNORECASE,
)
_FORMAT = re.compile(
    r"response.?format|json.?(schema|object|mode|output)|schema|structured|guided|grammar", re.IGNORECASE
)
_TOOL = re.compile(r"tool|function", re.IGNORECASE)
_OF_ONE_SCHEMA = re.compile(
    r"invalid (json )?schema|keyword|conversion|pars(e|ing) grammar|is not permitted|in context|recursive"
    r"|too (many|large|deep|complex)",
    re.IGNORECASE,
)
_SAYS_NOTHING = frozenset({"", "bad request", "unprocessable entity", "not implemented", "invalid request", "error"})


@attrs.frozen(slots=True, kw_only=True)
class Way:
    """How a server is asked. The defaults are what the vendor's own takes."""

    form: Form = "json_schema"
    strict: bool = True
    tokens: str = "max_tokens"
    """The name of the bound on the answer's tokens."""
    other_tokens: bool = True
    """Whether that name may be exchanged for the other one."""
    temperature: bool = True
    stream: bool = True
    stream_usage: bool = True


@attrs.frozen(slots=True)
class Refusal:
    """What a server said when it refused a request."""

    status: int
    words: str
    param: str = ""
    code: str = ""

    @classmethod
    def of(cls, status: int, data: Any) -> Refusal:
        """Return what an error's data says."""
        return cls(status, said(data), param_in(data), code_in(data))

    def names(self, *words: str) -> bool:
        """Tell whether it speaks of one of these parameters."""
        return self.param.split(".")[0] in words or any(re.search(rf"\b{word}\b", self.words) for word in words)

    @property
    def does_not_know(self) -> bool:
        """Tell whether it says that something is not known or taken at all."""
        return self.code in ("unsupported_parameter", "unsupported_value") or bool(_NOT_KNOWN.search(self.words))

    @property
    def says_nothing(self) -> bool:
        """Tell whether its words name no reason, and nothing was done."""
        if self.status not in _REFUSING_SILENTLY:
            return False
        return self.words.strip().rstrip(".!").lower() in _SAYS_NOTHING and not self.param

    @property
    def of_one_schema(self) -> bool:
        """Tell whether it speaks of the schema that was sent, and not of schemas."""
        return bool(_OF_ONE_SCHEMA.search(self.words))


def next_way(way: Way, body: dict[str, Any], refusal: Refusal, *, proven: bool) -> Way | None:
    """Return how to ask once more, None when the refusal is none of the way.

    `proven` says that the server has answered by this form before: then words that say nothing are no word on it.
    """
    if refusal.status not in REFUSING:
        return None
    if refusal.does_not_know:
        found = _parameter(way, body, refusal)
        if found is not None:
            return found
    return _form(way, body, refusal, proven=proven)


def _parameter(way: Way, body: dict[str, Any], refusal: Refusal) -> Way | None:
    """Return the way without a single parameter that the server does not take."""
    if way.tokens in body and way.other_tokens and refusal.names("max_tokens", "max_completion_tokens"):
        other = "max_tokens" if way.tokens == "max_completion_tokens" else "max_completion_tokens"
        return attrs.evolve(way, tokens=other, other_tokens=False)
    if "temperature" in body and refusal.names("temperature"):
        return attrs.evolve(way, temperature=False)
    if "stream_options" in body and refusal.names("stream_options", "include_usage"):
        return attrs.evolve(way, stream_usage=False)
    if body.get("stream") and refusal.names("stream", "streaming"):
        return attrs.evolve(way, stream=False)
    if way.form in ("json_schema", "tool") and way.strict and refusal.names("strict"):
        return attrs.evolve(way, strict=False)
    return None


def _form(way: Way, body: dict[str, Any], refusal: Refusal, *, proven: bool) -> Way | None:
    """Return the way with the next form of asking for typed replies, where the refusal may be of this one."""
    if "response_format" in body:
        about = _FORMAT
    elif "tool_choice" in body and way.form == "tool":
        about = _TOOL
    else:
        return None
    named = bool(about.search(refusal.param or refusal.words))
    if named and refusal.of_one_schema and way.strict and _is_strict(body):
        return attrs.evolve(way, strict=False)
    if not named and (proven or not refusal.says_nothing):
        return None
    return attrs.evolve(way, form=FORMS[FORMS.index(way.form) + 1])


def _is_strict(body: dict[str, Any]) -> bool:
    """Tell whether a body asks for exactly its schema."""
    described = body.get("response_format", {}).get("json_schema", {})
    tools = body.get("tools") or [{}]
    return bool(described.get("strict") or tools[0].get("function", {}).get("strict"))
