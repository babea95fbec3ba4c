"""Vectors of texts from a provider: the request, and what of a reply is believed.

In: a question for vectors. Out: a request whose user messages are the texts; from the reply, the text of an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rtfs_framework.api.errors import BadReply
from rtfs_framework.api.provider import InferenceReply, InferenceRequest, Message
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.orchestrator.deciding.facts import Question
from rtfs_framework.orchestrator.deciding.vector_text import read_texts, write_vectors

_LONGEST = 65_536
"""Numbers of a vector."""


def vectors_request(question: Question, timeout: float) -> InferenceRequest:
    """Return the request for the vectors that a question wants."""
    texts = read_texts(question.text)
    return InferenceRequest(
        function=FunctionSignature("delegate/embed"),
        args=texts,
        messages=tuple(Message("user", text) for text in texts),
        timeout=timeout,
        embeds=True,
    )


def vectors_text(reply: InferenceReply, request: InferenceRequest, provider: str) -> str:
    """Return the vectors of a reply as the text of an answer.

    Raises:
        BadReply: They are none: not one for each text, of several lengths, or with what is no finite number.
    """
    found, count = reply.data, len(request.messages)
    if not reply.structured or not isinstance(found, Sequence) or len(found) != count:
        raise BadReply(provider, f"the reply has not one vector for each of {count} texts", usage=reply.usage)
    wrong = next((why for why in map(_fault, found) if why), "")
    if not wrong and len({len(each) for each in found}) > 1:
        wrong = "vectors of several lengths"
    if wrong:
        raise BadReply(provider, f"the reply holds {wrong}", usage=reply.usage)
    return write_vectors(found)


def _fault(vector: Any) -> str:
    """Return why something is no vector, "" where it is one."""
    if isinstance(vector, str) or not isinstance(vector, Sequence) or not 0 < len(vector) <= _LONGEST:
        return "what is no vector"
    if not all(each.__class__ in (int, float) and abs(each) < _MOST for each in vector):
        return "a vector with what is no finite number"
    return "" if any(vector) else "a vector without length"


_MOST = 3.4e38
"""Beyond it a number has no place in 32 bits."""
