"""`rtfs worker`: does what waits in the durable queue."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.cli.options import config_option, config_path, json_option
from rtfs_framework.cli.problems import BAD_CHOICE, USAGE, problem
from rtfs_framework.cli.queues import queue_of, queue_option, with_store
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import complain, say

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.session import Session
    from rtfs_framework.orchestrator.working.worker import Worker

_LEAST_LEASE = 0.2


@click.command()
@click.option("--topics", default="runs", show_default=True, metavar="NAMES", help="What to do, such as runs.")
@click.option("--concurrency", type=click.IntRange(1, 1000), default=4, show_default=True, metavar="N",
              help="Items under way at once.")  # fmt: skip
@click.option("--lease", type=click.FloatRange(_LEAST_LEASE, 3600), default=30.0, show_default=True, metavar="SECONDS",
              help="After how long another worker takes what a dead one had.")  # fmt: skip
@click.option("--grace", type=click.FloatRange(0, 86_400), default=30.0, show_default=True, metavar="SECONDS",
              help="At the end: how long to wait for what is under way.")  # fmt: skip
@click.option("--of-tenant", "tenants", multiple=True, metavar="ID", help="Work for these tenants alone.")
@click.option("--until-empty", is_flag=True, help="End when nothing waits.")
@queue_option
@json_option
@config_option
def command(*, topics: str, config: str | None, store: str | None, as_json: bool, **options: Any) -> None:
    """Do what waits in the durable queue: runs that `rtfs run --queued` ordered. Start as many as you like, anywhere.

    Work is under this host's configuration, as its tenant; without one, no model is looked for. A worker that dies
    loses nothing: when its lease ends another one goes on. SIGTERM (or Ctrl-C) ends in order: nothing more is taken,
    what is under way ends or is given back after the grace, or at once when the signal comes again.

    \b
    rtfs worker --concurrency 8
    rtfs worker --queue nats --config worker.toml
    rtfs worker --until-empty
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.concurrency.clock import SystemClock
    from rtfs_framework.orchestrator.performing.found import unguessed
    from rtfs_framework.orchestrator.session import Session
    from rtfs_framework.orchestrator.working.performers import performers_of
    from rtfs_framework.orchestrator.working.sessions import Sessions
    from rtfs_framework.orchestrator.working.worker import Worker, WorkerTerms

    until_empty = options.pop("until_empty")
    options["tenants"] = tuple(options["tenants"]) or None
    with queue_of(config, store) as (queue, found, catalog):

        def opened(tenant: str) -> Session:
            return Session.open(
                config_path=config_path(config), catalog=catalog, environ=unguessed(with_store(store)), tenant=tenant
            )

        with closing(Sessions(opened)) as sessions:
            known = performers_of(sessions)
            wanted = [each.strip() for each in topics.split(",")]
            for topic in wanted:
                if topic not in known:
                    message = f"nothing does the topic '{topic[:80]}'"
                    raise problem(BAD_CHOICE, message, f"topics: {', '.join(known)}", exit_code=USAGE)
            terms = WorkerTerms(keep=found.queue.keep, **options)
            chosen = {topic: known[topic] for topic in wanted}
            worker = Worker(queue, chosen, SystemClock(), terms, _told(as_json=as_json))
            if not as_json:
                say(f"working: {terms.name}, {', '.join(chosen)} of the queue {found.queue.store}")
            with _ended_by_signals(worker):
                worker.work(until_empty=until_empty)


def _told(*, as_json: bool) -> Any:
    def told(what: str, id_: str, why: str) -> None:
        if as_json:
            put_json({"what": what, "id": id_, "why": why})
        elif what == "queue":
            complain(f"warning: the queue: {why}")
        else:
            say(f"{id_}: {what}" + (f" ({why})" if why else ""))

    return told


@contextmanager
def _ended_by_signals(worker: Worker) -> Iterator[None]:
    """While this lasts, SIGTERM and Ctrl-C end the worker in order."""
    before = {each: signal.signal(each, lambda *_: worker.end()) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
