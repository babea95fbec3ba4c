"""`rtfs bench`: measurements. Built in is `write`; plug-ins add others."""

from __future__ import annotations

import hashlib
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.api.private import private_file
from rtfs_framework.cli.faults import FAILED as EXIT_FAILED
from rtfs_framework.cli.faults import FINE, Interrupted
from rtfs_framework.cli.limits import chosen, limit_options
from rtfs_framework.cli.options import config_option, json_option, open_session
from rtfs_framework.cli.problems import BAD_CHOICE, OUTPUT, USAGE, problem
from rtfs_framework.cli.shown.columns import say_table
from rtfs_framework.cli.shown.data import line, put_json
from rtfs_framework.cli.shown.progress import Progress, wanted
from rtfs_framework.cli.shown.words import money
from rtfs_framework.cli.terminal import complain, say
from rtfs_framework.orchestrator.config.colour import is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.cli.writing.measuring import Measured
    from rtfs_framework.cli.writing.tasks import Task
    from rtfs_framework.orchestrator.session import Session


@click.group(no_args_is_help=True)
def command() -> None:
    """Measure models and engines on tasks with known results."""


@command.command("write")
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--model", metavar="NAME", help="Who writes (default: as for `rtfs write`).")
@click.option("--repairs", type=click.IntRange(0, 20), default=2, show_default=True, metavar="N", help="Of each task.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only N tasks.")
@click.option("--seed", type=int, metavar="N", help="In an order that this draws (default: that of the file).")
@click.option("--results", metavar="FILE", help="Write each result to FILE, and go on where it ends.")
@click.option(
    "--pack-tokens", type=click.IntRange(200), default=1800, show_default=True, help="Of the language's part."
)
@click.option("--reply-tokens", type=click.IntRange(16), default=1000, show_default=True, help="Of each reply at most.")
@click.option("--yes", is_flag=True, help="Do not ask, whatever it costs.")
@click.option("--progress/--no-progress", default=None, help="Show how far it is (default: on a terminal).")
@limit_options
@json_option
@config_option
def write_command(file: str | None, **options: Any) -> int:
    """Measure how often a model writes a right program: on the tasks of FILE, or on the 60 that come with rtfs.

    A program is right when it passes all cases of its task; of these the model is told the first alone. It is shown
    what is wrong as `rtfs write` does, by --repairs. Shares have an interval of 95 % (Wilson's).

    \b
    rtfs bench write --model remote-openai --yes
    rtfs bench write tasks.jsonl --limit 20 --seed 1 --results results.jsonl
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.cli.writing.asking import chosen_model
    from rtfs_framework.cli.writing.tasks import picked, read_tasks, shipped

    tasks = picked(shipped() if file is None else read_tasks(file), options["limit"], options["seed"])
    with open_session(None, options["config"], limits=chosen(options)) as session:
        target = chosen_model(session, options["model"])
        if not options["yes"]:
            _ask(session, target, len(tasks) * (1 + options["repairs"]))
        found = _measured(session, target, tasks, options)
    return _told(found, options)


def _ask(session: Session, target: ExecTarget, requests: int) -> None:
    """Ask whether it may cost what it may cost; nothing where the model is on this machine and has no price.

    Raises:
        click.Abort: It may not.
        click.UsageError: Nobody can be asked.
    """
    from rtfs_framework.api.provider import Locality
    from rtfs_framework.orchestrator.config.routes import target_text

    instance = session.host.pool.instances[target]
    spec = instance.spec
    free = instance.entry.locality is Locality.LOCAL and not (spec.input_cost or spec.output_cost or spec.request_cost)
    if free:
        return
    told = f"this sends up to {requests:,} requests to {target_text(target)}, which may cost money"
    if not is_terminal(sys.stdin):
        raise click.UsageError(f"{told}; say --yes")
    complain(told)
    click.confirm("go on?", abort=True, err=True)


def _measured(session: Session, target: ExecTarget, tasks: list[Task], options: dict[str, Any]) -> list[Measured]:
    from rtfs_framework.cli.prompt_pack import make_pack
    from rtfs_framework.cli.writing.asking import Asking
    from rtfs_framework.cli.writing.measuring import Bench, measured
    from rtfs_framework.cli.writing.results import known
    from rtfs_framework.orchestrator.config.routes import target_text

    pack = make_pack(session.host, options["pack_tokens"])
    if pack is None:
        raise problem(
            BAD_CHOICE,
            f"{options['pack_tokens']} tokens do not hold the language",
            "--pack-tokens 1800",
            exit_code=USAGE,
        )
    path = options["results"]
    before = {} if path is None else known(Path(path))
    done = 0
    with ExitStack() as held:
        keep = _keeper(held, path)
        asking = held.enter_context(Asking(session, target, most=options["reply_tokens"]))
        bench = Bench(
            session=session,
            asking=asking,
            pack=pack.text,
            model=target_text(target),
            question=_question(session, target, pack.text, options["reply_tokens"]),
            repairs=options["repairs"],
        )
        shown = wanted(options["progress"]) and not options["as_json"]
        bar = held.enter_context(Progress(shown, len(tasks), lambda: done, "tasks"))

        def told(each: Measured, asked: bool) -> None:
            nonlocal done
            done += 1
            bar.update(done)
            if asked:
                keep(each)

        try:
            return measured(bench, tasks, before, told)
        except KeyboardInterrupt:
            raise Interrupted(f"; what was measured is in {path}" if path else "; --results FILE keeps it") from None


def _question(session: Session, target: ExecTarget, pack: str, most: int) -> str:
    """Return a digest of what all answers depend on: the model and its endpoint, too, which a name does not tell."""
    parts = (pack, most, session.host.pool.instances[target].fingerprint())
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _keeper(held: ExitStack, path: str | None) -> Callable[[Measured], None]:
    """Return what writes a result down at once."""
    if path is None:
        return lambda _: None
    from rtfs_framework.cli.writing.results import mend

    try:
        private_file(Path(path).resolve())  # what models wrote for tasks that may be nobody else's business
        mend(Path(path))
        file = Path(path).open("a", encoding="utf-8")  # noqa: SIM115 - closed with what holds it
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise problem(OUTPUT, message, "name a file in a folder that you may write", exit_code=USAGE) from error

    held.enter_context(file)

    def keep(each: Measured) -> None:
        file.write(line(each.to_json()) + "\n")
        file.flush()

    return keep


def _told(found: list[Measured], options: dict[str, Any]) -> int:
    from rtfs_framework.cli.writing.measuring import FAILED, OUTCOMES, summed

    total = summed(found)
    if options["as_json"]:
        put_json({"results": [each.to_json() for each in found], "summary": total})
    else:
        kinds = list(dict.fromkeys(each.kind for each in found))
        say_table([("kind", *OUTCOMES), *(_row(kind, found) for kind in kinds)])
        say()
        share = "no task was answered" if total["share"] is None else f"{total['share']:.1%} right"
        low, high = total["interval"]
        at_once = "" if total["at_once"] is None else f", {total['at_once']:.1%} at once"
        say(f"{share} of {total['tasks'] - total[FAILED]} (95 %: {low:.1%} to {high:.1%}){at_once}")
        cost = "cost not known" if total["cost"] is None else money(total["cost"])
        say(f"{total['input_tokens']:,} tokens in, {total['output_tokens']:,} out, {cost}")
    failed = [each for each in found if each.outcome == FAILED]
    if failed:
        complain(f"{len(failed)} task(s) were not answered; the first: {failed[0].wrong[0][:400]}")
    return EXIT_FAILED if failed else FINE


def _row(kind: str, found: list[Measured]) -> tuple[str, ...]:
    from rtfs_framework.cli.writing.measuring import OUTCOMES

    mine = [each.outcome for each in found if each.kind == kind]
    return (kind or "-", *(str(mine.count(word)) for word in OUTCOMES))
