"""One kernel run's view of its host: its types, its context values, and where its calls are written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import attrs

from rtfs_framework.api.plans import DelegationPlan
from rtfs_framework.api.targets import show_target
from rtfs_framework.api.values import digest
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.types.names import Lookup, no_names
from rtfs_framework.orchestrator.failures import code_of
from rtfs_framework.orchestrator.firsts import Firsts
from rtfs_framework.orchestrator.records import CallRecord, Decision

Sink = Callable[[CallRecord], None]


class Turn(Protocol):
    """When a branch may do what must not overlap with others."""

    @property
    def come(self) -> bool:
        """Tell whether it may now."""
        ...

    async def wait(self) -> None:
        """Wait until it may."""
        ...


@attrs.define(slots=True, eq=False)
class Visit:
    """What the host knows of the run that asks."""

    sink: Sink
    hold: Sink | None = None
    """Told of calls that are done but written down later, because branches before theirs still run."""
    lookup: Lookup = no_names
    context: dict[str, Any] = attrs.field(factory=dict)
    record: int | None = None
    keep_digests: bool = True
    """Whether anybody reads the digests of arguments and replies (the causal chain does)."""
    keep_args: bool = False
    turn: Turn | None = None
    """The turn of the branch that asks, when branches may overlap only where order does not matter."""
    firsts: Firsts | None = None
    """Inside a fan-out, who decides and pays of equal calls."""


@attrs.define(slots=True, eq=False)
class OpenCall:
    """A call under way; `close` writes it down, once."""

    call: HostCall
    visit: Visit
    started: float
    decision: Decision | None = None
    target: str = ""
    args_digest: str = ""
    cache: str = ""
    reply_key: str = ""
    model: str = ""
    explanation: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    closed: bool = False

    @property
    def symbol(self) -> str:
        """The name that the call goes by."""
        return self.call.function.name if self.call.function is not None else self.call.capability

    @property
    def plan(self) -> DelegationPlan | None:
        """The plan, once there is one."""
        return None if self.decision is None else self.decision.plan

    def digest_args(self) -> str:
        """Return the digest of the arguments, computed once."""
        if not self.args_digest:
            self.args_digest = digest(*self.call.args)
        return self.args_digest

    def close(
        self, now: float, reply: Any = None, *, answered: bool = False, error: ProgramError | None = None
    ) -> None:
        """Write the call down."""
        call, visit = self.call, self.visit
        self.closed = True
        visit.sink(
            CallRecord(
                index=call.index,
                branch=call.branch,
                kind=call.kind.value,
                symbol=self.symbol,
                target=self.target or (show_target(self.plan.target) if self.plan else call.kind.value),
                place=call.place,
                record=visit.record,
                decision=self.decision,
                args_digest=self.digest_args() if visit.keep_digests else self.args_digest,
                args_text=write(call.args) if visit.keep_args else None,
                reply_digest=digest(reply) if answered and visit.keep_digests else "",
                seconds=max(0.0, now - self.started),
                input_tokens=self.input_tokens,
                output_tokens=self.output_tokens,
                cost=self.cost,
                cache=self.cache,
                reply_key=self.reply_key,
                model=self.model,
                explanation=self.explanation,
                error_kind="" if error is None else error.kind,
                error="" if error is None else error.message,
                code="" if error is None else code_of(error),
            )
        )
