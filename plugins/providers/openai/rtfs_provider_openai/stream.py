"""A streamed reply: bytes → events → the completion that the same reply would have been in one piece.

`Events` reads server-sent events, `Assembly` adds up the chunks in them. Neither reads anything itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rtfs_provider_openai.thoughts import ThoughtFilter

DONE = "[DONE]"
_MOST_CALLS = 256
"""Tool calls of one message: an index beyond is none."""


class Events:
    """Gives the data of server-sent events, whatever pieces they arrive in."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        """The line under way."""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the data of each event that is now complete."""
        first, *others = piece.split(b"\n")
        self._rest.append(first)
        for other in others:
            line, self._rest = b"".join(self._rest), [other]
            yield from self._line(line.rstrip(b"\r"))

    def finish(self) -> Iterator[bytes]:
        """Yield the data of a last event that no empty line ends."""
        rest, self._rest = b"".join(self._rest), []
        yield from self._line(rest.rstrip(b"\r"))
        yield from self._line(b"")

    def _line(self, line: bytes) -> Iterator[bytes]:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line and self._data:
            yield b"\n".join(self._data)
            self._data = []


class Assembly:
    """Adds up the chunks of a completion."""

    def __init__(self) -> None:
        self._strain = ThoughtFilter()
        self._said: list[str] = []
        self._refusal: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}
        self._model: Any = None
        self._finish: Any = None
        self._any = False
        self._reasoned = False
        self.usage: Any = None
        """The server's last account of tokens, None while it gave none."""

    @property
    def begun(self) -> bool:
        """Tell whether any chunk of a completion came."""
        return self._any

    @property
    def ended(self) -> bool:
        """Tell whether the server said why the answer ends."""
        return self._finish is not None

    def add(self, chunk: Any) -> str:
        """Take a chunk; return what of the answer's text it brings."""
        if not isinstance(chunk, Mapping):
            return ""
        self._model = chunk.get("model") or self._model
        self.usage = chunk.get("usage") or self.usage
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
            return ""
        self._any = True
        choice = choices[0]
        delta = choice.get("delta")
        shown = self._take(delta) if isinstance(delta, Mapping) else ""
        self._finish = choice.get("finish_reason") or self._finish
        if self.ended and not self._strain.inside:
            shown += self._strain.finish()
        if shown:
            self._said.append(shown)
        return shown

    def completion(self) -> dict[str, Any]:
        """Return the completion so far, in the form of a reply that is not streamed."""
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self._said)}
        if self._refusal:
            message["refusal"] = "".join(self._refusal)
        if self._reasoned or self._strain.inside:
            message["reasoning"] = "left out"
        if self._calls:
            message["tool_calls"] = [_whole(call) for _, call in sorted(self._calls.items())]
            message["content"] = message["content"] or None
        choices = [{"message": message, "finish_reason": self._finish}] if self._any else []
        return {"model": self._model, "choices": choices, "usage": self.usage}

    def _take(self, delta: Mapping[str, Any]) -> str:
        self._reasoned |= bool(delta.get("reasoning_content") or delta.get("reasoning"))
        refusal, content, calls = delta.get("refusal"), delta.get("content"), delta.get("tool_calls")
        if isinstance(refusal, str):
            self._refusal.append(refusal)
        if isinstance(calls, list):
            for place, call in enumerate(calls):
                self._call(place, call)
        return self._strain.feed(content) if isinstance(content, str) else ""

    def _call(self, place: int, piece: Any) -> None:
        if not isinstance(piece, Mapping):
            return
        index = piece.get("index", place)  # some servers send whole calls, without a number
        if index.__class__ is not int or not 0 <= index < _MOST_CALLS:
            return
        call = self._calls.setdefault(index, {"id": None, "name": "", "arguments": []})
        call["id"] = piece.get("id") or call["id"]
        function = piece.get("function")
        if isinstance(function, Mapping):
            name, arguments = function.get("name"), function.get("arguments")
            call["name"] = name if isinstance(name, str) and name else call["name"]
            if isinstance(arguments, str):
                call["arguments"].append(arguments)


def _whole(call: Mapping[str, Any]) -> dict[str, Any]:
    function = {"name": call["name"], "arguments": "".join(call["arguments"])}
    return {"id": call["id"], "type": "function", "function": function}
