"""What people say of earlier calls, from Python and from the command line."""

from __future__ import annotations

from rtfs_framework.orchestrator.host import Host
from rtfs_framework.orchestrator.recording.journal.feedback import checked_value
from rtfs_framework.orchestrator.recording.records import CallRecord
from rtfs_framework.orchestrator.recording.similar_mark import served_of


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
        _tell(host, served_of(call.similar), worth)
        return
    from rtfs_framework.orchestrator.recording.journal import rating
    from rtfs_framework.orchestrator.recording.journal.query import find_run
    from rtfs_framework.orchestrator.recording.journal.redact import name_of

    named = name_of(call.entry, call.record, call.path) if isinstance(call, CallRecord) else call
    host.journal.commit()
    made = rating.rate(host.journal, find_run(host.journal.path, run), named, worth, by)
    _tell(host, made.served, worth)


def _tell(host: Host, served: tuple[str, str] | None, worth: float) -> None:
    """Tell the layer that gave an answer to a similar request: a bad one goes, with its neighbours."""
    similar = host.dispatcher.models.similar
    if similar is not None:
        similar.rated(served, worth)
