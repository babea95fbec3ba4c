"""What people say of earlier calls, from Python and from the command line."""

from __future__ import annotations

from rtfs_framework.orchestrator.host import Host
from rtfs_framework.orchestrator.recording.journal.feedback import checked_value
from rtfs_framework.orchestrator.recording.records import CallRecord


def rate(host: Host, run: str, call: str | CallRecord, value: float | str, by: str = "python") -> None:
    """Write down what the answer of a call was worth; where nobody writes a journal, those that learn hear it at once.

    Raises:
        ValueError: That is no rating; or nobody writes a journal, and the call is named by its id.
        JournalError: There is no such run or call, or it was not decided.
    """
    worth = checked_value(value)
    if host.journal is None:
        if not isinstance(call, CallRecord):
            raise ValueError("without a journal nobody knows calls by their ids: hand in a record of RunResult.calls")
        host.learning.rated(call, worth)
        return
    from rtfs_framework.orchestrator.recording.journal import rating
    from rtfs_framework.orchestrator.recording.journal.query import find_run
    from rtfs_framework.orchestrator.recording.journal.redact import name_of

    named = name_of(call.entry, call.record, call.path) if isinstance(call, CallRecord) else call
    host.journal.commit()
    rating.rate(host.journal, find_run(host.journal.path, run), named, worth, by)
