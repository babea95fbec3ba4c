"""The durable queue of a configuration, as commands use it, and what they say where it cannot be used."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.notices import notices
from rtfs_framework.cli.options import config_path, environment
from rtfs_framework.cli.problems import problem

if TYPE_CHECKING:
    from rtfs_framework.api.queue import ItemStatus, Placed, Queue, QueueItem
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.session import Session
    from rtfs_framework.registry.catalog import Catalog

BROKEN, FULL, NO_ITEM = "E0617", "E0618", "E0926"
_STORE = "RTFS_QUEUE__STORE"


def queue_option(function: Any) -> Any:
    """`--queue NAME`."""
    return click.option("--queue", "store", metavar="NAME", help="The queue: sqlite, nats (default: as [queue] says).")(
        function
    )


def with_store(store: str | None) -> Mapping[str, str]:
    """Return this command's environment, with the queue that it names."""
    environ = environment()
    return environ if store is None else {**environ, _STORE: json.dumps(store)}


@contextmanager
def queue_of(config: str | None, store: str | None = None) -> Iterator[tuple[Queue, Config, Catalog]]:
    """Open the queue that a configuration, or the command, names.

    Raises:
        ConfigError: The configuration has mistakes.
        InputError: E0617, the queue cannot be used; E0618, it is full.
    """
    from rtfs_framework.orchestrator.config.load import load_config
    from rtfs_framework.orchestrator.config.permitted import installed

    environ = with_store(store)
    catalog = installed(environ, config_path(config))
    found = load_config(config_path(config), None, environ, catalog, lambda _: None)
    notices().tell_findings(found.notices)
    with _opened(found, environ, catalog) as queue:
        yield queue, found, catalog


def placed(session: Session, item: QueueItem, environ: Mapping[str, str]) -> Placed:
    """Put an item into the queue of a session's own configuration, which may be that of its program's folder.

    Raises:
        InputError: E0617, the queue cannot be used; E0618, it is full.
    """
    with _opened(session.host.config, environ, session.host.catalog) as queue:
        return queue.put(item)


@contextmanager
def _opened(config: Config, environ: Mapping[str, str], catalog: Catalog) -> Iterator[Queue]:
    from rtfs_framework.api.queue import QueueError, QueueFullError
    from rtfs_framework.orchestrator.concurrency.clock import SystemClock
    from rtfs_framework.orchestrator.performing.queues import open_queue

    queue = open_queue(config, environ, SystemClock(), catalog)
    try:
        yield queue
    except QueueFullError as error:
        raise problem(FULL, str(error), "wait until workers have done some; or raise its bounds in [queue]") from error
    except QueueError as error:
        way_out = (
            f"see that it can be reached and that [queues.{config.queue.store}] is right; `rtfs plugins` lists queues"
        )
        raise problem(BROKEN, f"the queue cannot be used: {error}", way_out) from error
    finally:
        queue.close()


def item_of(queue: Queue, id_: str, topic: str | None) -> ItemStatus:
    """Return the item of an id, or of the only one that begins so.

    The call in it (RUN/CALL) is taken whole: where that of 1:1 is forgotten, it would else be that of 1:10.

    Raises:
        InputError: E0926, there is none, or more than one.
    """
    from rtfs_framework.api.queue import ItemFilter

    found = queue.get(id_)
    if found is not None and topic in (None, found.topic):
        return found
    near = queue.items(ItemFilter(topic=topic, prefix=id_, most=2)) if id_ and "/" not in id_[:-1] else ()
    if len(near) != 1:
        what = "more than one item begins" if near else "no item begins"
        raise problem(NO_ITEM, f"{what} with '{id_[:80]}'", f"rtfs {'tickets' if topic else 'queue'} list")
    return queue.get(near[0].id) or near[0]
