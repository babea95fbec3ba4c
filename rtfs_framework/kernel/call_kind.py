"""Why a program stops for its host."""

from __future__ import annotations

from enum import Enum


class CallKind(Enum):
    """Why the program stopped for its host."""

    CAPABILITY = "capability"
    """`(call :cap ...)`, or a function that the host provides by name."""
    DELEGATED = "delegated"
    """A typed function whose hint or route says that it may run elsewhere; `resume_locally` runs its own body."""
    CONTEXT_GET = "context-get"
    """A host context value is read; the host answers the value or throws UndefinedSymbol."""
    CONTEXT_SET = "context-set"
    EVENT = "event"
    """A notification (step started, hint set, ...). The host answers nil."""
    MEMO = "memo"
    """What is kept of a memoised function is asked for: a value, `resume_locally`, or `kernel.memo.Unknown`.

    Only of hosts that keep values (`Instance(keeps=True)`); it is no call, and counts as none.
    """
    MEMO_KEEP = "memo-keep"
    """The place that came with `Unknown`, and the value that belongs there. The host answers nil."""
    TICKET = "ticket"
    """A call is handed over, to be answered later: its argument is the `Ticket`, which has it. The host answers nil.

    Only of runs that were started with `step(concurrent=True)`, as is the next.
    """
    AWAIT = "await"
    """A ticket is waited for; it is no call, and counts as none. The host answers nil when the ticket is settled, and
    when its function's own body is to answer it and has no `run` yet; a run that was not started is driven."""
