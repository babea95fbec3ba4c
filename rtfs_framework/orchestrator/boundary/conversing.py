"""Functions that are put to models as conversations: marked by their author, `(defn ^{:conversation true} f ...)`.

Their last argument is the conversation, as OpenAI's chat completions write one: a map of `messages`, and of `tools`,
`tool_choice`, `stop`, `max_tokens`, `temperature` and whatever else belongs to the request. Since it is an argument,
digests, keys of reuse, redaction, guards and labels see all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.lang.values import Keyword

if TYPE_CHECKING:
    from rtfs_framework.lang.signature import FunctionSignature

MARK = Keyword("conversation")


def converses(function: FunctionSignature) -> bool:
    """Tell whether calls of a function are conversations: its own body knows no answer to them."""
    return function.metadata.get(MARK) is True


@attrs.define(slots=True, eq=False)
class Listener:
    """Who is told the pieces of a call's answer as they arrive, from any thread."""

    on_text: Callable[[str], None]
    told: bool = attrs.field(default=False, init=False)
    """Whether anything was: what was said cannot be taken back, so no other target may answer after that."""
    _attempt: int = attrs.field(default=0, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    def attempt(self) -> Callable[[str], None]:
        """Return what one attempt tells; once it is over, nobody listens to it any more."""
        with self._lock:
            self._attempt += 1
            own = self._attempt

        def tell(piece: str) -> None:
            with self._lock:
                if own != self._attempt or not piece:
                    return
                self.told = True
                self.on_text(piece)

        return tell

    def over(self) -> None:
        """Stop listening to the attempt under way."""
        with self._lock:
            self._attempt += 1
