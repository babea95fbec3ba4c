"""`rtfs plan FILE`: where all calls of a program go, decided at once and written down for review."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.cli.faults import FINE
from rtfs_framework.cli.notices import problems_json
from rtfs_framework.cli.options import caller_options, config_option, journal_option, json_option, open_session
from rtfs_framework.cli.output import write_text
from rtfs_framework.cli.problems import OUTPUT, USAGE, problem
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.sources import read_program
from rtfs_framework.cli.style import Part, bold
from rtfs_framework.cli.terminal import say

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.explaining.planning.planning import PlannedSite, ProgramPlan
    from rtfs_framework.orchestrator.session import Session


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--output", metavar="PLAN", help="Where the plan is (default: FILE.plan.toml).")
@click.option("--update", is_flag=True, help="Show what differs from the plan that is there, and write it anew.")
@journal_option
@json_option
@config_option
@caller_options
def command(file: str, *, output: str | None, update: bool, **options: Any) -> int:
    """Decide where all calls of a program go, and write that to FILE.plan.toml for review.

    An engine that asks a model asks once for all call sites together; that is billed and recorded like any request.
    What depends on the arguments is left to each call.

    A plan that is there already is never lost: while it fits, it is left as it is; where a function, the policy or a
    target has changed since, this says what, and --update shows the difference and writes it anew.

    \b
    rtfs plan triage.rtfs
    rtfs run triage.rtfs --plan triage.rtfs.plan.toml
    rtfs explain triage.rtfs --plan triage.rtfs.plan.toml
    rtfs plan triage.rtfs --update
    rtfs plan triage.rtfs --output reviewed/triage.toml --json
    """  # noqa: D301 - click takes the character for "as it is"
    source = read_program(file)
    if output is None and file == "-":
        raise click.UsageError("a program that is read from stdin needs --output PLAN")
    path = Path(output or f"{file}.plan.toml")
    there = path.exists()
    if there and file != "-" and path.samefile(file):
        raise problem(OUTPUT, f"{path} is the program itself", "name another file", exit_code=USAGE)
    if there and update and path.name != f"{Path(file).name}.plan.toml" and not _is_plan(path):
        message = f"{path} is no plan, and --update would overwrite it"
        raise problem(OUTPUT, message, "name another file, or delete this one first", exit_code=USAGE)
    keep = there and not update
    with open_session(file, options["config"], journal=options["journal"], plan=str(path) if keep else None) as session:
        if keep:
            session.link(source)  # which refuses a plan that no longer fits
            return _kept(path, as_json=options["as_json"])
        plan = session.plan(source)
        differs = _difference(session, path, plan) if there else None
        write_text(path, plan.text)
    if options["as_json"]:
        more = {"difference": differs, "problems": problems_json()}
        put_json({"file": str(path), "written": True, **plan.to_json(), **more})
        return FINE
    for site in plan.sites:
        for parts in _lines(site):
            say(*parts)
    for line in differs or ():
        say(line)
    if differs is not None and not differs:
        say("no call goes elsewhere than before")
    say(_closing(plan, path))
    return FINE


def _is_plan(path: Path) -> bool:
    from rtfs_framework.orchestrator.running.pinning import is_plan

    return is_plan(path)


def _difference(session: Session, path: Path, plan: ProgramPlan) -> list[str]:
    from rtfs_framework.orchestrator.explaining.planning.text import difference
    from rtfs_framework.orchestrator.running.pinning import read_plan

    try:
        before = read_plan(path, session.host)
    except ConfigError as error:  # it names what is gone, say: all of it is new
        return [f"the plan before cannot be read: {error.diagnostics[0].message}"]
    return difference(before, plan)


def _kept(path: Path, *, as_json: bool) -> int:
    """Say that a plan still fits."""
    if as_json:
        put_json({"file": str(path), "written": False, "problems": problems_json()})
    else:
        say(f"{path} fits, and is left as it is; --update decides anew")
    return FINE


def _lines(site: PlannedSite) -> Iterator[tuple[Part, ...]]:
    from rtfs_framework.orchestrator.config.routes import target_text

    inside = f" (inside {site.inside})" if site.inside else ""
    yield f"{site.at}: ", bold(site.symbol), inside
    if site.target is None:
        yield "  -> ", bold("decided at each call"), f": {site.why}"
    else:
        yield "  -> ", bold(target_text(site.target)), f", because of {site.why}"


def _closing(plan: ProgramPlan, path: Path) -> str:
    pinned = sum(each.target is not None for each in plan.sites)
    left = len(plan.sites) - pinned
    text = f"{path}: {pinned} call site{'' if pinned == 1 else 's'} pinned"
    text += f", {left} left to each call" if left else ""
    if plan.questions:
        cost = "unknown cost" if plan.cost is None else f"${plan.cost:.6f}"
        text += f"; {plan.questions} request{'' if plan.questions == 1 else 's'} to models ({cost})"
    return text
