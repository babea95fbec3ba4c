"""What an engine may ask about a call. What it reads is noted: its plan is served again only while that stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import attrs

if TYPE_CHECKING:
    from rtfs_framework.api.attempts import Attempt
    from rtfs_framework.api.caller import DelegationMetadata, Permissions
    from rtfs_framework.api.experience import Experience
    from rtfs_framework.api.labels import Label
    from rtfs_framework.api.learning import Stats
    from rtfs_framework.api.plans import Candidate
    from rtfs_framework.api.remote import Offer
    from rtfs_framework.api.signals import Health, Latency, Left, Price
    from rtfs_framework.api.targets import ExecTarget, LocalModel, RemoteModel
    from rtfs_framework.lang.maps import Map
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.lang.types.model import Type


@attrs.frozen(slots=True)
class Heard:
    """What a model said that an engine consulted."""

    value: Any = None
    """Its words, or a value of the type that was asked for; None where there is no answer."""
    confidence: float | None = None
    """How sure it was, within 0 and 1; None where its provider cannot tell."""


class CallContext(Protocol):
    """One call, as an engine sees it: for as long as `decide` runs, in its thread.

    `symbol`, `function`, `candidates` and `default` are the same for all calls of a function, so they are not noted.
    """

    @property
    def symbol(self) -> str:
        """The function's qualified name."""
        ...

    @property
    def function(self) -> FunctionSignature:
        """Its parameters, types, documentation and digest."""
        ...

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The targets that can be used and that the rules allow."""
        ...

    @property
    def default(self) -> ExecTarget:
        """`default_target` of the configuration."""
        ...

    @property
    def noted(self) -> int:
        """How many reads of this decision are noted by now; it follows from them, so it is none itself.

        An engine that asks another one sees by it whether that rested on anything of the call.
        """
        ...

    @property
    def types(self) -> tuple[str, ...]:
        """The arguments' types, such as `:int` or `[:vector :string]` (of a vector's first 64 items)."""
        ...

    @property
    def arg_type_fingerprint(self) -> int:
        """A 64-bit number for the ordered argument types."""
        ...

    @property
    def args(self) -> tuple[Any, ...]:
        """The arguments."""
        ...

    @property
    def text(self) -> str:
        """The request as a provider would see it."""
        ...

    @property
    def embedding(self) -> tuple[float, ...] | None:
        """The vector of the request, from the configured embedder; None without one, or where it fails."""
        ...

    @property
    def semantic_hash(self) -> int | None:
        """A 64-bit number for that vector: requests of like meaning differ in few bits; None where there is none."""
        ...

    def similarity(self, text: str, others: Iterable[str]) -> tuple[float, ...] | None:
        """Return how near other texts are to one by meaning: cosines of the configured embedder's vectors.

        -1 stands for one that an embedder in front has ruled out (`then` in its table). None without an embedder, or
        where it fails.
        """
        ...

    @property
    def size(self) -> int:
        """About how many tokens the request has at most: 64, 256, 1,024 and so on, a band of a factor of 4."""
        ...

    @property
    def hints(self) -> Map:
        """The execution hints in force."""
        ...

    @property
    def runtime_context_hash(self) -> str:
        """A digest of the rules under which the program runs."""
        ...

    @property
    def tenant(self) -> str:
        """Who asks, "" where the host knows no tenants."""
        ...

    @property
    def permissions(self) -> Permissions:
        """The rules under which the program runs: its level, its reach, what is granted and denied."""
        ...

    @property
    def metadata(self) -> DelegationMetadata:
        """What is said of the call: by its author, by the program that hosts it, by a capability before it.

        Without a word it is empty.
        """
        ...

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What was tried for this call, or refused, in order. A decision after an attempt is not kept."""
        ...

    def health(self, target: ExecTarget) -> Health:
        """Return the state of a target's breaker."""
        ...

    def latency(self, target: ExecTarget) -> Latency | None:
        """Return how long a target takes, None when too little is known."""
        ...

    def load(self, target: ExecTarget) -> int:
        """Return about how many requests a target has under way: 0, 1, 2, 4, 8 and so on, at most."""
        ...

    def price(self, target: ExecTarget) -> Price:
        """Return what a target costs."""
        ...

    def offer(self, target: ExecTarget) -> Offer | None:
        """Return what another RTFS host can do now, as it said last; None while it has said nothing."""
        ...

    def budget(self, name: str) -> Left:
        """Return what is left of a budget of the configuration."""
        ...

    def rate(self, name: str) -> Left:
        """Return what is left of a rate of the configuration."""
        ...

    @property
    def labels(self) -> Label:
        """The marks that the request carries, such as "pii"; none is public."""
        ...

    @property
    def agent(self) -> str:
        """Who the host works for, "" for nobody in particular."""
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """Where it works, by name, as the configuration says."""
        ...

    @property
    def constraints(self) -> Mapping[str, str]:
        """What whoever asks wants to be kept to, by name."""
        ...

    @property
    def time_class(self) -> str:
        """In which class of hours it is decided, by the host's clock; "" where there are none."""
        ...

    def stats(self, symbol: str, target: ExecTarget) -> Stats | None:
        """Return how calls of a function at a target ended so far, None when there were none."""
        ...

    def state(self, cell: str) -> Any:
        """Return one cell of what the engine that reads has learned, as published last; None for no such cell."""
        ...

    def experience(self, most: int = 8) -> tuple[Experience, ...]:
        """Return the situations of the past that are nearest to this one, with what came of the plans in them.

        The nearest first, at most `most` (1 to 64); none where no layer of level L3 is on. They are of the same tenant
        and the same labels, and may be of other functions. It rests on `types`, `agent`, `environment`,
        `constraints`, `time_class`, `labels` and `metadata` of the call, which are read with it.
        """
        ...

    def draw(self, name: str) -> float:
        """Return a number in [0, 1) from the run's seed, the call's id, and the number of the attempt.

        Equal names give equal numbers within one decision. A decision that rests on a draw is not kept.
        """
        ...

    def consult(self, target: LocalModel | RemoteModel, question: str, schema: Type | str | None = None) -> Any:
        """Return a model's words, None when it gives none or may not be asked.

        With a `schema`, a type such as "[:enum :near :far]", it is a value of that type: the model is told the type,
        and a reply that does not fit is None.

        If the answer is not there yet, this does not return: the host asks, and runs `decide` again. At most two
        questions may be asked about a call.
        """
        ...

    def hear(self, target: LocalModel | RemoteModel, question: str, schema: Type | str | None = None) -> Heard:
        """Return what `consult` does, with how sure the model is where its provider can tell.

        Of a choice (`[:enum ...]`, `:bool`) that is its probability.
        """
        ...

    def only(self, targets: Iterable[ExecTarget]) -> CallContext:
        """Return this context with fewer candidates, to hand on to another engine."""
        ...
