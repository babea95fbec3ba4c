"""Reasoning kept out of what a model says: `<think>` blocks at the beginning of a text, whole or as it arrives.

In: a text, or its pieces. Out: the same without the block. Only a block at the very beginning is reasoning: a text that
speaks of such tags further on keeps them. (What servers put into fields of its own, such as `reasoning_content`, is
never read.)
"""

from __future__ import annotations

import re

_OPENING = ("<think>", "<thinking>", "<thought>", "<reasoning>")
_CLOSING = re.compile(r"</(think|thinking|thought|reasoning)>")
_LONGEST = len("</reasoning>")
_BLANK = 1024
"""White space before a text, beyond which no block is looked for."""
_BEGINNING, _INSIDE, _AFTER, _ANSWER = range(4)


class ThoughtFilter:
    """Takes the pieces of a text and gives those of the answer."""

    def __init__(self) -> None:
        self._state = _BEGINNING
        self._held = ""
        """What is not decided yet: white space and half a tag."""
        self._closing = ""

    @property
    def inside(self) -> bool:
        """Tell whether a block was begun and not ended."""
        return self._state == _INSIDE

    def feed(self, piece: str) -> str:
        """Return what of the next piece belongs to the answer."""
        if self._state == _ANSWER:
            return piece
        self._held += piece
        if self._state == _BEGINNING:
            self._begin()
        if self._state == _INSIDE:
            self._end()
        if self._state == _AFTER:
            self._held = self._held.lstrip()
            if self._held:
                self._state = _ANSWER
        return self._released() if self._state == _ANSWER else ""

    def finish(self) -> str:
        """Return what was held back and turned out to belong to the answer."""
        if self._state != _BEGINNING:
            return ""
        self._state = _ANSWER
        return self._released()

    def _begin(self) -> None:
        text = self._held.lstrip()
        tag = next((each for each in _OPENING if text.startswith(each)), None)
        if len(self._held) - len(text) > _BLANK:
            self._state = _ANSWER
        elif tag is not None:
            self._state, self._held, self._closing = _INSIDE, text[len(tag) :], f"</{tag[1:]}"
        elif not any(each.startswith(text) for each in _OPENING):
            self._state = _ANSWER

    def _end(self) -> None:
        before, found, after = self._held.partition(self._closing)
        if found:
            self._state, self._held = _AFTER, after
        else:
            self._held = before[-_LONGEST:]

    def _released(self) -> str:
        held, self._held = self._held, ""
        return held


def without_thoughts(text: str) -> str:
    """Return a whole text without its reasoning.

    A closing tag that was never opened ends reasoning, too: some servers keep the opening one in the prompt.
    """
    stray = _CLOSING.search(text)
    if stray is not None and f"<{stray[1]}>" not in text[: stray.start()]:
        return text[stray.end() :].lstrip()
    strain = ThoughtFilter()
    return strain.feed(text) + strain.finish()
