"""What an engine reads of a call: each of its methods is a read, noted as it is made (`reads`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.experience import MOST_EXPERIENCES
from rtfs_framework.api.targets import ExecTarget, LocalModel, RemoteModel
from rtfs_framework.orchestrator.deciding.answers import schema_text
from rtfs_framework.orchestrator.deciding.facts import Question
from rtfs_framework.orchestrator.deciding.readings import spelled
from rtfs_framework.orchestrator.deciding.situations import PARTS

if TYPE_CHECKING:
    from rtfs_framework.api.attempts import Attempt
    from rtfs_framework.api.caller import DelegationMetadata, Permissions
    from rtfs_framework.api.context import Heard
    from rtfs_framework.api.experience import Experience
    from rtfs_framework.api.labels import Label
    from rtfs_framework.api.learning import Stats
    from rtfs_framework.api.plans import Candidate
    from rtfs_framework.api.remote import Offer
    from rtfs_framework.api.signals import Health, Latency, Left, Price
    from rtfs_framework.lang.maps import Map
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.lang.types.model import Type
    from rtfs_framework.orchestrator.deciding.reads import Reads


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

    def experience(self, most: int = 8) -> tuple[Experience, ...]:
        """Return the situations of the past that are nearest, with what came of the plans in them.

        Raises:
            ValueError: `most` is not within 1 and 64.
        """
        if not 1 <= most <= MOST_EXPERIENCES:
            raise ValueError(f"of experiences 1 to {MOST_EXPERIENCES} are read at once, not {most!r:.40}")
        if not self._reads.facts.learned.experienced:  # that is the policy's, and no read
            self._reads.check()
            return ()
        for name in PARTS:
            self._reads.note((name,))
        found: tuple[Experience, ...] = self._reads.note(("experience", str(most)))
        return found

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
