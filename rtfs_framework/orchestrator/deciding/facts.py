"""What is fixed for a function under a policy, who asks about a call, and what a model is asked before a decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import attrs

from rtfs_framework.api.caller import Permissions
from rtfs_framework.api.targets import ExecTarget, LocalModel, RemoteModel
from rtfs_framework.orchestrator.deciding.around import NOTHING_AROUND, Around
from rtfs_framework.orchestrator.deciding.learned import NOTHING_LEARNED, Learned
from rtfs_framework.orchestrator.deciding.signals import NO_SIGNALS, Signals

if TYPE_CHECKING:
    from typing import TypeAlias

    from rtfs_framework.api.attempts import Attempt
    from rtfs_framework.api.caller import DelegationMetadata
    from rtfs_framework.api.labels import Label
    from rtfs_framework.api.plans import Candidate
    from rtfs_framework.kernel.outcome import HostCall
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.orchestrator.deciding.asked_embedding import AskedEmbedder
    from rtfs_framework.orchestrator.deciding.embedding import HeldEmbedder

    AnyEmbedder: TypeAlias = HeldEmbedder | AskedEmbedder

NO_RULES = Permissions()

Read = tuple[str, ...]
"""What was asked for: a name, and its parameters."""

Wording = Callable[["HostCall"], str]
"""From a call to the request as a provider would see it."""


AS = "\x1fas "
"""Stands between a question and the type of its answer where both are one text."""


VECTORS = "*vectors*"
"""Stands for the type of an answer that is no value: vectors of the texts that the question lists."""


class Suspended(BaseException):
    """Leaves `decide` when an answer is not there yet."""


class ContextClosedError(RuntimeError):
    """A context was used after `decide` had returned, or in another thread."""


@attrs.frozen(slots=True)
class Question:
    """What a model is asked before a decision."""

    target: LocalModel | RemoteModel
    text: str
    schema: str = ""
    """The type that the answer must have, as a text; "" for words."""

    @property
    def key(self) -> str:
        """The question as a parameter of a read: what is asked, and as what it must be answered."""
        return f"{self.text}{AS}{self.schema}" if self.schema else self.text

    @property
    def wants_vectors(self) -> bool:
        """Tell whether vectors are wanted, and no words."""
        return self.schema == VECTORS

    @classmethod
    def of_key(cls, kind: str, name: str, key: str) -> Question:
        """Return the question that a read's parameters spell."""
        text, _, schema = key.partition(AS)
        return cls(LocalModel(name) if kind == "local" else RemoteModel(name), text, schema)


@attrs.frozen(slots=True)
class Wanted:
    """Stands for a value that rests on vectors nobody has made yet."""

    question: Question


@attrs.frozen(slots=True)
class Facts:
    """What is fixed for a function under a policy: free to read."""

    function: FunctionSignature
    candidates: tuple[Candidate, ...]
    default: ExecTarget
    runtime_context_hash: str
    wording: Wording
    tenant: str = ""
    signals: Signals = NO_SIGNALS
    permissions: Permissions = NO_RULES
    embedder: AnyEmbedder | None = None
    """What makes vectors of requests, if anything does."""
    learned: Learned = NOTHING_LEARNED
    """What engines have learned, as it was published last."""
    around: Around = NOTHING_AROUND
    """In which surroundings the host works."""


class Asker(Protocol):
    """The call that is decided about, as far as its own past counts."""

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What was tried for it."""
        ...

    @property
    def metadata(self) -> DelegationMetadata:
        """What its caller says of it."""
        ...

    @property
    def labels(self) -> Label:
        """The marks that its request carries."""
        ...

    def draw(self, name: str) -> float:
        """Return a number in [0, 1) that its id, the run's seed and the number of the attempt give."""
        ...
