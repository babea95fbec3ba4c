"""The reads of a decision that is made again: answered by what the journal tells, never by the present.

In: a decision as it is told. Out: for each read its value then; or `missing`, why it cannot be known, and then the
decision ends as if it had to hear a model first. What belongs to the policy (the rules, who asks, prices of another
configuration) is read of the policy that decides now.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import attrs

from rtfs_framework.api.caller import DelegationMetadata
from rtfs_framework.api.remote import Offer, OfferedTarget
from rtfs_framework.api.signals import Health, Latency, Left, Price
from rtfs_framework.api.targets import LocalModel, show_target
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.orchestrator.deciding.asked_embedding import AskedEmbedder
from rtfs_framework.orchestrator.deciding.facts import Question, Read, Suspended
from rtfs_framework.orchestrator.deciding.readings import READS, target_of
from rtfs_framework.orchestrator.deciding.reads import Reads
from rtfs_framework.orchestrator.deciding.situations import read_situation
from rtfs_framework.orchestrator.recording.journal.decisions import compared
from rtfs_framework.orchestrator.recording.journal.history import Told
from rtfs_framework.orchestrator.recording.journal.recorded import value_of

OF_POLICY = frozenset({"runtime_context_hash", "tenant", "permissions"})
OF_ARGUMENTS = frozenset({"types", "arg_type_fingerprint", "args", "text", "size"})
OF_MEANING = frozenset({"embedding", "semantic_hash"})
"""Of the arguments, and of the embedder of a policy."""
OF_TEXTS = frozenset({"similarity"})
"""Of texts of the engine's own, and of that embedder."""
OF_THE_PAST = frozenset({"attempts", "draw", "labels"})
AROUND = frozenset({"agent", "environment", "constraints", "time_class"})
OF_LEARNING = frozenset({"stats", "state", "experience"})
_NOBODY = Question(LocalModel(""), "")
"""Marks a decision that cannot be made again: nobody is asked."""


def _latency(value: Any) -> Latency | None:
    return None if value is None else Latency(**value)


def _offer(value: Any) -> Offer | None:
    if value is None:
        return None
    targets = tuple(
        OfferedTarget(**{**each, "accepts": _marks(each["accepts"]), "health": Health(each["health"])})
        for each in value["targets"]
    )
    accepts, capabilities = _marks(value["accepts"]), tuple(value["capabilities"])
    return Offer(
        host=value["host"], targets=targets, accepts=accepts, room=Left(value["room"]), capabilities=capabilities
    )


def _marks(value: Any) -> frozenset[str] | None:
    return None if value is None else frozenset(value)


_SIGNALS: Mapping[str, tuple[Any, Callable[[Any], Any]]] = {
    "health": (Health.CLOSED, Health),
    "latency": (None, _latency),
    "load": (0, int),
    "offer": (None, _offer),
    "budget": (Left.PLENTY, Left),
    "rate": (Left.PLENTY, Left),
}
"""What each signal is by default, and what turns its plain value into the signal."""

_ALWAYS_TOLD = frozenset({"health", "latency"})
"""Signals whose changes are told whether anybody reads them or not: without a row they are what they are by default.
The others are measured when somebody looks."""

_VALUES: Mapping[str, Callable[[Any], Any]] = {
    **{name: of for name, (_, of) in _SIGNALS.items()},
    "price": lambda value: Price(**value),
    "types": tuple,
    "metadata": lambda value: DelegationMetadata(**value),
    "hints": lambda value: _map(value_of(value)),
}
"""What turns the plain value of a read into the value, where that is not the same."""


ANSWERED = (
    OF_POLICY
    | OF_ARGUMENTS
    | OF_MEANING
    | OF_TEXTS
    | OF_THE_PAST
    | AROUND
    | OF_LEARNING
    | _SIGNALS.keys()
    | {"price", "hints", "metadata", "consult"}
)
"""Reads of which it is settled here what answers them."""


