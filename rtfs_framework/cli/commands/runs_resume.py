"""`rtfs runs resume`, `signal`, `pause`, `cancel`: runs that have not ended, gone on with or told something."""

from __future__ import annotations

import getpass
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from rtfs_framework.cli.faults import FAILED, FINE, INTERRUPTED
from rtfs_framework.cli.journals import home, journal, writer
from rtfs_framework.cli.limits import chosen, limit_options
from rtfs_framework.cli.options import config_option, environment, json_option, open_session, park_option, warn
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.terminal import say
from rtfs_framework.lang.jsontext import load

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.journal.listed import RunRow
    from rtfs_framework.orchestrator.running.past_calls import Assumed
    from rtfs_framework.orchestrator.running.resuming import Resumed
    from rtfs_framework.orchestrator.session import Session

_ID = 12
_SHOWN = 200
DONE, NOT_DONE = "done", "not-done"


@click.command("resume")
@click.argument("run", required=False)
@click.option("--due", is_flag=True, help="Go on with all runs that wait for nothing any more, instead of naming one.")
@click.option("--assume", multiple=True, metavar="ID=done|not-done", help="Say how a call ended of which nobody knows.")
@click.option("--reply", metavar="JSON", help="What the call answered that --assume says is done (default: null).")
@click.option("--upgrade", metavar="FILE", help="Go on with this text of the program, if it makes the same calls.")
@click.option("--input", "input_file", metavar="FILE", help="Where the records are now that it reads.")
@click.option("--progress/--no-progress", default=None, help="Show a progress bar (default: on a terminal).")
@park_option
@limit_options
@json_option
@config_option
def resume_command(run: str | None, *, due: bool, config: str | None, as_json: bool, **options: Any) -> int:
    """Go on with a run that was interrupted, killed, or waits, where it was left, on this machine or another.

    The program runs again from its beginning, and every call that was answered is answered the same without being made;
    so nothing is paid twice. A call that had begun and of which no end is known is made again, with the same key,
    where its target may be asked twice; else say what became of it with --assume.

    \b
    rtfs runs resume last
    rtfs runs resume 3f2a --assume 1:4=done --reply '"sent"'
    rtfs runs resume 3f2a --assume not-done
    rtfs runs resume --due
    """  # noqa: D301 - click's \b is a backspace
    if due == (run is not None):
        raise click.UsageError("name a run, or say --due")
    path = journal(config)
    if due:
        return _due(path, config, options, as_json=as_json)
    from rtfs_framework.orchestrator.recording.journal.query import find_run

    return _resumed(path, find_run(path, str(run)), config, options, as_json=as_json)


def _due(path: Path, config: str | None, options: dict[str, Any], *, as_json: bool) -> int:
    """Go on with all runs that are due; one that fails keeps no other from it."""
    from rtfs_framework.cli.faults import guarded
    from rtfs_framework.orchestrator.recording.journal.waiting import due_runs

    worst, count = FINE, 0
    options = {**options, "park": True}  # one that waits on keeps no other from its turn
    for run in due_runs(path, home(), _answered):
        say(f"{run[:_ID]}:") if not as_json else None
        count += 1
        ended = guarded(lambda run=run: _in_turn(path, run, config, options, as_json=as_json), as_json=as_json)  # type: ignore[misc]
        if ended == INTERRUPTED:
            return INTERRUPTED
        worst = max(worst, FAILED if ended not in (FINE, 75) else FINE)
    if not count and not as_json:
        say("no run is due")
    return worst


def _in_turn(path: Path, run: str, config: str | None, options: dict[str, Any], *, as_json: bool) -> int:
    """Go on with a run that is due; one whose job cannot be waited for here is left to whoever can."""
    from rtfs_framework.orchestrator.running.past_calls import ResumeError
    from rtfs_framework.orchestrator.running.resuming import AWAY

    try:
        return _resumed(path, run, config, options, as_json=as_json)
    except ResumeError as error:
        if error.code != AWAY:
            raise
        warn(f"it is left as it is: {error.problem}")
        return FINE


