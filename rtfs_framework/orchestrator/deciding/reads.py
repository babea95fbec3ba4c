"""The reads of one decision: made, noted with their keys, and memoised. The footprint of its plan.

A read is a name and its parameters; it is noted with a key: equal keys stand for equal values. Reads of one decision
are memoised, so a look-up in the plan tree and the decision that follows compute each at most once.

Consulting: `ask` returns an answer that is there. Else the reads are marked as suspended and a private
`BaseException` leaves `decide`. The mark decides, not what comes out of `decide`: every later read raises again, and
what was returned or raised is thrown away, so `finally` and `except BaseException` do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import get_ident
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.context import Heard
from rtfs_framework.api.targets import LocalModel, RemoteModel
from rtfs_framework.orchestrator.boundary.confidence import without_confidence
from rtfs_framework.orchestrator.deciding.answers import value_of
from rtfs_framework.orchestrator.deciding.asked_embedding import AskedEmbedder
from rtfs_framework.orchestrator.deciding.context import TracedContext
from rtfs_framework.orchestrator.deciding.facts import (
    AS,
    Asker,
    ContextClosedError,
    Facts,
    Question,
    Read,
    Suspended,
    Wanted,
)
from rtfs_framework.orchestrator.deciding.readings import PENDING, READS, UNKEPT, Unkept

if TYPE_CHECKING:
    from rtfs_framework.kernel.outcome import HostCall
    from rtfs_framework.orchestrator.recording.records import Noted

Reader = Callable[["Reads"], tuple[Hashable, Any]]
"""Makes one read: its key, and what is read."""


@attrs.define(slots=True, eq=False)
class Reads:
    """What one run of `decide` reads."""

    facts: Facts
    call: HostCall
    answer_to: Callable[[Question], tuple[str | None] | None]
    """The answer to a question, in a tuple; None when it was not asked yet."""
    asker: Asker | None = None
    """None for a call that nobody makes: then there is nothing to draw from."""
    noted: dict[Read, Hashable] = attrs.field(factory=dict, init=False)
    """In the order of the first time."""
    question: Question | None = attrs.field(default=None, init=False)
    """What must be asked before anything is decided."""
    path: list[str] = attrs.field(factory=list, init=False)
    """The engines that have a plan so far, the outermost first."""
    speaker: str = attrs.field(default="", init=False)
    """The engine that reads now, by its name in the configuration."""
    _known: dict[Read, tuple[Hashable, Any]] = attrs.field(factory=dict, init=False)
    _thread: int | None = attrs.field(default=None, init=False)

    def open(self) -> TracedContext:
        """Return the context of a decision that begins now, in this thread."""
        self._thread = get_ident()
        return TracedContext(self, self.facts.candidates)

    def close(self) -> None:
        """End the decision: from now on the context refuses every read."""
        self._thread = None

    @property
    def footprint(self) -> tuple[Noted, ...]:
        """What was read, for the record."""
        known = self._known
        return tuple(
            (read, key, None if read[0] in _LARGE or read not in known else _made(known[read][1]))
            for read, key in self.noted.items()
        )

    @property
    def kept(self) -> bool:
        """Tell whether a plan that rests on these reads may be kept."""
        return not any(key.__class__ is Unkept for key in self.noted.values())

    @property
    def questions(self) -> int:
        """How many questions were put to models; of those for words and those for vectors, whichever are more."""
        words = sum(name == "consult" for name, *_ in self.noted)
        if not isinstance(self.facts.embedder, AskedEmbedder):
            return words
        return max(words, len({read for read in self.noted if read[0] in _OF_VECTORS}))

    def look(self, read: Read) -> tuple[Hashable, Any]:
        """Return the key of a read and what is read, without noting it. A question is not asked for it."""
        known = self._known.get(read)
        if known is None:
            name, *more = read
            if name == "consult":
                return self._answered(read), None
            known = self._known[read] = READS[name](self, *more)
        return known

    def check(self) -> None:
        """Refuse to be read, unless a decision runs in this thread.

        Raises:
            ContextClosedError: `decide` has returned, or runs in another thread.
        """
        if self.question is not None:
            raise Suspended
        if self._thread != get_ident():
            raise ContextClosedError("a CallContext ends with `decide`, and belongs to its thread")

    @property
    def looked(self) -> dict[Read, tuple[Hashable, Any]]:
        """What was looked at, with its keys: a look-up of plans fills it, and the decision that follows finds it."""
        return self._known

    def note(self, read: Read) -> Any:
        """Return what is read, and note it.

        Raises:
            ContextClosedError: `decide` has returned, or runs in another thread.
        """
        self.check()
        key, value = self.look(read)
        self.noted.setdefault(read, key)
        if value.__class__ is Wanted:
            self.question = value.question
            raise Suspended
        return value

    def ask(self, question: Question) -> Heard:
        """Return the answer to a question, or leave `decide` until it is there; of its type, if it names one.

        Raises:
            TypeError: It is no question to a model.
        """
        target: Any = question.target
        if not (isinstance(target, LocalModel | RemoteModel) and target.id.__class__ is question.text.__class__ is str):
            raise TypeError(f"a model is asked in words, and this is {question!r:.80}")
        if AS in question.text:
            raise TypeError("a question holds no control character U+001F")
        kind = "local" if isinstance(target, LocalModel) else "remote"
        read: Read = ("consult", kind, target.id, question.key)
        self.note(read)
        answer = self.answer_to(question)
        if answer is None:
            self.question = question
            raise Suspended
        if answer[0] is None:
            return _NOTHING
        words, confidence = without_confidence(answer[0])
        value = value_of(words, question.schema) if question.schema else words
        return _NOTHING if value is None else Heard(value, confidence)

    def _answered(self, read: Read) -> Hashable:
        """Return the key of a question: what was answered. No answer may be one the next time, so it is no key."""
        answer = self.answer_to(Question.of_key(*read[1:]))
        if answer is None:
            return PENDING
        return UNKEPT if answer[0] is None else answer[0]

    def digest_args(self) -> Hashable:
        """Return the key of the arguments."""
        return self.look(("args",))[0]


def _made(value: Any) -> Any:
    """Return what was read; nothing where a decision ended before it was there."""
    return None if value.__class__ is Wanted else value


_NOTHING = Heard()
_OF_VECTORS = frozenset({"embedding", "similarity"})
_LARGE = frozenset({"args", "text", "embedding", "state", "stats", "experience"})
"""What a record names by its key alone: the arguments are kept beside the call, if at all, and not by plans; what was
learned is named by its version."""