LearnedThen = Callable[[Read, int], tuple[Any, str]]
"""From a read of what was learned and a version to its value then, or to why nobody knows it."""


def nothing_learned(_read: Read, _version: int) -> tuple[Any, str]:
    """Know nothing of the past."""
    return None, "the journal is of a version from which nothing was learned"


class _UnknownError(Exception):
    """A read that nothing in the journal answers; the message says why."""


@attrs.define(slots=True, eq=False, kw_only=True)
class RecordedReads(Reads):
    """What a decision that is made again reads."""

    told: Told
    keyed: Callable[[str], str]
    """From a question to the digest by which records name it."""
    hours: Callable[[float], str]
    """From a moment to its class, by the policy that decides now."""
    learned: LearnedThen = nothing_learned
    """Tells what had been learned, by version."""
    same_policy: bool = True
    """Whether the policy that decides now is the one that decided then."""
    missing: str = attrs.field(default="", init=False)
    """The first read that cannot be answered, and why."""
    _then: dict[Read, Mapping[str, Any]] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.answer_to = self._answer
        for each in self.told.reads:
            self._then[tuple(each["read"])] = each

    def look(self, read: Read) -> tuple[Hashable, Any]:
        """Return what was read then.

        Raises:
            _UnknownError: Nothing tells.
        """
        known = self._known.get(read)
        if known is None:
            if read[0] == "consult":
                return super().look(read)
            known = self._known[read] = read, self._value(read)
        return known

    def note(self, read: Read) -> Any:
        """Return what was read then, and note it; end the decision where nothing tells."""
        try:
            return super().note(read)
        except (_UnknownError, ValueError, TypeError, LanguageError) as lack:
            self.missing = f"{' '.join(read)}: {lack}" if isinstance(lack, _UnknownError) else f"{read[0]}: {_UNREAD}"
            self.question = _NOBODY
        raise Suspended

    def _value(self, read: Read) -> Any:
        name = read[0]
        if name in OF_POLICY or name in OF_THE_PAST or (name == "price" and not self.same_policy):
            return READS[name](self, *read[1:])[1]
        if name in OF_TEXTS:
            return self._of_texts(read)
        recorded = self._then.get(read)
        if name in OF_LEARNING:
            return self._of_learning(read, recorded)
        if name in OF_MEANING:
            return self._of_meaning(read, recorded)
        if recorded is not None and "value" in recorded:
            return _VALUES.get(name, _as_it_is)(recorded["value"])
        if name in OF_ARGUMENTS:
            return self._of_arguments(read)
        if name in _SIGNALS:
            return self._signal(read)
        if name == "price":
            return READS[name](self, *read[1:])[1]
        if name == "time_class":
            return self._hour()
        if name in AROUND:
            return READS[name](self)[1]
        return self._around(read, recorded)

    def _of_arguments(self, read: Read) -> Any:
        if self.told.args is not None:
            return READS[read[0]](self)[1]
        if read == ("arg_type_fingerprint",) and ("types",) in self._then:
            return self.look(("types",))[0]
        raise _UnknownError(self.told.lacks)

    def _of_learning(self, read: Read, recorded: Mapping[str, Any] | None) -> Any:
        """Return what had been learned in the version that was read, folded again by the policy that decides now."""
        version = None if recorded is None else recorded.get("value")
        gone = 0
        if read[0] == "experience":
            if recorded is not None and version is None:
                raise _UnknownError("the layer of experience, or the embedder, failed then")
            version, gone = version if isinstance(version, list) else (version, 0)
        if not isinstance(version, int):
            raise _UnknownError("the first policy did not read it, and which version was published then is not known")
        found, lack = self.learned(read, version)
        if lack:
            raise _UnknownError(lack)
        if read[0] != "experience":
            return found
        if not found:
            return ()
        near = self.facts.learned.recall(found, gone, read_situation(self), int(read[1]), self.facts.embedder)
        if near is None:
            raise _UnknownError("the layer of experience, or the embedder, fails now")
        return near

    def _of_meaning(self, read: Read, recorded: Mapping[str, Any] | None) -> Any:
        """Return a vector or its number: what was read then, or of the arguments by the policy's embedder."""
        if self.facts.embedder is None:
            return None
        if self.same_policy and recorded is not None and "value" in recorded:
            return recorded["value"]
        if isinstance(self.facts.embedder, AskedEmbedder):
            raise _UnknownError(_ASKED)
        if self.same_policy and recorded is not None and not recorded.get("digest"):
            raise _UnknownError("the embedder failed then, or the arguments were no plain data")
        found = self._of_arguments(read)
        if found is None:
            raise _UnknownError("the embedder fails now")
        return found

    def _of_texts(self, read: Read) -> Any:
        """Return how near texts were: what was read then, or by the policy's embedder now."""
        recorded = self._then.get((read[0], self.keyed(compared(read[1:]))))
        if self.same_policy and recorded is not None:
            value = recorded["value"]
            return None if value is None else tuple(map(float, value))
        if self.facts.embedder is None:
            return None
        if isinstance(self.facts.embedder, AskedEmbedder):
            raise _UnknownError(_ASKED)
        found = READS[read[0]](self, *read[1:])[1]
        if found is None:
            raise _UnknownError("the embedder fails now")
        return found

    def _signal(self, read: Read) -> Any:
        default, of = _SIGNALS[read[0]]
        facts = self.told.facts
        if not facts.host:
            raise _UnknownError(_NO_SIGNALS)
        name = read[1] if len(read) == 2 else show_target(target_of(read[1], read[2]))
        found = facts.signals.at(self.told.signals, read[0], name)
        if found is None and read[0] not in _ALWAYS_TOLD:
            raise _UnknownError("nobody looked at it then, so the journal does not know it")
        return default if found is None else of(found[0])

    def _around(self, read: Read, recorded: Mapping[str, Any] | None) -> Any:
        """Return what was said around the call: hints in force, and metadata."""
        if read[0] not in ("hints", "metadata"):
            raise _UnknownError("the first policy did not read it, and the journal does not know it")
        if not self.told.entry.get("said_around", True) and self.told.facts.host:
            return EMPTY_MAP if read[0] == "hints" else READS[read[0]](self)[1]
        if recorded is not None:
            raise _UnknownError(_WORDS)
        raise _UnknownError("the first policy did not read what was said around the call, and it was not kept")

    def _hour(self) -> str:
        """Return the class of the hour in which it was decided. What was decided once for many calls has no hour."""
        told = self.told
        if not told.said.get("path") or told.said.get("cache") == "l1 hit":
            raise _UnknownError("the journal does not know in which hour it was decided")
        return self.hours(float(told.entry["decided_at"]))

    def _answer(self, question: Question) -> tuple[str | None] | None:
        kind = "local" if isinstance(question.target, LocalModel) else "remote"
        digest = self.keyed(question.key)
        heard = self.told.heard.get((kind, question.target.id, digest))
        if heard is not None:
            return (heard,)
        recorded = self._then.get(("consult", kind, question.target.id, digest))
        if recorded is None:
            self.missing = self.missing or f"it would ask {show_target(question.target)}, and nobody did then"
            return None
        if recorded.get("digest"):
            self.missing = self.missing or "the words that were heard were not kept: [journal] keep keeps them"
            return None
        return (None,)


_ASKED = "the vectors are those of a model that is asked, and nobody is asked again"
_UNREAD = "what the journal tells does not read back"
_NO_SIGNALS = "the first policy did not read it, and the journal is of a version that did not write signals down"
_WORDS = "it holds words that were not kept: [journal] keep keeps them"


def _as_it_is(value: Any) -> Any:
    return value


def _map(value: Any) -> Map:
    if not isinstance(value, Map):
        raise TypeError("no map")
    return value