def _answered(approval: str) -> bool:
    """Tell whether a person has answered, or nobody will any more."""
    from rtfs_framework.orchestrator.concurrency.clock import SystemClock
    from rtfs_framework.orchestrator.performing.approvals.store import ApprovalError
    from rtfs_framework.orchestrator.performing.approvals.waiting import store_of

    try:
        return store_of(environment(), SystemClock()).get(approval).state != "waiting"
    except ApprovalError:
        return True


def _resumed(path: Path, run: str, config: str | None, options: dict[str, Any], *, as_json: bool) -> int:
    from rtfs_framework.cli.commands.run_once import show_result
    from rtfs_framework.cli.sources import read_program
    from rtfs_framework.orchestrator.recording.journal.query import show_run
    from rtfs_framework.orchestrator.running.resuming import Resuming

    row, _ = show_run(path, run)
    upgrade = options["upgrade"]
    wanted = Resuming(
        run=run,
        assumed=_assumed(options["assume"], options["reply"]),
        upgrade=None if upgrade is None else read_program(upgrade),
    )
    environ = {**environment(), **({"RTFS_TENANT": row.tenant} if row.tenant else {})}
    program = row.source if Path(row.source).is_file() else None
    with open_session(program, config, environ=environ, limits=chosen(options)) as session:
        if options["park"]:
            session.park()
        resumed = session.reopen(wanted)
        if row.policy != resumed.program.host.policy_hash:
            warn("the policy is another one than when the run was begun: what is decided from now on is decided by it")
        if resumed.how.get("records") is not None:
            return _stream(session, resumed, options, as_json=as_json)
        with resumed.program as loaded:
            result = resumed.called(loaded)
        show_result(result, as_json=as_json)
    return FINE


def _stream(session: Session, resumed: Resumed, options: dict[str, Any], *, as_json: bool) -> int:
    from rtfs_framework.cli.commands.run_stream import How, resume_stream
    from rtfs_framework.cli.records.open import Wanted
    from rtfs_framework.cli.shown.progress import wanted

    read = Wanted(**resumed.how["records"])
    if options["input_file"] is not None:
        read = attrs.evolve(read, path=options["input_file"])
    how = How(
        as_json=as_json,
        output=resumed.how.get("output"),
        progress=wanted(options["progress"]),
        concurrency=resumed.how.get("concurrency"),
        folds=bool(resumed.how.get("folds")),
    )
    return resume_stream(session, resumed, read, how)


def _short(text: str | None) -> str:
    shown = repr(text)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."


def _assumed(said: tuple[str, ...], answer: str | None) -> Assumed:
    from rtfs_framework.orchestrator.running.past_calls import Assumed

    done: dict[str, Any] = {}
    not_done: set[str] = set()
    try:
        value = None if answer is None else load(answer)
    except ValueError as error:
        raise click.BadParameter(f"{_short(answer)} is no JSON: {error}", param_hint="--reply") from error
    for each in said:
        id_, _, what = each.rpartition("=")
        if what == DONE and id_:
            done[id_] = value
        elif what == NOT_DONE:
            not_done.add(id_)
        else:
            message = f"{each!r} is none: write ID=done, ID=not-done, or not-done for all"
            raise click.BadParameter(message, param_hint="--assume")
    if answer is not None and len(done) != 1:
        raise click.UsageError("--reply needs one --assume ID=done")
    return Assumed(done, frozenset(not_done))


