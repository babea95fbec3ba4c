"""Calls that wait for a person, put before the user of the client that began their run.

Runs of MCP are parked where they wait, so asking is a matter between two of their parts: the client is asked by
elicitation (in revisions of the protocol before 2026-07-28 by a request of the server, since then by an answer that
wants input), what its user says is written where `rtfs approve` writes, and the run is gone on with. Only calls of its
own runs can be answered by a client: which these are this process remembers, whatever the client sends back.
"""

from __future__ import annotations

import getpass
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any

import attrs
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult

from rtfs_framework.lang.printer import write
from rtfs_framework.lang.visible import visible_line

if TYPE_CHECKING:
    from rtfs_framework.api.approval import ApprovalRequest
    from rtfs_framework.orchestrator.session import Session

_MOST_KEPT, _MOST_SHOWN = 10_000, 400
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"approve": {"type": "boolean", "title": "Approve", "description": "May the call be made?"}},
    "required": ["approve"],
}


@attrs.define(slots=True, eq=False)
class Waiting:
    """The calls that wait, by run; the newest of each. Told from any thread."""

    _calls: OrderedDict[str, ApprovalRequest] = attrs.field(factory=OrderedDict, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    def note(self, request: ApprovalRequest) -> None:
        """Remember that a call waits: a listener of approvals."""
        with self._lock:
            self._calls[request.run] = request
            self._calls.move_to_end(request.run)
            while len(self._calls) > _MOST_KEPT:
                self._calls.popitem(last=False)

    def of(self, run: str) -> ApprovalRequest | None:
        """Return the call of a run that waits."""
        with self._lock:
            return self._calls.get(run)

    def forget(self, run: str) -> None:
        """Forget it: it was answered."""
        with self._lock:
            self._calls.pop(run, None)


def call_text(request: ApprovalRequest, *, whole: bool) -> str:
    """Return a call as text; without its arguments where the client may not see what they may carry."""
    args = write(request.args)[1:-1] if whole else "..."
    args = args if len(args) <= _MOST_SHOWN else f"{args[:_MOST_SHOWN]}..."
    return f"({request.symbol} {args})".replace(" )", ")")


def question(request: ApprovalRequest, *, whole: bool) -> str:
    """Return what a person is asked. What the program wrote is made visible, on one line."""
    who = f" ({request.approver} is asked)" if request.approver else ""
    return visible_line(f"May this call be made? {call_text(request, whole=whole)} -> {request.target}{who}")


def form(request: ApprovalRequest, *, whole: bool) -> ElicitRequest:
    """Return the request that puts it to the client's user."""
    params = ElicitRequestFormParams(message=question(request, whole=whole), requested_schema=SCHEMA)
    return ElicitRequest(params=params)


def answer(session: Session, request: ApprovalRequest, said: ElicitResult, client: str) -> bool:
    """Write down what a person said; tell whether they said anything. To cancel is to say nothing.

    Raises:
        ApprovalError: It does not wait any more.
    """
    if said.action == "cancel":
        return False
    yes = said.action == "accept" and (said.content or {}).get("approve") is True
    store = session.host.dispatcher.approvals.store()
    store.answer(request.id, yes=yes, by=f"{_user()}, by the MCP client {client or 'at the standard streams'}")
    return True


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "somebody"
