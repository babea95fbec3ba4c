"""Calls that wait for a person, put before the user of the client that began their run.

Runs of MCP are parked where they wait, so asking is a matter between two of their parts: the client is asked by
elicitation (in revisions of the protocol before 2026-07-28 by a request of the server, since then by an answer that
wants input), what its user says is written where `rtfs approve` writes, and the run is gone on with. An answer is good
for the one call that its form showed, once: which forms were sent this process remembers, whatever the client sends
back. Calls of one run may wait at once; they are asked about one after the other.
"""

from __future__ import annotations

import getpass
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

import attrs
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult

from rtfs_framework.lang.printer import write
from rtfs_framework.lang.visible import visible_line

if TYPE_CHECKING:
    from rtfs_framework.api.approval import ApprovalRequest
    from rtfs_framework.orchestrator.performing.approvals.store import ApprovalStore
    from rtfs_framework.orchestrator.session import Session

_MOST_KEPT, _MOST_SHOWN = 10_000, 400
_STATE = re.compile(r"([0-9a-f]{32})\.[0-9a-f]+\.[0-9a-f]{32}")
UNSAID = "the run waits for a person, who was asked and has said nothing"
UNWRITTEN = "the run waits for a person, whose answer could not be written down"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"approve": {"type": "boolean", "title": "Approve", "description": "May the call be made?"}},
    "required": ["approve"],
}


@attrs.define(slots=True, eq=False)
class Waiting:
    """The calls that wait, by run and call, and the forms that were sent about them. Told from any thread."""

    _calls: OrderedDict[str, dict[str, ApprovalRequest]] = attrs.field(factory=OrderedDict, init=False)
    _forms: OrderedDict[str, ApprovalRequest] = attrs.field(factory=OrderedDict, init=False)
    """By their states; each is good for one answer."""
    _lock: Lock = attrs.field(factory=Lock, init=False)

    def note(self, request: ApprovalRequest) -> None:
        """Remember that a call waits: a listener of approvals."""
        with self._lock:
            self._calls.setdefault(request.run, {})[request.call] = request
            self._calls.move_to_end(request.run)
            _bound(self._calls)

    def of(self, run: str, store: Callable[[], ApprovalStore]) -> ApprovalRequest | None:
        """Return the call of a run that has waited longest of those that still do; reads the file of approvals."""
        from rtfs_framework.orchestrator.performing.approvals.store import ApprovalError

        with self._lock:
            known = tuple(self._calls.get(run, {}).values())
        for request in known:
            try:
                row = store().get(request.id)
            except ApprovalError:
                continue
            if row.state == "waiting" and row.until > store().clock.now():
                return request
            self.forget(request)
        return None

    def forget(self, request: ApprovalRequest) -> None:
        """Forget a call: it was answered."""
        with self._lock:
            calls = self._calls.get(request.run, {})
            calls.pop(request.call, None)
            if not calls:
                self._calls.pop(request.run, None)

    def sent(self, request: ApprovalRequest) -> str:
        """Return the state of a form that is sent about a call: only who has it can answer, once."""
        state = f"{request.run}.{request.id}.{secrets.token_hex(16)}"
        with self._lock:
            self._forms[state] = request
            _bound(self._forms)
        return state

    def taken(self, state: str) -> ApprovalRequest | None:
        """Return the call that the form of a state showed; None where none was sent, or it was answered before."""
        with self._lock:
            return self._forms.pop(state, None)


def _bound(kept: OrderedDict[str, Any]) -> None:
    while len(kept) > _MOST_KEPT:
        kept.popitem(last=False)


def run_of(state: str) -> str | None:
    """Return the run that a form's state names; None where it is no state of a form."""
    found = _STATE.fullmatch(state)
    return None if found is None else found[1]


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


def answer(session: Session, request: ApprovalRequest, said: ElicitResult, client: str) -> str | None:
    """Write down what a person said of a call. Return None if its run may go on, else what it waits for still.

    To cancel is to say nothing. Where the call waits no more, because somebody else was faster or its time is over, the
    run may go on: it finds what stands in the file.
    """
    from rtfs_framework.orchestrator.performing.approvals.store import NO_SUCH, ApprovalError

    if said.action == "cancel":
        return UNSAID
    yes = said.action == "accept" and (said.content or {}).get("approve") is True
    store = session.host.dispatcher.approvals.store()
    try:
        store.answer(request.id, yes=yes, by=f"{_user()}, by the MCP client {client or 'at the standard streams'}")
    except ApprovalError as error:
        return None if error.code == NO_SUCH else UNWRITTEN
    return None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "somebody"