@click.command("fork")
@click.argument("run")
@click.option("--at", default="", metavar="CALL|NAME", help="Leave it before this call, or at this checkpoint.")
@click.option("--upgrade", metavar="FILE", help="With this text of the program.")
@park_option
@limit_options
@json_option
@config_option
def fork_command(run: str, *, at: str, upgrade: str | None, as_json: bool, config: str | None, **options: Any) -> None:
    """Begin another run with what a run was answered up to a call or checkpoint, and go on from there.

    The run itself stays as it is. One that has ended can be forked where [journal] keep = "replies" kept its answers.

    \b
    rtfs runs fork last --at 1:4
    rtfs runs fork 3f2a --at :drafted --upgrade better.rtfs
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.cli.commands.run_once import show_result
    from rtfs_framework.cli.sources import read_program
    from rtfs_framework.orchestrator.running.resuming import Resuming

    found, row = _named(run, config)
    new = None if upgrade is None else read_program(upgrade)
    environ = {**environment(), **({"RTFS_TENANT": row.tenant} if row.tenant else {})}
    program = row.source if Path(row.source).is_file() else None
    with open_session(program, config, environ=environ, limits=chosen(options)) as session:
        if options["park"]:
            session.park()
        result = session.resume(Resuming(run=found, fork=True, at=at, upgrade=new))
    show_result(result, as_json=as_json)


@click.command("signal")
@click.argument("run")
@click.argument("name")
@click.argument("value", required=False, default="null")
@json_option
@config_option
def signal_command(run: str, name: str, value: str, *, as_json: bool, config: str | None) -> None:
    """Send a word to a run that waits for it, or will: (host/wait-for :NAME) gives VALUE, JSON or else a text.

    \b
    rtfs runs signal last approved true
    rtfs runs signal 3f2a order '{"id": 7}'
    """  # noqa: D301 - click's \b is a backspace
    send(run, config, name.removeprefix(":"), value)
    said = f"sent :{name.removeprefix(':')}"
    _done(run, config, said, as_json=as_json)


@click.command("pause")
@click.argument("run")
@json_option
@config_option
def pause_command(run: str, *, as_json: bool, config: str | None) -> None:
    """Let a run end at its next checkpoint or wait, to be gone on with by `rtfs runs resume`."""
    _tell(run, config, "control", {"ask": "pause", "by": _who()})
    _done(run, config, "pauses at its next checkpoint or wait", as_json=as_json)


@click.command("cancel")
@click.argument("run")
@json_option
@config_option
def cancel_command(run: str, *, as_json: bool, config: str | None) -> None:
    """End a run for good: at its next checkpoint or wait; at once where no process is at it."""
    from rtfs_framework.orchestrator.recording.journal.alive import hold, release

    found, _ = _named(run, config)
    _tell(run, config, "control", {"ask": "cancel", "by": _who()})
    if not hold(home(), found):
        _done(run, config, "is cancelled at its next checkpoint or wait", as_json=as_json)
        return
    try:
        with closing(writer(config)) as written:
            from rtfs_framework.orchestrator.recording.journal.outside import ended

            ended(written, found, f"cancelled by {_who()}")
    finally:
        release(home(), found)
    _done(run, config, "cancelled", as_json=as_json)


def _named(run: str, config: str | None) -> tuple[str, RunRow]:
    from rtfs_framework.orchestrator.recording.journal.query import find_run, show_run

    path = journal(config)
    found = find_run(path, run)
    return found, show_run(path, found)[0]


def send(run: str, config: str | None, name: str, value: str) -> None:
    """Send a word to a run: a value as JSON, or else as a text."""
    from rtfs_framework.lang.types.jsonable import from_plain
    from rtfs_framework.orchestrator.recording.journal.kept import value_text

    try:
        data = load(value)
    except ValueError:
        data = value
    _tell(run, config, "signalled", {"name": name}, value_text(from_plain(data)))


def _tell(run: str, config: str | None, what: str, body: dict[str, Any], text: str | None = None) -> None:
    from rtfs_framework.orchestrator.recording.journal.outside import tell

    with closing(writer(config)) as written:
        tell(written, _named(run, config)[0], what, {**body, "at": round(written.clock.now(), 3)}, text)


def _done(run: str, config: str | None, said: str, *, as_json: bool) -> None:
    found = _named(run, config)[0]
    if as_json:
        put_json({"run": found, "done": said})
    else:
        say(f"{found[:_ID]}: {said}")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


COMMANDS = (resume_command, fork_command, signal_command, pause_command, cancel_command)
