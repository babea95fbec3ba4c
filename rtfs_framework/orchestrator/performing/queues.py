"""The durable queue of a configuration, at arm's length: whatever its plug-in does wrong is a `QueueError`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from rtfs_framework.api.queue import QueueError, QueueSettings
from rtfs_framework.orchestrator.config.folders import data_dir
from rtfs_framework.orchestrator.config.labels import accepted
from rtfs_framework.orchestrator.performing.arms_length import Kind, made_at_arms_length, named_variables

if TYPE_CHECKING:
    from rtfs_framework.api.labels import Label
    from rtfs_framework.api.queue import Queue
    from rtfs_framework.api.values import Clock
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.registry.catalog import Catalog

_KIND = Kind(
    word="queue",
    methods=(
        "put", "lease", "claim", "renew", "ack", "nack", "release", "cancel", "requeue", "get", "items", "counts",
        "wait", "purge", "close",
    ),
    error=QueueError,
    passes=(QueueError, ValueError),
)  # fmt: skip


def queue_accepts(config: Config, catalog: Catalog) -> Label | None:
    """Return the marks of what the queue may hold, None for all: one of other machines holds none that is not named."""
    spec, found = config.labels, catalog.queues.get(config.queue.store)
    if spec is None:
        return None
    name = f"queue {config.queue.store}"
    if name not in spec.accepts and found is not None and not found[0].remote:
        return None
    return accepted(spec, name)


def open_queue(config: Config, environ: Mapping[str, str], clock: Clock, catalog: Catalog) -> Queue:
    """Return the queue that a configuration chose; whoever asks closes it. Its first use opens it.

    One that cannot be made, or that no plug-in offers, raises `QueueError` at each use.
    """
    spec = config.queue
    found = catalog.queues.get(spec.store)
    part = None if found is None else catalog.part("queue", spec.store)
    settings = QueueSettings(
        clock=clock,
        own=spec.own,
        environ=named_variables(spec.own, environ),
        directory=str(data_dir(environ)),
        base=spec.directory,
        most_items=spec.most_items,
        most_bytes=spec.most_bytes,
        weights=spec.weights,
    )
    made = made_at_arms_length(
        _KIND, spec.store, part, lambda: found[0].factory(settings) if found is not None else None
    )
    return cast("Queue", made)
