"""A run as it is ordered, and what came of it, as bytes of a queue: canonical JSON, which any machine can read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.labels import PUBLIC
from rtfs_framework.api.queue import QueueItem
from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.values import type_name
from rtfs_framework.orchestrator.boundary import exact
from rtfs_framework.orchestrator.boundary.handover import NoValueError, as_value
from rtfs_framework.orchestrator.performing.queues import queue_accepts
from rtfs_framework.orchestrator.recording.journal.chain import canonical_json
from rtfs_framework.orchestrator.recording.journal.kept import value_text

if TYPE_CHECKING:
    from rtfs_framework.api.labels import Label
    from rtfs_framework.lang.source import Source
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.orchestrator.running.linking import Linked
    from rtfs_framework.orchestrator.session import Session

RUNS = "runs"
"""The topic of runs."""
_VERSION = 1


class JobError(RtfsError):
    """An order that cannot be carried out, or written."""

    code = "E0927"

    def __init__(self, problem: str, way_out: str) -> None:
        super().__init__(f"error[{self.code}]: {problem}\n  help: {way_out}")
        self.problem = problem
        self.way_out = way_out


@attrs.frozen(slots=True, kw_only=True)
class QueuedRun:
    """A program, and how it is called."""

    name: str
    text: str
    modules: Mapping[str, str]
    """Texts by name: those of the machine where it was ordered."""
    digest: str
    """Of the compiled program: what is run must be what was ordered."""
    entry: str | None = None
    """The function that is called; None where the program is evaluated alone."""
    args: str
    """The arguments' text (`exact`)."""

    def to_bytes(self) -> bytes:
        """Return the payload of its item."""
        return canonical_json({"v": _VERSION, **attrs.asdict(self)}).encode()

    @classmethod
    def of_bytes(cls, payload: bytes) -> QueuedRun:
        """Return the order of a payload.

        Raises:
            JobError: It holds none.
        """
        try:
            found = json.loads(payload)
            version = found.pop("v")
            made = cls(**found)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            raise JobError("the item holds no run", "order it by `rtfs run --queued`") from error
        if version != _VERSION:
            raise JobError(f"the item holds a run of version {version!r}", "let a newer rtfs work on it")
        return made

    @property
    def values(self) -> tuple[Any, ...]:
        """The arguments.

        Raises:
            JobError: Their text is none.
        """
        try:
            found: tuple[Any, ...] = tuple(exact.from_text(self.args))
        except Exception as error:
            raise JobError("the item's arguments are no values", "order it by `rtfs run --queued`") from error
        return found


def _withheld(host: Host, linked: Linked, entry: str | None, args: tuple[Any, ...]) -> None:
    """Refuse arguments with marks that the queue, if other machines read it, does not accept.

    Raises:
        JobError: Some have such marks.
    """
    accepts, labelling = queue_accepts(host.config, host.catalog), host.dispatcher.labelling
    if accepts is None or labelling is None:
        return
    function = None if entry is None else linked.instance.function(entry)
    names = () if function is None else [each.name for each in function.parameters]
    marks = PUBLIC.union(*(each for _, each in labelling.marks.of_arguments(args, names))) - accepts
    if marks:
        store, shown = host.config.queue.store, ", ".join(f":{mark}" for mark in sorted(marks))
        raise JobError(
            f"the arguments carry {shown}, which queue {store} does not accept",
            f'say so by accepts."queue {store}" under [labels]; or run it here, without --queued',
        )


def order(
    session: Session,
    source: Source | str,
    args: tuple[Any, ...] = (),
    *,
    entry: str | None = None,
    priority: int = 0,
    not_before: float = 0.0,
    most_tries: int = 5,
    key: str = "",
) -> QueueItem:
    """Return the item by which a run is ordered; its id is the run's. The program is compiled, so it can be.

    Where no `entry` is named, `main` is called if there is one; else the program is evaluated alone.

    Raises:
        LanguageError: The program was refused.
        JobError: No text stands for the arguments, or it is no item of a queue: too large, say, or its key is too long.
    """
    linked = session.link(source)
    if entry is None and (args or linked.instance.function("main") is not None):
        entry = "main"
    text = _args_text(args)
    _withheld(session.host, linked, entry, args)
    first, *modules = linked.artifact.sources
    run = QueuedRun(
        name=first.name,
        text=first.text,
        modules={each.name: each.text for each in modules},
        digest=linked.digest,
        entry=entry,
        args=text,
    )
    try:
        return QueueItem(
            id=token_hex(16),
            topic=RUNS,
            payload=run.to_bytes(),
            tenant=session.host.config.tenant,
            priority=priority,
            not_before=not_before,
            most_tries=most_tries,
            key=key,
        )
    except ValueError as error:
        way_out = "shorten the key; let a large argument be read by a capability"
        raise JobError(f"the run cannot be ordered: {error}", way_out) from error


def _args_text(args: tuple[Any, ...]) -> str:
    try:
        text = value_text(tuple(as_value(each) for each in args))
    except NoValueError:
        text = None
    if text is None:
        raise JobError("no text stands for the arguments", "give plain data: numbers, texts, lists, maps")
    return text


def result_bytes(value: Any, run: str, summary: Mapping[str, Any]) -> bytes:
    """Return what is kept of a run that is complete: its value as text, and exactly where it has such a text."""
    told = {"run": run, "type": type_name(value), "text": write(value), "exact": value_text(value)}
    return canonical_json({**told, "summary": dict(summary)}).encode()


def withheld_bytes(run: str, summary: Mapping[str, Any], marks: Label) -> bytes:
    """Return what is kept of a complete run whose queue must not have its value: which marks forbid that."""
    told = {"run": run, "type": None, "text": None, "exact": None, "withheld": sorted(marks)}
    return canonical_json({**told, "summary": dict(summary)}).encode()


def result_of(result: bytes | None) -> Mapping[str, Any]:
    """Return what is kept of a run; nothing where a result is none of a run's."""
    try:
        found = json.loads(result or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
