"""`rtfs manifest FILE`: what a program can touch, as a table that people sign off and runs are held to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rtfs_framework.cli.faults import FINE
from rtfs_framework.cli.limits import nesting_limit, nesting_option
from rtfs_framework.cli.notices import problems_json
from rtfs_framework.cli.options import caller_options, config_option, json_option, open_session
from rtfs_framework.cli.output import write_text
from rtfs_framework.cli.problems import OUTPUT, USAGE, problem
from rtfs_framework.cli.shown.data import put_json
from rtfs_framework.cli.sources import read_program
from rtfs_framework.cli.terminal import put, say


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--out", metavar="MANIFEST", help="Write it to this file, for `rtfs run --manifest`.")
@click.option("--allow", multiple=True, metavar="ID", help="Also allow a capability whose name the program computes.")
@click.option("--any-program", is_flag=True, help="Let it hold for any program, and not for this text alone.")
@nesting_option()
@json_option
@config_option
@caller_options
def command(file: str, *, out: str | None, nesting: int | None, as_json: bool, **options: Any) -> int:
    """Show what a program can touch here: capabilities with their effects and grants, targets, labels, caches, budgets.

    The text is the same for the same program and configuration, so it can be reviewed, kept and compared. What the
    program asks for and may not do here is told in comments. Nothing runs.

    `rtfs run FILE --manifest MANIFEST` refuses what is not listed when it is asked for, and does not begin where the
    program, a grant, an effect, a budget or what labels let pass goes beyond what was signed off.

    \b
    rtfs manifest triage.rtfs
    rtfs manifest triage.rtfs --out triage.manifest.toml
    rtfs manifest triage.rtfs --allow fs.list --json
    rtfs run triage.rtfs --manifest triage.manifest.toml
    """  # noqa: D301 - click's \b is a backspace
    from rtfs_framework.orchestrator.explaining.manifest import draw

    source = read_program(file)
    path = None if out is None else Path(out)
    if path is not None and file != "-" and path.exists() and path.samefile(file):
        raise problem(OUTPUT, f"{path} is the program itself", "name another file", exit_code=USAGE)
    with open_session(file, options["config"], journal=False, limits=nesting_limit(nesting)) as session:
        allow, of_any = options["allow"], options["any_program"]
        drawn = session.portal.call(lambda _: draw(session.host, source, session.limits, allow, any_program=of_any))
    if path is not None:
        write_text(path, drawn.text)
    if as_json:
        manifest = drawn.manifest
        put_json(
            {
                **manifest.to_json(),
                "checksum": manifest.checksum,
                "left_out": drawn.left_out,
                "any_model": list(drawn.any_model),
                "file": out,
                "problems": problems_json(),
            }
        )
    elif path is None:
        put(drawn.text, end="")
    else:
        manifest = drawn.manifest
        say(f"{path}: {_count(len(manifest.capability), 'capability')}, {_count(len(manifest.targets), 'target')}")
        for each in drawn.remarks:
            say(each)
    return FINE


def _count(number: int, word: str) -> str:
    many = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{number} {word if number == 1 else many}"
