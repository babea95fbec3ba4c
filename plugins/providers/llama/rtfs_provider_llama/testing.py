"""A backend without a model, for tests of all that is around one: prompts, prefixes, choices, the child and its faults.

It answers like a small model that was trained on nothing: choices by the letters that they share with the prompt's
end, texts by saying the prompt's last word again. Words in the prompt make it fail in the ways in which libraries do.
Name it by `backend = "rtfs_provider_llama.testing:LettersBackend"`; any file is a model to it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import log
from pathlib import Path

from rtfs_provider_llama.backends.base import BackendError, Generated, Options, Sampling

_FIRST = 0x110000
"""Tokens are characters; what is beyond them are control tokens."""
_CONTROL = {"<s>": _FIRST, "<end>": _FIRST + 1}
_PER_TOKEN = 0.002
"""Seconds that a generated token takes, so that there is time to give up."""
CRASH, HANG, HUNGRY, FAIL, ENDLESS = "(crash)", "(hang)", "(hungry)", "(fail)", "(endless)"


class LettersBackend:
    """Counts letters. What it was asked to compute is in the file `trace` beside the model, if there is one."""

    name = "letters"
    version = "1"
    begin = (_CONTROL["<s>"],)
    end = _CONTROL["<end>"]

    def __init__(self, options: Options) -> None:
        self.context = options.context
        self._held: dict[int, tuple[int, ...]] = {}
        self._trace = Path(options.path).with_name("trace")
        if b"broken" in Path(options.path).read_bytes()[:64]:
            raise BackendError("the file is no model")

    def tokenize(self, text: str, *, control: bool) -> list[int]:
        """Return a token for each character, and for each control token that is spelled out, if that counts."""
        tokens: list[int] = []
        place = 0
        while place < len(text):
            named = next((name for name in _CONTROL if control and text.startswith(name, place)), None)
            tokens.append(ord(text[place]) if named is None else _CONTROL[named])
            place += 1 if named is None else len(named)
        return tokens

    def render(self, messages: Sequence[Mapping[str, str]]) -> str:
        """Return role and content of each message, with the token that ends it."""
        return "".join(f"{each['role']}: {each['content']}<end>" for each in messages) + "assistant: "

    def extend(self, sequence: int, kept: int, tokens: Sequence[int]) -> None:
        """Hold the tokens; those that are not held already are computed."""
        held = self._held.get(sequence, ())[:kept]
        if held != tuple(tokens[:kept]):
            raise BackendError(f"sequence {sequence} does not hold the {kept} tokens that it should")
        self._held[sequence] = tuple(tokens)
        self._note(computed=len(tokens) - kept, sequence=sequence)
        self._misbehave(_text(tokens[kept:]))

    def score(self, sequence: int, kept: int, tokens: Sequence[int], among: Sequence[int]) -> list[float]:
        """Return how often each token is in the last message."""
        self.extend(sequence, kept, tokens)
        last = _text(tokens).rpartition("user: ")[2]
        seen = Counter(last.lower())
        weights = [1 + seen[chr(token).lower()] if token < _FIRST else 1 for token in among]
        return [log(weight / sum(weights)) for weight in weights]

    def generate(
        self,
        sequence: int,
        kept: int,
        tokens: Sequence[int],
        *,
        sampling: Sampling,
        grammar: str | None,
        most: int,
        on_piece: Callable[[str], bool],
    ) -> Generated:
        """Say the last word of the last message again, as JSON where a grammar wants some; or go on for ever."""
        self.extend(sequence, kept, tokens)
        words = re.findall(r"\w+", _text(tokens).rpartition("user: ")[2].removesuffix("assistant: "))
        word = words[-1] if words else ""
        whole = word if grammar is None else json.dumps(word)
        endless = ENDLESS in _text(tokens)
        said = 0
        while endless or said < len(whole):
            if said >= most:
                return Generated(whole[:said], said, whole=False)
            said += 1
            time.sleep(_PER_TOKEN)
            if not on_piece("." if endless else whole[said - 1]):
                return Generated(whole[:said], said, whole=False)
        self._note(temperature=sampling.temperature)
        return Generated(whole, said, whole=True)

    def close(self) -> None:
        """Hold nothing."""
        self._held.clear()

    def _note(self, **what: float) -> None:
        if self._trace.exists():
            with self._trace.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"pid": os.getpid(), **what}) + "\n")

    def _misbehave(self, text: str) -> None:
        if CRASH in text:
            os.kill(os.getpid(), signal.SIGSEGV)
        if HANG in text:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            time.sleep(3600)
        if HUNGRY in text:
            taken = []
            while True:
                taken.append(b"x" * (64 * 1024 * 1024))
        if FAIL in text:
            raise BackendError("it was told to fail")


def _text(tokens: Sequence[int]) -> str:
    return "".join(chr(token) if token < _FIRST else "" for token in tokens)
