"""`rtfs approve list|yes|no`: calls of running programs that wait for a person, and their answers."""

from __future__ import annotations

import getpass
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from rtfs_framework.cli.options import environment, json_option
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.shown.words import seconds
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.approvals.store import Approval, ApprovalStore


@click.group()
def command() -> None:
    """Answer calls that wait for a person. ID is an id of `rtfs approve list`, or the beginning of one.

    A yes is good for that one call: other arguments, another target or another configuration ask anew. Without an
    answer in time the call is refused ([approvals] timeout).
    """


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Those that were answered, too.")
@json_option
def list_command(*, every: bool, as_json: bool) -> None:
    """List what waits, the oldest first.

    \b
    rtfs approve list
    rtfs approve list --all --json
    """  # noqa: D301 - click's \b is a backspace
    store = approvals()
    found = store.listed(every=every)
    if as_json:
        from rtfs_framework.orchestrator.performing.approvals.store import approval_json

        put_json({"file": str(store.path), "approvals": [dict(approval_json(each)) for each in found]})
        return
    if not found:
        say("nothing waits")
    for each in found:
        _say(each, store.clock.now())


@command.command("yes")
@click.argument("id_", metavar="ID")
@json_option
def yes_command(id_: str, *, as_json: bool) -> None:
    """Let a call be made, once.

    \b
    rtfs approve yes 3f1c
    """  # noqa: D301 - click's \b is a backspace
    _answer(id_, yes=True, reason="", as_json=as_json)


@command.command("no")
@click.argument("id_", metavar="ID")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the program's error and the record.")
@json_option
def no_command(id_: str, *, reason: str, as_json: bool) -> None:
    """Refuse a call.

    \b
    rtfs approve no 3f1c --reason "not to this customer"
    """  # noqa: D301 - click's \b is a backspace
    _answer(id_, yes=False, reason=reason, as_json=as_json)


def _answer(id_: str, *, yes: bool, reason: str, as_json: bool) -> None:
    from rtfs_framework.orchestrator.performing.approvals.store import approval_json

    found = approvals().answer(id_, yes=yes, by=asker(), reason=reason)
    if as_json:
        put_json(dict(approval_json(found)))
    else:
        say(f"{found.id}: {found.state}, ({found.symbol} ...) {'goes' if yes else 'does not go'} to {found.target}")


def approvals() -> ApprovalStore:
    """Return the approvals of this user."""
    from rtfs_framework.orchestrator.concurrency.clock import SystemClock
    from rtfs_framework.orchestrator.config.folders import data_dir
    from rtfs_framework.orchestrator.performing.approvals.store import ApprovalStore

    return ApprovalStore(data_dir(environment()), SystemClock())


def asker() -> str:
    """Return who answers: the name of this user."""
    with suppress(OSError, KeyError, ImportError):
        return getpass.getuser()
    return ""


def _say(each: Approval, now: float) -> None:
    left = f"{seconds(each.until - now)} left" if each.state == "waiting" and each.until > now else each.state
    by = f" by {each.answered_by}" if each.answered_by else ""
    asked = f"asks {each.approver}" if each.approver else "asks"
    say(f"{each.id}  {left}{by}  ({each.symbol} ...) -> {each.target}  {asked}  run {each.run[:12]} call {each.call}")
    if each.args_text:
        say(f"    {each.args_text}")
    if each.reason:
        say(f"    because: {each.reason}")
