"""What an engine reads of a call, noted as it is read: the footprint of its decision.

A read is a name and its parameters; it is noted with a key: equal keys stand for equal values. Reads of one decision
are memoised, so a look-up in the plan tree and the decision that follows compute each at most once.

Consulting: `consult` returns an answer that is there. Else the reads are marked as suspended and a private
`BaseException` leaves `decide`. The mark decides, not what comes out of `decide`: every later read raises again, and
what was returned or raised is thrown away, so `finally` and `except BaseException` do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from threading import get_ident
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.context import Heard
from rtfs_framework.api.targets import ExecTarget, LocalModel, RemoteModel
from rtfs_framework.orchestrator.boundary.confidence import without_confidence
from rtfs_framework.orchestrator.deciding.answers import schema_text, value_of
from rtfs_framework.orchestrator.deciding.asked_embedding import AskedEmbedder
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
from rtfs_framework.orchestrator.deciding.readings import PENDING, READS, UNKEPT, Unkept, spelled

if TYPE_CHECKING:
    from rtfs_framework.api.attempts import Attempt
    from rtfs_framework.api.caller import DelegationMetadata, Permissions
    from rtfs_framework.api.labels import Label
    from rtfs_framework.api.learning import Stats
    from rtfs_framework.api.plans import Candidate
    from rtfs_framework.api.remote import Offer
    from rtfs_framework.api.signals import Health, Latency, Left, Price
    from rtfs_framework.kernel.outcome import HostCall
    from rtfs_framework.lang.maps import Map
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.lang.types.model import Type
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
_LARGE = frozenset({"args", "text", "embedding", "state", "stats"})
"""What a record names by its key alone: the arguments are kept beside the call, if at all, and not by plans; what was
learned is named by its version."""


@attrs.frozen(slots=True, eq=False)
class TracedContext:
    """The `CallContext` of one decision."""

    _reads: Reads
    candidates: tuple[Candidate, ...]

    @property
    def symbol(self) -> str:
        """The function's qualified name."""
        return self._reads.facts.function.name

    @property
    def function(self) -> FunctionSignature:
        """Its signature."""
        return self._reads.facts.function

    @property
    def default(self) -> ExecTarget:
        """The configuration's default target."""
        return self._reads.facts.default

    @property
    def noted(self) -> int:
        """How many reads are noted by now."""
        return len(self._reads.noted)

    @property
    def types(self) -> tuple[str, ...]:
        """The arguments' types."""
        found: tuple[str, ...] = self._reads.note(("types",))
        return found

    @property
    def arg_type_fingerprint(self) -> int:
        """A 64-bit number for them, in their order."""
        found: int = self._reads.note(("arg_type_fingerprint",))
        return found

    @property
    def args(self) -> tuple[Any, ...]:
        """The arguments."""
        found: tuple[Any, ...] = self._reads.note(("args",))
        return found

    @property
    def text(self) -> str:
        """The request as a provider would see it."""
        found: str = self._reads.note(("text",))
        return found

    @property
    def embedding(self) -> tuple[float, ...] | None:
        """The vector of the request."""
        found: tuple[float, ...] | None = self._reads.note(("embedding",))
        return found

    @property
    def semantic_hash(self) -> int | None:
        """A 64-bit number for the vector."""
        found: int | None = self._reads.note(("semantic_hash",))
        return found

    def similarity(self, text: str, others: Iterable[str]) -> tuple[float, ...] | None:
        """Return how near texts are to one by meaning."""
        found: tuple[float, ...] | None = self._reads.note(("similarity", text, *others))
        return found

    @property
    def size(self) -> int:
        """About how many tokens it has at most."""
        found: int = self._reads.note(("size",))
        return found

    @property
    def hints(self) -> Map:
        """The execution hints in force."""
        found: Map = self._reads.note(("hints",))
        return found

    @property
    def runtime_context_hash(self) -> str:
        """A digest of the rules."""
        found: str = self._reads.note(("runtime_context_hash",))
        return found

    @property
    def tenant(self) -> str:
        """Who asks."""
        found: str = self._reads.note(("tenant",))
        return found

    @property
    def permissions(self) -> Permissions:
        """The rules under which the program runs."""
        found: Permissions = self._reads.note(("permissions",))
        return found

    @property
    def metadata(self) -> DelegationMetadata:
        """What is said of the call."""
        found: DelegationMetadata = self._reads.note(("metadata",))
        return found

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What was tried for this call."""
        self._reads.check()
        asker = self._reads.asker
        if asker is None or not asker.attempts:  # nothing was: that is how every call begins, and no read
            return ()
        found: tuple[Attempt, ...] = self._reads.note(("attempts",))
        return found

    def health(self, target: ExecTarget) -> Health:
        """Return the state of a target's breaker."""
        found: Health = self._reads.note(("health", *spelled(target)))
        return found

    def latency(self, target: ExecTarget) -> Latency | None:
        """Return how long a target takes."""
        found: Latency | None = self._reads.note(("latency", *spelled(target)))
        return found

    def load(self, target: ExecTarget) -> int:
        """Return about how many requests it has under way, at most."""
        found: int = self._reads.note(("load", *spelled(target)))
        return found

    def price(self, target: ExecTarget) -> Price:
        """Return what it costs."""
        found: Price = self._reads.note(("price", *spelled(target)))
        return found

    def offer(self, target: ExecTarget) -> Offer | None:
        """Return what another host can do now."""
        found: Offer | None = self._reads.note(("offer", *spelled(target)))
        return found

    def budget(self, name: str) -> Left:
        """Return what is left of a budget."""
        found: Left = self._reads.note(("budget", name))
        return found

    def rate(self, name: str) -> Left:
        """Return what is left of a rate."""
        found: Left = self._reads.note(("rate", name))
        return found

    @property
    def labels(self) -> Label:
        """The marks that the request carries."""
        found: Label = self._reads.note(("labels",))
        return found

    @property
    def agent(self) -> str:
        """Who the host works for."""
        found: str = self._reads.note(("agent",))
        return found

    @property
    def environment(self) -> Mapping[str, str]:
        """Where it works."""
        found: Mapping[str, str] = self._reads.note(("environment",))
        return found

    @property
    def constraints(self) -> Mapping[str, str]:
        """What whoever asks wants to be kept to."""
        found: Mapping[str, str] = self._reads.note(("constraints",))
        return found

    @property
    def time_class(self) -> str:
        """In which class of hours it is decided."""
        found: str = self._reads.note(("time_class",))
        return found

    def stats(self, symbol: str, target: ExecTarget) -> Stats | None:
        """Return how calls of a function at a target ended so far."""
        found: Stats | None = self._reads.note(("stats", symbol, *spelled(target)))
        return found

    def state(self, cell: str) -> Any:
        """Return one cell of what the engine that reads has learned."""
        return self._reads.note(("state", self._reads.speaker, cell))

    def draw(self, name: str) -> float:
        """Return a number in [0, 1)."""
        found: float = self._reads.note(("draw", name))
        return found

    def consult(self, target: LocalModel | RemoteModel, question: str, schema: Type | str | None = None) -> Any:
        """Return a model's words, or a value of the type; None when it gives none."""
        return self.hear(target, question, schema).value

    def hear(self, target: LocalModel | RemoteModel, question: str, schema: Type | str | None = None) -> Heard:
        """Return what a model says, and how sure it is; no value where it says nothing."""
        return self._reads.ask(Question(target, question, "" if schema is None else schema_text(schema)))

    def only(self, targets: Iterable[ExecTarget]) -> TracedContext:
        """Return this context with fewer candidates; what is read through it is noted in the same place."""
        wanted = frozenset(targets)
        return TracedContext(self._reads, tuple(each for each in self.candidates if each.target in wanted))
