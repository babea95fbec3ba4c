"""`rtfs schedule`: programs that are run by the clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from rtfs_framework.cli.journals import home
from rtfs_framework.cli.options import config_option, environment, json_option, open_session, warn
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.words import moment
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.working.schedules import Schedule, ScheduleStore

_LOOK = 1.0
"""Seconds between two looks at the clock."""


@click.group()
def command() -> None:
    """Run programs by the clock: `add` says when, `run` orders what is due, and `rtfs worker` does it."""


@command.command("add")
@click.argument("cron")
@click.argument("file")
@click.argument("args", nargs=-1)
@click.option("--zone", default="UTC", show_default=True, metavar="ZONE", help="Of its clock, such as Europe/Berlin.")
@json_option
@config_option
def add_command(cron: str, file: str, args: tuple[str, ...], *, zone: str, as_json: bool, config: str | None) -> None:
    """Run FILE with ARGS (texts) at the times of CRON: minute, hour, day, month and weekday.

    The program is read anew each time. It is ordered in the durable queue, where workers find it.

    \b
    rtfs schedule add "0 7 * * 1-5" report.rtfs --zone Europe/Berlin
    rtfs schedule add "*/15 * * * *" watch.rtfs prices
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.cli.sources import read_program
    from rtfs_framework.orchestrator.working.schedules import Schedule

    source = read_program(file)
    with open_session(file, config) as session:
        session.link(source)
        tenant = session.host.config.tenant
    wanted = Schedule(
        id="",
        cron=cron,
        zone=zone,
        file=str(Path(file).absolute()),
        args=args,
        config=None if config is None else str(Path(config).absolute()),
        tenant=tenant,
    )
    made = _store().add(wanted)
    if as_json:
        put_json(_data(made))
    else:
        say(f"{made.id}: next at {_next(made)}")


@command.command("list")
@json_option
def list_command(*, as_json: bool) -> None:
    """List the schedules, and when each is due next."""
    found = _store().listed()
    if as_json:
        put_json({"schedules": [_data(each) for each in found]})
        return
    if not found:
        say("no schedules")
    for each in found:
        say(f"{each.id}  {each.cron:<16}  {each.zone}  next {_next(each)}  {' '.join((each.file, *each.args))}")


@command.command("remove")
@click.argument("schedule")
@json_option
def remove_command(schedule: str, *, as_json: bool) -> None:
    """Forget a schedule; what it has ordered stays ordered."""
    gone = _store().remove(schedule)
    if as_json:
        put_json(_data(gone))
    else:
        say(f"{gone.id}: removed")


@command.command("run")
@click.option("--once", is_flag=True, help="Order what is due now, and end.")
@json_option
def run_command(*, once: bool, as_json: bool) -> None:
    """Order what is due, as its time comes, until Ctrl-C. Any number of these may run; each time is ordered once.

    Of the times that passed while none ran the latest alone is ordered, and it is said how many were passed over.
    """
    store, told = _store(), set[str]()
    while True:
        for ordered in _order_due(store, told):
            if as_json:
                put_json(ordered)
            else:
                say(f"{ordered['schedule']}: ordered {ordered['run']} for {moment(ordered['due'])}")
        if once:
            return
        time.sleep(_LOOK)


class _Refused(Exception):
    """The program of a schedule is refused, or is not there: this time of it is over."""


def _order_due(store: ScheduleStore, told: set[str]) -> Iterator[dict[str, Any]]:
    """Order what is due; one that cannot be ordered is told once, and keeps no other from it.

    Its time is over when the program is at fault. When its queue is down or full, or its configuration is wrong, it
    stays due, and is ordered as soon as that is mended.
    """
    from rtfs_framework.cli.faults import text_of
    from rtfs_framework.lang.errors import RtfsError

    now = store.clock.now()
    for each in store.listed():
        found = each.due(now)
        if found is None:
            continue
        due, passed = found
        run = ""
        try:
            run = _ordered(each, due)
        except _Refused as refused:
            warn(f"{each.id} for {moment(due)}: {refused}")
        except RtfsError as error:
            text = f"{each.id} for {moment(due)}: not ordered yet: {text_of(error)}"
            if text not in told:
                told.add(text)
                warn(text)
            continue
        store.done(each, due)
        if passed:
            warn(f"{each.id}: {passed:,} earlier times were passed over")
        if run:
            yield {"schedule": each.id, "due": due, "run": run, "passed_over": passed}


def _ordered(schedule: Schedule, due: float) -> str:
    """Put a run into the queue, once for each time; return its id.

    Raises:
        _Refused: The program is refused, or is not there.
        RtfsError: The queue or the configuration cannot be used.
    """
    from rtfs_framework.api.errors import ConfigError
    from rtfs_framework.cli.faults import text_of
    from rtfs_framework.cli.queues import placed
    from rtfs_framework.cli.sources import read_program
    from rtfs_framework.lang.errors import LanguageError
    from rtfs_framework.orchestrator.working.jobs import JobError, order

    environ = {**environment(), **({"RTFS_TENANT": schedule.tenant} if schedule.tenant else {})}
    with open_session(schedule.file, schedule.config, environ=environ) as session:
        try:
            item = order(session, read_program(schedule.file), schedule.args, key=f"{schedule.key}{due:.0f}")
        except ConfigError:
            raise
        except (LanguageError, JobError) as error:
            raise _Refused(text_of(error)) from error
        return placed(session, item, environ).id


def _store() -> ScheduleStore:
    from rtfs_framework.orchestrator.concurrency.clock import SystemClock
    from rtfs_framework.orchestrator.working.schedules import ScheduleStore

    return ScheduleStore(home(), SystemClock())


def _next(schedule: Schedule) -> str:
    found = next(schedule.times(schedule.last), None)
    return "never" if found is None else datetime.fromtimestamp(found, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _data(schedule: Schedule) -> dict[str, Any]:
    return {**attrs.asdict(schedule), "next": next(schedule.times(schedule.last), None)}
