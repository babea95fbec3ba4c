"""What an engine may ask about a call. What it reads is noted: its plan is served again only while that stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rtfs_framework.api.plans import Candidate
    from rtfs_framework.api.targets import ExecTarget, LocalModel, RemoteModel
    from rtfs_framework.lang.maps import Map
    from rtfs_framework.lang.signature import FunctionSignature


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

    def consult(self, target: LocalModel | RemoteModel, question: str) -> str | None:
        """Return a model's words, None when it gives none or may not be asked.

        If the answer is not there yet, this does not return: the host asks, and runs `decide` again. At most two
        questions may be asked about a call.
        """
        ...

    def only(self, targets: Iterable[ExecTarget]) -> CallContext:
        """Return this context with fewer candidates, to hand on to another engine."""
        ...
